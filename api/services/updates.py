"""Newer revisions: beat asks the sources now and then, people whenever they like; and the update itself.

A source that can be asked says so by `updates = True`. What it has now is compared with the active version by
the hashes of the files; an update is a download into the same model that fetches only what is not here.
"""

import hashlib
import zlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import or_, select

from api.errors import Conflict, describe
from api.extensions import db, settings
from api.models import Blob, BlobRef, HubModel, ModelVersion
from api.models.base import utcnow
from api.schemas.downloads import DownloadOut
from api.schemas.models import ModelOut
from api.security import audit, ownership
from api.security.authorise import Identity
from api.services import downloads, library, store
from api.unit_of_work import unit_of_work
from integrations.errors import IntegrationError, Throttled, Unreachable, Unsupported
from integrations.sources import SOURCES
from integrations.sources.base import FetchPlan, RemoteFile

log = structlog.get_logger(__name__)

A_LOOK = 3
"""Models that beat asks about in one look; a look comes every minute."""

NAMED = 200
"""Files of each kind of change that are kept by name."""

SMALL = 20_000_000
"""Bytes up to which a file is hashed as git does it, to compare it with a source that knows no SHA-256."""


def check(model_id: str, who: Identity) -> ModelOut:
    """Ask the model's source now. Raises what the source says, Unsupported when it cannot be asked."""
    model = ownership.changeable(HubModel, model_id, who, library.missing(model_id))
    plan = _plan(model, _active(model))
    newer = _newer(model, plan)
    with unit_of_work():
        model = ownership.changeable(HubModel, model_id, who, library.missing(model_id))
        audit.note("model.check", model, newer=newer and newer["commit"])
        _remember(model, newer)
        db.session.flush()
        return library.shape(model)


def update(model_id: str, who: Identity) -> DownloadOut:
    """Bring the source's present revision in as a new version, which becomes the active one."""
    model = ownership.changeable(HubModel, model_id, who, library.missing(model_id))
    version = _active(model)
    plan = _plan(model, version)
    if _here(model, plan):
        raise Conflict(
            f"{model.name} is already at the newest commit of {plan.revision} ({plan.commit[:12]})."
        )
    return downloads.enter(plan, who, picked=version.picked, update_of=model)


def plan_again(model: HubModel, version: ModelVersion) -> FetchPlan:
    """What made `version`, as its source has it still. Raises what the source says, Unsupported for a source
    that keeps nothing."""
    if model.location != "local" or getattr(SOURCES[model.source], "updates", False) is False:
        raise Unsupported(
            f"{model.name} did not come from a source that has it still. Bring it in again as it came."
        )
    source, wanted = SOURCES[model.source], version.picked or {}
    options = source.Options.model_validate(wanted.get("options") or {})
    return source.plan(model.ref, version.commit, wanted.get("include"), wanted.get("exclude"), options)


def look() -> int:
    """What beat asks for: the models whose turn it is, a few at a time. How many were asked about."""
    hours = settings().update_check_hours
    if not hours:
        return 0
    asked = 0
    for model_id in _due(hours):
        asked += 1
        model = db.session.get(HubModel, model_id)
        if model is None:
            continue
        try:
            newer = _newer(model, _plan(model, _active(model)))
        except (Unreachable, Throttled) as error:
            log.info("a source could not be asked for news", model=model_id, error=describe(error)["message"])
            db.session.rollback()
            break  # the next minute asks again; it is not the model's turn that is over
        except IntegrationError as error:
            log.info("a source has no news of a model", model=model_id, error=describe(error)["message"])
            newer = None
        with unit_of_work():
            if model := db.session.get(HubModel, model_id):
                _remember(model, newer)
    db.session.rollback()
    return asked


def _due(hours: float) -> list[str]:
    """The models not asked about for so long, the longest first. Each has its own tenth of jitter."""
    now = utcnow()
    rows = db.session.execute(
        select(HubModel.id, HubModel.checked_at)
        .where(HubModel.source.in_(_askable()), HubModel.location != "external")
        .where(or_(HubModel.checked_at.is_(None), HubModel.checked_at < now - timedelta(hours=0.9 * hours)))
        .order_by(HubModel.checked_at)
        .limit(20 * A_LOOK)
    ).all()
    return [row.id for row in rows if row.checked_at is None or _turn(row.id, row.checked_at, hours) < now][
        :A_LOOK
    ]


