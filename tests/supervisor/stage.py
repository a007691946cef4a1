"""Supervisors are real processes here; every one that a test starts is ended with all it started."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
PART = str(Path(__file__).with_name("part_program.py"))
RUN_PARTS = str(Path(__file__).with_name("run_parts.py"))


def wait_until(what: Callable[[], object], seconds: float = 30.0) -> None:
    """Poll until true; the limit only ends a test that would otherwise hang."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Stage:
    """A data directory, a journal the stand-in parts write to, and the supervisors started on it."""

    def __init__(self, directory: Path) -> None:
        self.home = directory / "home"
        self.journal = directory / "journal"
        self.directory = directory
        self.started: list[subprocess.Popen] = []

    def part(self, name: str, *words: str, **more: object) -> dict:
        return {"name": name, "argv": [PART, str(self.journal), name, *words], **more}

    def with_ready_file(self, name: str, *words: str, **more: object) -> dict:
        touched = str(self.directory / f"{name}.ready")
        return self.part(name, "--touch", touched, *words, ready_file=touched, **more)

    def supervise(self, *parts: dict) -> subprocess.Popen:
        argv = [sys.executable, RUN_PARTS, str(self.home), json.dumps(parts)]
        output = (self.directory / "output").open("ab")
        process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    @property
    def output(self) -> str:
        path = self.directory / "output"
        return path.read_text() if path.exists() else ""

    def notes(self, *kinds: str) -> list[tuple[str, str, int]]:
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        rows = [(kind, name, int(pid)) for kind, name, pid in (line.split() for line in lines)]
        return [row for row in rows if not kinds or row[0] in kinds]

    def pids(self, *kinds: str) -> list[int]:
        return [pid for _, _, pid in self.notes(*kinds)]

    def clean(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        for pid in set(self.pids()):
            with contextlib.suppress(ProcessLookupError):
                if is_alive(pid) and PART in " ".join(psutil.Process(pid).cmdline() or [PART]):
                    os.kill(pid, signal.SIGKILL)
