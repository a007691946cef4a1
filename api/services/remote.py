"""The object storage behind the library: what is here goes there too, and may leave this disk then.

A version that was put on the shelf is followed by a job that uploads its contents (`Blob.remote`). `offload`
takes the large files of a model off this disk; a deployment of it, or `restore`, brings them back, hash by
hash. All traffic is a child's (`integrations.blobs.move`).
"""

import os
import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from api.errors import Conflict, describe
from api.extensions import db, settings
from api.models import Blob, BlobRef, Deployment, HubModel, Job, ModelVersion
from api.schemas.jobs import JobOut
from api.schemas.models import ModelOut
from api.security import audit, ownership
from api.security.authorise import Identity
from api.services import jobs, library, store, work
from api.unit_of_work import AfterCommit, exclusive, unit_of_work
from integrations import children
from integrations.errors import IntegrationError, OutOfSpace

MODULE = "integrations.blobs.move"
SMALL = 1024**2
"""Files of at most so many bytes stay when a model is offloaded: card, configuration, tokenizer."""

CATCH_UP = 20
"""Versions queued in one sweep that are not in the object storage yet."""


def keep(after_commit: AfterCommit, model: HubModel, version: ModelVersion) -> None:
    """Inside a unit of work: a version is on the shelf; let the object storage, if there is one, have it."""
    if settings().storage and version.location == "local":
        jobs.submit(
            after_commit, "storage", version.id, {"action": "store"}, user_id=model.user_id, name=model.name
        )


def offload(model_id: str, who: Identity) -> ModelOut:
    """Take a model's large files off this disk. Refused until all of them are in the object storage, and
    while a deployment needs them here."""
    model = ownership.changeable(HubModel, model_id, who, library.missing(model_id))
    _configured()
    if model.location != "local":
        raise Conflict(f"The files of {model.name} are not the hub's: there is nothing to offload.")
    if lacking := _upload_the_rest(model):
        raise Conflict(
            f"{lacking} of its files are not in the object storage yet; they are being uploaded. Try again "
            "when that job has ended (`modelhub jobs`).",
            details={"files": lacking},
        )
    with unit_of_work() as after_commit:
        exclusive("blobs")
        model = ownership.changeable(HubModel, model_id, who, library.missing(model_id))
        wanted = Deployment.model_id == model.id, Deployment.wanted == "running"
        if db.session.scalar(select(Deployment.id).where(*wanted).limit(1)):
            raise Conflict(f"A deployment of {model.name} needs its files here. Stop it first.")
        versions = _here(model.id)
        for version in versions:
            version.offloaded = True
        model.offloaded = True
        model.version += 1
        audit.note("model.offload", model, versions=[version.id for version in versions])
        db.session.flush()
        leaving = [(library.directory(version), _large(version)) for version in versions]
        held = _held_here([file["sha256"] for _, files in leaving for file in files])
        after_commit(lambda: _take_off(leaving, held))
        return library.shape(model)


def restore(model_id: str, who: Identity) -> JobOut:
    """Bring the files of a model's active version back from the object storage."""
    with unit_of_work() as after_commit:
        model = ownership.changeable(HubModel, model_id, who, library.missing(model_id))
        _configured()
        if not model.offloaded:
            raise Conflict(f"The files of {model.name} are all here.")
        version_id = model.active_version_id or model.id
        exclusive(f"restore:{version_id}")
        if job := _active(version_id, "restore"):
            return jobs.shape(job)
        job = jobs.submit(
            after_commit, "restore", version_id, {"action": "fetch"}, user_id=who.owner_id, name=model.name
        )
        audit.note("model.restore", model, job_id=job.id)
        return jobs.shape(job)


def run(job_id: str) -> None:
    """Carry out a job of the kinds `storage` and `restore`; safe to be called again after any crash."""
    held = jobs.claim(job_id, work.OWNER)
    if held is None:
        return
    job = jobs.find(job_id)
    action, object_id = job.params.get("action"), job.object_id or ""
    try:
        if action == "discard":
            _discard(held, job.params["contents"])
        elif (version := db.session.get(ModelVersion, object_id)) is None:
            jobs.finish(held, "cancelled")
        elif action == "store":
            _store(held, version)
        else:
            size = version.size
            if bring_back(held, version):
                jobs.finish(held, "completed", progress=_all_of(size))
    except jobs.StaleFence:
        return
    except Exception as error:
        jobs.finish(held, "failed", error=describe(error))
        if describe(error)["code"] == "INTERNAL":
            raise


