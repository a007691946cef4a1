"""What happens to files that are held: an administrator releases or deletes them, and says why."""

from pathlib import Path

from sqlalchemy import select

from api.errors import Conflict, Missing
from api.extensions import db, settings
from api.models import HubModel, ModelVersion, QuarantinedFile
from api.models.base import utcnow
from api.schemas.base import Page
from api.schemas.quarantine import QuarantineOut, QuarantineQuery, Release
from api.security import audit, ownership
from api.security.authorise import Identity
from api.services import intake, library, store
from api.services.paging import page
from api.unit_of_work import exclusive, unit_of_work


def list_files(query: QuarantineQuery, who: Identity) -> Page[QuarantineOut]:
    statement = (
        select(QuarantinedFile)
        .join(ModelVersion, ModelVersion.id == QuarantinedFile.version_id)
        .join(HubModel, HubModel.id == ModelVersion.model_id)
        .where(ownership.visible(HubModel, who))
    )
    if query.status:
        statement = statement.where(QuarantinedFile.status == query.status)
    if query.model_id:
        statement = statement.where(HubModel.id == query.model_id)
    return page(statement, QuarantinedFile.id, limit=query.limit, after=query.after, shape=shape)


def get(file_id: str, who: Identity) -> QuarantineOut:
    return shape(_seen(file_id, who)[0])


def release(file_id: str, body: Release, who: Identity) -> QuarantineOut:
    """Let a held file back into its model. Engines load only safetensors and GGUF all the same."""
    with unit_of_work() as after_commit:
        exclusive("blobs")
        row, version, model = _seen(file_id, who)
        _refuse_decided(row)
        held = intake.folder(version.id) / row.id
        if version.location == "local" and not held.is_file():
            raise Conflict("The file is not in the quarantine any more. Download the model again.")
        file = {"path": row.path, "size": row.size, "sha256": row.sha256}
        version.files = sorted([*version.files, file], key=lambda each: str(each["path"]))
        version.size += row.size
        version.warnings = [said for said in version.warnings if not said.startswith(f"{row.path} is in q")]
        _decide(row, "released", who, body.reason)
        if version.location == "local":
            store.record(version)
            target = library.directory(version) / row.path
            after_commit(lambda: _put_back(held, target, row.sha256))
        _renew(model, version)
        audit.note(
            "quarantine.release", _about(row), model_id=model.id, reason=body.reason, sha256=row.sha256
        )
        db.session.flush()
        return shape(row)


def delete(file_id: str, who: Identity) -> None:
    """Delete a held file for good; its row stays as the record of it."""
    with unit_of_work() as after_commit:
        row, version, model = _seen(file_id, who)
        _refuse_decided(row)
        if version.location != "local":
            raise Conflict("This file lies in a folder that is not the hub's. Delete it there.")
        held = intake.folder(version.id) / row.id
        _decide(row, "deleted", who, "")
        audit.note("quarantine.delete", _about(row), model_id=model.id, sha256=row.sha256)
        after_commit(lambda: held.unlink(missing_ok=True))


def repair() -> int:
    """Finish what a crash left half done: a file that was released goes to its model, one that was deleted
    goes. How many."""
    done = 0
    for held in settings().quarantine_dir.glob("*/*"):
        row = db.session.get(QuarantinedFile, held.name)
        if row is None or row.status == "held":
            continue
        version = db.session.get_one(ModelVersion, row.version_id)
        target, sha256, released = library.directory(version) / row.path, row.sha256, row.status == "released"
        db.session.rollback()  # nothing is kept locked while files are moved
        if released:
            _put_back(held, target, sha256)
        else:
            held.unlink(missing_ok=True)
        done += 1
    db.session.rollback()
    return done


def refuse_held(model: HubModel) -> None:
    """Raises Conflict for a model whose weights are held."""
    if model.status == "quarantined":
        raise Conflict(
            f"The weights of {model.name} are in quarantine, so it cannot be deployed. "
            "`modelhub quarantine` says why; an administrator can release them, or bring the model in as "
            "safetensors or GGUF.",
            details={"model_id": model.id},
        )


def shape(row: QuarantinedFile) -> QuarantineOut:
    model = db.session.scalars(
        select(HubModel).join(ModelVersion, ModelVersion.model_id == HubModel.id).where(
            ModelVersion.id == row.version_id
        )
    ).unique().one()  # fmt: skip
    columns = [name for name in QuarantineOut.model_fields if name not in ("model_id", "model_name")]
    fields = {name: getattr(row, name) for name in columns}
    return QuarantineOut(model_id=model.id, model_name=model.name, **fields)


def _seen(file_id: str, who: Identity) -> tuple[QuarantinedFile, ModelVersion, HubModel]:
    row = db.session.get(QuarantinedFile, file_id) if "\0" not in file_id else None
    missing = f"There is no file {file_id[:64]} in quarantine. `modelhub quarantine` lists them."
    if row is None:
        raise Missing(missing)
    version = db.session.get_one(ModelVersion, row.version_id)
    return row, version, ownership.seen(HubModel, version.model_id, who, missing)


def _refuse_decided(row: QuarantinedFile) -> None:
    if row.status != "held":
        raise Conflict(f"This file has already been {row.status}.")


def _decide(row: QuarantinedFile, status: str, who: Identity, reason: str) -> None:
    row.status, row.decided_by, row.decided_at, row.reason = status, who.owner_id, utcnow(), reason
    row.version += 1
    db.session.flush()


def _renew(model: HubModel, version: ModelVersion) -> None:
    if model.active_version_id == version.id:
        model.files, model.size, model.warnings = version.files, version.size, version.warnings
        model.file_count = len(version.files)
        if model.status == "quarantined":
            model.status = intake.condition(version)
        model.version += 1


def _put_back(held: Path, target: Path, sha256: str | None) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        held.replace(target)
    except FileNotFoundError:
        return  # it has been put back already
    if sha256:
        store.blobs().take(target, sha256)


def _about(row: QuarantinedFile) -> tuple[str, str, str]:
    return "quarantined_file", row.id, row.path
