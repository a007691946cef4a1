"""Who may come in: the first administrator, signing in and out, and the chain of refresh tokens."""

import hashlib
import secrets
from datetime import timedelta

from flask import current_app
from sqlalchemy import func, select, update

from api.config import Settings
from api.errors import InvalidCredentials, Unauthenticated
from api.extensions import db
from api.models import RefreshToken, User
from api.models.base import new_id, utcnow
from api.schemas.auth import SignedIn, UserOut
from api.security import passwords
from api.security.authorise import Identity, forget
from api.security.tokens import ACCESS_SECONDS, REFRESH_SECONDS, issue_access
from api.unit_of_work import unit_of_work

REUSE_GRACE = timedelta(seconds=10)
"""Two tabs may refresh at the same moment: the second use of a token this soon is not theft."""


def create_first_admin(settings: Settings) -> tuple[str, str | None] | None:
    """Make the administrator when there is no user yet. Returns (e-mail, password if it was generated)."""
    if db.session.scalar(select(func.count()).select_from(User)):
        return None
    password = settings.admin_password or passwords.generate()
    password_hash = passwords.hash_password(password)
    with unit_of_work():
        if db.session.scalar(select(func.count()).select_from(User)):
            return None
        email = settings.admin_email.strip().lower()
        db.session.add(User(email=email, name="Administrator", role="admin", password_hash=password_hash))
    return email, None if settings.admin_password else password


def sign_in(email: str, password: str) -> tuple[SignedIn, str]:
    """Check a password and begin a session: the answer, and the refresh token for the cookie."""
    user = db.session.scalar(select(User).where(User.email == email.strip().lower()))
    good = passwords.verify(user.password_hash if user else None, password)
    if user is None or not good or not user.active:
        raise InvalidCredentials("This e-mail and password do not fit together. Check both and try again.")
    with unit_of_work():
        refresh = _new_link(user.id, new_id())
    return _signed_in(user, refresh), refresh.text


def refresh(token: str) -> tuple[SignedIn, str]:
    """Trade a refresh token for its successor and a new access token.

    A token that was already used ends its whole family: somebody has a copy.
    """
    stolen = False
    with unit_of_work():
        mine = select(RefreshToken).where(RefreshToken.token_hash == _hash(token))
        link = db.session.scalar(mine.with_for_update())
        if link is None or link.revoked_at or link.expires_at < utcnow():
            raise Unauthenticated("This session has ended. Sign in again.")
        if link.used_at and utcnow() - link.used_at > REUSE_GRACE:
            stolen = True
            _revoke(link.family)
        else:
            link.used_at = link.used_at or utcnow()
            user = db.session.get(User, link.user_id)
            if user is None or not user.active:
                raise Unauthenticated("This account is not active. Ask an administrator.")
            successor = _new_link(user.id, link.family)
            answer = _signed_in(user, successor), successor.text
    if stolen:
        forget()
        raise Unauthenticated("This session was used from two places and has been ended. Sign in again.")
    return answer


def sign_out(token: str | None) -> None:
    """End the session the refresh token belongs to; nothing to do when there is none."""
    if not token:
        return
    with unit_of_work():
        link = db.session.scalar(select(RefreshToken).where(RefreshToken.token_hash == _hash(token)))
        if link:
            _revoke(link.family)
    forget()


def profile(identity: Identity) -> UserOut:
    return UserOut.model_validate(db.session.get(User, acting_user_id(identity)))


def acting_user_id(identity: Identity) -> str:
    """The user whose things these are. The owner of this machine acts as the first administrator."""
    if identity.user_id:
        return identity.user_id
    first = db.session.scalar(select(User.id).where(User.role == "admin").order_by(User.id).limit(1))
    if first is None:
        raise Unauthenticated("There is no administrator yet. Start the hub once with `modelhub up`.")
    return first


class _Link:
    """A new refresh token: its text, which only the cookie will hold, and its family."""

    def __init__(self, family: str) -> None:
        self.family = family
        self.text = "mhr_" + secrets.token_urlsafe(32)


def _new_link(user_id: str, family: str) -> _Link:
    link = _Link(family)
    db.session.add(
        RefreshToken(
            user_id=user_id,
            family=family,
            token_hash=_hash(link.text),
            expires_at=utcnow() + timedelta(seconds=REFRESH_SECONDS),
        )
    )
    return link


def _revoke(family: str) -> None:
    db.session.execute(
        update(RefreshToken)
        .where(RefreshToken.family == family, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=utcnow())
    )


def _signed_in(user: User, link: _Link) -> SignedIn:
    token = issue_access(current_app.extensions["modelhub_secret"], user.id, link.family)
    return SignedIn(access_token=token, expires_in=ACCESS_SECONDS, user=UserOut.model_validate(user))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