def bring_back(held: jobs.Claim, version: ModelVersion) -> bool:
    """Let the files of an offloaded version be here again, for the job `held`.

    False when it was stopped on the way: `held` may still be ours then (cancelled), or its lease is to run
    out (this worker stops). Raises what the object storage says, OutOfSpace before anything is fetched.
    """
    files = [file for file in version.files if file.get("sha256")]
    missing = sum(file["size"] for file in files if not store.blobs().has(file["sha256"]))
    free = shutil.disk_usage(settings().blobs_dir).free
    if (lack := missing + settings().disk_reserve - free) > 0:
        raise OutOfSpace(
            f"The model's files need {missing:,} bytes on this disk, and {lack:,} are lacking. Free some "
            "room first.",
            details={"needed": missing, "free": free, "deficit": lack},
        )
    spec = {"action": "fetch", "files": files, "blobs": str(settings().blobs_dir)}
    version_id, where = version.id, library.directory(version)
    if not _followed(held, f"storage-fetch-{version_id}", spec | {"directory": str(where)}):
        return False
    with unit_of_work():
        exclusive("blobs")
        row = db.session.get_one(ModelVersion, version_id)
        row.offloaded = False
        model = db.session.get_one(HubModel, row.model_id)
        if model.active_version_id == row.id:
            model.offloaded = False
            model.version += 1
    return True


def catch_up() -> int:
    """What the sweep asks for: upload what was here before there was an object storage. How many versions.

    One whose upload failed waits for somebody to retry that job, or to offload the model.
    """
    if not settings().storage:
        return 0
    tried = select(Job.object_id).where(
        Job.kind == "storage", Job.state.not_in(("completed", "cancelled")), Job.object_id.is_not(None)
    )
    lacking = (
        select(ModelVersion.id)
        .join(BlobRef)
        .join(Blob, Blob.sha256 == BlobRef.sha256)
        .where(Blob.remote.is_(False), ModelVersion.offloaded.is_(False), ModelVersion.id.not_in(tried))
        .distinct()
        .limit(CATCH_UP)
    )
    count = 0
    for version_id in db.session.scalars(lacking).all():
        with unit_of_work() as after_commit:
            version = db.session.get(ModelVersion, version_id)
            model = db.session.get(HubModel, version.model_id) if version else None
            if version and model and not _active(version.id, "storage"):
                keep(after_commit, model, version)
                count += 1
    return count


def _store(held: jobs.Claim, version: ModelVersion) -> None:
    directory, model_id, version_id = library.directory(version), version.model_id, version.id
    files = [file for file in _lacking(version) if (directory / file["path"]).is_file()]
    spec = {"action": "store", "files": files, "directory": str(directory)}
    if files and not _followed(held, f"storage-{held.job_id}", spec):
        return
    there = [file["sha256"] for file in files]

    def also(after_commit: AfterCommit, _job: Job) -> None:
        exclusive("blobs")
        known: set[str] = set()
        for part in store.some(there):
            known |= set(db.session.scalars(select(Blob.sha256).where(Blob.sha256.in_(part))))
            db.session.execute(update(Blob).where(Blob.sha256.in_(part)).values(remote=True))
        if orphans := sorted(set(there) - known):  # deleted while they went up
            jobs.submit(after_commit, "storage", "", {"action": "discard", "contents": orphans})
        audit.note("model.store", ("model", model_id, ""), version=version_id, files=len(known))

    jobs.finish(held, "completed", also=also, progress=_all_of(sum(file["size"] for file in files)))


def _discard(held: jobs.Claim, contents: list[str]) -> None:
    """One job of this kind runs at a time, so nothing is being uploaded meanwhile."""
    wanted = {
        sha256 for part in store.some(contents)
        for sha256 in db.session.scalars(select(Blob.sha256).where(Blob.sha256.in_(part)))
    }  # fmt: skip
    gone = [sha256 for sha256 in contents if sha256 not in wanted]
    if not gone or _followed(held, f"storage-{held.job_id}", {"action": "discard", "contents": gone}):
        jobs.finish(held, "completed")


