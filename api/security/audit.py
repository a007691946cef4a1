"""Writing the audit log: an entry in the same transaction as what it tells of, chained to the one before.

    with unit_of_work():
        ...
        audit.note("deployment.create", deployment)

Who, from where and in which request come from the request's context. The chain is an HMAC with a key that
lies beside the database, not in it: who can only write to the database cannot forge it. Where the log ends is
remembered beside it too (`audit_head`). `api.services.audit` searches, exports and verifies.
"""

import hashlib
import hmac
import json
import time
from typing import Any

import structlog
from flask import g, has_request_context, request
from sqlalchemy import event, insert, select
from sqlalchemy.orm import Session

from api.extensions import db, settings
from api.models import AuditEntry
from api.models.base import utcnow
from api.security import audit_head
from api.security.audit_head import Head
from api.security.keys import audit_key
from api.unit_of_work import before_commit, exclusive, unit_of_work

log = structlog.get_logger(__name__)

GENESIS = "0" * 64
_COVERED = (
    "seq", "at", "actor_kind", "actor_id", "actor_name", "key_id", "action", "object_type", "object_id",
    "object_name", "result", "address", "user_agent", "request_id", "details", "previous",
)  # fmt: skip
_LAST = select(AuditEntry.seq, AuditEntry.hash).order_by(AuditEntry.seq.desc()).limit(1)
_INSERT = insert(AuditEntry.__table__)
_DENIED_EVERY = 60.0
_denied: dict[tuple[Any, ...], float] = {}


def note(
    action: str,
    about: Any = None,
    *,
    result: str = "done",
    actor: tuple[str | None, str] | None = None,
    **details: Any,
) -> None:
    """Inside a unit of work: add one entry. `about` is a table's row, or a `(type, id, name)`.

    `actor` is `(user id, name)` when the request does not say it (somebody who just signed in). `details`
    must be JSON, small and free of secrets.
    """
    kind, id, name = _object(about)
    entry = _context(actor) | {
        "action": action,
        "object_type": kind,
        "object_id": id,
        "object_name": name[:300],
        "result": result,
        # NaN and Infinity are no JSON to PostgreSQL.
        "details": json.loads(json.dumps(details, default=str), parse_constant=str),
    }
    db.session.info.setdefault("audit", []).append(_storable(entry))


def note_now(action: str, about: Any = None, **fields: Any) -> None:
    """The same, in a transaction of its own: for what was refused and so changed nothing."""
    with unit_of_work():
        note(action, about, **fields)


def denied(permission: str) -> None:
    """Somebody tried what they may not. The same attempt is noted once a minute, not once a request."""
    where = request.url_rule.rule if has_request_context() and request.url_rule else ""
    key = (getattr(g.get("identity"), "credential", None), permission, where)
    now = time.monotonic()
    if now - _denied.get(key, -_DENIED_EVERY) < _DENIED_EVERY:
        return
    if len(_denied) > 10_000:
        _denied.clear()
    _denied[key] = now
    note_now("access.deny", result="denied", permission=permission, route=where)


def digest(entry: dict[str, Any]) -> str:
    """The hash of one entry, over every column and the hash before it."""
    covered = {name: entry[name] for name in _COVERED} | {"at": entry["at"].isoformat()}
    text = json.dumps(covered, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hmac.new(audit_key(), text.encode(), hashlib.sha256).hexdigest()


def _write_notes() -> None:
    notes: list[dict[str, Any]] = db.session.info.pop("audit", [])
    if not notes:
        return
    exclusive("audit")
    # Straight to the connection: an entry is written once and never looked at again as an object.
    connection = db.session.connection()
    last = connection.execute(_LAST).first()
    seq, previous = (last.seq, last.hash) if last else (0, GENESIS)
    goes_on = _continues(seq, previous)
    for entry in notes:
        seq += 1
        entry |= {"seq": seq, "at": utcnow(), "previous": previous}
        previous = entry["hash"] = digest(entry)
    connection.execute(_INSERT, notes)
    if goes_on:
        db.session.info["audit_head"] = Head(seq, previous)


def _continues(seq: int, hash: str) -> bool:
    """Whether the log in the database reaches as far as we remember.

    If not, somebody cut off its end. The memory stays where it is, as evidence, however much is added later.
    """
    try:
        head = audit_head.read(settings().home)
    except OSError:
        return True  # the anchor is an extra; the change itself must not fail for it
    if head is None or head == (seq, hash):
        return True
    # Behind: another process has committed and is about to write the file, or was killed before it could.
    found = db.session.scalar(select(AuditEntry.hash).where(AuditEntry.seq == head.seq))
    if found == head.hash:
        return True
    log.error("the audit log was cut off or rewritten: run `modelhub audit verify`", remembered=head.seq)
    return False


@event.listens_for(db.session, "after_commit")
def _remember_head(session: Session) -> None:
    head: Head | None = session.info.pop("audit_head", None)
    if head is None:
        return
    try:
        audit_head.advance(settings().home, head)
    except OSError:
        log.warning("audit.head could not be written; the next entry tries again", exc_info=True)


@event.listens_for(db.session, "after_rollback")
def _forget_notes(session: Session) -> None:
    """What did not happen is not told with the next thing that does."""
    session.info.pop("audit", None)
    session.info.pop("audit_head", None)


def _context(actor: tuple[str | None, str] | None) -> dict[str, Any]:
    identity = g.get("identity") if has_request_context() else None
    here = has_request_context()
    kind = identity.kind if identity else ("session" if actor and actor[0] else "anonymous")
    user_id, name = actor or ((identity.user_id, identity.name) if identity else (None, ""))
    return {
        "actor_kind": kind if here else "system",
        "actor_id": user_id,
        "actor_name": name[:254],
        "key_id": identity.credential if identity and identity.kind == "key" else None,
        "address": (request.remote_addr or "")[:64] or None if here else None,
        "user_agent": (request.user_agent.string or "")[:300] if here else "",
        "request_id": str(g.get("request_id", ""))[:64] if here else "",
    }


def _object(about: Any) -> tuple[str | None, str | None, str]:
    if about is None:
        return None, None, ""
    if isinstance(about, tuple):
        kind, id, name = about
        return kind, id, name or ""
    name = getattr(about, "name", None) or getattr(about, "email", None) or getattr(about, "ref", None)
    return about.__tablename__.rstrip("s"), about.id, name or ""


def _storable(value: Any) -> Any:
    """Text as every database takes it: without NUL, and without halves of characters that JSON can spell."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list) else value


before_commit(_write_notes)
