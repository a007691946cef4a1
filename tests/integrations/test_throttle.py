"""Speed limits: exact among any number of processes, live, and free while there is none."""

import json
import struct
import threading
from pathlib import Path

import pytest

from integrations.transfer import throttle
from integrations.transfer.throttle import CLOCK, Limit, Throttle
from tests.support.downloads import WEIGHTS, build_model, content, download, plan_of
from tests.support.hub import Hub

MIB = 1 << 20


class Clock(threading.Event):
    """Time that passes only by waiting: every process of the test waits on it."""

    now = 1000.0

    def wait(self, timeout: float | None = None) -> bool:
        Clock.now += timeout or 0.0
        return False


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    Clock.now = 1000.0
    monkeypatch.setattr(throttle.time, "monotonic", lambda: Clock.now)
    return Clock()


def limit(path: Path, rate: object) -> Path:
    path.write_text(json.dumps({"rate": rate}))
    return path


def rate_of(parts: list[Throttle], clock: Clock, count: int = 4000) -> float:
    """Bytes per second of all together, taking turns."""
    begun, taken = Clock.now, 0
    for n in range(count):
        part = parts[n % len(parts)]
        piece = part.turn(MIB)
        part.take(piece, clock)
        taken += piece
    return taken / (Clock.now - begun)


@pytest.mark.parametrize("processes", [1, 2, 7])
@pytest.mark.parametrize("rate", [256 * 1024, 5 * MIB, 300 * MIB])
def test_all_processes_together_keep_the_shared_limit(
    tmp_path: Path, clock: Clock, rate: int, processes: int
) -> None:
    shared = limit(tmp_path / "hours.json", rate)
    assert rate_of([Throttle(shared) for _ in range(processes)], clock) == pytest.approx(rate, rel=0.1)


def test_each_keeps_its_own_limit_within_the_shared_one(tmp_path: Path, clock: Clock) -> None:
    shared = limit(tmp_path / "hours.json", 10 * MIB)
    slow = Throttle(shared, limit(tmp_path / "own.json", MIB))
    assert rate_of([slow], clock) == pytest.approx(MIB, rel=0.1)
    assert rate_of([Throttle(shared)], clock) == pytest.approx(10 * MIB, rel=0.1)


def test_those_with_other_hours_share_the_time(tmp_path: Path, clock: Clock) -> None:
    """A megabyte at 1 MiB/s takes a second of everybody's time, at 2 MiB/s half a second."""
    parts = [Throttle(limit(tmp_path / name, rate)) for name, rate in (("a.json", MIB), ("b.json", 2 * MIB))]
    begun = Clock.now
    for part in parts * 20:
        part.take(MIB, clock)
    assert Clock.now - begun == pytest.approx(30, rel=0.1)


def test_a_limit_is_felt_when_its_file_changes(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "hours.json"
    shared = Throttle(path)
    assert shared.take(MIB, clock) == 0.0 and shared.turn(MIB) == MIB, "no file, no limit"
    assert not (tmp_path / CLOCK).exists(), "and nothing is written"
    limit(path, MIB)
    Clock.now += 1
    assert rate_of([shared], clock) == pytest.approx(MIB, rel=0.1)
    limit(path, None)
    Clock.now += 1
    assert shared.take(MIB, clock) == 0.0


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"rate": "x"}', '{"rate": -1}', '{"rate": true}', '{"rate": 0}']
)
def test_what_is_no_limit_limits_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.json"
    path.write_text(text)
    assert Limit(path).rate is None


def test_what_did_not_come_is_given_back(tmp_path: Path, clock: Clock) -> None:
    one = Throttle(limit(tmp_path / "hours.json", MIB), limit(tmp_path / "own.json", MIB))
    one.take(10 * MIB, clock)
    one.give_back(10 * MIB)
    assert one.take(MIB, clock) <= 0.1


def test_a_clock_of_an_earlier_start_of_the_machine_blocks_nobody(tmp_path: Path, clock: Clock) -> None:
    one = Throttle(limit(tmp_path / "hours.json", MIB))
    (tmp_path / CLOCK).write_bytes(struct.pack("d", Clock.now + 1e6))
    assert one.take(MIB, clock) <= 1.0


@pytest.fixture
def hub(tmp_path: Path) -> "Hub":
    build_model(tmp_path / "root" / "org" / "model", weights_bytes=3_000_000)
    return Hub(tmp_path / "root")


def test_a_slowed_download_is_not_taken_for_a_slow_server(hub: Hub, tmp_path: Path) -> None:
    """With patience far shorter than the limit makes it take, nothing is asked for twice."""
    with hub:
        plan = plan_of(hub)
        own = limit(tmp_path / "own.json", 2 * MIB)
        download(hub, tmp_path / "into", plan, slow_time=0.2, slow_rate=3 * MIB, throttle=Throttle(own=own))
        sizes = sum(file["size"] for file in plan["files"])
        assert hub.bytes_sent() == sizes
        assert content(tmp_path / "into") == content(tmp_path / "root" / "org" / "model")


def test_a_source_that_cannot_go_on_says_so(hub: Hub, tmp_path: Path) -> None:
    """`resumable` in the progress: unknown at first, then as the server behaves."""
    from integrations.sources.fetch import downloads_of
    from integrations.transfer import Options, Outbound, fetch

    with hub:
        plan = plan_of(hub)
        said: dict[str, list[object]] = {"ranges": [], "whole": []}
        for kind, seen in said.items():
            if kind == "whole":
                hub.fault("ignore_range", match=WEIGHTS, times=0)
                hub.rate = 4_000_000
            fetch(
                downloads_of(plan, hub.url),
                tmp_path / kind,
                Outbound(hub.url),
                options=Options(disk_reserve=0, base_wait=0.01, connections=2),
                report=lambda progress, seen=seen: seen.append(progress["resumable"]),  # type: ignore[misc]
            )
            assert content(tmp_path / kind) == content(tmp_path / "root" / "org" / "model")
    assert said["ranges"][-1] is True
    assert False in said["whole"]
