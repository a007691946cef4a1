"""The life of long work: the ledger is the queue, Celery only the doorbell.

A worker `claim`s a job with a conditional UPDATE, `renew`s its lease while it works and stamps every write
with its fence; a write with an older fence is refused (`StaleFence`), so a worker that slept through its
lease can do no harm. `reconcile` (beat) rings again what nobody heard and what lost its lease.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from celery import current_app as celery_app
from sqlalchemy import func, or_, select, update

from api.errors import Conflict, Missing, StaleFence
from api.extensions import db, settings
from api.models import Job
from api.models.base import utcnow
from api.schemas.base import Page
from api.schemas.jobs import JobOut, JobQuery
from api.security import audit, ownership
from api.security.authorise import Identity
from api.services.paging import page
from api.unit_of_work import AfterCommit, exclusive, unit_of_work

TASKS = {
    "download": "tasks.downloads.run",
    "mirror": "tasks.downloads.run",
    "deploy": "tasks.deployments.deploy",
    "undeploy": "tasks.deployments.undeploy",
    "generation": "tasks.chat.resume",
    "ollama_create": "tasks.ollama.create",
    "storage": "tasks.storage.run",
    "restore": "tasks.storage.run",
    "verify": "tasks.storage.verify",
}
"""Kind of job to the task that runs it."""

AT_ONCE: dict[str, int | Callable[[], int]] = {
    "download": 4,
    "mirror": 16,
    "deploy": 2,
    "ollama_create": 2,
    "storage": 1,
    "restore": 2,
}
"""Most jobs of a kind that run at the same time; the others wait in the ledger."""

AUDITED = ("download", "deploy", "ollama_create")
"""Kinds whose end is worth an entry in the audit log."""

ORDER = (Job.priority.desc(), Job.rank, Job.id)
"""Queued jobs of a kind, first to run first."""

ENDED = ("completed", "failed", "cancelled")
MAX_LOST = 5
"""Leases lost in a row without progress before a job is held to be what kills its worker."""

Listener = Callable[[AfterCommit, Job], None]
Admission = Callable[[Job], dict[str, Any] | None]
_listeners: dict[str, Listener] = {}
_claimed: dict[str, Callable[[Job], None]] = {}
_admissions: dict[str, list[Admission]] = {}


@dataclass(frozen=True)
class Claim:
    """The right to work on a job, until somebody with a higher fence has it."""

    job_id: str
    fence: int


def on_change(kind: str, listener: Listener) -> None:
    """Let the service of `kind` follow its jobs' changes, inside the same transaction."""
    _listeners[kind] = listener


def on_claim(kind: str, taken: Callable[[Job], None]) -> None:
    """Let the service of `kind` note what a job takes when it begins to run, in the same transaction."""
    _claimed[kind] = taken


def admit(kind: str, admission: Admission) -> None:
    """Let `admission` look at every queued job of `kind` before it is claimed, in the same transaction.

    None lets it run; a reason (`{code, message, details}`) holds it in the queue and is shown as its
    `waiting`. It is asked again every few seconds.
    """
    _admissions.setdefault(kind, []).append(admission)


def shape(job: Job) -> JobOut:
    return JobOut.model_validate(job)


def find(job_id: str) -> Job:
    job = db.session.get(Job, job_id)
    if job is None:
        raise Missing(f"There is no job {job_id[:64]}.")
    return job


def get(job_id: str, who: Identity) -> JobOut:
    return shape(ownership.seen(Job, job_id, who, f"There is no job {job_id[:64]}."))


def list_jobs(query: JobQuery, who: Identity) -> Page[JobOut]:
    statement = select(Job).where(ownership.visible(Job, who))
    if query.state:
        statement = statement.where(Job.state == query.state)
    if query.kind:
        statement = statement.where(Job.kind == query.kind)
    return page(statement, Job.id, limit=query.limit, after=query.after, shape=shape)


def submit(
    after_commit: AfterCommit,
    kind: str,
    object_id: str,
    params: dict[str, Any] | None = None,
    *,
    user_id: str | None = None,
    name: str = "",
) -> Job:
    """Write a new job into the ledger for `user_id`; its bell is rung after the commit.

    `name` is what people call the object it works for.
    """
    values = {**(params or {}), "name": name} if name else params or {}
    job = Job(kind=kind, object_id=object_id, user_id=user_id, params=values, rung_at=time.time())
    db.session.add(job)
    db.session.flush()
    after_commit(lambda: ring(job.id, kind))
    return job


def ring(job_id: str, kind: str) -> None:
    """Tell the workers that there is something in the ledger. The message carries only the id."""
    celery_app.signature(TASKS[kind], args=[job_id]).apply_async(expires=300, retry=False)


