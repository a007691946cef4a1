"""`python -m integrations.sources.bring SPEC.json`: bring in what lies on this machine's disk already.

Carries out plans of the `upload` and `folder` sources. Every file is hashed, and compared with what was
promised; by the plan's `how` it is then linked into the model's folder (`link`: the hub's own upload), copied
there (`copy`), or left where it is (`adopt`). A copy shares its blocks with the original where the file
system can. It is never a hard link of a user's file: who edits that one would edit the proven bytes.

SPEC: `{events, plan: FetchPlan, into: folder, …}`; the plan's options: `{how, base: folder, names: {path:
name below base}, promised: {path: sha256}}`. Result: `{files: [{path, size, sha256}]}`.

What is proven is remembered beside the events, and so is how much of a large copy is safely on the disk:
after a pause or a crash it goes on there. Only hashing a file in place begins that file again.
"""

import contextlib
import errno
import hashlib
import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

from integrations import permitted
from integrations.child_events import EventWriter, run_child
from integrations.errors import AccessDenied, IntegrityError, NotFound, OutOfSpace, Stopped
from integrations.folders.places import inside_roots
from integrations.sources.reflink import share_blocks
from integrations.transfer.meter import Meter
from integrations.transfer.names import STATE_FOLDER, inside
from integrations.transfer.space import check_room, disk_trouble

BLOCK = 4 << 20
SAFE_EVERY = 256 << 20
"""Bytes of a copy after which it is brought to the disk and remembered."""


