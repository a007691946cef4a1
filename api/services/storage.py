"""Where the bytes are: the hub's disks, what each kind of thing takes, what waits for room."""

from pathlib import Path

from sqlalchemy import func, select

from api.extensions import db, settings
from api.models import Blob, Download, Job, ModelVersion
from api.schemas.base import ErrorInfo
from api.schemas.storage import Filesystem, HeldOut, StorageOut, StorageUse
from api.security import ownership
from api.security.authorise import Identity
from api.services import disk, jobs
from api.services.removable import removable

MOST_HELD = 50


def overview(who: Identity) -> StorageOut:
    return StorageOut(filesystems=_filesystems(), use=_use(), held=_held(who), removable=removable(who))


def _filesystems() -> list[Filesystem]:
    folders = {
        "models": settings().models_dir,
        "blobs": settings().blobs_dir,
        "incoming": settings().incoming_dir,
        "uploads": settings().uploads_dir,
    }
    found: dict[int, Filesystem] = {}
    for name, path in folders.items():
        room = disk.room(path)
        if room.device not in found:
            found[room.device] = Filesystem(
                path=str(settings().home if disk.same_disk(path, settings().home) else room.path),
                folders=[],
                total=room.total,
                used=room.total - room.free,
                free=room.free,
                reserved=room.reserved,
                reserve=room.reserve,
                available=max(0, room.available),
            )
        found[room.device].folders.append(name)
    return list(found.values())


def _use() -> StorageUse:
    held = select(func.sum(ModelVersion.size)).where(ModelVersion.location == "local")
    return StorageUse(
        models=int(db.session.scalar(held) or 0),
        blobs=int(db.session.scalar(select(func.sum(Blob.size)).where(Blob.status != "missing")) or 0),
        incoming=_lies_in(settings().incoming_dir),
        uploads=_lies_in(settings().uploads_dir),
    )


def _lies_in(folder: Path) -> int:
    return sum(found.st_blocks * 512 for found in disk.files_below(folder) if found.st_nlink == 1)


def _held(who: Identity) -> list[HeldOut]:
    waiting = (
        select(Download)
        .join(Job)
        .where(ownership.visible(Download, who), Job.state == "queued", Job.waiting.is_not(None))
        .order_by(*jobs.ORDER)
        .limit(MOST_HELD)
    )
    return [
        HeldOut(id=row.id, name=row.ref, waiting=ErrorInfo.model_validate(row.job.waiting))
        for row in db.session.scalars(waiting).unique()
    ]
