"""How a worker does a job with a child process: claim, start or adopt, follow, and settle.

One path serves success, failure, pause, cancel, a worker that stops, and a child that somebody killed.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.services import jobs
from integrations import children
from integrations.child_events import LAST_EVENTS
from integrations.children import Child
from integrations.errors import ChildFailed

OWNER = f"{socket.gethostname()}:{os.getpid()}:{int(time.time())}"
"""This worker process, as leases name it."""

stopping = threading.Event()
"""Set when this worker is asked to stop: it lets go of its children, which live on."""

BEAT = 0.5
"""Seconds between two looks at a child; progress goes out at most that often."""

MAX_RESTARTS = 3
"""Deaths in a row, without a byte of progress between them, after which a child is given up."""


@dataclass(frozen=True)
class Outcome:
    """How following a child ended: result, error, pause, cancel, put_back (to the queue) or handed_over (this
    worker stops)."""

    kind: str
    event: dict[str, Any]


def follow(held: jobs.Claim, directory: Path, start: Callable[[], Child], grace: float = 10.0) -> Outcome:
    """Adopt or start the child in `directory` and follow it to its end, renewing the lease twice a second.

    A child that vanishes without a last word (killed, out of memory) is started again, up to three times
    in a row without progress: it goes on from what it saved.
    """
    offset, progress = 0, {}
    child = children.adopt(directory)
    if child is None and (said := children.last_event(directory)) and said["type"] == "result":
        return Outcome("result", said)  # it finished while nobody was looking
    restarts, came_to = 0, 0
    child = child or start()
    while True:
        alive = child.alive  # asked before reading, so that a last event cannot slip through
        events, offset = children.read_events(directory, offset)
        for event in events:
            if event["type"] == "progress":
                progress = {key: value for key, value in event.items() if key not in ("type", "at")}
            elif event["type"] in LAST_EVENTS and event["type"] != "stopped":
                child.wait(5)
                return Outcome(event["type"], event)
        wanted = jobs.renew(held, progress or None)
        if wanted != "run":
            _stop_while_renewing(held, child, grace)
            return Outcome(wanted, progress)
        if not alive:
            done = progress.get("bytes_done") or 0
            restarts, came_to = (1 if done > came_to else restarts + 1), max(done, came_to)
            if restarts > MAX_RESTARTS:
                raise ChildFailed(
                    f"The process ended {restarts} times without a word. Its last lines: "
                    + " / ".join(children.tail_log(directory, 3)),
                    details={"log": children.tail_log(directory)},
                )
            if stopping.wait(0.5 * 2**restarts):
                return Outcome("handed_over", {})
            child, offset = start(), 0
            continue
        if stopping.wait(BEAT):
            return Outcome("handed_over", {})


def _stop_while_renewing(held: jobs.Claim, child: Child, grace: float) -> None:
    """Stopping may take as long as a lease: keep it meanwhile."""
    child.terminate()
    deadline = time.monotonic() + grace
    while child.alive and time.monotonic() < deadline:
        child.wait(1.0)
        jobs.renew(held)
    child.stop(0.1)
