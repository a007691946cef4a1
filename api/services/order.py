"""The order of the queue: who stands where, who moves, and what an operator may do to it."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, case, func, select, tuple_

from api.errors import Conflict
from api.extensions import db
from api.models import Download, Job
from api.schemas.base import Page
from api.schemas.downloads import DownloadOut, DownloadQuery
from api.security import audit
from api.services import jobs
from api.unit_of_work import unit_of_work

WAITING = ("queued", "paused")
STAGE = case((Job.state == "running", 0), (Job.state == "queued", 1), else_=2)
PLACE = (STAGE, -Job.priority, Job.rank, Job.id)
"""What runs, then the queue in its order, then what is paused."""


def position(job: Job) -> int | None:
    """The place of a queued job among all of its kind, from 1; None for one that is not in the queue."""
    if job.state != "queued":
        return None
    before = tuple_(-Job.priority, Job.rank, Job.id) < tuple_(-job.priority, job.rank, job.id)
    queued = select(func.count()).where(Job.kind == job.kind, Job.state == "queued")
    return 1 + (db.session.scalar(queued.where(before)) or 0)


def page(
    statement: Select[Any], query: DownloadQuery, shape: Callable[[Download], DownloadOut]
) -> Page[DownloadOut]:
    """One page of downloads (`statement` joins their jobs) in the order in which they run."""
    statement = statement.where(Job.state.not_in(jobs.ENDED))
    if query.after:
        last = select(*PLACE).join(Download).where(Download.id == query.after)
        place = db.session.execute(last).one_or_none()
        if place is None:  # it was removed meanwhile: from the start again
            return Page(items=[], next=None)
        statement = statement.where(tuple_(*PLACE) > tuple_(*place))
    rows = db.session.scalars(statement.order_by(*PLACE).limit(query.limit + 1)).unique().all()
    shown = rows[: query.limit]
    items = [shape(row).model_copy(update={"position": position(row.job)}) for row in shown]
    return Page(items=items, next=shown[-1].id if len(rows) > query.limit else None)


def move(job_id: str, *, before: str | None = None, to: str | None = None) -> Job:
    """Move a waiting job before another one, or to the `first` or `last` place; it takes over the priority
    there. Raises Conflict for a job, or before a job, that does not wait."""
    with unit_of_work() as after_commit:
        job = _waiting(job_id, "This one")
        if before is not None and before != job.id:
            _move_before(job, _waiting(before, "The other one"))
        elif to is not None:
            _move_to_end(job, first=to == "first")
        audit.note(f"{job.kind}.move", jobs.about(job), priority=job.priority, before=before, to=to)
        jobs.changed(after_commit, job)
        after_commit(lambda: jobs.ring_waiting(job.kind))
        return job


def _waiting(job_id: str, which: str) -> Job:
    job = jobs.locked(job_id) or jobs.find(job_id)
    if job.state not in WAITING:
        raise Conflict(f"{which} does not wait in the queue: it is {job.state}.")
    return job


def _move_before(job: Job, other: Job) -> None:
    job.priority = other.priority
    above = db.session.scalar(
        select(func.max(Job.rank)).where(
            Job.kind == job.kind,
            Job.state.in_(WAITING),
            Job.priority == other.priority,
            Job.rank < other.rank,
            Job.id != job.id,
        )
    )
    job.rank = other.rank - 1.0 if above is None else (float(above) + other.rank) / 2


def _move_to_end(job: Job, *, first: bool) -> None:
    others = select(Job.priority, Job.rank).where(
        Job.kind == job.kind, Job.state.in_(WAITING), Job.id != job.id
    )
    ends = (Job.priority.desc(), Job.rank) if first else (Job.priority, Job.rank.desc())
    if end := db.session.execute(others.order_by(*ends).limit(1)).one_or_none():
        job.priority, job.rank = end.priority, end.rank + (-1.0 if first else 1.0)
