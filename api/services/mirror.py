"""What the library lacks is brought from the hub's own upstream when a client of `/hf` asks for it: each file
once, streamed to whoever waits while it is stored, and kept as a model of the library.

Only names that MODELHUB_MIRROR lists, only for who may bring models in, and only what upstream shows to
everybody: nothing gated or private leaves through here. What is brought is public here too.
"""

import fnmatch
import time
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import select

from api.errors import Forbidden, Missing, Unavailable
from api.extensions import db, settings
from api.models import Download, HubModel, Job, ModelVersion
from api.models.hub_model import FACTS
from api.security.authorise import Identity
from api.services import downloads, intake, library, store
from api.services.blocking import in_thread
from integrations.errors import Stopped, Unreachable
from integrations.sources import SOURCES
from integrations.sources.base import FetchPlan, Listing, RemoteFile
from integrations.transfer.tail import Tail

KIND = "mirror"
SOURCE = "huggingface"
PICKED = {"mirror": True}
"""What a version of mirrored files has as `picked`: nobody asked for all of it."""
PICKLES = tuple(set(intake.WEIGHTS) - set(intake.ENGINES_READ))
LISTED_SECONDS = 60.0
LOOK_SECONDS = 0.05
PATIENCE = 120.0
"""Seconds without a byte after which a client is let go; the file is brought all the same."""
BLOCK = 1024**2
_listings: dict[tuple[str, str], tuple[float, Listing]] = {}


class Arrived(Stopped):
    """It lies in the library by now: read it there."""


def allowed(name: str, who: Identity) -> bool:
    listed = any(fnmatch.fnmatchcase(name.lower(), glob.lower()) for glob in settings().mirror)
    return listed and who.may("downloads.write")


def is_partial(version: ModelVersion) -> bool:
    return bool((version.picked or {}).get("mirror"))


def listing(name: str, revision: str) -> Listing:
    """What upstream has, remembered for a minute. Raises Missing for what it shows not to everybody."""
    known = _listings.get((name, revision))
    if known and time.monotonic() - known[0] < LISTED_SECONDS:
        return known[1]
    db.session.rollback()
    found = SOURCES[SOURCE].listing(name, revision)
    if found.gated or found.private:
        raise Missing(f"'{name}' is not for everybody upstream, so it is not mirrored. Bring it in by name.")
    if len(_listings) > 500:
        _listings.clear()
    _listings[name, revision] = _listings[name, found.commit] = (time.monotonic(), found)
    return found


def stream(
    download_id: str, file: RemoteFile, start: int, end: int, look: Callable[[str], None]
) -> Iterator[bytes]:
    """Bytes [start, end) of a file of upstream, while it is being brought. The first piece waits for the
    first byte; raises what went wrong before it, and breaks off when that happens later. `look` is `still`,
    in an application context."""
    tail = Tail(settings().incoming_dir / download_id, file.path, file.size or 0)
    position, heard = start, time.monotonic()
    try:
        while position < end:
            front = in_thread(tail.front)
            if front > position:
                piece = in_thread(tail.read, position, min(BLOCK, front - position, end - position))
                position, heard = position + len(piece), time.monotonic()
                yield piece
                continue
            try:
                look(download_id)
            except Arrived:
                if not tail.opened:
                    raise
                tail.proven = True  # its folder, and the journal, went when it was shelved
                continue
            if time.monotonic() - heard > PATIENCE:
                raise Unreachable("Upstream sends nothing. The hub goes on trying; ask again later.")
            time.sleep(LOOK_SECONDS)
    finally:
        tail.close()


def bring(found: Listing, file: RemoteFile, who: Identity) -> str:
    """The download that brings this file: one that is under way, or a new one.

    Raises Forbidden for what the hub would put into quarantine: no client gets it unseen.
    """
    if file.path.lower().endswith(PICKLES):
        raise Forbidden(
            f"'{file.path[:120]}' is of a format that can run code, and is not mirrored. Bring the model in "
            "by name; an administrator decides about such files."
        )
    plan = FetchPlan(
        source=SOURCE,
        ref=found.ref,
        revision=found.revision,
        commit=found.commit,
        files=[file],
        bytes_total=file.size or 0,
    )
    return downloads.enter(
        plan, who, picked=PICKED, sharing=("public", None), kind=KIND, options={"connections": 1}
    ).id


def still(download_id: str) -> None:
    """Raises what ended the download, unless it goes on or has brought the file."""
    row = db.session.execute(
        select(Job.state, Job.error, Job.waiting)
        .join(Download, Download.job_id == Job.id)
        .where(Download.id == download_id)
    ).first()
    db.session.rollback()
    if row is None or row.state in ("cancelled", "paused", "failed"):
        said = (row.error if row else None) or {"message": "It was stopped."}
        raise Unreachable(f"The hub could not bring this from upstream: {said['message']}")
    if row.state == "queued" and row.waiting:
        raise Unavailable(row.waiting["message"])
    if row.state == "completed":
        raise Arrived("It lies in the library by now.")


def merge(download: Download, version: ModelVersion) -> ModelVersion | None:
    """Inside a unit of work, at the end of a mirroring download: put its file to the others of its commit.

    None when it is the first: it becomes a model of its own.
    """
    if (version.picked or {}) != PICKED:
        return None
    there = db.session.scalar(
        select(ModelVersion)
        .join(HubModel, HubModel.id == ModelVersion.model_id)
        .where(HubModel.source == SOURCE, HubModel.ref == download.ref, ModelVersion.commit == version.commit)
        .where(HubModel.visibility == "public", ModelVersion.id != version.id)
        .order_by(ModelVersion.id)
        .limit(1)
        .with_for_update(of=ModelVersion)
    )
    if there is None or not is_partial(there):
        return None
    directory = library.directory(there)
    fresh = [file for file in version.files if file.get("sha256")]
    store.place(directory, {file["path"]: file["sha256"] for file in fresh})
    files = {file["path"]: file for file in [*there.files, *fresh]}
    sums = {path: file["sha256"] for path, file in files.items() if file.get("sha256")}
    plan = {"files": [], "revision": there.revision, "commit": there.commit}
    described: Any = library.describe_directory(directory, plan, sums)
    for column in FACTS:
        if column not in ("path", "location", "offloaded", "remote_code"):
            setattr(there, column, getattr(described, column))
    model = db.session.get_one(HubModel, there.model_id)
    if model.active_version_id == there.id:
        for column in FACTS:
            setattr(model, column, getattr(there, column))
        model.version += 1
    return there
