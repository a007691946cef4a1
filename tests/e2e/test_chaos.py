"""Twenty of the two hundred kills of `bench.chaos_download`."""

from pathlib import Path

import pytest

from bench.chaos_download import chaos


@pytest.mark.slow
@pytest.mark.alone
def test_twenty_kills_cost_nothing(tmp_path: Path) -> None:
    run, lines = chaos(20, seed=20, scratch=tmp_path)
    assert run.notes == [], "\n".join([*lines, run.hub.tail(200)])
    assert sum(run.kills.values()) == 20 and len(run.asked) >= 7