def claim(job_id: str, owner: str) -> Claim | None:
    """Take a job that is queued, or whose lease has run out; None when it is not to be had."""
    now = time.time()
    with unit_of_work() as after_commit:
        job = locked(job_id)
        if job is None or not (job.state == "queued" or _lost(job, now)):
            return None
        if job.state == "queued" and not _its_turn(after_commit, job, now):
            return None
        if _lost(job, now):
            job.lost += 1
        elif job.wanted == "put_back":
            job.wanted = "run"  # it was put back, by its worker's end
        if job.lost > MAX_LOST:
            _end(job, "failed", _poisoned(job))
            changed(after_commit, job)
            return None
        job.state, job.lease_owner, job.lease_until = "running", owner, now + settings().lease_seconds
        job.fence += 1
        job.attempt += 1
        job.started_at = job.started_at or utcnow()
        job.error = job.waiting = None
        if taken := _claimed.get(job.kind):
            taken(job)
        changed(after_commit, job)
        if job.kind in AT_ONCE:
            after_commit(lambda: ring_waiting(job.kind))
        return Claim(job.id, job.fence)


def renew(held: Claim, progress: dict[str, Any] | None = None) -> str:
    """Keep the lease and note progress. Returns what is wanted by now: run, pause, cancel, or put_back."""
    with unit_of_work() as after_commit:
        job = _held(held)
        job.lease_until = time.time() + settings().lease_seconds
        if progress is not None and progress != job.progress:
            if progress.get("bytes_done", 0) > job.progress.get("bytes_done", 0):
                job.lost = 0
            job.progress = progress
            changed(after_commit, job)
        return job.wanted


def finish(
    held: Claim,
    state: str,
    *,
    error: dict[str, Any] | None = None,
    progress: dict[str, Any] | None = None,
    also: Callable[[AfterCommit, Job], None] | None = None,
) -> str:
    """End, pause or give back (`queued`) a held job; `also` writes more in the same transaction. Returns the
    state it is in now: what the user wants meanwhile decides between those three.

    Paused with an `error` it was not the user who paused it: something has to be put right first.
    """
    with unit_of_work() as after_commit:
        job = _held(held)
        if progress is not None:
            job.progress = {**job.progress, **progress}
        if state == "paused" and error:
            job.wanted = "pause" if job.wanted in ("run", "put_back") else job.wanted
        elif state in ("paused", "queued"):
            # Resumed while its pause was being obeyed, or paused while it was being put back.
            state = "paused" if job.wanted == "pause" else "queued"
        if state in ("paused", "queued") and job.wanted == "cancel":
            state = "cancelled"
        _end(job, state, error)
        if state == "queued":
            job.wanted = "run"
            after_commit(lambda: ring(job.id, job.kind))
        if state in ENDED and job.kind in AUDITED:
            result = "failed" if state == "failed" else "done"
            audit.note(f"{job.kind}.{state}", about(job), result=result, job_id=job.id, owner=job.user_id)
        if also:
            also(after_commit, job)
        changed(after_commit, job)
        after_commit(lambda: ring_waiting(job.kind))
        return state


def put_back(job: Job) -> None:
    """Inside a unit of work: a running job goes back to the queue at its worker's next beat, keeping what it
    has; there it is looked at anew."""
    if job.state == "running" and job.wanted == "run":
        job.wanted = "put_back"


def want(job_id: str, wanted: str) -> Job:
    """Ask for `pause` or `cancel`: at once when nobody works on it, else at its worker's next beat."""
    with unit_of_work() as after_commit:
        job = locked(job_id) or find(job_id)
        if job.state in ENDED:
            raise Conflict(
                f"This job has already {'been cancelled' if job.state == 'cancelled' else 'ended'}."
            )
        if wanted == "pause" and job.state == "paused":
            return job
        job.wanted = wanted
        if job.state in ("queued", "paused"):
            _end(job, "paused" if wanted == "pause" else "cancelled", None)
        audit.note(f"{job.kind}.{wanted}", about(job), job_id=job.id)
        changed(after_commit, job)
        return job


def again(job_id: str, *, from_states: tuple[str, ...]) -> Job:
    """Queue a paused, failed or cancelled job once more (resume and retry)."""
    with unit_of_work() as after_commit:
        job = locked(job_id) or find(job_id)
        if job.state in ("queued", "running") and job.wanted in ("run", "put_back"):
            raise Conflict("This is already under way.")
        if job.state == "running":
            job.wanted = "run"  # a pause that was not obeyed yet is taken back
        elif job.state in from_states:
            job.state, job.wanted, job.error, job.finished_at, job.lost = "queued", "run", None, None, 0
            job.rung_at = time.time()
            after_commit(lambda: ring(job.id, job.kind))
        else:
            raise Conflict(f"A job that is {job.state} cannot be started again.")
        audit.note(f"{job.kind}.again", about(job), job_id=job.id)
        changed(after_commit, job)
        return job


def cancel(job_id: str, who: Identity) -> JobOut:
    ownership.changeable(Job, job_id, who, f"There is no job {job_id[:64]}.")
    return shape(want(job_id, "cancel"))


