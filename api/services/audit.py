"""Reading the audit log: search, export, and the proof that nobody changed it."""

import csv
import io
import json
import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.exc import DBAPIError

from api.extensions import db, settings
from api.models import AuditEntry
from api.schemas.audit import AuditExportQuery, AuditFilter, AuditOut, AuditPage, AuditQuery, AuditVerdict
from api.security import audit, audit_head
from api.unit_of_work import unit_of_work

BATCH = 500
"""Rows read in one go by an export or a verification; between two, others get their turn."""

_COLUMNS = list(AuditEntry.__table__.columns)
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def search(query: AuditQuery) -> AuditPage:
    """Newest first."""
    statement = _filtered(query)
    if query.after is not None:
        statement = statement.where(AuditEntry.seq < query.after)
    rows = db.session.execute(statement.order_by(AuditEntry.seq.desc()).limit(query.limit + 1)).all()
    items = [AuditOut.model_validate(row) for row in rows[: query.limit]]
    return AuditPage(items=items, next=items[-1].seq if len(rows) > query.limit else None)


def export(query: AuditExportQuery) -> Iterator[str]:
    """The whole search, oldest first, as text in pieces. That somebody exports stands in the log first.

    No transaction is open while a piece is on its way: a slow reader holds nobody up.
    """
    last = db.session.scalar(select(func.max(AuditEntry.seq))) or 0
    chosen = query.model_dump(mode="json", exclude_none=True, exclude={"format"})
    with unit_of_work():
        audit.note("audit.export", ("audit_log", None, ""), format=query.format, filter=chosen, up_to=last)
    return _csv(query, last) if query.format == "csv" else _jsonl(query, last)


def verify() -> AuditVerdict:
    """Walk the whole chain and compare its end with what `audit.head` remembers.

    Names the first entry that is missing, altered, added or out of place, and why.
    """
    head = audit_head.read(settings().home)  # before the walk: what is written meanwhile only makes it longer
    count, last, end = 0, 0, audit.GENESIS
    for row in _walk():
        if wrong := _wrong(row, last, end):
            return AuditVerdict(ok=False, entries=count, first_bad=wrong[0], reason=wrong[1])
        count, last, end = count + 1, row["seq"], row["hash"]
    return _with_head(head, count, last)


def _wrong(row: dict[str, Any], last: int, end: str) -> tuple[int, str] | None:
    """What is the matter with this row after the row `last` with the hash `end`: (seq, sentence), or None."""
    seq = row["seq"]
    if seq > last + 1:
        gap = f"Entry {last + 1} is" if seq == last + 2 else f"Entries {last + 1} to {seq - 1} are"
        return last + 1, f"{gap} missing: the log goes on with entry {seq}."
    if seq <= last:
        return seq, f"Entry {seq} was added by somebody else: the log begins with entry 1."
    if "unreadable" in row:
        return seq, f"Entry {seq} was altered: a value in it is not what the hub writes."
    if row["previous"] != end:
        return seq, (
            f"Entry {seq} does not follow the entry before it: it was altered, put there, or moved from "
            "another place."
        )
    if _digest(row) != row["hash"]:
        what = f"{row['action']} by {row['actor_name'] or row['actor_kind']}"
        return seq, f"Entry {seq} (it says {what}) was altered or added: its content does not fit its hash."
    return None


def _with_head(head: audit_head.Head | None, count: int, last: int) -> AuditVerdict:
    """The chain itself is whole. Is its end where it was?"""
    if head is None:
        if count == 0:
            return AuditVerdict(ok=True, entries=0)
        sentence = (
            f"The {count} entries there are fit together, but the file audit.head is missing from the data "
            "directory, so nobody can tell whether newer ones were removed. The next entry makes it anew."
        )
        return AuditVerdict(ok=False, entries=count, first_bad=None, reason=sentence)
    if head.seq > last:
        gone = f"Entry {head.seq} is" if head.seq == last + 1 else f"Entries {last + 1} to {head.seq} are"
        sentence = f"{gone} missing: the end of the log was cut off."
        return AuditVerdict(ok=False, entries=count, first_bad=last + 1, reason=sentence)
    found = db.session.scalar(select(AuditEntry.hash).where(AuditEntry.seq == head.seq))
    db.session.rollback()
    if found != head.hash:
        sentence = (
            f"Entry {head.seq} is another than the one audit.head remembers: the end of the log was cut off "
            "or rewritten at or before it, and written on."
        )
        return AuditVerdict(ok=False, entries=count, first_bad=head.seq, reason=sentence)
    return AuditVerdict(ok=True, entries=count)


