"""The models this hub owns: read, edit, delete, and add what a download proved. Lists are `library_list`."""

import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api.errors import Conflict
from api.extensions import db, settings
from api.models import HubModel, ModelVersion
from api.models.base import utcnow
from api.models.hub_model import FACTS
from api.schemas.base import Sharing
from api.schemas.models import ImpactOut, ModelCardOut, ModelOut, ModelPatch
from api.security import audit, ownership
from api.security.authorise import Identity
from api.services import intake, library_impact, ollama, remote, store
from api.services.hub_names import name_of
from api.unit_of_work import AfterCommit, exclusive, unit_of_work
from integrations.errors import Unsupported
from integrations.model_facts import read_facts
from integrations.sources.cards import parse_card

MAX_CARD_BYTES = 1_000_000
COMPUTED = ("files", "path", "hub_ref")


def shape(model: HubModel, files: list[dict[str, Any]] | None = None) -> ModelOut:
    """A model as an answer; with `files` in place of its own, where a list does not read them all."""
    fields = {name: getattr(model, name) for name in ModelOut.model_fields if name not in COMPUTED}
    shown = model.files if files is None else files
    path = "" if model.location == "ollama" else str(directory(model))
    hub_ref = None if model.location == "ollama" else name_of(model)
    return ModelOut.model_validate({**fields, "files": shown, "path": path, "hub_ref": hub_ref})


def directory(model: HubModel | ModelVersion) -> Path:
    """Where the files lie. Built from our id only, never from a name somebody else chose; an adopted folder's
    path was checked when it was adopted. Raises Unsupported for a model that another server keeps."""
    if model.location == "ollama":
        raise Unsupported(
            f"{model.name if isinstance(model, HubModel) else 'This version'} lies on the Ollama "
            "server; the hub "
            "has no files of it to deploy or send. Ask it there (`ollama run`), or bring in its GGUF "
            "from Hugging "
            "Face and deploy that."
        )
    return settings().models_dir / model.path  # an absolute path stays what it is


def directories(model_id: str) -> list[Path]:
    """The folders of the hub that hold a model's versions; not those it only adopted."""
    paths = db.session.scalars(
        select(ModelVersion.path).where(ModelVersion.model_id == model_id, ModelVersion.location == "local")
    )
    return [settings().models_dir / path for path in paths]


def seen(model_id: str, who: Identity) -> HubModel:
    """The model, if `who` may see it."""
    return ownership.seen(HubModel, model_id, who, missing(model_id))


def get(model_id: str, who: Identity) -> ModelOut:
    return shape(seen(model_id, who))


def card(model_id: str, who: Identity) -> ModelCardOut:
    """The README that came with the model, without its front matter; empty when there is none."""
    model = seen(model_id, who)
    if model.location == "ollama":
        return ModelCardOut(text="")
    path = directory(model) / "README.md"
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(MAX_CARD_BYTES)
    except FileNotFoundError:
        text = ""
    return ModelCardOut(text=parse_card(text)[0])


def describe_directory(path: Path, plan: dict[str, Any], proven: dict[str, str]) -> ModelVersion:
    """A version for the proven files in `path`; its facts are parsed from headers, never loaded.

    `proven` maps file names to the SHA-256 that was computed; what it lacks is taken from the plan.
    """
    promised = {file["path"]: file.get("sha256") for file in plan["files"]} | proven
    files = [
        {"path": name, "size": file.stat().st_size, "sha256": promised.get(name)}
        for file in sorted(path.rglob("*"))
        if file.is_file() and not (name := file.relative_to(path).as_posix()).startswith(".")
    ]
    facts = read_facts(path)
    return ModelVersion(
        id=path.name,
        kind=facts.kind,
        revision=plan["revision"],
        commit=plan["commit"],
        size=sum(int(file["size"] or 0) for file in files),
        path=path.name,
        location="local",
        files=files,
        architecture=facts.architecture,
        parameters=facts.parameters,
        context_length=facts.context_length,
        dtype=facts.dtype,
        quantization=facts.quantization,
        license=facts.license,
        tags=facts.tags,
        warnings=facts.warnings,
        remote_code=[],
    )


