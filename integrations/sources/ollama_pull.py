"""`python -m integrations.sources.ollama_pull SPEC.json`: let the Ollama server pull, and say how far it is.

SPEC: `{job_id, events, plan: FetchPlan, options: {waits: [seconds]}}`; `OLLAMA_HOST` comes by environment.
The bytes go to the server, not here. Result: `{facts}` for the library. What the server kept of an earlier
pull is what its first word about a layer says; which layers there were is remembered beside the spec.
"""

import json
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from integrations.child_events import EventWriter, run_child
from integrations.errors import Stopped, Unreachable
from integrations.ollama import words
from integrations.ollama.facts import version_facts
from integrations.ollama.server import Server, Step
from integrations.ollama.streaming import until_stopped
from integrations.transfer.meter import Meter

WAITS = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before each new try after the server broke off; counted anew when bytes have moved."""


class Layers:
    """The layers of one model on their way, summed up. `memory` outlives this process."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._before: dict[str, int] = {}
        with suppress(OSError, ValueError):
            self._before = {str(key): int(value) for key, value in json.loads(memory.read_text()).items()}
        self._began: dict[str, int] = {}
        self._now: dict[str, int] = {}
        self._totals: dict[str, int] = {}
        self._meter = Meter()
        self.resumable: bool | None = None
        self.note = ""

    @property
    def done(self) -> int:
        return sum(self._now.values())

    @property
    def total(self) -> int:
        return sum(self._totals.values())

    def begin(self) -> None:
        """A pull begins: what the last one left is held against what the server says first."""
        self._before = {**self._before, **self._now}
        self._began.clear()
        self._now.clear()
        self._totals.clear()
        self._meter = Meter()

    def take(self, step: Step) -> None:
        if not step.digest:
            return
        if step.digest not in self._began:
            self._began[step.digest] = step.completed
            self._compare(step)
        self._now[step.digest] = step.completed
        self._totals[step.digest] = max(step.total or 0, step.completed)

    def figures(self) -> dict[str, Any]:
        moved = self.done - sum(self._began.values())
        speed, eta = self._meter.read(max(0, moved), self.total - self.done)
        fields = {"bytes_done": self.done, "bytes_total": self.total or None, "speed": speed, "eta": eta}
        return fields if self.resumable is None else {**fields, "resumable": self.resumable}

    def remember(self) -> None:
        draft = self._memory.with_suffix(".draft")
        draft.write_text(json.dumps({**self._before, **self._now}))
        draft.replace(self._memory)

    def _compare(self, step: Step) -> None:
        """What was there before the break, and what of it the server still has."""
        before = self._before.get(step.digest or "", 0)
        if not before or before == step.total == step.completed:
            return
        self.resumable = step.completed > 0
        if step.completed:
            self.note = f"The server had kept {step.completed:,} of the {before:,} bytes that had come."
        else:
            self.note = f"The server had kept nothing of the {before:,} bytes that had come; it begins again."


def program(spec: dict[str, Any], events: EventWriter, stop: threading.Event) -> dict[str, Any]:
    name = spec["plan"]["ref"]
    waits = list((spec.get("options") or {}).get("waits") or WAITS)
    server, layers = Server(), Layers(Path(spec["events"]).with_name("layers.json"))
    tries = 0
    while True:
        reached = layers.done
        try:
            _pull(server, name, layers, events, stop)
            break
        except Unreachable as error:
            tries = 1 if layers.done > reached else tries + 1
            if tries > len(waits):
                raise
            events.progress(force=True, **layers.figures(), message=f"{error} Trying again.")
            if stop.wait(waits[tries - 1]):
                raise Stopped("The pull was stopped.") from None
    return {"facts": version_facts(server.find(name), server.show(name))}


def _pull(server: Server, name: str, layers: Layers, events: EventWriter, stop: threading.Event) -> None:
    layers.begin()
    last = ""
    try:
        for step in until_stopped(server.pull(name), stop, server):
            changed, last = step.status != last, step.status
            layers.take(step)
            message = f"{layers.note} {step.status}".strip()
            events.progress(force=changed, **layers.figures(), message=message)
    finally:
        layers.remember()
    if last != "success":
        raise Unreachable(str(words.broken(server.url)))


if __name__ == "__main__":
    run_child(program)
