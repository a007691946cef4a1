"""The authoriser: one function for REST, for `/v1` and for sockets.

`identify` turns a Bearer into an `Identity`; `require` refuses what the identity's role does not allow.
Routes and socket events declare their permission; `tests/test_house.py` walks both tables.
"""

import hmac
import time
from dataclasses import dataclass

from flask import current_app, g, request

from api.errors import Forbidden, Unauthenticated
from api.extensions import db, settings
from api.models import RefreshToken, User
from api.security.permissions import ROLES, Permission
from api.security.tokens import read_access

_CACHE_SECONDS = 1.0
_known: dict[str, tuple[float, "Identity"]] = {}


@dataclass(frozen=True)
class Identity:
    """Who is asking. `user_id` is None for the owner of this machine (the local token)."""

    user_id: str | None
    name: str
    role: str

    def may(self, permission: Permission) -> bool:
        return permission in ROLES.get(self.role, frozenset())


def bearer(header: str | None) -> str:
    """The token of an `Authorization: Bearer …` header."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Sign in first: send `Authorization: Bearer <access token>`.")
    return token.strip()


def identify(token: str) -> Identity:
    """Whose token this is; `Unauthenticated` when it is nobody's. Remembered for one second."""
    now = time.monotonic()
    remembered = _known.get(token)
    if remembered and now - remembered[0] < _CACHE_SECONDS:
        return remembered[1]
    identity = _local(token) or _signed_in(token)
    if len(_known) > 10_000:
        _known.clear()
    _known[token] = (now, identity)
    return identity


def forget() -> None:
    """Drop what is remembered: called when a session ends, so that it ends now in this process."""
    _known.clear()


def require(identity: Identity, permission: Permission) -> None:
    if not identity.may(permission):
        raise Forbidden(
            f"Your role '{identity.role}' does not include '{permission}'. Ask an administrator for it."
        )


def current() -> Identity:
    """The identity of this request, put there by `authorise_request`."""
    identity: Identity = g.identity
    return identity


def authorise_request(permission: Permission) -> None:
    """Check this HTTP request; afterwards `current()` answers."""
    if permission == "public":
        return
    identity = identify(bearer(request.headers.get("Authorization")))
    require(identity, permission)
    g.identity = identity


def _local(token: str) -> Identity | None:
    """The token in `$MODELHUB_HOME/local-token`: whoever can read that file owns the database anyway."""
    if not token.startswith("mhl_"):
        return None
    try:
        expected = (settings().home / "local-token").read_text().strip()
    except OSError:
        expected = ""
    if expected and hmac.compare_digest(token, expected):
        return Identity(None, "this machine", "admin")
    raise Unauthenticated("The local token is not this hub's. It changes at every start; read it again.")


def _signed_in(token: str) -> Identity:
    claims = read_access(current_app.extensions["modelhub_secret"], token)
    row = db.session.execute(
        db.select(User.id, User.name, User.email, User.role, User.active, RefreshToken.revoked_at)
        .join(RefreshToken, RefreshToken.user_id == User.id)
        .where(User.id == claims["sub"], RefreshToken.family == claims["sid"])
        .order_by(RefreshToken.id.desc())
        .limit(1)
    ).first()
    db.session.rollback()  # end the read, so that a unit of work can begin
    if row is None or not row.active or row.revoked_at is not None:
        raise Unauthenticated("This session has ended. Sign in again.")
    return Identity(row.id, row.name or row.email, row.role)