def add(after_commit: AfterCommit, version: ModelVersion, model: HubModel) -> HubModel:
    """Put a described version on the shelf, inside the caller's unit of work: as the first of the new
    `model`, or as one more of it when its row is there already. It becomes the active one. Adding it twice
    is once.
    """
    known = db.session.get(HubModel, model.id)
    if known is None:
        known = model
        known.tags = version.tags
        known.checked_at = utcnow()  # what its source said a moment ago
        _take_over(known, version)
        db.session.add(known)
        db.session.flush()
    if db.session.get(ModelVersion, version.id) is None:
        version.model_id = known.id
        db.session.add(version)
        db.session.flush()
        remote.keep(after_commit, known, version)
    activate(known, version)
    return known


def activate(model: HubModel, version: ModelVersion) -> None:
    """From now on `model` means this version: what is deployed next runs it."""
    if model.active_version_id != version.id:
        _take_over(model, version)
        if model.status in ("ready", "quarantined"):
            model.status = intake.condition(version)
        model.version = (model.version or 0) + 1
        if model.newer and model.newer["commit"] == version.commit:
            model.newer, model.outdated = None, False


def _take_over(model: HubModel, version: ModelVersion) -> None:
    model.active_version_id = version.id
    model.file_count = len(version.files or [])
    for column in FACTS:
        setattr(model, column, getattr(version, column))


def share(model_id: str, body: Sharing, who: Identity) -> ModelOut:
    """Say who else sees a model. Deployments of it that others can ask stay as they are."""
    with unit_of_work():
        model = ownership.changeable(HubModel, model_id, who, missing(model_id))
        ownership.share(model, body.visibility, body.team_id, who)
        model.version += 1
        audit.note("model.share", model, visibility=body.visibility, team_id=body.team_id)
        db.session.flush()
        return shape(model)


def edit(model_id: str, body: ModelPatch, who: Identity) -> ModelOut:
    """Rename, describe or tag a model. Two of one's own models are not called the same."""
    with unit_of_work():
        model = ownership.changeable(HubModel, model_id, who, missing(model_id))
        changes = body.model_dump(exclude_none=True)
        changes = {field: value for field, value in changes.items() if value != getattr(model, field)}
        if "name" in changes:
            exclusive(f"model-names:{model.user_id}")
            same = select(HubModel.id).where(HubModel.name == body.name, HubModel.user_id == model.user_id)
            if other := db.session.scalar(same.where(HubModel.id != model.id).limit(1)):
                raise Conflict(
                    f"Another model of this owner is called '{body.name}'. Choose another name.",
                    details={"model_id": other},
                )
        was = model.name
        for field, value in changes.items():
            setattr(model, field, value)
        model.version += 1
        audit.note("model.change", model, fields=sorted(changes), was=was)
        db.session.flush()
        return shape(model)


def delete(model_id: str, who: Identity, *, on_server: bool = False) -> None:
    """Remove a model and its files; refused while something needs it (`library_impact`). `on_server`: what an
    Ollama server keeps is deleted there too, first."""
    if on_server:
        model = ownership.changeable(HubModel, model_id, who, missing(model_id))
        _refuse_while_needed(model, who)
        ollama.forget(model, who)
    with unit_of_work() as after_commit:
        model = ownership.changeable(HubModel, model_id, who, missing(model_id))
        exclusive("blobs")
        impact = _refuse_while_needed(model, who)
        audit.note("model.delete", model, ref=model.ref, size=model.size, freed=impact.bytes_freed)
        paths = directories(model.id)
        contents = store.contents(model_id=model.id)
        db.session.delete(model)
        after_commit(lambda: remove_folders(*paths))
        store.release(after_commit, contents)


def _refuse_while_needed(model: HubModel, who: Identity) -> ImpactOut:
    impact = library_impact.of(model, who)
    if impact.refused:
        names = [deployment.name for deployment in impact.deployments]
        raise Conflict(f"{model.name} {impact.reason}", details=impact.model_dump() | {"deployments": names})
    return impact


def remove_folders(*paths: Path) -> None:
    """Renamed first: half-deleted files must never look like a model."""
    for path in paths:
        doomed = path.with_name(f".deleting-{path.name}")
        if path.exists():
            path.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def missing(model_id: str) -> str:
    return f"There is no model {model_id[:64]} in the library. `modelhub list` shows what is."
