"""Slower and slower after wrong passwords: per account (known or not) and per address.

The first failures are free; then each one locks for twice as long as the one before. What is locked is
refused before any password is hashed. A guess that was under way when the lock fell is answered like one that
came after, right or wrong: many guesses at once learn no more than many in a row.
"""

import hmac
import ipaddress
import math
import re
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, select

from api.errors import Missing, TooMany
from api.extensions import db
from api.models import Lockout
from api.models.base import utcnow
from api.schemas.access import LockoutList, LockoutOut
from api.security import audit
from api.security.keys import audit_key, derive
from api.unit_of_work import exclusive, unit_of_work

FREE = {"account": 5, "address": 20}
"""Failures that cost nothing; an address may be a whole office's."""

FIRST = timedelta(seconds=30)
LONGEST = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=1)

_EMAIL = re.compile(r"[^@\s]+@(localhost|[^@\s]+\.[^@\s]+)")

Subjects = list[tuple[str, str]]


def subjects(email: str, address: str | None) -> Subjects:
    """What a sign-in is counted under: `(kind, value)`, in the order in which they are locked."""
    found = [("account", _typed(email.strip().lower()))]
    if address:
        found.append(("address", network(address)))
    return found


def network(address: str) -> str:
    """The address, or its /64 for IPv6: one customer has that many."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return _storable(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def check(about: Subjects) -> None:
    """`TooMany` while one of these is locked."""
    if left := seconds_left(about):
        raise refusal(left)


def seconds_left(about: Subjects) -> int:
    """Whole seconds until none of these is locked; 0 when none is."""
    now = utcnow()
    ends = [row.locked_until for row in _rows(about) if row.locked_until and row.locked_until > now]
    return math.ceil((max(ends) - now).total_seconds()) if ends else 0


def refusal(seconds: int) -> TooMany:
    wait = f"{seconds} seconds" if seconds < 120 else f"{math.ceil(seconds / 60)} minutes"
    return TooMany(
        f"Too many failed attempts. Try again in {wait}, or ask an administrator to lift the lock.",
        retry_after=seconds,
    )


def hold(about: Subjects) -> None:
    """Inside a unit of work: nobody else counts for these until its commit."""
    for kind, value in about:
        exclusive(f"lockout:{kind}:{value}")


def count(about: Subjects) -> None:
    """One more failure, inside a unit of work that holds them."""
    now = utcnow()
    for kind, value in about:
        row = db.session.scalar(_row(kind, value).with_for_update())
        if row is None:
            row = Lockout(kind=kind, value=value, failures=0, last_failed_at=now)
            db.session.add(row)
        row.failures = row.failures + 1 if now - row.last_failed_at < FORGOTTEN_AFTER else 1
        row.last_failed_at = now
        row.locked_until = _locked_until(kind, row.failures, now)
    db.session.flush()
    old = select(Lockout.id).where(Lockout.last_failed_at < now - FORGOTTEN_AFTER)
    db.session.execute(delete(Lockout).where(Lockout.id.in_(old.with_for_update(skip_locked=True))))


def clear_account(email: str) -> None:
    """The owner is here: forget the account's failures, inside a unit of work. The address keeps its own."""
    kind, value = subjects(email, None)[0]
    db.session.execute(delete(Lockout).where(Lockout.kind == kind, Lockout.value == value))


def list_lockouts() -> LockoutList:
    """Every account and address with recent failures, those that are locked first."""
    fresh = select(Lockout).where(Lockout.last_failed_at > utcnow() - FORGOTTEN_AFTER)
    rows = db.session.scalars(fresh.order_by(Lockout.last_failed_at.desc()).limit(500)).all()
    items = [_shape(row) for row in rows]
    return LockoutList(items=sorted(items, key=lambda item: not item.locked))


def lift(lockout_id: str) -> None:
    """Let an account or address try again now, as if nothing had failed."""
    with unit_of_work():
        row = db.session.get(Lockout, lockout_id) if "\0" not in lockout_id else None
        if row is None:
            raise Missing("There is no such lock; it may have ended by itself. List them again.")
        audit.note("lockout.lift", ("lockout", row.id, row.value), kind=row.kind, failures=row.failures)
        db.session.delete(row)


def _locked_until(kind: str, failures: int, now: datetime) -> datetime | None:
    beyond = failures - FREE[kind]
    if beyond <= 0:
        return None
    return now + min(FIRST * 2 ** min(beyond - 1, 16), LONGEST)


def _row(kind: str, value: str) -> Select[Lockout]:
    return select(Lockout).where(Lockout.kind == kind, Lockout.value == value)


def _rows(about: Subjects) -> list[Lockout]:
    """What is counted against these and not forgotten yet."""
    found = [db.session.scalar(_row(kind, value)) for kind, value in about]
    return [row for row in found if row and utcnow() - row.last_failed_at < FORGOTTEN_AFTER]


def _shape(row: Lockout) -> LockoutOut:
    locked = bool(row.locked_until and row.locked_until > utcnow())
    return LockoutOut.model_validate({**{n: getattr(row, n) for n in _COLUMNS}, "locked": locked})


_COLUMNS = ("id", "kind", "value", "failures", "locked_until", "last_failed_at")


def _typed(email: str) -> str:
    """The e-mail; of anything else a keyed hash, since what is typed there by mistake is often a password."""
    if _EMAIL.fullmatch(email):
        return _storable(email)
    digest = hmac.new(derive(audit_key(), "typed"), email.encode(errors="replace"), "sha256")
    return f"no e-mail ({digest.hexdigest()[:16]})"


def _storable(text: str) -> str:
    """What fits the column, and PostgreSQL, which takes no NUL."""
    return text.replace("\0", "\ufffd")[:254]
