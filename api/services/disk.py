"""Room on the disk: who was promised how much, and whether something more fits.

A reservation promises `bytes` in all below `path`, on the file system `path` really lies on. What is there
already counts as used, so what is still promised is `bytes` less what `path` occupies by now. Files that are
links to the store's blobs cost nothing and count for nothing.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from api.extensions import db, settings
from api.models import Job, Reservation
from api.services import jobs
from api.unit_of_work import exclusive, unit_of_work
from integrations.errors import OutOfSpace


@dataclass(frozen=True)
class Room:
    """One file system, in bytes. `reserved` is promised to others and not yet there."""

    path: Path
    device: int
    total: int
    free: int
    reserved: int
    reserve: int

    @property
    def available(self) -> int:
        return self.free - self.reserved - self.reserve


def room(path: Path, *, holder: str = "") -> Room:
    """The file system `path` lies (or will lie) on, as everybody but `holder` leaves it."""
    there = _existing(path)
    device = there.stat().st_dev
    system = os.statvfs(there)
    promised = sum(
        still_to_come(row)
        for row in db.session.scalars(select(Reservation))
        if not _is_of(row, holder) and _device(Path(row.path)) == device
    )
    return Room(
        path=there,
        device=device,
        total=(system.f_blocks - system.f_bfree + system.f_bavail) * system.f_frsize,
        free=system.f_bavail * system.f_frsize,
        reserved=promised,
        reserve=settings().disk_reserve,
    )


def admission(path: Path, bytes: int, *, holder: str = "") -> dict[str, Any] | None:
    """Inside a unit of work: None when `bytes` more fit at `path`; else the reason (`{code, message,
    details}`) with the exact numbers. `holder`'s own reservation is not counted against it.
    """
    exclusive("disk")
    found = room(path, holder=holder)
    deficit = bytes - found.available
    if bytes <= 0 or deficit <= 0:
        return None
    return {
        "code": OutOfSpace.code,
        "message": f"{bytes:,} bytes are needed on the disk of {found.path}, and {deficit:,} are missing: "
        f"{found.free:,} are free, {found.reserved:,} of them promised to other work and {found.reserve:,} "
        "always kept free. It starts by itself when there is room.",
        "details": {
            "needed": bytes,
            "free": found.free,
            "reserved": found.reserved,
            "reserve": found.reserve,
            "deficit": deficit,
            "path": str(found.path),
        },
    }


def refuse_what_never_fits(path: Path, bytes: int) -> None:
    """Raises OutOfSpace for what would not fit if the hub's disk held nothing else."""
    found = room(path)
    missing = bytes + found.reserve - found.total
    if bytes > 0 and missing > 0:
        raise OutOfSpace(
            f"This can never fit: {bytes:,} bytes are needed and {found.reserve:,} kept free, and the whole "
            f"disk of {found.path} has {found.total:,}. Choose fewer files, or move MODELHUB_HOME to a "
            "larger disk.",
            details={
                "needed": bytes,
                "total": found.total,
                "reserve": found.reserve,
                "deficit": missing,
                "path": str(found.path),
            },
        )


def reserve(holder: str, purpose: str, path: Path, bytes: int) -> None:
    """Inside a unit of work: promise `bytes` in all below `path` to `holder` (`job:<id>`, `upload:<id>`), in
    place of what it was promised before. Ask `admission` first."""
    row = db.session.scalar(select(Reservation).where(Reservation.holder == holder))
    if row is None:
        row = Reservation(holder=holder)
        db.session.add(row)
    row.purpose, row.path, row.bytes = purpose, str(path), bytes


def release(holder: str) -> None:
    """Inside a unit of work: `holder` needs its promise, and those it has on further disks, no more."""
    db.session.execute(
        delete(Reservation).where(
            (Reservation.holder == holder) | Reservation.holder.startswith(f"{holder}:")
        )
    )


def reconcile() -> None:
    """Release what is promised to jobs that do not run (a worker that stops has no time for it), and look
    who waited for that room."""
    running = select(Job.id).where(Job.state == "running")
    promised = set(
        db.session.scalars(select(Reservation.holder).where(Reservation.holder.startswith("job:")))
    )
    alive = set(db.session.scalars(running)) if promised else set()
    db.session.rollback()
    if stale := {holder for holder in promised if holder.split(":")[1] not in alive}:
        with unit_of_work():
            still = set(db.session.scalars(running))
            for holder in stale:
                if holder.split(":")[1] not in still:
                    release(holder)
    ring_what_fits()


def ring_what_fits() -> None:
    """Ring for downloads that were held for want of room, and would fit now."""
    held = select(Job.id, Job.kind, Job.waiting).where(Job.state == "queued", Job.waiting.is_not(None))
    rows = db.session.execute(held.order_by(*jobs.ORDER).limit(200)).all()
    rooms: dict[str, Room] = {}
    for row in rows:
        said = row.waiting["details"] if row.waiting["code"] == OutOfSpace.code else {}
        if path := said.get("path"):
            rooms[path] = rooms.get(path) or room(Path(path))
            if said["needed"] <= rooms[path].available:
                jobs.ring(row.id, row.kind)
    db.session.rollback()


def still_to_come(row: Reservation) -> int:
    """Promised bytes that are not on the disk yet."""
    return max(0, row.bytes - allocated(Path(row.path)))


def allocated(path: Path) -> int:
    """Bytes that files below `path` occupy by themselves. A download that was just given its name on the
    shelf is looked for there."""
    if path.parent == settings().incoming_dir and not path.exists():
        path = settings().models_dir / path.name
    return sum(found.st_blocks * 512 for found in files_below(path) if found.st_nlink == 1)


def files_below(path: Path) -> Iterator[os.stat_result]:
    """What the file system says of each regular file below `path`; what goes meanwhile is passed over."""
    try:
        entries = list(os.scandir(path))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        try:
            found = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        if stat.S_ISDIR(found.st_mode):
            yield from files_below(Path(entry.path))
        elif stat.S_ISREG(found.st_mode):
            yield found


def same_disk(one: Path, other: Path) -> bool:
    return _device(one) == _device(other)


def _is_of(row: Reservation, holder: str) -> bool:
    return bool(holder) and (row.holder == holder or row.holder.startswith(f"{holder}:"))


def _device(path: Path) -> int:
    return _existing(path).stat().st_dev


def _existing(path: Path) -> Path:
    """The nearest folder that is there, symbolic links followed."""
    path = path.resolve()
    while not path.exists():
        path = path.parent
    return path
