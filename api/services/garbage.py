"""What lies on the disk and belongs to nobody: shown first, then removed.

- contents that no version refers to (the store's own links; a link younger than an hour may just have been
  made by a download whose row is not written yet, and is left alone);
- folders without a row: parts of ended downloads, models that were deleted half, children's files, uploads.
"""

import time
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import delete, select

from api.extensions import db, settings
from api.models import Blob, BlobRef
from api.schemas.storage import GarbageItem, GarbageOut
from api.security import audit
from api.services import disk, housekeeping, store
from api.unit_of_work import exclusive, unit_of_work
from integrations import children

YOUNG = 3600.0
"""Seconds."""
SHOWN = 200


def show(age: float = YOUNG) -> GarbageOut:
    """What `reclaim` would remove now."""
    return _summed([*_blobs(age), *_folders(age)], reclaimed=False)


def reclaim(age: float = YOUNG) -> GarbageOut:
    """Remove it."""
    gone = [*_folders(age)]
    housekeeping.sweep(age)
    gone = [item for item in gone if not Path(settings().home, item.path).exists()]
    with unit_of_work():
        exclusive("blobs")
        loose = _blobs(age)  # looked at again where nobody can begin to refer to them
        names = [Path(item.path).name for item in loose]
        for part in store.some(names):
            unheld = Blob.sha256.not_in(select(BlobRef.sha256))
            db.session.execute(delete(Blob).where(Blob.sha256.in_(part), unheld))
        answer = _summed([*loose, *gone], reclaimed=True)
        audit.note("storage.reclaim", ("storage", None, "garbage"), bytes=answer.bytes, items=answer.count)
        blobs = store.blobs()
        for name in names:
            blobs.remove(name)
    return answer


def _blobs(age: float) -> list[GarbageItem]:
    now = time.time()
    lying = {name: stat for name, stat in store.blobs() if now - stat.st_ctime >= age}
    held: set[str] = set()
    for part in store.some(lying):
        held |= set(db.session.scalars(select(BlobRef.sha256).where(BlobRef.sha256.in_(part))))
    return [
        GarbageItem(
            kind="content",
            path=_shown(store.blobs().path(name)),
            # Where a model's file is still a link to it, its bytes stay.
            bytes=stat.st_size if stat.st_nlink == 1 else 0,
        )
        for name, stat in lying.items()
        if name not in held
    ]


def _folders(age: float) -> list[GarbageItem]:
    items = []
    for root, keep in housekeeping.kept().items():
        for path in root.iterdir():
            young = time.time() - path.lstat().st_mtime < age
            if path.name in keep or young or children.adopt(path) is not None:
                continue
            size = sum(found.st_blocks * 512 for found in disk.files_below(path) if found.st_nlink == 1)
            items.append(GarbageItem(kind=root.name, path=_shown(path), bytes=size))
    return items


def _shown(path: Path) -> str:
    return str(path.relative_to(settings().home))


def _summed(items: Iterable[GarbageItem], *, reclaimed: bool) -> GarbageOut:
    every = sorted(items, key=lambda item: -item.bytes)
    total = sum(item.bytes for item in every)
    return GarbageOut(items=every[:SHOWN], count=len(every), bytes=total, reclaimed=reclaimed)
