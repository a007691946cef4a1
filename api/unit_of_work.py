"""Commit first, then tell the world.

    with unit_of_work() as after_commit:
        db.session.add(row)
        after_commit(lambda: ring(row.id))

Leaving the block commits and then runs what was queued, in order; an exception rolls back and nothing is
told. A public service function opens exactly one; private ones receive `after_commit`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy import text

from api.extensions import db

log = structlog.get_logger(__name__)

AfterCommit = Callable[[Callable[[], object]], None]
_before_commit: list[Callable[[], object]] = []


def before_commit(work: Callable[[], object]) -> None:
    """Let `work` write into every unit of work just before its commit (the audit log does)."""
    _before_commit.append(work)


@contextmanager
def unit_of_work() -> Iterator[AfterCommit]:
    """One write transaction. What was read before is forgotten: decisions rest on locked rows."""
    outbox: list[Callable[[], object]] = []
    if db.session().in_transaction():
        db.session.rollback()
    db.session.connection(execution_options={"writes": True})
    try:
        yield outbox.append
        for work in _before_commit:
            work()
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    for tell in outbox:
        _told(tell)


def exclusive(name: str) -> None:
    """Inside a unit of work: from here to its commit, only one at a time for `name`.

    SQLite has one writer anyway. PostgreSQL gets an advisory lock, so that a check and the insert that
    rests on it cannot be overtaken by another request's.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def _told(tell: Callable[[], object]) -> None:
    try:
        tell()
    except Exception:
        # The row is already true. A broker that is away must not turn success into an error:
        # beat rings again, and clients see the state when they ask.
        log.warning("after-commit message lost; the state is kept", exc_info=True)
