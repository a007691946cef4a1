"""Ranges against the obvious model: a set of byte numbers."""

import random
from itertools import pairwise

import pytest

from integrations.transfer.ranges import Ranges

SIZE = 60


@pytest.mark.parametrize("seed", range(50))
def test_ranges_are_a_set_of_bytes(seed: int) -> None:
    chance, ranges, model = random.Random(seed), Ranges(), set()
    for _ in range(chance.randrange(1, 25)):
        start = chance.randrange(SIZE)
        end = min(SIZE, start + chance.randrange(0, 15))
        ranges.add(start, end)
        model |= set(range(start, end))
        spans = list(ranges)
        assert {byte for a, b in spans for byte in range(a, b)} == model
        assert all(a < b for a, b in spans)
        assert all(left[1] < right[0] for left, right in pairwise(spans)), "melted and sorted"
        assert ranges.total == len(model)
        gaps = {byte for a, b in ranges.gaps(SIZE) for byte in range(a, b)}
        assert gaps == set(range(SIZE)) - model
        position = chance.randrange(SIZE)
        reached = position
        while reached in model:
            reached += 1
        assert ranges.end_from(position) == reached
