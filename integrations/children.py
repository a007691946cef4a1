"""Heavy work is a child process that can outlive whoever started it.

`start` runs `python -m MODULE SPEC.json` in a session of its own, with its spec, its append-only event file
and its output in one directory. Whoever comes later `adopt`s it from that directory: by pid, start time
and the spec's path in its command line, so that a recycled pid is never mistaken for it. A child is
stopped by SIGTERM, then SIGKILL after a grace. `python -m integrations.children stop-all --home HOME`
ends every child of a hub: the last act of a deliberate stop.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from integrations.child_events import LAST_EVENTS
from integrations.redaction import presentable

_ROOT = Path(__file__).resolve().parents[1]
_PASSED_ON = (
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV",
    "CUDA_VISIBLE_DEVICES",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
"""The environment a child inherits. Passwords and database addresses are not in it."""


@dataclass(frozen=True)
class Child:
    """A running (or ended) child. `started` is the kernel's start time in Unix seconds."""

    directory: Path
    pid: int
    started: float

    @property
    def alive(self) -> bool:
        return _process(self.pid, self.started, self.directory) is not None

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def stop(self, grace: float = 10.0) -> None:
        """SIGTERM, wait up to `grace` seconds, then SIGKILL; returns when it is gone."""
        self.terminate()
        if not self.wait(grace):
            self.kill()
            self.wait(5)

    def wait(self, seconds: float) -> bool:
        """True when it has ended within `seconds`."""
        deadline = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def _signal(self, number: int) -> None:
        if self.alive:
            # The whole session: the child's own helpers must not outlive it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def identity(self) -> dict[str, Any]:
        """JSON for a database row; `from_identity` reads it."""
        return {"directory": str(self.directory), "pid": self.pid, "started": self.started}


def from_identity(value: Mapping[str, Any]) -> Child:
    return Child(Path(value["directory"]), int(value["pid"]), float(value["started"]))


def start(
    directory: Path, module: str, spec: Mapping[str, Any], env: Mapping[str, str] | None = None
) -> Child:
    """Run `python -m module` on `spec` in `directory` (made if missing; an older run's events are dropped).

    `spec["events"]` is filled in. The output goes to `output.log` and is appended across runs.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / "events.jsonl").unlink(missing_ok=True)
    spec_path = directory / "spec.json"
    _write_private(spec_path, json.dumps({**spec, "events": str(directory / "events.jsonl")}))
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment |= {"PYTHONPATH": str(_ROOT), "PYTHONUNBUFFERED": "1", **(env or {})}
    with (directory / "output.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(spec_path)],
            cwd=_ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    child = Child(directory, process.pid, _start_time(process.pid))
    _write_private(directory / "child.json", json.dumps(child.identity()))
    return child


def adopt(directory: Path) -> Child | None:
    """The living child of `directory`, whoever started it, or None."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        child = from_identity(json.loads((directory / "child.json").read_text()))
        if child.alive:
            return child
    # The starter may have died between fork and `child.json`: look for the spec in the command lines.
    wanted = str(directory / "spec.json")
    for process in psutil.process_iter(["cmdline", "create_time", "status"]):
        if wanted in (process.info["cmdline"] or ()) and process.info["status"] != psutil.STATUS_ZOMBIE:
            return Child(directory, process.pid, process.info["create_time"])
    return None


def read_events(directory: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Whole events after byte `offset`, and the offset to go on from."""
    try:
        with (directory / "events.jsonl").open("rb") as file:
            file.seek(offset)
            data = file.read()
    except FileNotFoundError:
        return [], offset
    whole = data[: data.rfind(b"\n") + 1]
    events = []
    for line in whole.splitlines():
        with contextlib.suppress(ValueError):
            events.append(json.loads(line))
    return events, offset + len(whole)


def last_event(directory: Path) -> dict[str, Any] | None:
    """The event that ended the child's last run, if it said one."""
    events, _ = read_events(directory)
    return events[-1] if events and events[-1].get("type") in LAST_EVENTS else None


def read_log(directory: Path, offset: int = 0, limit: int = 256 * 1024) -> tuple[list[str], int]:
    """Whole lines of the child's output after byte `offset`, at most `limit` bytes of them, as users may see
    them: what a library prints by itself is looked through here."""
    try:
        with (directory / "output.log").open("rb") as file:
            file.seek(offset)
            data = file.read(limit)
    except FileNotFoundError:
        return [], offset
    end = data.rfind(b"\n") + 1 or (len(data) if len(data) == limit else 0)
    lines = data[:end].decode(errors="replace").splitlines()
    return [presentable(line) for line in lines], offset + end


def tail_log(directory: Path, lines: int = 20) -> list[str]:
    """The last lines of the child's output."""
    try:
        size = (directory / "output.log").stat().st_size
    except FileNotFoundError:
        return []
    return read_log(directory, max(0, size - 16 * 1024))[0][-lines:]


def stop_all(root: Path, grace: float = 15.0) -> int:
    """Stop every child whose directory lies in `root`, all at once; how many there were."""
    found = [child for path in sorted(root.glob("*/spec.json")) if (child := adopt(path.parent))]
    for child in found:
        child.terminate()
    deadline = time.monotonic() + grace
    for child in found:
        if not child.wait(max(0.0, deadline - time.monotonic())):
            child.kill()
            child.wait(5)
    return len(found)


def _process(pid: int, started: float, directory: Path) -> psutil.Process | None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # reap it, if it was ours
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - started) > 1.0 or process.status() == psutil.STATUS_ZOMBIE:
            return None
        # `Popen` returns after exec, so the command line is the child's own from the first look on. Without
        # one it is on its way out, its memory not yet given back: it is gone when the kernel says so.
        if (command := process.cmdline()) and str(directory / "spec.json") not in command:
            return None
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return None
    return process


def _start_time(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return time.time()


def _write_private(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(text)
    draft.replace(path)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1:3] != ["stop-all", "--home"]:
        sys.exit("usage: python -m integrations.children stop-all --home MODELHUB_HOME")
    if ended := stop_all(Path(sys.argv[3]) / "run" / "children"):
        print(f"ended {ended} child process{'es' if ended > 1 else ''}; their work goes on at the next start")
