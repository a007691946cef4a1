"""The voice of a child program: one JSON line per event, appended in one write.

A child is started with a spec file that names its event file. It says `started`, `progress`, `log`
and, as its last line, one of `result`, `error` or `stopped`. Standard library only: every child
imports this, however small it wants to stay.
"""

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

EXIT_STOPPED = 75
"""Exit code of a child that obeyed SIGTERM with its state saved (EX_TEMPFAIL: may be run again)."""

LAST_EVENTS = frozenset({"result", "error", "stopped"})


class EventWriter:
    """Append-only event file. Lines are written whole, so a reader never sees half of one."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._lock = threading.Lock()
        self._last_progress = 0.0

    def emit(self, type: str, **fields: Any) -> None:
        line = json.dumps({"type": type, "at": time.time(), **fields}, separators=(",", ":")) + "\n"
        with self._lock:
            os.write(self._fd, line.encode())

    def progress(self, *, force: bool = False, **fields: Any) -> None:
        """Say how far we are; at most twice a second unless forced."""
        now = time.monotonic()
        if force or now - self._last_progress >= 0.5:
            self._last_progress = now
            self.emit("progress", **fields)


def run_child(program: Callable[[dict[str, Any], EventWriter, threading.Event], dict[str, Any]]) -> None:
    """Run `program(spec, events, stop)` under the child protocol and exit.

    `stop` is set by SIGTERM or SIGINT; a program that obeys raises `integrations.errors.Stopped`.
    The returned dict becomes the `result` event. Exit code: 0 result, 1 error, 75 stopped.
    """
    from integrations import redaction
    from integrations.errors import IntegrationError, Stopped

    redaction.learn_environment(os.environ)
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = json.load(file)
    events = EventWriter(spec["events"])
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    events.emit("started", pid=os.getpid())
    try:
        result = program(spec, events, stop)
    except Stopped:
        events.emit("stopped")
        sys.exit(EXIT_STOPPED)
    except IntegrationError as error:
        said = redaction.redact_all({"message": str(error), "details": error.details})
        events.emit("error", code=error.code, **said)
        sys.exit(1)
    except Exception as error:
        message = redaction.redact(f"{type(error).__name__}: {error}")
        events.emit("error", code="CHILD_FAILED", message=message, details={})
        # Not raised on: the interpreter would print what the exception says as it is.
        sys.stderr.write(redaction.redact(traceback.format_exc()))
        sys.exit(1)
    events.emit("result", **result)