class Journal:
    """What is known of each file by its index: `{sha256}` when proven, `{copied}` bytes on the disk when not;
    both only as long as the original is the one they were made from (`seen`)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[int, dict[str, Any]] = {}
        with contextlib.suppress(FileNotFoundError):
            for line in path.read_text().splitlines():
                with contextlib.suppress(ValueError):  # the last line of one who was killed
                    entry = json.loads(line)
                    self._known[entry["index"]] = entry

    def of(self, index: int, seen: list[int]) -> dict[str, Any]:
        known = self._known.get(index, {})
        return known if known.get("seen") == seen else {}

    def note(self, index: int, seen: list[int], **facts: Any) -> None:
        entry = {"index": index, "seen": seen, **facts}
        self._known[index] = entry
        with self._path.open("a") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())


class Bringer:
    def __init__(self, spec: dict[str, Any], events: EventWriter, stop: threading.Event) -> None:
        self.plan, self.events, self.stop = spec["plan"], events, stop
        self.into = Path(spec["into"])
        self.options = self.plan["options"]
        self.how: str = self.options["how"]
        self.base = Path(self.options["base"])
        self.reserve = int((spec.get("options") or {}).get("disk_reserve") or 0)
        self.journal = Journal(Path(spec["events"]).parent / "proven.jsonl")
        self.already = int(spec.get("already") or 0)
        self.total = sum(file["size"] or 0 for file in self.plan["files"])
        self.done = self.moved = 0
        self.meter = Meter()
        # One file that is only hashed has no middle to go on from.
        self.resumable = self.how == "copy" or len(self.plan["files"]) > 1

    def run(self) -> dict[str, Any]:
        files = []
        if self.how == "copy":
            (self.into / STATE_FOLDER).mkdir(parents=True, exist_ok=True)
        for index, file in enumerate(self.plan["files"]):
            files.append(self._bring(index, file["path"], file["size"] or 0))
        self._tell(force=True)
        return {"files": files, "commit": self.plan["commit"]}

    def _bring(self, index: int, path: str, size: int) -> dict[str, Any]:
        before = self.done
        with open_original(self.base, self.options["names"][path], self.how) as original:
            found = os.fstat(original.fileno())
            seen = [found.st_ino, found.st_size, found.st_mtime_ns]
            if found.st_size != size:
                raise self._changed(path)
            known = self.journal.of(index, seen)
            target = inside(self.into, path)
            if "sha256" in known and (self.how == "adopt" or _has(target, size)):
                sha256 = known["sha256"]
            elif self.how == "copy":
                sha256 = self._copy(index, path, original, seen, known.get("copied", 0))
            else:
                sha256 = self._hash(original)
            after = os.fstat(original.fileno())
            if [after.st_ino, after.st_size, after.st_mtime_ns] != seen:
                raise self._changed(path)
            self._check(path, sha256)
            if self.how == "link":
                os.fsync(original.fileno())
                _link(self.base / self.options["names"][path], target)
        if "sha256" not in known:
            self.journal.note(index, seen, sha256=sha256)
        self.done = before + size
        self._tell()
        return {"path": path, "size": size, "sha256": sha256}

    def _check(self, path: str, sha256: str) -> None:
        promised = self.options.get("promised", {}).get(path)
        if promised in (None, sha256):
            return
        if self.how == "link":
            (self.base / self.options["names"][path]).unlink(missing_ok=True)
            what = "It was thrown away: send this file again, then complete the upload."
        else:
            what = "The copy in this folder is damaged; it was left as it is."
        raise IntegrityError(
            f"'{path}' is not what was promised: its SHA-256 is {sha256[:16]}… and not {promised[:16]}…. "
            f"{what}",
            details={"file": path, "sha256": sha256, "promised": promised},
        )

    def _hash(self, original: Any) -> str:
        digest = hashlib.sha256()
        buffer = memoryview(bytearray(BLOCK))
        while count := original.readinto(buffer):
            digest.update(buffer[:count])
            self._moved(count)
        return digest.hexdigest()

    def _copy(self, index: int, path: str, original: Any, seen: list[int], safe: int) -> str:
        """Copy behind what is `safe` of an earlier copy; what is hashed is the copy."""
        part = self.into / STATE_FOLDER / f"{index:05d}.part"
        target = inside(self.into, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b", buffering=0) as copy:
            safe = min(safe, os.fstat(copy.fileno()).st_size)
            if not safe and share_blocks(original.fileno(), copy.fileno()):
                sha256 = self._hash(copy)
            else:
                check_room(self.into, seen[1] - safe, self.reserve)
                copy.truncate(safe)
                sha256 = self._append(index, original, copy, seen, safe)
            os.fsync(copy.fileno())
        self._check(path, sha256)
        part.replace(target)
        _sync_folder(target.parent)
        return sha256

    def _append(self, index: int, original: Any, copy: Any, seen: list[int], safe: int) -> str:
        digest = hashlib.sha256()
        buffer = memoryview(bytearray(BLOCK))
        left = safe
        while left:
            count = copy.readinto(buffer[: min(left, BLOCK)])
            digest.update(buffer[:count])
            left -= count
            self._moved(count)
        original.seek(safe)
        written, synced = safe, safe
        while count := original.readinto(buffer):
            block = buffer[:count]
            digest.update(block)
            while block:
                block = block[copy.write(block) :]
            written += count
            self._moved(count)
            if written - synced >= SAFE_EVERY:
                os.fdatasync(copy.fileno())
                synced = written
                self.journal.note(index, seen, copied=written)
        return digest.hexdigest()

    def _moved(self, count: int) -> None:
        self.done += count
        self.moved += count
        self._tell()
        if self.stop.is_set():
            raise Stopped("Stopped; what is proven is remembered.")

    def _tell(self, *, force: bool = False) -> None:
        speed, eta = self.meter.read(self.moved, max(0, self.total - self.done))
        self.events.progress(
            force=force,
            bytes_done=self.already + self.done,
            bytes_total=self.already + self.total,
            speed=round(speed),
            eta=eta,
            message="Copying" if self.how == "copy" else "Hashing",
            resumable=self.resumable,
        )

    @staticmethod
    def _changed(path: str) -> IntegrityError:
        return IntegrityError(
            f"'{path}' has changed since it was looked at. Begin again when nobody writes to it any more.",
            details={"file": path},
        )


@contextlib.contextmanager
def open_original(base: Path, name: str, how: str) -> Any:
    """The file `name` below `base`, once more held inside the permitted folders unless it is the hub's
    own."""
    path = base / name
    try:
        real = path if how == "link" else path.resolve(strict=True)
        fd = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFound(
            f"'{name}' is not there any more.", details={"file": name, "folder": str(base)}
        ) from None
    except PermissionError:
        raise AccessDenied(f"The hub may not read '{name}'. Change its mode or its owner.") from None
    with open(fd, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise AccessDenied(f"'{name}' is not a plain file.")
        opened = Path(os.path.realpath(f"/proc/self/fd/{fd}")) if Path("/proc/self/fd").exists() else real
        if how != "link" and not inside_roots(opened, permitted.now()):
            raise AccessDenied(f"'{name}' leads out of the folders that models may be taken from.")
        yield file


def _link(original: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name[:200]}.linking")
    draft.unlink(missing_ok=True)
    try:
        os.link(original, draft)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK):
            raise
        with original.open("rb") as old, draft.open("wb") as new:
            if not share_blocks(old.fileno(), new.fileno()):
                while block := old.read(BLOCK):
                    new.write(block)
            new.flush()
            os.fsync(new.fileno())
    draft.replace(target)
    _sync_folder(target.parent)


def _has(target: Path, size: int) -> bool:
    return target.is_file() and target.stat().st_size == size


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def program(spec: dict[str, Any], events: EventWriter, stop: threading.Event) -> dict[str, Any]:
    try:
        return Bringer(spec, events, stop).run()
    except OSError as error:
        into = Path(spec["into"])
        full: OutOfSpace | None = disk_trouble(error, into if into.exists() else into.parent)
        raise full or error from error


if __name__ == "__main__":
    run_child(program)
