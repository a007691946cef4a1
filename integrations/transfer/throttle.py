"""Speed limits: one for a transfer of its own, one it shares with every other transfer of this machine.

A limit is a small JSON file, `{"rate": bytes per second or null}`, replaced whole by whoever sets it and
looked at again twice a second: a change is felt at once. What is shared is time: a file beside the shared
limits (`clock`) holds the moment at which the next byte of anybody may come. To receive n bytes under a rate
r a connection moves that moment on by n/r, under a lock, and waits for its own. That is exact however many
processes take part, gives each as much as it can use, and lets some run under another rate than others. (The
generic cell rate algorithm, ITU-T I.371.)
"""

import contextlib
import fcntl
import json
import os
import struct
import threading
import time
from pathlib import Path

LOOK_SECONDS = 0.5
BURST_SECONDS = 0.2
"""What was not used is not saved up beyond this."""
TURN_SECONDS = 0.05
"""A capped connection receives about this much of the rate at a time, so that all get their turn."""
SMALLEST_TURN = 16 * 1024
LONGEST_AHEAD = 60.0
"""A moment further away than this was written before the machine's clock began anew."""
CLOCK = "clock"


class Limit:
    """A rate read from a file: None without one, or while the file is missing or not understood."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._looked = -LOOK_SECONDS
        self._stamp: tuple[int, int] | None = None
        self._rate: float | None = None

    @property
    def rate(self) -> float | None:
        """Bytes per second."""
        now = time.monotonic()
        if self.path is not None and now - self._looked >= LOOK_SECONDS:
            self._looked = now
            try:
                stat = self.path.stat()
                if self._stamp != (stat.st_mtime_ns, stat.st_ino):
                    self._rate = _read(self.path)
                    self._stamp = stat.st_mtime_ns, stat.st_ino
            except (OSError, ValueError, TypeError, KeyError):
                self._rate = self._stamp = None
        return self._rate


class Throttle:
    """Asked by every connection before it receives. Costs nothing while no limit is set."""

    def __init__(self, shared: Path | None = None, own: Path | None = None) -> None:
        self.shared, self.own = Limit(shared), Limit(own)
        self._clock = shared.with_name(CLOCK) if shared else None
        self._next = 0.0
        self._lock = threading.Lock()

    def turn(self, most: int) -> int:
        """How many bytes of `most` to take at a time."""
        rates = [rate for rate in (self.shared.rate, self.own.rate) if rate]
        if not rates:
            return most
        return min(most, max(SMALLEST_TURN, int(min(rates) * TURN_SECONDS)))

    def take(self, count: int, stop: threading.Event) -> float:
        """Wait until `count` bytes may be received, or `stop`. The seconds it took."""
        now = time.monotonic()
        shared, own = self.shared.rate, self.own.rate
        if not shared and not own:
            return 0.0
        due = now
        if own:
            with self._lock:
                self._next, due = _moved(self._next, now, count / own)
        if shared and self._clock:
            due = max(due, _move_clock(self._clock, now, count / shared))
        if due > now:
            stop.wait(due - now)
        return time.monotonic() - now

    def give_back(self, count: int) -> None:
        """`count` of the bytes taken did not come."""
        if count <= 0:
            return
        shared, own = self.shared.rate, self.own.rate
        if own:
            with self._lock:
                self._next -= count / own
        if shared and self._clock:
            _move_clock(self._clock, time.monotonic(), -count / shared)


def _moved(due: float, now: float, seconds: float) -> tuple[float, float]:
    """The next moment after one more of `seconds`, and the moment at which this one may go on."""
    if due > now + LONGEST_AHEAD:
        due = now
    due = max(due, now - BURST_SECONDS)
    return due + seconds, due


def _move_clock(path: Path, now: float, seconds: float) -> float:
    """The same for all processes: the moment lies in a file, locked while it moves."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return now  # no clock, no limit: a download must not end for that
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        held = os.pread(fd, 8, 0)
        before = struct.unpack("d", held)[0] if len(held) == 8 else 0.0
        following, due = _moved(before, now, seconds)
        with contextlib.suppress(OSError):
            os.pwrite(fd, struct.pack("d", following), 0)
        return due
    finally:
        os.close(fd)


def _read(path: Path) -> float | None:
    rate = json.loads(path.read_text())["rate"] if path.exists() else None
    return float(rate) if isinstance(rate, int | float) and not isinstance(rate, bool) and rate > 0 else None