def retry(job_id: str, who: Identity) -> JobOut:
    ownership.changeable(Job, job_id, who, f"There is no job {job_id[:64]}.")
    return shape(again(job_id, from_states=("failed", "cancelled", "paused")))


def ring_held(kind: str) -> None:
    """Ring for every held job: what held it back may be gone."""
    held = select(Job.id).where(Job.kind == kind, Job.state == "queued", Job.waiting.is_not(None))
    ids = db.session.scalars(held.order_by(*ORDER).limit(200)).all()
    db.session.rollback()
    for job_id in ids:
        ring(job_id, kind)


def why_held(job: Job) -> dict[str, Any] | None:
    """What holds a queued job back now, by the first admission that has a reason."""
    return next((reason for ask in _admissions.get(job.kind, ()) if (reason := ask(job))), None)


def ring_waiting(kind: str) -> None:
    """Ring for the job whose turn it is when a place becomes free."""
    job_id = db.session.scalar(_next(kind))
    db.session.rollback()
    if job_id:
        ring(job_id, kind)


def _next(kind: str) -> Any:
    """The id of the first queued job that nothing holds back."""
    return (
        select(Job.id)
        .where(Job.kind == kind, Job.state == "queued", Job.waiting.is_(None))
        .order_by(*ORDER)
        .limit(1)
    )


def _its_turn(after_commit: AfterCommit, job: Job, now: float) -> bool:
    """Whether a queued job may run: there is a place, nothing holds it back, and nobody comes before it."""
    if _full(job.kind):
        job.rung_at = None
        return False
    reason = why_held(job)
    if reason != job.waiting:
        job.waiting, job.rung_at = reason, now
        changed(after_commit, job)
    if reason:
        after_commit(lambda: ring_waiting(job.kind))
        return False
    if job.kind in AT_ONCE and (first := db.session.scalar(_next(job.kind))) not in (None, job.id):
        after_commit(lambda: ring(first, job.kind))
        job.rung_at = None
        return False
    return True


def reconcile(patience: float = 10.0) -> int:
    """Ring for what is queued and unheard for `patience` seconds, and for what lost its lease. How many."""
    now = time.time()
    unheard = (Job.state == "queued") & or_(Job.rung_at.is_(None), Job.rung_at < now - patience)
    lost = (Job.state == "running") & (Job.lease_until < now)
    with unit_of_work() as after_commit:
        rows = db.session.execute(
            select(Job.id, Job.kind).where(unheard | lost).order_by(Job.id).limit(200)
        ).all()
        due = [(row.id, row.kind) for row in rows if row.kind in TASKS]
        if due:
            ids = [job_id for job_id, _ in due]
            db.session.execute(update(Job).where(Job.id.in_(ids)).values(rung_at=now))
        for job_id, kind in due:
            after_commit(lambda job_id=job_id, kind=kind: ring(job_id, kind))  # type: ignore[misc]
    return len(due)


def give_back(owner: str) -> None:
    """A worker that stops in good order hands its jobs back, so that nobody waits for their leases."""
    with unit_of_work():
        db.session.execute(
            update(Job)
            .where(Job.state == "running", Job.lease_owner == owner)
            .values(state="queued", lease_owner=None, lease_until=None, rung_at=None, fence=Job.fence + 1)
        )


def locked(job_id: str) -> Job | None:
    """The row as it is now, kept from everybody else until the commit."""
    return db.session.get(Job, job_id, with_for_update=True, populate_existing=True)


def _held(held: Claim) -> Job:
    job = locked(held.job_id)
    if job is None or job.fence != held.fence or job.state != "running":
        raise StaleFence(f"Job {held.job_id} belongs to somebody else now.")
    return job


def _lost(job: Job, now: float) -> bool:
    return job.state == "running" and (job.lease_until or 0) < now


def _full(kind: str) -> bool:
    most = AT_ONCE.get(kind)
    if most is None:
        return False
    most = most if isinstance(most, int) else most()
    exclusive(f"jobs-at-once:{kind}")
    running = db.session.scalar(select(func.count()).where(Job.kind == kind, Job.state == "running"))
    return (running or 0) >= most


def _end(job: Job, state: str, error: dict[str, Any] | None) -> None:
    job.state, job.error = state, error
    job.lease_owner = job.lease_until = job.waiting = None
    if state in ENDED:
        job.finished_at = utcnow()
    if state == "queued":
        job.rung_at = None


def about(job: Job) -> tuple[str, str | None, str]:
    kind = "deployment" if job.kind == "deploy" else job.kind
    return kind, job.object_id, str(job.params.get("name", ""))


def changed(after_commit: AfterCommit, job: Job) -> None:
    job.version += 1
    listener = _listeners.get(job.kind)
    if listener:
        listener(after_commit, job)


def _poisoned(job: Job) -> dict[str, Any]:
    return {
        "code": "WORKER_LOST",
        "message": f"The worker died {job.lost} times while running this. See the worker's log, then retry.",
        "details": {},
    }
