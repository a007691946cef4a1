"""Which bytes of a file are there: sorted, disjoint, half-open ranges."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class Ranges:
    def __init__(self, spans: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in spans:
            self.add(start, end)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self._starts, self._ends, strict=True))

    def __bool__(self) -> bool:
        return bool(self._starts)

    @property
    def total(self) -> int:
        return sum(self._ends) - sum(self._starts)

    def add(self, start: int, end: int) -> None:
        """Add [start, end), melting it into what it touches."""
        if start >= end:
            return
        left = bisect_left(self._ends, start)
        right = bisect_right(self._starts, end)
        if left < right:
            start = min(start, self._starts[left])
            end = max(end, self._ends[right - 1])
        self._starts[left:right] = [start]
        self._ends[left:right] = [end]

    def end_from(self, position: int) -> int:
        """The end of the unbroken run of bytes that begins at `position`; `position` itself when there is
        none."""
        index = bisect_right(self._starts, position) - 1
        return max(position, self._ends[index]) if index >= 0 else position

    def gaps(self, size: int) -> list[tuple[int, int]]:
        """What is missing of [0, size)."""
        missing, position = [], 0
        for start, end in self:
            if position < start:
                missing.append((position, min(start, size)))
            position = max(position, end)
        if position < size:
            missing.append((position, size))
        return missing
