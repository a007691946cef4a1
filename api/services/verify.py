"""Is everything still what it was? Every content is hashed again, once, by a child that nobody waits for.

What is damaged loses its place in the store, so that no other model becomes a link to it; models that hold it
say so, and `repair` brings exactly the damaged contents again.
"""

import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from api.errors import Conflict, Forbidden, describe
from api.extensions import db, settings
from api.models import Blob, BlobRef, HubModel, Job, ModelVersion
from api.models.base import utcnow
from api.schemas.downloads import DownloadOut
from api.schemas.jobs import JobOut
from api.schemas.storage import VerifyRequest
from api.security import audit, ownership
from api.security.authorise import Identity
from api.services import downloads, jobs, library, store, updates, work
from api.unit_of_work import AfterCommit, exclusive, unit_of_work
from integrations import children

KIND = "verify"
MODULE = "integrations.blobs.verify"


def request(body: VerifyRequest, who: Identity) -> JobOut:
    """Put a check of one model, or of the whole library, in the ledger."""
    name = "the library"
    if body.model_id:
        name = ownership.changeable(HubModel, body.model_id, who, library.missing(body.model_id)).name
    elif not who.may("settings.manage"):
        raise Forbidden("Verifying everybody's models needs 'settings.manage'. Name one of yours.")
    with unit_of_work() as after_commit:
        exclusive("verify")
        running = select(Job.id).where(Job.kind == KIND, Job.object_id == (body.model_id or ""))
        if other := db.session.scalar(running.where(Job.state.in_(("queued", "running")))):
            raise Conflict("This is being verified already.", details={"job_id": other})
        job = jobs.submit(after_commit, KIND, body.model_id or "", user_id=who.owner_id, name=name)
        audit.note("storage.verify", ("model", body.model_id, name), job_id=job.id)
        return jobs.shape(job)


def run(job_id: str) -> None:
    """The worker's part; safe to be called again after any crash: what was found right is not read again."""
    held = jobs.claim(job_id, work.OWNER)
    if held is None:
        return
    directory = settings().children_dir / f"verify-{job_id}"
    try:
        _carry_out(held, directory, jobs.find(job_id).object_id or None)
    except jobs.StaleFence:
        return
    except Exception as error:
        jobs.finish(held, "failed", error=describe(error))
        if describe(error)["code"] == "INTERNAL":
            raise


def _carry_out(held: jobs.Claim, directory: Path, model_id: str | None) -> None:
    files, versions = _to_check(model_id)
    spec = {"job_id": held.job_id, "files": files, "done": str(directory / "right")}
    outcome = work.follow(held, directory, lambda: children.start(directory, MODULE, spec))
    if outcome.kind == "error":
        said = {key: outcome.event[key] for key in ("code", "message", "details")}
        jobs.finish(held, "failed", error=said)
    elif outcome.kind in ("pause", "cancel"):
        jobs.finish(held, "paused" if outcome.kind == "pause" else "cancelled")
    if outcome.kind == "result":
        ours = [file["sha256"] for file in files if "label" not in file]
        _settle(held, outcome.event, ours, versions)
    if outcome.kind not in ("handed_over", "pause"):
        shutil.rmtree(directory, ignore_errors=True)


def _to_check(model_id: str | None) -> tuple[list[dict[str, Any]], list[str]]:
    """Every file of the versions meant, each inode once; and those versions."""
    statement = select(ModelVersion).where(ModelVersion.location != "ollama")
    if model_id:
        statement = statement.where(ModelVersion.model_id == model_id)
    found: dict[tuple[int, int] | str, dict[str, Any]] = {}
    versions = []
    for version in db.session.scalars(statement):
        versions.append(version.id)
        directory = library.directory(version)
        for file in version.files:
            path, sha256 = directory / file["path"], file.get("sha256")
            if not sha256:
                continue
            if version.location == "local" and not path.exists() and store.blobs().has(sha256):
                store.place(directory, {file["path"]: sha256})  # only its name was gone
            try:
                stat = path.stat()
            except OSError:
                if version.offloaded:
                    continue  # it lies in the object storage, which holds it against its hash
                found[str(path)] = {"path": str(path), "size": file["size"], "sha256": sha256} | _told(
                    version, sha256
                )
                continue
            seen = {"path": str(path), "size": stat.st_size, "sha256": sha256} | _told(version, sha256)
            found[(str(path) if version.location == "external" else (stat.st_dev, stat.st_ino))] = seen
    db.session.rollback()
    return list(found.values()), versions


def _told(version: ModelVersion, sha256: str) -> dict[str, str]:
    """An adopted file is a matter of its own model: what its owner does to it says nothing of the store's
    copy."""
    return {"label": _label(version, sha256)} if version.location == "external" else {}


