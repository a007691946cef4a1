"""Killed in the calls that turn bytes into a file, then run again; all of them: `bench.crash_points`."""

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.crash_points import Victim, build
from bench.crash_points_worker import Worker
from tests.support.hub import Hub

SAMPLE = [
    ("pwrite64", 3), ("fallocate", 1), ("fsync", 1), ("fsync", 2), ("fdatasync", 1), ("fdatasync", 2),
    ("rename", 1), ("rename", 2), ("mkdir", 2), ("write", 3), ("syncfs", 1),
]  # fmt: skip
OF_THE_WORKER = [("link", 2), ("fdatasync", 3)]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Hub]:
    if shutil.which("strace") is None:
        if os.environ.get("MODELHUB_CI"):
            pytest.fail("strace is missing: apt-get install strace")
        pytest.skip("strace is not installed")
    build(tmp_path / "root" / "org" / "model")
    with Hub(tmp_path / "root") as hub:
        yield hub


def test_a_death_in_any_of_these_calls_is_survived(served: Hub, tmp_path: Path) -> None:
    victim = Victim(served, tmp_path)
    with ThreadPoolExecutor(3) as pool:
        points = list(pool.map(lambda point: victim.point(*point), SAMPLE))
    assert [point for point in points if not point.died] == []
    assert [point for point in points if point.wrong or point.lost] == []


def test_a_worker_may_die_on_the_way_into_the_library(served: Hub, tmp_path: Path) -> None:
    worker = Worker(served, tmp_path)
    with ThreadPoolExecutor(3) as pool:
        points = list(pool.map(lambda point: worker.point(*point), OF_THE_WORKER))
    assert [point for point in points if not point.died] == []
    assert [point for point in points if point.wrong or point.lost] == []
