"""Speed, hours and order: set while it runs, kept by what runs, and nobody loses place or bytes."""

import json
from datetime import datetime
from typing import Any

import pytest
from flask import Flask

from api.errors import Conflict, Forbidden
from api.extensions import db
from api.models import Download
from api.schemas.downloads import DownloadChange, DownloadMove, DownloadQuery
from api.schemas.settings import Hours, TransferSettings
from api.security.authorise import Identity, identify
from api.services import downloads, housekeeping, jobs, transfers
from tests.support import people, things


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    heard: list[str] = []
    monkeypatch.setattr(jobs, "ring", lambda job_id, kind: heard.append(job_id))
    return heard


@pytest.fixture
def operator(app: Flask) -> Identity:
    return identify(people.user(app, "operator", "operator").token)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What time it is."""
    says = ["12:00"]

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            hour, minute = map(int, says[0].split(":"))
            return datetime(2026, 3, 4, hour, minute)

    monkeypatch.setattr(transfers, "datetime", Clock)
    return says


def queued(**columns: Any) -> Download:
    return db.session.get_one(Download, things.make("download", None, state="queued", **columns))


def status(download: Download) -> str:
    return downloads.shape(db.session.get_one(Download, download.id, populate_existing=True)).status


NIGHT = TransferSettings(hours=Hours(begin="22:00", end="06:00"))


@pytest.mark.parametrize(
    ("clock_says", "begin", "end", "within"),
    [
        ("21:59", "22:00", "06:00", False), ("22:00", "22:00", "06:00", True),
        ("05:59", "22:00", "06:00", True), ("06:00", "22:00", "06:00", False),
        ("08:00", "08:00", "18:00", True), ("18:00", "08:00", "18:00", False),
    ],
)  # fmt: skip
def test_hours_may_span_midnight(clock_says: str, begin: str, end: str, within: bool) -> None:
    now = datetime.fromisoformat(f"2026-03-04T{clock_says}")
    assert transfers.inside(Hours(begin=begin, end=end), now) is within


def test_outside_the_hours_downloads_are_held_and_go_on_by_themselves(
    operator: Identity, clock: list[str], rung: list[str]
) -> None:
    running, urgent, waiting = queued(), queued(options={"any_time": True}), queued()
    held = jobs.claim(running.job_id, "w")
    freely = jobs.claim(urgent.job_id, "w")
    assert held and freely
    said = transfers.put(NIGHT, operator)
    assert said.now.held and said.now.until and said.now.until.isoformat().startswith("2026-03-04T22:00")
    assert jobs.renew(held) == "put_back" and jobs.renew(freely) == "run"
    assert jobs.finish(held, "queued") == "queued"
    for download in (running, waiting):
        assert jobs.claim(download.job_id, "w") is None
        reason = jobs.find(download.job_id).waiting
        assert status(download) == "held" and reason["code"] == "OUTSIDE_HOURS"
        assert reason["details"]["until"].startswith("2026-03-04T22:00")
    version = jobs.find(waiting.job_id).version
    assert jobs.claim(waiting.job_id, "w") is None
    assert jobs.find(waiting.job_id).version == version, "the same reason is no news"
    clock[0] = "22:00"
    rung.clear()
    housekeeping.transfers.reconcile()
    assert set(rung) == {running.job_id, waiting.job_id}
    assert jobs.claim(running.job_id, "w") and status(running) == "downloading"


def test_a_pause_while_it_is_put_back_is_a_pause(operator: Identity, clock: list[str]) -> None:
    running = queued()
    held = jobs.claim(running.job_id, "w")
    assert held
    transfers.put(NIGHT, operator)
    downloads.pause(running.id, operator)
    assert jobs.finish(held, "queued") == "paused"


def test_a_lower_rate_outside_the_hours(operator: Identity, clock: list[str]) -> None:
    slow = Hours(begin="22:00", end="06:00", outside="slow", rate=50_000)
    said = transfers.put(TransferSettings(rate=1_000_000, hours=slow), operator)
    assert (said.now.rate, said.now.held) == (50_000, False)

    def limits() -> tuple[int, int]:
        files = (transfers.shared_limit(False), transfers.shared_limit(True))
        first, second = (json.loads(file.read_text())["rate"] for file in files)
        return first, second

    assert limits() == (50_000, 1_000_000)
    clock[0] = "23:00"
    housekeeping.transfers.reconcile()
    assert limits() == (1_000_000, 1_000_000)


def test_how_many_run_at_once_is_a_setting(operator: Identity) -> None:
    all_of_them = [queued() for _ in range(3)]
    transfers.put(TransferSettings(parallel=1), operator)
    assert [bool(jobs.claim(each.job_id, "w")) for each in all_of_them] == [True, False, False]
    transfers.put(TransferSettings(parallel=2), operator)
    assert [bool(jobs.claim(each.job_id, "w")) for each in all_of_them] == [False, True, False]


def test_limits_of_one_download_hold_at_once(operator: Identity) -> None:
    download = queued()
    held = jobs.claim(download.job_id, "w")
    assert held
    spec = transfers.speed_of(download)
    assert spec["own"] == str(transfers.own_limit(download.id))
    changed = downloads.change(download.id, DownloadChange(rate=200_000), operator)
    assert changed.rate == 200_000 and jobs.renew(held) == "run"
    assert json.loads(transfers.own_limit(download.id).read_text()) == {"rate": 200_000}
    changed = downloads.change(download.id, DownloadChange(connections=2), operator)
    assert (changed.connections, changed.rate) == (2, 200_000), "what is left out stays"
    assert jobs.renew(held) == "put_back", "it starts again with the connections it was given"
    assert jobs.finish(held, "queued") == "queued" and jobs.claim(download.job_id, "w")
    assert downloads.change(download.id, DownloadChange(rate=None), operator).rate is None


def test_going_before_everybody_is_an_operators(app: Flask, operator: Identity) -> None:
    user = identify(people.user(app, "somebody", "user").token)
    mine = things.make("download", user.user_id, state="queued")
    assert downloads.change(mine, DownloadChange(priority=-1, rate=100_000), user).priority == -1
    for body in (DownloadChange(priority=1), DownloadChange(any_time=True)):
        with pytest.raises(Forbidden):
            downloads.change(mine, body, user)
    assert downloads.change(mine, DownloadChange(priority=9, any_time=True), operator).priority == 9
    ended = things.make("download", user.user_id, state="completed")
    with pytest.raises(Conflict):
        downloads.change(ended, DownloadChange(rate=100_000), user)


def test_the_queue_is_listed_and_moved_in_its_order(operator: Identity) -> None:
    a, b, c, d = (queued().id for _ in range(4))
    running = queued()
    paused = things.make("download", None, state="paused")
    downloads.change(running.id, DownloadChange(priority=5), operator)
    assert jobs.claim(running.job_id, "w")

    def order(**query: Any) -> list[tuple[str, int | None]]:
        page = downloads.list_downloads(DownloadQuery(sort="queue", **query), operator)
        return [(item.id, item.position) for item in page.items]

    assert order() == [(running.id, None), (a, 1), (b, 2), (c, 3), (d, 4), (paused, None)]
    assert order(limit=2, after=b) == [(c, 3), (d, 4)]
    assert downloads.move(d, DownloadMove(to="first"), operator).position == 1
    assert downloads.move(a, DownloadMove(to="last"), operator).position == 4
    downloads.change(c, DownloadChange(priority=3), operator)
    assert downloads.move(b, DownloadMove(before=c), operator).position == 1
    assert [id for id, _ in order()] == [running.id, b, c, d, a, paused]
    with pytest.raises(Conflict):
        downloads.move(running.id, DownloadMove(to="last"), operator)
