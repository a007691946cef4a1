"""The worker's part of safety: a download's files are looked at by a child, and what must not go on the shelf
is moved to `quarantine/<version>/<id>` before the folder becomes a model. Each step may be repeated."""

import hashlib
import shutil
import time
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api.extensions import db, settings
from api.models import Download, HubModel, Job, ModelVersion, QuarantinedFile
from api.security import audit
from api.services import jobs, work
from api.unit_of_work import unit_of_work
from integrations import children
from integrations.intake.clamav import ClamAV, ScannerAway

MODULE = "integrations.intake"
ENDS = {"pause": "paused", "put_back": "queued", "cancel": "cancelled"}
PING_SECONDS = 5.0
ENGINES_READ = (".safetensors", ".gguf")
WEIGHTS = (*ENGINES_READ, ".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".h5", ".keras", ".joblib")


def child_directory(download_id: str) -> Path:
    return settings().children_dir / f"intake-{download_id}"


def checked(held: jobs.Claim, download: Download, where: Path, *, ours: bool) -> dict[str, Any] | None:
    """What the gate says of the files in `where`: `{held, warnings, remote_code}`. None when it is not done:
    the job has been ended, paused or handed over. A virus scanner that is away lets nothing pass."""
    total = sum(int(file["size"] or 0) for file in download.plan["files"])
    spec = {
        "job_id": download.job_id,
        "folder": str(where),
        "ours": ours,
        "clamav": settings().clamav,
        "progress": {"bytes_done": total, "bytes_total": total},
    }
    directory = child_directory(download.id)
    outcome = work.follow(held, directory, lambda: children.start(directory, MODULE, spec))
    if outcome.kind == "error":
        said = {key: outcome.event[key] for key in ("code", "message", "details")}
        jobs.finish(held, "queued" if said["code"] == ScannerAway.code else "failed", error=said)
    elif outcome.kind in ENDS and jobs.finish(held, ENDS[outcome.kind]) == "cancelled":
        for path in (settings().incoming_dir / download.id, directory, folder(download.id)):
            shutil.rmtree(path, ignore_errors=True)
    return outcome.event if outcome.kind == "result" else None


def admission(job: Job) -> dict[str, Any] | None:
    """Holds a job in the queue whose scanner did not answer, until `reconcile` has seen it back."""
    return job.error if job.error and job.error["code"] == ScannerAway.code else None


def reconcile() -> int:
    """Let go on what waits for the virus scanner, when it answers again. How many."""
    queued = select(Job).where(Job.kind.in_(("download", "mirror")), Job.state == "queued")
    ids = [job.id for job in db.session.scalars(queued) if admission(job)]
    db.session.rollback()  # nothing is kept locked while the scanner is asked
    if not ids:
        return 0
    if settings().clamav:
        try:
            ClamAV(settings().clamav or "", seconds=PING_SECONDS).ping()
        except ScannerAway:
            return 0
    with unit_of_work() as after_commit:
        for job in filter(None, map(jobs.locked, ids)):
            if job.state == "queued" and admission(job):
                job.error, job.rung_at = None, time.time()
                after_commit(lambda id=job.id, kind=job.kind: jobs.ring(id, kind))  # type: ignore[misc]
    return len(ids)


def set_aside(version_id: str, found: dict[str, Any], where: Path) -> None:
    """Move what is held out of `where`. What other models share is copied, so that theirs stays as it is."""
    for file in found["held"]:
        source, target = where / file["path"], folder(version_id) / row_id(version_id, file["path"])
        if not source.is_file():
            continue
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if source.stat().st_nlink > 1:
            draft = target.with_suffix(".draft")
            shutil.copyfile(source, draft)
            draft.replace(target)
            source.unlink()
        else:
            source.replace(target)
        target.chmod(0o600)


def describe(version: ModelVersion, found: dict[str, Any]) -> None:
    """Tell a version that is about to be added what was found."""
    held = {file["path"] for file in found["held"]}
    version.files = [file for file in version.files if file["path"] not in held]
    version.size = sum(int(file["size"] or 0) for file in version.files)
    more = [
        f"{file['path']} is in quarantine: {file['findings'][0]['message']}" for file in found["held"][:50]
    ]
    version.warnings = [*(version.warnings or []), *more, *found["warnings"]]
    version.remote_code = found["remote_code"]


def record(
    model: HubModel, version: ModelVersion, found: dict[str, Any], proven: dict[str, str | None]
) -> None:
    """Inside the unit of work that added the version: a row for each file that is held."""
    for file in found["held"]:
        id = row_id(version.id, file["path"])
        if db.session.get(QuarantinedFile, id) is None:
            findings, path = file["findings"], file["path"]
            db.session.add(
                QuarantinedFile(
                    id=id, version_id=version.id, path=path, size=file["size"], sha256=proven.get(path),
                    findings=findings,
                )
            )  # fmt: skip
    if found["held"]:
        db.session.flush()
        model.status = condition(version)
        audit.note("quarantine.hold", model, files=[file["path"] for file in found["held"]][:50])


def condition(version: ModelVersion) -> str:
    """`quarantined` when what an engine would read of a version is held; else `ready`."""
    rows = db.session.query(QuarantinedFile).filter_by(version_id=version.id)
    missing = [row.path.lower() for row in rows if row.status != "released"]
    here = [file["path"].lower() for file in version.files or []]
    if any(path.endswith(".safetensors") for path in missing):
        return "quarantined"
    readable = any(path.endswith(ENGINES_READ) for path in here)
    return "quarantined" if not readable and any(path.endswith(WEIGHTS) for path in missing) else "ready"


def folder(version_id: str) -> Path:
    return settings().quarantine_dir / version_id


def row_id(version_id: str, path: str) -> str:
    """The same file is the same row, however often its download is taken up again."""
    return hashlib.sha256(f"{version_id}/{path}".encode()).hexdigest()[:32]