def _askable() -> list[str]:
    return [source.name for source in SOURCES.values() if getattr(source, "updates", False)]


def _turn(model_id: str, checked_at: datetime, hours: float) -> datetime:
    spread = (zlib.crc32(model_id.encode()) % 1000) / 1000
    return checked_at + timedelta(hours=hours * (0.9 + 0.2 * spread))


def _remember(model: HubModel, newer: dict[str, Any] | None) -> None:
    model.checked_at = utcnow()
    if newer != model.newer:
        model.newer, model.outdated = newer, newer is not None
        model.version += 1


def _active(model: HubModel) -> ModelVersion:
    return db.session.get_one(ModelVersion, model.active_version_id or model.id)


def _plan(model: HubModel, version: ModelVersion) -> FetchPlan:
    """What the source would give today for what was wanted then."""
    if model.source not in _askable() or model.location == "external":
        raise Unsupported(f"The source '{model.source}' has no revisions that could be newer.")
    source, wanted = SOURCES[model.source], version.picked or {}
    options = source.Options.model_validate(wanted.get("options") or {})
    return source.plan(model.ref, version.revision, wanted.get("include"), wanted.get("exclude"), options)


def _here(model: HubModel, plan: FetchPlan) -> bool:
    same = ModelVersion.model_id == model.id, ModelVersion.commit == plan.commit
    return db.session.scalar(select(ModelVersion.id).where(*same).limit(1)) is not None


def _newer(model: HubModel, plan: FetchPlan) -> dict[str, Any] | None:
    """What `NewerOut` shows, or None: some version of the model is at this commit already."""
    if _here(model, plan):
        return None
    version = _active(model)
    ours, theirs = {file["path"]: file for file in version.files}, {file.path: file for file in plan.files}
    git = _git_names(version)
    both = ours.keys() & theirs.keys()
    changed = [path for path in sorted(both) if not _same(version, ours[path], theirs[path], git)]
    added, removed = sorted(theirs.keys() - ours.keys()), sorted(ours.keys() - theirs.keys())
    known = store.known(plan.files)
    return {
        "commit": plan.commit,
        "revision": plan.revision,
        "checked_at": utcnow().isoformat(),
        "added": len(added),
        "removed": len(removed),
        "changed": len(changed),
        "same": len(both) - len(changed),
        "files": {
            "added": [{"path": path, "size": theirs[path].size} for path in added[:NAMED]],
            "removed": [{"path": path, "size": ours[path]["size"]} for path in removed[:NAMED]],
            "changed": [{"path": path, "size": theirs[path].size} for path in changed[:NAMED]],
        },
        "bytes_to_fetch": sum(file.size or 0 for file in plan.files if file.path not in known),
    }


def _git_names(version: ModelVersion) -> dict[str, str]:
    """SHA-256 → git's name, of those contents of the version where it is known."""
    held = (
        select(Blob.sha256, Blob.git_sha1)
        .join(BlobRef, BlobRef.sha256 == Blob.sha256)
        .where(BlobRef.version_id == version.id, Blob.git_sha1.is_not(None))
    )
    return {row.sha256: row.git_sha1 for row in db.session.execute(held)}


def _same(version: ModelVersion, ours: dict[str, Any], theirs: RemoteFile, git: dict[str, str]) -> bool:
    if theirs.size is not None and ours["size"] != theirs.size:
        return False
    if theirs.sha256:
        return bool(ours.get("sha256") == theirs.sha256)
    known = git.get(ours.get("sha256") or "") or _git_sha1(version, ours)
    return theirs.git_sha1 is not None and known == theirs.git_sha1


def _git_sha1(version: ModelVersion, file: dict[str, Any]) -> str | None:
    """What git would call the file that lies here; None when it does not, or is large."""
    if version.location != "local" or (file["size"] or 0) > SMALL:
        return None
    try:
        content = Path(library.directory(version) / file["path"]).read_bytes()
    except OSError:
        return None
    head = f"blob {len(content)}\0".encode()
    return hashlib.sha1(head + content, usedforsecurity=False).hexdigest()
