"""Killed in the calls that turn bytes into a file, then run again; all of them: `bench.crash_points`."""

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.crash_points import Victim
from tests.support.downloads import build_model
from tests.support.hub import Hub

SAMPLE = [
    ("pwrite64", 3), ("fallocate", 1), ("fsync", 1), ("fsync", 2), ("fdatasync", 1), ("fdatasync", 2),
    ("rename", 1), ("rename", 2), ("mkdir", 2), ("write", 3),
]  # fmt: skip


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    if shutil.which("strace") is None:
        if os.environ.get("MODELHUB_CI"):
            pytest.fail("strace is missing: apt-get install strace")
        pytest.skip("strace is not installed")
    build_model(tmp_path / "root" / "org" / "model", weights_bytes=9_000_000)
    with Hub(tmp_path / "root") as hub:
        yield Victim(hub, tmp_path)


def test_a_death_in_any_of_these_calls_is_survived(victim: Victim) -> None:
    with ThreadPoolExecutor(3) as pool:
        points = list(pool.map(lambda point: victim.point(*point), SAMPLE))
    assert [point for point in points if not point.died] == []
    assert [point for point in points if point.wrong or point.lost] == []
