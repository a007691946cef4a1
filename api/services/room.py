"""Room for downloads: how much one still needs, and where; asked before it runs, promised while it does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api.extensions import db, settings
from api.models import Download, Job
from api.services import disk, store
from integrations.sources.base import FetchPlan


def of(job: Job) -> Download | None:
    """The download a job works for."""
    return db.session.scalar(select(Download).where(Download.job_id == job.id))


def admission(job: Job) -> dict[str, Any] | None:
    """What is missing on the disk for this download to run, if anything is."""
    download = of(job)
    if download is None:
        return None
    for holder, path, whole in _needs(job, download):
        still = whole - disk.allocated(path) if path == _incoming(download.id) else whole
        if reason := disk.admission(path, still, holder=holder):
            return reason
    return None


def take(job: Job) -> None:
    """Inside a unit of work: the download begins to run; promise it what it needs."""
    download = of(job)
    for holder, path, whole in _needs(job, download) if download else ():
        disk.reserve(holder, "download", path, whole)


def give_up(job: Job) -> None:
    """Inside a unit of work: it does not run any more; what it has lies on the disk."""
    disk.release(f"job:{job.id}")


def refuse_what_never_fits(plan: FetchPlan) -> None:
    """Raises OutOfSpace for a plan that would not even fit on an empty disk."""
    if plan.location == "local":
        disk.refuse_what_never_fits(settings().incoming_dir, _bytes(plan, store.known(plan.files)))


def _needs(job: Job, download: Download) -> Iterator[tuple[str, Path, int]]:
    """(holder, path, bytes in all) for each disk it writes to; nothing when its files lie elsewhere.

    Blobs that lie on a disk of their own get a copy of each file instead of a link to it.
    """
    plan = FetchPlan.model_validate(download.plan)
    if plan.location != "local":
        return
    here = download.plan.get("here")
    whole = _bytes(plan, store.known_now(plan.files) if here is None else here)
    incoming, blobs = _incoming(download.id), settings().blobs_dir
    yield f"job:{job.id}", incoming, whole
    if not disk.same_disk(incoming, blobs):
        yield f"job:{job.id}:blobs", blobs, whole


def _bytes(plan: FetchPlan, here: dict[str, str]) -> int:
    """What has to be fetched and stored. What was given to the hub is stored already."""
    if plan.given:
        return 0
    return plan.bytes_total - sum(file.size or 0 for file in plan.files if file.path in here)


def _incoming(download_id: str) -> Path:
    return settings().incoming_dir / download_id
