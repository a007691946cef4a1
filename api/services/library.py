"""The models this hub owns: list, read, delete, and add what a download proved."""

import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api.errors import Conflict
from api.extensions import db, settings
from api.models import Deployment, HubModel
from api.schemas.base import Page, Sharing
from api.schemas.models import ModelCardOut, ModelOut, ModelQuery
from api.security import audit, ownership
from api.security.authorise import Identity
from api.services.paging import page
from api.unit_of_work import AfterCommit, unit_of_work
from integrations.model_facts import read_facts
from integrations.sources.cards import parse_card

MAX_CARD_BYTES = 1_000_000


def shape(model: HubModel) -> ModelOut:
    answer = ModelOut.model_validate(model)
    return answer.model_copy(update={"path": str(directory(model))})


def directory(model: HubModel) -> Path:
    """Where the files lie. Built from our id only, never from a name somebody else chose."""
    return settings().models_dir / model.path


def seen(model_id: str, who: Identity) -> HubModel:
    """The model, if `who` may see it."""
    return ownership.seen(HubModel, model_id, who, _missing(model_id))


def get(model_id: str, who: Identity) -> ModelOut:
    return shape(seen(model_id, who))


def list_models(query: ModelQuery, who: Identity) -> Page[ModelOut]:
    statement = select(HubModel).where(ownership.visible(HubModel, who))
    if query.q:
        statement = statement.where(HubModel.name.icontains(query.q, autoescape=True))
    return page(statement, HubModel.id, limit=query.limit, after=query.after, shape=shape)


def card(model_id: str, who: Identity) -> ModelCardOut:
    """The README that came with the model, without its front matter; empty when there is none."""
    path = directory(seen(model_id, who)) / "README.md"
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(MAX_CARD_BYTES)
    except FileNotFoundError:
        text = ""
    return ModelCardOut(text=parse_card(text)[0])


def describe_directory(path: Path, plan: dict[str, Any], proven: dict[str, str]) -> HubModel:
    """A row for the proven files in `path`; architecture and counts are parsed from headers, never loaded.

    `proven` maps file names to the SHA-256 the fetch computed; what it lacks is taken from the plan.
    """
    promised = {file["path"]: file.get("sha256") for file in plan["files"]} | proven
    files = [
        {"path": name, "size": file.stat().st_size, "sha256": promised.get(name)}
        for file in sorted(path.rglob("*"))
        if file.is_file() and not (name := file.relative_to(path).as_posix()).startswith(".")
    ]
    facts = read_facts(path)
    return HubModel(
        id=path.name,
        name=plan["ref"],
        kind=facts.kind,
        source=plan["source"],
        ref=plan["ref"],
        revision=plan["revision"],
        commit=plan["commit"],
        size=sum(int(file["size"] or 0) for file in files),
        path=path.name,
        files=files,
        architecture=facts.architecture,
        parameters=facts.parameters,
        context_length=facts.context_length,
        dtype=facts.dtype,
        quantization=facts.quantization,
        license=facts.license,
        tags=facts.tags,
        warnings=facts.warnings,
    )


def add(_after_commit: AfterCommit, row: HubModel) -> None:
    """Put a described model on the shelf, inside the caller's unit of work. Adding it twice is once."""
    if db.session.get(HubModel, row.id) is None:
        db.session.add(row)
        db.session.flush()


def share(model_id: str, body: Sharing, who: Identity) -> ModelOut:
    """Say who else sees a model. Deployments of it that others can ask stay as they are."""
    with unit_of_work():
        model = ownership.changeable(HubModel, model_id, who, _missing(model_id))
        ownership.share(model, body.visibility, body.team_id, who)
        model.version += 1
        audit.note("model.share", model, visibility=body.visibility, team_id=body.team_id)
        db.session.flush()
        return shape(model)


def delete(model_id: str, who: Identity) -> None:
    """Remove a model and its files; refused while a deployment needs it."""
    with unit_of_work() as after_commit:
        model = ownership.changeable(HubModel, model_id, who, _missing(model_id))
        _refuse_while_needed(model, who)
        audit.note("model.delete", model, ref=model.ref, size=model.size)
        path = directory(model)
        doomed = path.with_name(f".deleting-{path.name}")
        db.session.delete(model)

        def remove() -> None:
            # Renamed first: half-deleted files must never look like a model.
            if path.exists():
                path.rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)

        after_commit(remove)


def _refuse_while_needed(model: HubModel, who: Identity) -> None:
    needed = select(Deployment.name).where(Deployment.model_id == model.id)
    names = list(db.session.scalars(needed.where(ownership.visible(Deployment, who))))
    if names:
        raise Conflict(
            f"{model.name} is needed by: {', '.join(names)}. Delete the deployment first.",
            details={"deployments": names},
        )
    if db.session.scalar(needed.limit(1)):
        raise Conflict(f"{model.name} is needed by somebody else's deployment. Ask an operator.")


def _missing(model_id: str) -> str:
    return f"There is no model {model_id[:64]} in the library. `modelhub list` shows what is."