def _digest(row: dict[str, Any]) -> str:
    try:
        return audit.digest(row)
    except (AttributeError, TypeError, ValueError):
        return ""  # a value of a kind that the hub never writes


def _walk() -> Iterator[dict[str, Any]]:
    """Every row in order of `seq`, a batch per transaction. One that cannot be read: `{seq, unreadable}`."""
    after: int | None = None
    while True:
        statement = select(*_COLUMNS).order_by(AuditEntry.seq).limit(BATCH)
        if after is not None:
            statement = statement.where(AuditEntry.seq > after)
        try:
            rows = [dict(row) for row in db.session.execute(statement).mappings()]
        except (ValueError, TypeError, DBAPIError):
            db.session.rollback()
            rows = _one_by_one(statement)
        db.session.rollback()
        yield from rows
        if len(rows) < BATCH:
            return
        after = rows[-1]["seq"]
        time.sleep(0)


def _one_by_one(statement: Select[Any]) -> list[dict[str, Any]]:
    """Somebody put into a column what its type cannot be; find the row."""
    rows: list[dict[str, Any]] = []
    for seq in db.session.scalars(statement.with_only_columns(AuditEntry.seq)).all():
        try:
            found = db.session.execute(select(*_COLUMNS).where(AuditEntry.seq == seq)).mappings().one()
            rows.append(dict(found))
        except (ValueError, TypeError, DBAPIError):
            rows.append({"seq": seq, "unreadable": True})
    return rows


def _filtered(query: AuditFilter) -> Select[Any]:
    return select(*_COLUMNS).where(*_conditions(query))


def _conditions(query: AuditFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for name in ("object_id", "result", "address", "request_id"):
        if (value := getattr(query, name)) is not None:
            found.append(getattr(AuditEntry, name) == value)
    if query.actor is not None:
        named = AuditEntry.actor_name.icontains(query.actor, autoescape=True)
        found.append(or_(AuditEntry.actor_id == query.actor, AuditEntry.key_id == query.actor, named))
    if query.action is not None:
        family = query.action.removesuffix("*")
        exact = family == query.action
        found.append(
            AuditEntry.action == family if exact else AuditEntry.action.startswith(family, autoescape=True)
        )
    if query.q is not None:
        columns = (AuditEntry.action, AuditEntry.object_name, AuditEntry.object_id, AuditEntry.actor_name)
        found.append(or_(*(column.icontains(query.q, autoescape=True) for column in columns)))
    if query.since is not None:
        found.append(AuditEntry.at >= query.since)
    if query.until is not None:
        found.append(AuditEntry.at <= query.until)
    return found


def _batches(query: AuditFilter, last: int) -> Iterator[list[AuditOut]]:
    after = 0
    while True:
        statement = _filtered(query).where(AuditEntry.seq > after, AuditEntry.seq <= last)
        rows = db.session.execute(statement.order_by(AuditEntry.seq).limit(BATCH)).all()
        db.session.rollback()
        yield [AuditOut.model_validate(row) for row in rows]
        if len(rows) < BATCH:
            return
        after = rows[-1].seq
        time.sleep(0)


def _jsonl(query: AuditFilter, last: int) -> Iterator[str]:
    for batch in _batches(query, last):
        yield "".join(item.model_dump_json() + "\n" for item in batch)


def _csv(query: AuditFilter, last: int) -> Iterator[str]:
    names = list(AuditOut.model_fields)
    yield ",".join(names) + "\r\n"
    for batch in _batches(query, last):
        text = io.StringIO()
        writer = csv.writer(text)
        for item in batch:
            values = item.model_dump(mode="json")
            writer.writerow([_cell(values[name]) for name in names])
        yield text.getvalue()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets an apostrophe before it (OWASP, CSV injection)."""
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    if isinstance(value, str) and value.startswith(_DANGEROUS):
        return "'" + value
    return value
