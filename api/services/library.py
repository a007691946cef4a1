"""The models this hub owns: list, read, delete, and add what a download proved."""

import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api.errors import Conflict, Missing
from api.extensions import db, settings
from api.models import Deployment, HubModel
from api.schemas.base import Page
from api.schemas.models import ModelCardOut, ModelOut, ModelQuery
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


def find(model_id: str) -> HubModel:
    model = db.session.get(HubModel, model_id)
    if model is None:
        raise Missing(f"There is no model {model_id[:64]} in the library. `modelhub list` shows what is.")
    return model


def get(model_id: str) -> ModelOut:
    return shape(find(model_id))


def list_models(query: ModelQuery) -> Page[ModelOut]:
    statement = select(HubModel)
    if query.q:
        statement = statement.where(HubModel.name.icontains(query.q, autoescape=True))
    return page(statement, HubModel.id, limit=query.limit, after=query.after, shape=shape)


def card(model_id: str) -> ModelCardOut:
    """The README that came with the model, without its front matter; empty when there is none."""
    path = directory(find(model_id)) / "README.md"
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


def delete(model_id: str) -> None:
    """Remove a model and its files; refused while a deployment needs it."""
    with unit_of_work() as after_commit:
        model = find(model_id)
        users = db.session.scalars(select(Deployment.name).where(Deployment.model_id == model_id)).all()
        if users:
            raise Conflict(
                f"{model.name} is needed by: {', '.join(users)}. Delete the deployment first.",
                details={"deployments": list(users)},
            )
        path = directory(model)
        doomed = path.with_name(f".deleting-{path.name}")
        db.session.delete(model)

        def remove() -> None:
            # Renamed first: half-deleted files must never look like a model.
            if path.exists():
                path.rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)

        after_commit(remove)
