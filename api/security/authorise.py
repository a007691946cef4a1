"""The authoriser: one function for REST, for `/v1`, `/hf` and `/ollama`, and for sockets.

`identify` turns a token into an `Identity`; `require` refuses what it may not do. Whose things it may reach
says `api.security.ownership`. Routes and socket events declare their permission; `tests/test_house.py` walks
both tables.

    mhl_…   the local token: whoever can read the hub's data directory      kind machine
    mh_…    an API key: what its owner may, and of that only its scopes      kind key
    else    an access token of a session (a JWT)                             kind session
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from flask import g, has_request_context, request
from sqlalchemy import select

from api.errors import Forbidden, Unauthenticated
from api.extensions import db, settings
from api.models import ApiKey, Role, RolePermission, TeamMember, User, UserSession
from api.models.base import utcnow
from api.security import audit, key_use
from api.security.permissions import GRANTABLE, NEVER_FOR_KEYS, Permission
from api.security.tokens import read_access

_CACHE_SECONDS = 1.0
_known: dict[str, tuple[float, "Identity"]] = {}


@dataclass(frozen=True)
class Identity:
    """Who is asking, and what they may. `credential` is the id of the session or key, for looking again."""

    kind: Literal["session", "key", "machine"]
    user_id: str | None
    name: str
    role: str
    permissions: frozenset[str]
    credential: str = ""
    teams: frozenset[str] = frozenset()
    manages: frozenset[str] = frozenset()
    deployments: frozenset[str] | None = None
    requests_per_minute: int | None = None

    def may(self, permission: Permission) -> bool:
        return permission in ("public", "signed_in") or permission in self.permissions

    @property
    def owner_id(self) -> str:
        """The user whose things these become. `Unauthenticated` while the hub has no administrator."""
        if self.user_id is None:
            raise Unauthenticated("There is no administrator yet. Start the hub once with `modelhub up`.")
        return self.user_id


def bearer(header: str | None) -> str:
    """The token of an `Authorization: Bearer …` header."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Sign in first: send `Authorization: Bearer <access token or API key>`.")
    return token.strip()


def identify(token: str) -> Identity:
    """Whose token this is; `Unauthenticated` when it is nobody's. Remembered for one second."""
    return _remembered(f"token:{token}", lambda: _by_token(token))


def look_again(identity: Identity) -> Identity:
    """The same session or key as it is now; `Unauthenticated` when it has ended. Remembered for a second."""
    key = f"{identity.kind}:{identity.credential}"
    return _remembered(key, lambda: _by_credential(identity.kind, identity.credential))


def forget() -> None:
    """Drop what is remembered: called when a session, key or role changes, so that it counts now."""
    _known.clear()


def require(identity: Identity, permission: Permission) -> None:
    if not identity.may(permission):
        holder = "This API key does" if identity.kind == "key" else f"Your role '{identity.role}' does"
        raise Forbidden(
            f"{holder} not include '{permission}'. Ask an administrator for it.",
            details={"permission": permission},
        )


def current() -> Identity:
    """The identity of this request, put there by `authorise_request`."""
    identity: Identity = g.identity
    return identity


def authorise_request(permission: Permission) -> None:
    """Check this HTTP request; afterwards `current()` answers."""
    if permission == "public":
        return
    identity = identify(_token_of_request())
    g.identity = identity
    try:
        require(identity, permission)
    except Forbidden:
        audit.denied(permission)
        raise


def _token_of_request() -> str:
    """One resolver for every carrier: two that differ are a trick, not a choice."""
    authorization, key = request.headers.get("Authorization"), request.headers.get("X-API-Key", "").strip()
    if key and authorization and bearer(authorization) != key:
        raise Unauthenticated("Authorization and X-API-Key name different credentials. Send one of them.")
    return key or bearer(authorization)


def _remembered(name: str, find: Callable[[], Identity]) -> Identity:
    now = time.monotonic()
    known = _known.get(name)
    if known and now - known[0] < _CACHE_SECONDS:
        return known[1]
    try:
        identity = find()
    finally:
        db.session.rollback()  # end the read, so that a unit of work can begin
    if len(_known) > 10_000:
        _known.clear()
    _known[name] = (now, identity)
    return identity


