"""Downloads that survive: planned parts over several connections, recorded as they reach the disk, verified
as they arrive, and only then given their name.

fetch ── Engine ──┬── Worker × 8   asks for a part (Range, If-Range), checks the answer, writes and records it
├── sync         brings what was written to the disk, then says so in the Journal
├── Verifier     hashes behind the unbroken front of large files
└── Shelver      what is proven gets its name; small files by the hundred, with one sync for all

into/<name>                        proven files, nothing else
into/.transfer/journal             what has arrived (see journal.py)
into/.transfer/00003.0.part        file 3 of the plan, generation 0

After `kill -9` the same call goes on: 3 MiB of each connection, and what its socket held, come twice.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from integrations.errors import ChildFailed, InvalidRef
from integrations.http import Outbound
from integrations.transfer.engine import Engine
from integrations.transfer.handover import Handover, plan_key
from integrations.transfer.journal import Journal
from integrations.transfer.meter import Meter
from integrations.transfer.names import STATE_FOLDER, check_names, inside, make_folder
from integrations.transfer.options import Download, Fetched, Options
from integrations.transfer.partial import PartialFile
from integrations.transfer.space import allocated, check_room, disk_trouble

LOCK_PATIENCE = 5.0
"""Seconds to wait for a predecessor that is on its way out."""

__all__ = ["Download", "Fetched", "Handover", "Options", "Outbound", "fetch"]


def fetch(
    downloads: Sequence[Download],
    into: Path,
    outbound: Outbound,
    *,
    options: Options | None = None,
    stop: threading.Event | None = None,
    report: Callable[[dict[str, Any]], None] = lambda progress: None,
) -> list[Fetched]:
    """Bring all files into the folder `into`, proven, in the order given; go on where an earlier call ended.

    `report` is called about four times a second with bytes_done, bytes_total, speed (bytes/s), eta
    (seconds or None), files_done, files_total and message. Setting `stop` ends it within two seconds with
    Stopped.

    Raises InvalidRef (a hostile file name), OutOfSpace (with the deficit), IntegrityError, AccessDenied,
    NotFound, Throttled, Unreachable, Stopped. What has arrived stays in `into/.transfer` in every case.
    """
    options = options or Options()
    check_names(download.path for download in downloads)
    if any(download.size < 0 for download in downloads):
        raise InvalidRef("The plan holds a file of negative size.")
    state = into / STATE_FOLDER
    try:
        state.mkdir(parents=True, exist_ok=True)
        with _alone(state):
            return _fetch(downloads, into, state, outbound, options, stop or threading.Event(), report)
    except OSError as error:
        full = disk_trouble(error, into if into.exists() else into.parent)
        raise full or error from error


def _fetch(
    downloads: Sequence[Download],
    into: Path,
    state: Path,
    outbound: Outbound,
    options: Options,
    stop: threading.Event,
    report: Callable[[dict[str, Any]], None],
) -> list[Fetched]:
    journal = Journal(state / "journal", plan_key(downloads))
    files = [PartialFile(i, download, state, journal.files.get(i)) for i, download in enumerate(downloads)]
    results = {file.index: found for file in files if (found := _already(file, journal, into))}
    todo = sorted((file for file in files if file.index not in results), key=lambda file: file.size)
    _sweep(state, todo)
    check_room(into, sum(max(0, file.size - allocated(file.path)) for file in todo), options.disk_reserve)
    engine = Engine(todo, into, journal, outbound, options, stop)
    total, there = sum(d.size for d in downloads), sum(found.size for found in results.values())
    meter = Meter()

    def tick() -> None:
        done = there + engine.bytes_done()
        speed, eta = meter.read(engine.moved, total - done)
        report(
            {
                "bytes_done": done,
                "bytes_total": total,
                "speed": round(speed),
                "eta": eta,
                "files_done": len(results) + len(engine.results),
                "files_total": len(downloads),
                "message": engine.message(),
                "resumable": engine.resumable(),
            }
        )

    results |= {
        file.index: found for file, found in zip(sorted(todo, key=_index), engine.run(tick), strict=True)
    }
    journal.close()
    return [results[index] for index in range(len(downloads))]


def _index(file: PartialFile) -> int:
    return file.index


def _already(file: PartialFile, journal: Journal, into: Path) -> Fetched | None:
    """The file when the journal says it was proven and it is there, under its own name or still under
    ours."""
    known, target = journal.files.get(file.index), inside(into, file.download.path)
    if known is None or known.proven is None:
        return None
    if file.path.exists():
        make_folder(target.parent, into)
        file.path.rename(target)
    if not target.is_file() or target.stat().st_size != file.size:
        return None
    return Fetched(file.download.path, file.size, known.proven)


def _sweep(state: Path, todo: list[PartialFile]) -> None:
    """Delete data of other plans and of generations that are over."""
    wanted = {file.path.name for file in todo if file.written}
    for old in state.glob("*.part"):
        if old.name not in wanted:
            old.unlink()


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """One transfer writes to a folder at a time. Raises ChildFailed when another stays at it.

    The last one may still be on its way out: a killed process closes its files a moment after it is gone
    from the process table's point of view, so a pause and a resume at once can meet here.
    """
    fd = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(fd, state.parent)
        yield
    finally:
        os.close(fd)


def _lock(fd: int, folder: Path) -> None:
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise ChildFailed(
                    "Another process is already downloading into this folder. Wait for it, or stop it first.",
                    details={"folder": str(folder)},
                ) from None
        time.sleep(0.05)
