"""One step of the set-up: skipped while its stamp is true, shown while it runs, explained when it fails."""

import hashlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STAMPS = ROOT / ".stamps"


class SetupFailed(Exception):
    """One sentence: what is missing and how to get it."""


def digest(*parts: str | bytes | Path) -> str:
    """SHA-256 over strings and file contents, each with its length."""
    total = hashlib.sha256()
    for part in parts:
        data = (
            part.read_bytes() if isinstance(part, Path) else part.encode() if isinstance(part, str) else part
        )
        total.update(b"%d:" % len(data) + data)
    return total.hexdigest()


def is_stamped(name: str, value: str) -> bool:
    try:
        return (STAMPS / name).read_text() == value
    except OSError:
        return False


def stamp(name: str, value: str) -> None:
    STAMPS.mkdir(exist_ok=True)
    (STAMPS / name).write_text(value)


def unstamp(*names: str) -> None:
    for name in names:
        (STAMPS / name).unlink(missing_ok=True)


def show(text: str) -> None:
    print(f"setup  | {text}", flush=True)


def carry_out(
    title: str, argv: Iterable[str], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> None:
    """Run a command with its output in `.stamps/TITLE.log`, saying now and then how far it is."""
    STAMPS.mkdir(exist_ok=True)
    log = STAMPS / (re.sub(r"\W+", "-", title) + ".log")
    began = time.monotonic()
    show(f"{title} …")
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        last = [""]
        ended = threading.Event()
        threading.Thread(target=_tell, args=(title, began, last, ended), daemon=True).start()
        assert process.stdout is not None  # noqa: S101 - for the type checker
        try:
            for line in process.stdout:
                output.write(line)
                text = line.decode(errors="replace").strip()
                # Not progress bars and warnings: what is being worked on.
                if text[:1].isalpha() and not text.startswith("WARNING"):
                    last[0] = text
            code = process.wait()
        finally:
            ended.set()
            process.kill()
    if code:
        tail = log.read_text(errors="replace").strip().splitlines()[-15:]
        print("\n".join(tail), file=sys.stderr)
        raise SetupFailed(
            f"{title} failed (exit code {code}); the whole output is in {os.path.relpath(log)}."
        )
    show(f"{title}: done in {time.monotonic() - began:.0f} s")


def _tell(title: str, began: float, last: list[str], ended: threading.Event) -> None:
    while not ended.wait(10):
        show(f"{title}: {time.monotonic() - began:.0f} s, {last[0][:90]}")