def _by_token(token: str) -> Identity:
    if token.startswith("mhl_"):
        return _machine(token)
    if token.startswith("mh_"):
        digest = hash_token(token)
        key_id = db.session.scalar(select(ApiKey.id).where(ApiKey.key_hash == digest))
        if key_id is None:
            raise Unauthenticated("This API key is not known. It may have been deleted; make a new one.")
        return _key(key_id)
    claims = read_access(token)
    return _session(claims["sid"], claims["sub"])


def _by_credential(kind: str, credential: str) -> Identity:
    if kind == "machine":
        return _machine(credential)
    return _key(credential) if kind == "key" else _session(credential, None)


def hash_token(token: str) -> str:
    """What is kept of a token that has 200 random bits and more: no salt and no slow hash are needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def _machine(token: str) -> Identity:
    """The token in `$MODELHUB_HOME/local-token`: whoever can read that file owns the database anyway.

    They act as the first administrator.
    """
    try:
        expected = (settings().home / "local-token").read_text().strip()
    except OSError:
        expected = ""
    if not expected or not hmac.compare_digest(token.encode(), expected.encode()):
        raise Unauthenticated("The local token is not this hub's. It changes at every start; read it again.")
    first = select(User.id).where(User.role == "admin", User.active).order_by(User.id).limit(1)
    teams, manages = _teams(owner := db.session.scalar(first))
    return Identity("machine", owner, "this machine", "admin", GRANTABLE, token, teams, manages)


def _session(session_id: str, user_id: str | None) -> Identity:
    row = db.session.execute(
        select(User.id, User.name, User.email, User.role)
        .join(UserSession, UserSession.user_id == User.id)
        .where(
            UserSession.id == session_id,
            UserSession.ended_at.is_(None),
            UserSession.expires_at > utcnow(),
            User.active,
        )
    ).first()
    if row is None or user_id not in (None, row.id):
        raise Unauthenticated("This session has ended. Sign in again.")
    teams, manages = _teams(row.id)
    return Identity(
        "session", row.id, row.name or row.email, row.role, _granted(row.role), session_id, teams, manages
    )


def _key(key_id: str) -> Identity:
    row = db.session.execute(
        select(ApiKey, User.name, User.email, User.role, User.active)
        .join(User, User.id == ApiKey.user_id)
        .where(ApiKey.id == key_id)
    ).first()
    key = row[0] if row else None
    if row is None or key is None or key.revoked_at or not row.active:
        raise Unauthenticated("This API key has been revoked. Make a new one.")
    if key.expires_at and key.expires_at < utcnow():
        raise Unauthenticated("This API key has expired. Make a new one.")
    if has_request_context():
        key_use.note_use(key_id, request.remote_addr)
    teams, manages = _teams(key.user_id)
    return Identity(
        "key",
        key.user_id,
        row.name or row.email,
        row.role,
        (_granted(row.role) & frozenset(key.scopes)) - NEVER_FOR_KEYS,
        key_id,
        teams,
        manages,
        frozenset(key.deployments) if key.deployments is not None else None,
        key.requests_per_minute,
    )


def _granted(role: str) -> frozenset[str]:
    if role == "admin":
        return GRANTABLE  # also what a newer version added since the role's rows were written
    rows = db.session.scalars(select(RolePermission.permission).join(Role).where(Role.name == role))
    return frozenset(rows) & GRANTABLE


def _teams(user_id: str | None) -> tuple[frozenset[str], frozenset[str]]:
    """The teams one is in, and of those the ones one manages."""
    if user_id is None:
        return frozenset(), frozenset()
    rows = db.session.execute(
        select(TeamMember.team_id, TeamMember.manager).where(TeamMember.user_id == user_id)
    ).all()
    return frozenset(row.team_id for row in rows), frozenset(row.team_id for row in rows if row.manager)