def _label(version: ModelVersion, sha256: str) -> str:
    return f"{version.id}:{sha256}" if version.location == "external" else sha256


def _settle(held: jobs.Claim, result: dict[str, Any], checked: list[str], versions: list[str]) -> None:
    wrong = {**dict.fromkeys(result["missing"], "missing"), **dict.fromkeys(result["damaged"], "damaged")}
    now = utcnow()

    def also(after_commit: AfterCommit, job: Job) -> None:
        exclusive("blobs")
        for part in store.some(checked):
            db.session.execute(update(Blob).where(Blob.sha256.in_(part)).values(verified_at=now, status="ok"))
        for sha256, status in wrong.items():
            db.session.execute(update(Blob).where(Blob.sha256 == sha256).values(status=status))
        for part in store.some(versions):
            db.session.execute(update(ModelVersion).where(ModelVersion.id.in_(part)).values(verified_at=now))
        models = _tell_models(versions, wrong)
        audit.note(
            "storage.verified",
            ("job", job.id, str(job.params.get("name", ""))),
            result="failed" if wrong else "done",
            checked=result["checked"],
            damaged=models,
        )
        job.progress = {**job.progress, "checked": result["checked"], "damaged": models}
        after_commit(lambda: [store.blobs().remove(sha256) for sha256 in wrong if ":" not in sha256])

    jobs.finish(held, "completed", progress={"message": ""}, also=also)


def _tell_models(versions: list[str], wrong: dict[str, str]) -> list[dict[str, Any]]:
    """Models whose active version has a wrong file say so, others not any more. Those with wrong files."""
    told = []
    for part in store.some(versions):
        for version in db.session.scalars(select(ModelVersion).where(ModelVersion.id.in_(part))):
            bad = [
                file["path"]
                for file in version.files
                if file.get("sha256") and _label(version, file["sha256"]) in wrong
            ]
            model = db.session.get(HubModel, version.model_id)
            if model is None:
                continue
            if bad:
                told.append(
                    {"model_id": model.id, "name": model.name, "version_id": version.id, "files": bad}
                )
            if model.active_version_id == version.id and model.status in ("ready", "damaged"):
                status = "damaged" if bad else "ready"
                if model.status != status:
                    model.status = status
                    model.version += 1
    return told


def repair(model_id: str, who: Identity) -> DownloadOut:
    """Bring the damaged contents of a model's active version again, at the commit it has."""
    model = ownership.changeable(HubModel, model_id, who, library.missing(model_id))
    if model.status != "damaged":
        raise Conflict(f"Nothing of {model.name} is known to be damaged. `modelhub verify` looks again.")
    version = db.session.get_one(ModelVersion, model.active_version_id or model.id)
    if version.location == "external":
        raise Conflict(
            f"{model.name} was adopted where it lies, {version.path}, and the hub changes nothing there. Put "
            "its "
            "files right and verify it again, or delete it from the library."
        )
    return downloads.enter(updates.plan_again(model, version), who, picked=version.picked, update_of=model)


def twin(model_id: str | None, version: ModelVersion) -> ModelVersion | None:
    """The version of the model that has the same files at the same commit."""
    if model_id is None:
        return None
    same = ModelVersion.model_id == model_id, ModelVersion.commit == version.commit
    ours = {file["path"]: file.get("sha256") for file in version.files}
    for other in db.session.scalars(select(ModelVersion).where(*same, ModelVersion.id != version.id)):
        if {file["path"]: file.get("sha256") for file in other.files} == ours:
            return other
    return None


def heal(files: list[dict[str, Any]]) -> None:
    """Inside a unit of work, once the good contents are in the store: whoever held a damaged one gets it."""
    damaged: list[str] = []
    for part in store.some(file["sha256"] for file in files if file.get("sha256")):
        wrong = select(Blob.sha256).where(Blob.sha256.in_(part), Blob.status != "ok")
        damaged += db.session.scalars(wrong)
    if not damaged:
        return
    db.session.execute(update(Blob).where(Blob.sha256.in_(damaged)).values(status="ok"))
    holders = select(BlobRef.version_id).where(BlobRef.sha256.in_(damaged))
    for version in db.session.scalars(select(ModelVersion).where(ModelVersion.id.in_(holders))):
        where = library.directory(version)
        again = {file["path"]: file["sha256"] for file in version.files if file.get("sha256") in damaged}
        store.place(where, again)
        model = db.session.get(HubModel, version.model_id)
        if model and model.status == "damaged" and model.active_version_id == version.id and _sound(version):
            model.status = "ready"
            model.version += 1


def _sound(version: ModelVersion) -> bool:
    bad = (
        select(Blob.sha256)
        .join(BlobRef, BlobRef.sha256 == Blob.sha256)
        .where(BlobRef.version_id == version.id, Blob.status != "ok")
    )
    return db.session.scalar(bad.limit(1)) is None
