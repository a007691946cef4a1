"""`python -m integrations.blobs.verify SPEC.json`: hash files again and say which are not what they were.

SPEC: `{job_id, events, files: [{path, size, sha256, label?}], done}`; a wrong file is told by its label,
without one by its hash. `done` is a file of what was found right, one a
line, kept across restarts: it is not read again. Result: `{checked, damaged: [sha256], missing: [sha256]}`.
Runs at the lowest priority: nobody waits for it.
"""

import contextlib
import hashlib
import os
import threading
from pathlib import Path
from typing import Any

import psutil

from integrations.child_events import EventWriter, run_child
from integrations.errors import Stopped
from integrations.transfer.meter import Meter

BLOCK = 4 << 20


def program(spec: dict[str, Any], events: EventWriter, stop: threading.Event) -> dict[str, Any]:
    os.nice(10)
    with contextlib.suppress(psutil.Error, OSError, AttributeError, ValueError):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
    done = Path(spec["done"])
    right = set(done.read_text().split()) if done.exists() else set()
    total = sum(file["size"] for file in spec["files"])
    here, meter, buffer = 0, Meter(), memoryview(bytearray(BLOCK))
    damaged: list[str] = []
    missing: list[str] = []

    def told(count: int, path: str) -> None:
        nonlocal here
        here += count
        speed, eta = meter.read(here, total - here)
        events.progress(bytes_done=here, bytes_total=total, speed=round(speed), eta=eta, message=path)

    with done.open("a") as remembered:
        for file in spec["files"]:
            path, sha256 = Path(file["path"]), file["sha256"]
            label = file.get("label") or sha256
            key = f"{sha256}:{hashlib.sha1(str(path).encode(), usedforsecurity=False).hexdigest()}"
            if key in right:
                told(file["size"], path.name)
                continue
            found = _hashed(path, buffer, stop, lambda count, name=path.name: told(count, name))  # type: ignore[misc]
            if found is None:
                missing.append(label)
            elif found != sha256:
                damaged.append(label)
            else:
                remembered.write(f"{key}\n")
                remembered.flush()
    return {"checked": len(spec["files"]), "damaged": sorted(set(damaged)), "missing": sorted(set(missing))}


def _hashed(path: Path, buffer: memoryview, stop: threading.Event, told: Any) -> str | None:
    """The SHA-256 of the file; None when it is not there or cannot be read. Raises Stopped."""
    digest = hashlib.sha256()
    try:
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                if stop.is_set():
                    raise Stopped("Verifying was stopped; what was found right is remembered.")
                digest.update(buffer[:count])
                told(count)
    except OSError:
        return None
    return digest.hexdigest()


if __name__ == "__main__":
    run_child(program)
