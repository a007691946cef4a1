"""Following a child that keeps dying: as long as it comes further each time, it is started again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from api.services import jobs, work
from api.unit_of_work import unit_of_work
from integrations import children
from integrations.errors import ChildFailed


class Impatient:
    """`work.stopping` with short waits."""

    def wait(self, _seconds: float) -> bool:
        return False


@pytest.fixture
def held(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[jobs.Claim]:
    monkeypatch.setattr(work, "stopping", Impatient())
    monkeypatch.setattr(jobs, "ring", lambda *_: None)
    with unit_of_work() as after_commit:
        job_id = jobs.submit(after_commit, "test", "object").id
    claim = jobs.claim(job_id, "w")
    assert claim
    yield claim


def follow(held: jobs.Claim, directory: Path, deaths: list[int]) -> work.Outcome:
    """A child that dies at each of these steps in turn, beginning where it was."""
    begun: list[int] = []

    def start() -> children.Child:
        number = len(begun)
        spec: dict[str, Any] = {"steps": 20, "first": deaths[number - 1] if number else 0}
        if number < len(deaths):
            spec["dies_at"] = deaths[number]
        begun.append(spec["first"])
        return children.start(directory, "tests.support.child_program", spec)

    return work.follow(held, directory, start)


def test_a_child_that_comes_further_each_time_is_started_again(held: jobs.Claim, tmp_path: Path) -> None:
    outcome = follow(held, tmp_path / "child", deaths=[2, 4, 6, 8, 10, 12])
    assert outcome.kind == "result" and outcome.event["answer"] == 20


def test_a_child_that_stays_where_it_is_is_given_up(held: jobs.Claim, tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match="4 times without a word"):
        follow(held, tmp_path / "child", deaths=[3] * 8)
