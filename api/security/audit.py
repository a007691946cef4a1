"""Writing the audit log: an entry in the same transaction as what it tells of, chained to the one before.

    with unit_of_work():
        ...
        audit.note("deployment.create", deployment)

Who, from where and in which request come from the request's context. The chain is an HMAC with a key that
lies beside the database, not in it: who can only write to the database cannot forge it.
"""

import hashlib
import hmac
import json
import time
from typing import Any

from flask import g, has_request_context, request
from sqlalchemy import select

from api.extensions import db
from api.models import AuditEntry
from api.models.base import utcnow
from api.security.keys import audit_key
from api.unit_of_work import before_commit, exclusive, unit_of_work

GENESIS = "0" * 64
_COVERED = (
    "seq", "at", "actor_kind", "actor_id", "actor_name", "key_id", "action", "object_type", "object_id",
    "object_name", "result", "address", "user_agent", "request_id", "details", "previous",
)  # fmt: skip
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
        "details": json.loads(json.dumps(details, default=str)),
    }
    db.session.info.setdefault("audit", []).append(entry)


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
    last = db.session.execute(
        select(AuditEntry.seq, AuditEntry.hash).order_by(AuditEntry.seq.desc()).limit(1)
    ).first()
    seq, previous = (last.seq, last.hash) if last else (0, GENESIS)
    for entry in notes:
        seq += 1
        entry |= {"seq": seq, "at": utcnow(), "previous": previous}
        previous = entry["hash"] = digest(entry)
        db.session.add(AuditEntry(**entry))
    db.session.flush()


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


before_commit(_write_notes)