def _followed(held: jobs.Claim, name: str, spec: dict[str, Any]) -> bool:
    """Let a child do it. False when it is not done; the job has been settled, or another worker goes on."""
    _configured()
    directory = settings().children_dir / name
    if children.adopt(directory) is None:
        shutil.rmtree(directory, ignore_errors=True)  # what an earlier run said is not about this one
    chosen = settings()
    spec |= {"url": chosen.storage, "endpoint": chosen.storage_endpoint, "region": chosen.storage_region}
    db.session.rollback()
    outcome = work.follow(held, directory, lambda: children.start(directory, MODULE, spec, _keys()))
    if outcome.kind == "error":
        said = IntegrationError(outcome.event["message"], details=outcome.event.get("details") or {})
        said.code = outcome.event["code"]
        raise said
    if outcome.kind in ("pause", "cancel"):
        jobs.finish(held, "paused" if outcome.kind == "pause" else "cancelled")
    if outcome.kind == "result":
        shutil.rmtree(directory, ignore_errors=True)
    return outcome.kind == "result"


def _all_of(size: int) -> dict[str, int]:
    return {"bytes_done": size, "bytes_total": size}


def _keys() -> dict[str, str]:
    """AWS's own variables, ours on top."""
    found = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    chosen = settings()
    if chosen.storage_access_key and chosen.storage_secret_key:
        found |= {
            "AWS_ACCESS_KEY_ID": chosen.storage_access_key,
            "AWS_SECRET_ACCESS_KEY": chosen.storage_secret_key,
        }
    return found


def _configured() -> None:
    if not settings().storage:
        raise Conflict("This hub has no object storage. MODELHUB_STORAGE names one.")


def _active(version_id: str, kind: str) -> Job | None:
    states = Job.state.in_(("queued", "running"))
    return db.session.scalar(
        select(Job).where(Job.object_id == version_id, Job.kind == kind, states).limit(1)
    )


def _here(model_id: str) -> list[ModelVersion]:
    here = ModelVersion.location == "local", ModelVersion.offloaded.is_(False)
    return list(
        db.session.scalars(select(ModelVersion).where(ModelVersion.model_id == model_id, *here))
    )  # fmt: skip


def _lacking(version: ModelVersion) -> list[dict[str, Any]]:
    """The files of a version whose content is not in the object storage."""
    there = set(
        db.session.scalars(
            select(Blob.sha256)
            .join(BlobRef, BlobRef.sha256 == Blob.sha256)
            .where(BlobRef.version_id == version.id, Blob.remote)
        )
    )
    return [file for file in version.files if file.get("sha256") and file["sha256"] not in there]


def _upload_the_rest(model: HubModel) -> int:
    """How many files are not in the object storage; a job that brings them there is queued."""
    count = 0
    for version in _here(model.id):
        if lacking := len(_lacking(version)):
            count += lacking
            if not _active(version.id, "storage"):
                with unit_of_work() as after_commit:
                    keep(after_commit, model, db.session.get_one(ModelVersion, version.id))
    return count


def _large(version: ModelVersion) -> list[dict[str, Any]]:
    return [file for file in version.files if file.get("sha256") and (file["size"] or 0) > SMALL]


def _held_here(contents: list[str]) -> set[str]:
    """Those that a version which is not offloaded refers to too."""
    held: set[str] = set()
    for part in store.some(contents):
        others = (
            select(BlobRef.sha256)
            .join(ModelVersion)
            .where(BlobRef.sha256.in_(part), ModelVersion.offloaded.is_(False))
        )
        held |= set(db.session.scalars(others))
    return held


def _take_off(leaving: list[tuple[Path, list[dict[str, Any]]]], held: set[str]) -> None:
    blobs = store.blobs()
    for directory, files in leaving:
        for file in files:
            (directory / file["path"]).unlink(missing_ok=True)
            if file["sha256"] not in held:
                blobs.remove(file["sha256"])
