"""One hub per data directory: `run/hub.lock` is held by the supervisor and every part it starts.

The parts inherit the lock, so after `kill -9` of the supervisor a new one waits until the old Redis has
let go of its files. `run/hub.json` exists while the hub serves and is what the command line reads.
"""

import contextlib
import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from supervisor.errors import CannotStart

PATIENCE = 10.0
"""Seconds the parts of a killed hub get to end by themselves before they are killed."""


def start_time(pid: int) -> float | None:
    """Seconds at which a process started, None if there is none. A pid alone may be taken anew."""
    if sys.platform != "linux":
        return _start_time_elsewhere(pid)
    try:
        # proc(5): the name in parentheses may hold blanks; field 3 is the state, 22 the start in ticks.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _start_time_elsewhere(pid: int) -> float | None:
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def is_process(known: dict[str, Any] | None) -> bool:
    """Whether `{"pid", "started"}` still is that same process."""
    started = start_time(int(known["pid"])) if known and known.get("pid") else None
    return started is not None and known is not None and abs(started - float(known.get("started") or 0)) < 1


class HubLock:
    """Held from `acquire` until the last process that inherited `fd` is gone."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.fd = -1
        self._info: dict[str, Any] = {}

    def acquire(self, url: str) -> None:
        self.fd = os.open(self.run_dir / "hub.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not self._try_for(0):
                self._outlast(self.read())
        except BaseException:
            os.close(self.fd)
            raise
        self._info = {"pid": os.getpid(), "started": start_time(os.getpid()), "url": url, "parts": {}}
        self._write()
        (self.run_dir / "hub.json").unlink(missing_ok=True)

    def read(self) -> dict[str, Any]:
        """What the holder wrote about itself; empty while it is writing."""
        with contextlib.suppress(OSError, ValueError):
            value = json.loads((self.run_dir / "hub.lock").read_bytes() or b"{}")
            return value if isinstance(value, dict) else {}
        return {}

    def note_url(self, url: str) -> None:
        self._info["url"] = url
        self._write()

    def note_part(self, name: str, pid: int) -> None:
        self._info["parts"][name] = {"pid": pid, "started": start_time(pid)}
        self._write()

    def announce(self) -> None:
        """Write `hub.json`: the hub serves."""
        keep = ("pid", "url", "parts")
        hub = {key: self._info[key] for key in keep} | {"started_at": int(time.time())}
        temporary = self.run_dir / ".hub.json"
        temporary.write_text(json.dumps(hub))
        temporary.chmod(0o600)
        temporary.replace(self.run_dir / "hub.json")

    def release(self) -> None:
        (self.run_dir / "hub.json").unlink(missing_ok=True)
        os.ftruncate(self.fd, 0)
        os.close(self.fd)

    def _write(self) -> None:
        data = json.dumps(self._info).encode()
        # A full disk must not take a running hub down; the record only helps the next start.
        with contextlib.suppress(OSError):
            os.pwrite(self.fd, data, 0)
            os.ftruncate(self.fd, len(data))

    def _try_for(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(0.05)

    def _outlast(self, holder: dict[str, Any]) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if is_process(holder):
                raise CannotStart(
                    f"ModelHub is already running in {self.run_dir.parent} "
                    f"(pid {holder['pid']}, {holder['url']}); "
                    "stop it first (modelhub down) or set MODELHUB_HOME to another directory."
                )
            if self._try_for(0.1):
                return
            holder = self.read() or holder
        for part in (holder.get("parts") or {}).values():
            if is_process(part):
                with contextlib.suppress(OSError):
                    os.killpg(part["pid"], signal.SIGKILL)
        if not self._try_for(5):
            raise CannotStart(
                f"Another process holds {self.run_dir / 'hub.lock'}; "
                "end it or set MODELHUB_HOME to another directory."
            )
