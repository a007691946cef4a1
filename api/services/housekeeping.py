"""What beat asks for every few seconds: each reconciler once, none able to stop the others."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from sqlalchemy import select

from api.extensions import db, settings
from api.models import Deployment, Download, Job, ModelVersion, Upload
from api.services import (
    deployments,
    disk,
    generations,
    intake,
    jobs,
    ollama,
    quarantine,
    remote,
    system,
    transfers,
    updates,
    uploads,
)
from integrations import children

log = structlog.get_logger(__name__)

ORPHAN_AGE = 3600.0
"""Seconds a directory without a row must have been untouched before it is removed."""


def reconcile() -> None:
    """Ledger, deployments and generations; and the heartbeats that say worker and beat are alive."""
    every: list[Callable[[], object]] = [
        _beat,
        jobs.reconcile,
        disk.reconcile,
        transfers.reconcile,
        intake.reconcile,
        quarantine.repair,
        deployments.reconcile,
        generations.reconcile,
        ollama.reconcile,
    ]
    for each in every:
        _guarded(each)


def sweep(age: float = ORPHAN_AGE) -> int:
    """Remove directories that belong to no row and were untouched for `age` seconds: parts, uploads,
    half-deleted models, children's files. How many. (Contents nobody refers to are `modelhub gc`'s.)"""
    _guarded(uploads.expire)
    _guarded(remote.catch_up)
    return sum(_remove(root, keep, age) for root, keep in kept().items())


def kept() -> dict[Path, set[str]]:
    """The hub's folders, and the names in each that belong to a row."""
    live_downloads = _ids(select(Download.id).join(Job).where(Job.state.not_in(("completed", "cancelled"))))
    live_children = {f"{work}-{id}" for id in live_downloads for work in ("download", "intake")}
    live_children |= {f"deployment-{id}" for id in _ids(select(Deployment.id))}
    for kind, folder in (("ollama_create", "ollama"), ("verify", "verify")):
        unended = select(Job.id).where(Job.kind == kind, Job.state.not_in(jobs.ENDED))
        live_children |= {f"{folder}-{id}" for id in _ids(unended)}
    models = _ids(select(ModelVersion.path)) | live_downloads  # one may have its name and not yet its row
    sent = _ids(select(Upload.id).where(Upload.status != "cancelled"))
    return {
        settings().incoming_dir: live_downloads,
        settings().models_dir: models,
        settings().children_dir: live_children,
        settings().uploads_dir: sent,
        settings().quarantine_dir: _ids(select(ModelVersion.id)) | live_downloads,
    }


def look_for_newer() -> None:
    """Ask a few sources whether they have newer revisions of what is here."""
    _guarded(updates.look)


def _beat() -> None:
    # This task was sent by beat and is run by a worker: both are alive.
    system.beat("worker")
    system.beat("beat")


def _guarded(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception:
        log.exception("housekeeping failed and will be tried again", work=getattr(work, "__name__", ""))
    finally:
        db.session.rollback()


def _ids(statement: object) -> set[str]:
    found = set(db.session.scalars(statement).all())  # type: ignore[call-overload]
    db.session.rollback()
    return found


def _remove(root: Path, keep: set[str], age: float) -> int:
    removed = 0
    for path in root.iterdir():
        if path.name in keep or time.time() - path.lstat().st_mtime < age:
            continue
        if children.adopt(path) is None:
            log.info("removing what nobody owns", path=path.name)
            shutil.rmtree(path, ignore_errors=True)
            removed += 1
    return removed
