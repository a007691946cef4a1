"""`python -m integrations.intake SPEC.json`: look at a folder's files before they go on the shelf.

SPEC: `{events, folder, ours, clamav: address or null, progress: {bytes_done, bytes_total}}`.
Result: `{held: [{path, size, kind, findings}], warnings, remote_code}`.
"""

import contextlib
import resource
import threading
from pathlib import Path
from typing import Any

from integrations.child_events import EventWriter, run_child
from integrations.intake.check import check
from integrations.intake.clamav import ClamAV

MEMORY = 3 * 2**30
"""Bytes of address space: a file that makes a parser want more is not looked through."""


def program(spec: dict[str, Any], events: EventWriter, stop: threading.Event) -> dict[str, Any]:
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    def report(name: str, done: int, total: int) -> None:
        message = f"Checking files: {done + 1} of {total}"
        events.progress(**spec.get("progress", {}), message=message, checking=name)

    checked = check(
        Path(spec["folder"]),
        ours=bool(spec.get("ours", True)),
        clamav=ClamAV(spec["clamav"]) if spec.get("clamav") else None,
        stop=stop,
        report=report,
    )
    return checked._asdict()


if __name__ == "__main__":
    run_child(program)
