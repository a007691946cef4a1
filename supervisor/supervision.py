"""The loop: start what is due, read what the parts say, restart what crashed, stop in order.

One thread starts and reaps every part (the kernel ties PR_SET_PDEATHSIG to the starting *thread*);
readiness is waited for in further threads, which only ask questions.
"""

import contextlib
import os
import re
import selectors
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from supervisor.errors import CannotStart
from supervisor.logs import LogBook
from supervisor.part import Part, Running

FIRST_DELAY, LONGEST_DELAY = 0.25, 30.0
"""Seconds before the first restart of a crashed part, doubled each time."""

STEADY = 60.0
"""Seconds of life after which earlier crashes are forgiven."""


class Supervision:
    def __init__(
        self,
        parts: Sequence[Part],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        log: LogBook,
        lock_fds: tuple[int, ...] = (),
        started: Callable[[str, int], None] = lambda name, pid: None,
        prepared: Callable[[str, list[str]], None] = lambda name, lines: None,
    ) -> None:
        self.parts = {part.name: part for part in parts}
        self.cwd, self.environment, self.log, self.lock_fds = cwd, environment, log, lock_fds
        self._tell_started, self._tell_prepared = started, prepared
        self.running: dict[str, Running] = {}
        self.done: set[str] = set()
        self.crashes: dict[str, int] = {}
        self.due: dict[str, float] = {part.name: 0.0 for part in parts if part.kind != "at_stop"}
        self.stop_requests = 0
        self._patience = 0
        self._was_ready: set[str] = set()
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = os.pipe()
        for end in (self._wake_in, self._wake_out):
            os.set_blocking(end, False)
        self._selector.register(self._wake_in, selectors.EVENT_READ, None)

    def run(self, on_ready: Callable[[], None]) -> None:
        """Blocks until a stop was asked for and done. Raises CannotStart, with nothing left running."""
        previous = self._take_signals()
        try:
            announced = False
            while not self.stop_requests:
                self._start_due()
                if not announced and self._all_ready():
                    announced = True
                    on_ready()
                self._wait(self._next_deadline())
                self._look_at_parts()
        finally:
            self._stop_all()
            signal.set_wakeup_fd(-1)
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _take_signals(self) -> dict[int, Any]:
        def stop(number: int, _frame: object) -> None:
            self.stop_requests += 1

        signal.set_wakeup_fd(self._wake_out, warn_on_full_buffer=False)
        previous: dict[int, Any] = {}
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            previous[number] = signal.signal(number, stop)
        previous[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return previous

    # Starting

    def _start_due(self) -> None:
        now = time.monotonic()
        for name in [name for name, moment in self.due.items() if moment <= now]:
            part = self.parts[name]
            if self._are_there(part.after):
                del self.due[name]
                self._start(part)
        for running in self.running.values():
            if running.is_held and self._are_there(running.part.gate):
                running.open_gate()

    def _are_there(self, names: tuple[str, ...]) -> bool:
        return all(name in self._was_ready or name in self.done for name in names)

    def _start(self, part: Part) -> Running:
        try:
            running = Running(part, self.cwd, self.environment, self.lock_fds)
        except OSError as error:
            raise CannotStart(
                f"Cannot run {part.argv[0]} ({error.strerror}); run `make up` to set it up again."
            ) from None
        self.running[part.name] = running
        for stream in running.streams:
            self._selector.register(stream, selectors.EVENT_READ, (running, stream))
        self._tell_started(part.name, running.pid)
        if part.kind == "service":
            if part.ready is None:
                running.ready = running.announced = True
                self._was_ready.add(part.name)
            else:
                threading.Thread(target=self._await_ready, args=(running, part.ready), daemon=True).start()
        return running

    def _await_ready(self, running: Running, ready: Callable[[], bool]) -> None:
        while running.returncode is None and not self.stop_requests:
            with contextlib.suppress(OSError):
                if ready():
                    running.ready = True
                    os.write(self._wake_out, b"r")
                    return
            time.sleep(0.03)

    def _all_ready(self) -> bool:
        services = {name for name, part in self.parts.items() if part.kind == "service"}
        return services <= self._was_ready

    # Watching

    def _next_deadline(self) -> float | None:
        moments = [moment for name, moment in self.due.items() if moment]
        moments += [r.since + r.part.ready_within for r in self.running.values() if not r.ready]
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _wait(self, timeout: float | None) -> None:
        for key, _ in self._selector.select(timeout):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_in, 4096)
            else:
                self._read(*key.data)

    def _read(self, running: Running, stream: int) -> bool:
        """Take one gulp of output; False when there is none now."""
        try:
            data = os.read(stream, 65536)
        except BlockingIOError:
            return False
        name = running.part.name
        lines = self.log.feed(name, stream, data) if data else self.log.end(name, stream)
        if not data:
            self._selector.unregister(stream)
        if running.part.kind == "at_start":
            first = bool(running.process.stdout) and stream == running.streams[0]
            (running.stdout_lines if first else running.stderr_tail).extend(lines)
        else:
            running.stderr_tail = [*running.stderr_tail, *lines][-40:]
            self.log.say(name, lines)
        return bool(data)

    def _look_at_parts(self) -> None:
        now = time.monotonic()
        for running in list(self.running.values()):
            if running.has_ended():
                self._ended(running)
            elif running.ready:
                self._note_ready(running)
            elif now - running.since > running.part.ready_within:
                self._too_slow(running)

    def _note_ready(self, running: Running) -> None:
        if not running.announced:
            running.announced = True
            self._was_ready.add(running.part.name)
            self.log.hub(f"{running.part.name} is ready after {time.monotonic() - running.since:.1f} s")

    def _too_slow(self, running: Running) -> None:
        name, seconds = running.part.name, running.part.ready_within
        if running.part.kind == "service" and name in self._was_ready:
            self.log.hub(f"{name} was not ready after {seconds:.0f} s and is started again")
            running.signal_group(signal.SIGKILL)
            running.since = time.monotonic()
            return
        raise CannotStart(f"{name} was not ready after {seconds:.0f} s; see {self.log.path(name)}.")

    def _ended(self, running: Running) -> None:
        part, name = running.part, running.part.name
        self._drain(running)
        del self.running[name]
        held = running.is_held
        running.open_gate()
        if part.kind == "at_start":
            self._finish_preparation(running)
            return
        # What fails while it is held back may fail for the reason that the preparation is about to name.
        if name not in self._was_ready and part.ready is not None and not held:
            last = _telling_line(running.stderr_tail)
            raise CannotStart(
                f"{name} ended while starting ({running.how_it_ended()}): {last[:300]} "
                f"(more in {self.log.path(name)})"
            )
        lived = time.monotonic() - running.since
        self.crashes[name] = 1 if lived >= STEADY else self.crashes.get(name, 0) + 1
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (self.crashes[name] - 1))
        self.due[name] = time.monotonic() + delay
        self.log.hub(f"{name} ended ({running.how_it_ended()}) after {lived:.0f} s; restart in {delay:g} s")

    def _finish_preparation(self, running: Running) -> None:
        """stdout is an answer for us, stderr a log; with exit code 2 its last line is the one to show."""
        name, lines = running.part.name, [line for line in running.stderr_tail if line.strip()]
        if running.returncode == 2 and lines:
            raise CannotStart(lines[-1])
        self.log.say(name, lines)
        self.log.say(name, running.stdout_lines[: None if running.returncode else -1])
        if running.returncode:
            last = _telling_line(lines)
            raise CannotStart(
                f"{name} failed ({running.how_it_ended()}): {last[:300]} (more in {self.log.path(name)})"
            )
        self.done.add(name)
        self._tell_prepared(name, running.stdout_lines)

    def _drain(self, running: Running) -> None:
        for stream in running.streams:
            while stream in self._selector.get_map() and self._read(running, stream):
                pass
            if stream in self._selector.get_map():  # somebody outside the group still holds the other end
                self._selector.unregister(stream)
        for pipe in (running.process.stdout, running.process.stderr):
            if pipe:
                pipe.close()

    # Stopping

    def _stop_all(self) -> None:
        """Backwards through the list, each part with its grace; asked once more, all at once."""
        self._patience = self.stop_requests
        served = False
        for name, part in reversed(self.parts.items()):
            if part.kind == "at_stop":
                if served and not self._in_a_hurry:
                    self._run_at_stop(part)
                continue
            served = served or (part.kind == "service" and name in self._was_ready)
            if name in self.running:
                self._end(self.running[name])

    @property
    def _in_a_hurry(self) -> bool:
        return self.stop_requests > self._patience

    def _run_at_stop(self, part: Part) -> None:
        try:
            running = self._start(part)
        except CannotStart as error:
            self.log.hub(str(error))
            return
        deadline = time.monotonic() + part.grace
        while not running.has_ended() and time.monotonic() < deadline and not self._in_a_hurry:
            self._wait(0.2)
        self._end(running, grace=1.0)
        if running.returncode:
            self.log.hub(f"{part.name} failed ({running.how_it_ended()})")

    def _end(self, running: Running, grace: float | None = None) -> None:
        name, began = running.part.name, time.monotonic()
        deadline = began + (running.part.grace if grace is None else grace)
        killed = False
        if not running.has_ended():
            running.signal(signal.SIGTERM)
        while not running.has_ended():
            if not killed and (self._in_a_hurry or time.monotonic() >= deadline):
                killed = True
                self.log.hub(
                    f"{name} had not ended {time.monotonic() - began:.1f} s after SIGTERM and is killed"
                )
                running.signal_group(signal.SIGKILL)
            self._wait(0.2 if killed else min(0.2, max(0.0, deadline - time.monotonic())))
        self._drain(running)
        running.open_gate()
        del self.running[name]
        if running.part.kind == "service":
            self.log.hub(f"{name} stopped in {time.monotonic() - began:.1f} s")


def _telling_line(lines: Sequence[str]) -> str:
    """The exception if there is one, else the last words."""
    said = [line.strip() for line in lines if line.strip()] or ["it said nothing"]
    raised = [line for line in said if re.match(r"[\w.]+(Error|Exception|Exit): ", line)]
    return (raised or said)[-1]
