"""The ledger: one owner at a time, stale fences refused, nothing lost, poison recognised."""

import threading
import time

import pytest
from flask import Flask

from api.errors import Conflict, StaleFence
from api.extensions import db
from api.models import Job
from api.services import jobs
from api.unit_of_work import unit_of_work


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the doorbell would have said; there is no broker here."""
    heard: list[str] = []
    monkeypatch.setattr(jobs, "ring", lambda job_id, kind: heard.append(job_id))
    monkeypatch.setitem(jobs.TASKS, "test", "tasks.test")
    return heard


def submit(kind: str = "test") -> str:
    with unit_of_work() as after_commit:
        return jobs.submit(after_commit, kind, "object").id


def expire(job_id: str) -> None:
    with unit_of_work():
        jobs.find(job_id).lease_until = time.time() - 1


def test_the_bell_rings_only_after_the_commit(app: Flask, rung: list[str]) -> None:
    with pytest.raises(RuntimeError), unit_of_work() as after_commit:
        jobs.submit(after_commit, "test", "object")
        raise RuntimeError("refused")
    assert rung == [] and db.session.query(Job).count() == 0
    assert submit() in rung


def test_only_one_of_many_workers_gets_a_job(app: Flask) -> None:
    job_id, won = submit(), []
    barrier = threading.Barrier(8)

    def work(number: int) -> None:
        with app.app_context():
            barrier.wait()
            if jobs.claim(job_id, f"worker-{number}"):
                won.append(number)
            db.session.remove()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(won) == 1


def test_a_live_lease_is_respected_and_a_lost_one_taken_over(app: Flask) -> None:
    job_id = submit()
    first = jobs.claim(job_id, "a")
    assert first and jobs.claim(job_id, "b") is None
    expire(job_id)
    second = jobs.claim(job_id, "b")
    assert second and second.fence > first.fence
    with pytest.raises(StaleFence):
        jobs.renew(first, {"bytes_done": 1})
    with pytest.raises(StaleFence):
        jobs.finish(first, "completed")
    jobs.finish(second, "completed")
    assert jobs.shape(jobs.find(job_id)).state == "completed"


def test_a_job_that_kills_its_worker_is_poison(app: Flask) -> None:
    job_id = submit()
    for _ in range(jobs.MAX_LOST + 1):
        assert jobs.claim(job_id, "a")
        expire(job_id)
    assert jobs.claim(job_id, "a") is None
    assert jobs.shape(jobs.find(job_id)).error.code == "WORKER_LOST"


def test_progress_clears_the_suspicion(app: Flask) -> None:
    job_id = submit()
    for step in range(jobs.MAX_LOST * 2):
        held = jobs.claim(job_id, "a")
        assert held
        jobs.renew(held, {"bytes_done": step + 1})
        expire(job_id)
    assert jobs.claim(job_id, "a")


def test_reconcile_rings_for_the_unheard_and_the_lost(app: Flask, rung: list[str]) -> None:
    unheard, lost, fine = submit(), submit(), submit()
    jobs.claim(lost, "a")
    expire(lost)
    jobs.claim(fine, "a")
    rung.clear()
    assert jobs.reconcile(patience=0) == 2
    assert sorted(rung) == sorted([unheard, lost])
    assert jobs.reconcile(patience=60) == 1  # the lost one stays lost until somebody claims it


def test_pause_and_cancel_of_a_queued_job_are_immediate(app: Flask) -> None:
    paused, cancelled = submit(), submit()
    assert jobs.want(paused, "pause").state == "paused"
    assert jobs.want(cancelled, "cancel").state == "cancelled"
    assert jobs.again(paused, from_states=("paused",)).state == "queued"
    with pytest.raises(Conflict):
        jobs.want(cancelled, "pause")


def test_a_running_job_hears_the_wish_at_its_next_beat(app: Flask) -> None:
    job_id = submit()
    held = jobs.claim(job_id, "a")
    jobs.want(job_id, "pause")
    assert jobs.renew(held) == "pause"
    jobs.again(job_id, from_states=("paused",))
    assert jobs.renew(held) == "run"


def test_a_resume_that_overtakes_the_pause_wins(app: Flask, rung: list[str]) -> None:
    job_id = submit()
    held = jobs.claim(job_id, "a")
    jobs.want(job_id, "pause")
    assert jobs.renew(held) == "pause"
    jobs.again(job_id, from_states=("paused",))
    rung.clear()
    jobs.finish(held, "paused")
    assert jobs.shape(jobs.find(job_id)).state == "queued" and job_id in rung


def test_no_more_of_a_kind_than_allowed_run_at_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(jobs.AT_ONCE, "test", 2)
    ids = [submit() for _ in range(3)]
    held = [jobs.claim(job_id, "a") for job_id in ids]
    assert [bool(claim) for claim in held] == [True, True, False]
    jobs.finish(held[0], "completed")
    assert jobs.claim(ids[2], "a")


def test_a_worker_that_stops_hands_its_jobs_back(app: Flask) -> None:
    job_id = submit()
    held = jobs.claim(job_id, "a")
    jobs.give_back("a")
    assert jobs.shape(jobs.find(job_id)).state == "queued"
    with pytest.raises(StaleFence):
        jobs.renew(held)
    assert jobs.claim(job_id, "b")


def test_versions_count_every_change(app: Flask) -> None:
    job_id = submit()
    before = jobs.shape(jobs.find(job_id)).version
    held = jobs.claim(job_id, "a")
    jobs.renew(held, {"bytes_done": 5})
    jobs.finish(held, "completed")
    assert jobs.shape(jobs.find(job_id)).version == before + 3
