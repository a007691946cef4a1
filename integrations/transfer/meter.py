"""Bytes per second over the last few seconds, and when it will be over."""

import time
from collections import deque

WINDOW = 5.0


class Meter:
    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def read(self, moved: int, left: int) -> tuple[float, float | None]:
        """Speed in bytes/s and seconds to go (None while nothing moves), given the bytes moved so far."""
        now = time.monotonic()
        self._samples.append((now, moved))
        while len(self._samples) > 2 and now - self._samples[0][0] > WINDOW:
            self._samples.popleft()
        begun, before = self._samples[0]
        speed = (moved - before) / (now - begun) if now > begun else 0.0
        return speed, (left / speed if speed > 0 else None)
