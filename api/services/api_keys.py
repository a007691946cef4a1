"""API keys: made (and shown once), listed, revoked; and when each was last used.

A key may do what its owner may at that moment, and of that only its scopes: `api.security.authorise` takes
the intersection at every look. Here is only what may be asked for when one is made.
"""

import secrets
import time
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import func, select, update

from api.errors import Conflict, Forbidden, Invalid, Missing, Unauthenticated
from api.extensions import db
from api.models import ApiKey, Deployment, User
from api.models.base import utcnow
from api.schemas.access import ApiKeyMade, ApiKeyOut, ApiKeyQuery, ApiKeyRequest
from api.schemas.base import Page
from api.security import audit, key_use
from api.security.authorise import Identity, forget, hash_token
from api.security.ownership import visible
from api.security.permissions import GRANTABLE, NEVER_FOR_KEYS
from api.services.paging import page
from api.unit_of_work import exclusive, unit_of_work

MAX_ACTIVE = 200
"""Keys of one user that are neither revoked nor expired; a script that makes keys in a loop ends here."""
WRITTEN_EVERY = 60.0
"""Seconds between two writes of one key's last use."""

_written: dict[str, float] = {}


def create(body: ApiKeyRequest, who: Identity) -> ApiKeyMade:
    """The only time the key itself is told: the hub keeps its hash."""
    owner = who.owner_id
    scopes = _scopes(body.scopes, who)
    key = "mh_" + secrets.token_urlsafe(32)
    with unit_of_work():
        exclusive(f"api-keys:{owner}")
        # Held until the commit: an account that is being closed gets no key at the same moment.
        still = select(User.id).where(User.id == owner, User.active).with_for_update(read=True)
        if db.session.scalar(still) is None:
            raise Unauthenticated("This account is not active any more. Ask an administrator.")
        now = utcnow()
        if _active(owner) >= MAX_ACTIVE:
            raise Conflict(f"You have {MAX_ACTIVE} keys that work already. Revoke those no longer needed.")
        row = ApiKey(
            user_id=owner,
            name=body.name,
            prefix=key[:9],
            key_hash=hash_token(key),
            scopes=scopes,
            deployments=_deployments(body.deployments, who),
            requests_per_minute=body.requests_per_minute,
            created_at=now,
            expires_at=now + timedelta(days=body.days) if body.days else None,
        )
        db.session.add(row)
        db.session.flush()
        answer = shape(row)
        said = answer.model_dump(
            mode="json", include={"prefix", "scopes", "deployments", "requests_per_minute", "expires_at"}
        )
        audit.note("key.create", row, **said)
    return ApiKeyMade(**answer.model_dump(), key=key)


def list_keys(query: ApiKeyQuery, who: Identity) -> Page[ApiKeyOut]:
    """One's own, newest first, revoked ones too; everybody's with `all` and `users.manage`."""
    statement = select(ApiKey)
    if query.all:
        if not who.may("users.manage"):
            raise Forbidden(
                "Only who manages users sees everybody's keys.", details={"permission": "users.manage"}
            )
    else:
        statement = statement.where(ApiKey.user_id == who.user_id)
        if who.kind == "key":
            statement = statement.where(ApiKey.id == who.credential)
    return page(statement, ApiKey.id, limit=query.limit, after=query.after, shape=shape)


def get(key_id: str, who: Identity) -> ApiKeyOut:
    return shape(_reachable(key_id, who))


def revoke(key_id: str, who: Identity) -> ApiKeyOut:
    """Its next use is refused. Revoking twice is once."""
    with unit_of_work() as after_commit:
        row = _reachable(key_id, who, lock=True)
        if row.revoked_at is None:
            row.revoked_at = utcnow()
            audit.note("key.revoke", row, owner_id=row.user_id, prefix=row.prefix)
        after_commit(forget)
        return shape(row)


def flush() -> int:
    """Write down when keys were used, each at most once a minute; how many were written.

    Called every second by the web process. What cannot be written is kept for the next time.
    """
    uses, now = key_use.take(), time.monotonic()
    due = {id: use for id, use in uses.items() if now - _written.get(id, -WRITTEN_EVERY) >= WRITTEN_EVERY}
    key_use.put_back({id: use for id, use in uses.items() if id not in due})
    if not due:
        return 0
    try:
        with unit_of_work():
            for key_id, (at, address) in sorted(due.items()):
                newer = (ApiKey.last_used_at.is_(None)) | (ApiKey.last_used_at < at)
                values = {"last_used_at": at, "last_used_from": (address or "")[:64] or None}
                db.session.execute(update(ApiKey).where(ApiKey.id == key_id, newer).values(**values))
    except Exception:
        key_use.put_back(due)
        raise
    if len(_written) > 10_000:
        _written.clear()
    _written.update(dict.fromkeys(due, now))
    return len(due)


def shape(row: ApiKey) -> ApiKeyOut:
    fields = {name: getattr(row, name) for name in ApiKeyOut.model_fields if name != "state"}
    expired = row.expires_at is not None and row.expires_at < utcnow()
    state = "revoked" if row.revoked_at else "expired" if expired else "active"
    return ApiKeyOut(**fields, state=state)


def _scopes(names: Iterable[str], who: Identity) -> list[str]:
    wanted = set(names)
    if strange := sorted(wanted - GRANTABLE):
        shown = ", ".join(f"'{name[:50]}'" for name in strange[:5])
        raise Invalid(f"There is no permission {shown}. `GET /api/v1/permissions` lists all.")
    if never := sorted(wanted & NEVER_FOR_KEYS):
        raise Invalid(
            f"No key can have {', '.join(never)}: keys, users and roles are for people. Leave it out.",
            details={"scopes": never},
        )
    if missing := sorted(wanted - who.permissions):
        raise Forbidden(
            f"A key can do only what you may do yourself; you lack {', '.join(missing)}.",
            details={"permissions": missing},
        )
    return sorted(wanted)


def _deployments(ids: list[str] | None, who: Identity) -> list[str] | None:
    """The same answer for what does not exist and for what is somebody else's."""
    if ids is None:
        return None
    wanted = {id for id in ids if "\0" not in id}
    seen = select(Deployment.id).where(Deployment.id.in_(wanted), visible(Deployment, who))
    found = set(db.session.scalars(seen)) if wanted else set()
    if missing := sorted(set(ids) - found):
        raise Invalid(
            "There is no such deployment. `modelhub ps` shows yours and their ids.",
            details={"deployments": [id[:64] for id in missing[:10]]},
        )
    return sorted(found)


def _reachable(key_id: str, who: Identity, *, lock: bool = False) -> ApiKey:
    """The key, if it is one's own or one manages users. A key reaches itself only."""
    statement = select(ApiKey).where(ApiKey.id == key_id)
    if who.kind == "key":
        statement = statement.where(ApiKey.id == who.credential)
    elif not who.may("users.manage"):
        statement = statement.where(ApiKey.user_id == who.user_id)
    row = None if "\0" in key_id else db.session.scalar(statement.with_for_update() if lock else statement)
    if row is None:
        raise Missing(f"There is no API key {key_id[:64]} of yours. `modelhub keys` lists them.")
    return row


def _active(user_id: str) -> int:
    alive = (ApiKey.expires_at.is_(None)) | (ApiKey.expires_at > utcnow())
    mine = (ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None), alive)
    return db.session.scalar(select(func.count()).select_from(ApiKey).where(*mine)) or 0
