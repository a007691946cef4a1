"""Who may come in: the first administrator, signing in and out, and the chain of refresh tokens."""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import func, select, update

from api.config import Settings
from api.errors import InvalidCredentials, Unauthenticated
from api.extensions import db
from api.models import RefreshToken, User, UserSession
from api.models.base import new_id, utcnow
from api.schemas.auth import Profile, SignedIn, UserOut
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
        now = utcnow()
        session = UserSession(
            id=new_id(),
            user_id=user.id,
            last_seen_at=now,
            expires_at=now + timedelta(seconds=REFRESH_SECONDS),
        )
        db.session.add(session)
        db.session.flush()
        refresh = _new_link(session.id)
    return _signed_in(user, refresh), refresh.text


def refresh(token: str) -> tuple[SignedIn, str]:
    """Trade a refresh token for its successor and a new access token.

    A token that was already used ends its whole family: somebody has a copy.
    """
    stolen = False
    with unit_of_work():
        mine = select(RefreshToken).where(RefreshToken.token_hash == _hash(token))
        link = db.session.scalar(mine.with_for_update())
        session = db.session.get(UserSession, link.session_id) if link else None
        if link is None or session is None or session.ended_at or session.expires_at < utcnow():
            raise Unauthenticated("This session has ended. Sign in again.")
        if link.used_at and utcnow() - link.used_at > REUSE_GRACE:
            stolen = True
            _revoke(link.session_id)
        else:
            link.used_at = link.used_at or utcnow()
            user = db.session.get(User, session.user_id)
            if user is None or not user.active:
                raise Unauthenticated("This account is not active. Ask an administrator.")
            successor = _new_link(link.session_id)
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
            _revoke(link.session_id)
    forget()


def profile(identity: Identity) -> UserOut:
    return UserOut.model_validate(db.session.get(User, acting_user_id(identity)))


def acting_user_id(identity: Identity) -> str:
    """The user whose things these are. The owner of this machine acts as the first administrator."""
    if identity.user_id:
        return identity.user_id
    return identity.owner_id


class _Link:
    """A new refresh token: its text, which only the cookie will hold, and its family."""

    def __init__(self, family: str) -> None:
        self.family = family
        self.text = "mhr_" + secrets.token_urlsafe(32)


def _new_link(family: str) -> _Link:
    link = _Link(family)
    db.session.add(RefreshToken(session_id=family, token_hash=_hash(link.text)))
    return link


def _revoke(family: str) -> None:
    db.session.execute(
        update(UserSession)
        .where(UserSession.id == family, UserSession.ended_at.is_(None))
        .values(ended_at=utcnow())
    )


def _signed_in(user: User, link: _Link) -> SignedIn:
    token = issue_access(user.id, link.family)
    return SignedIn(access_token=token, expires_in=ACCESS_SECONDS, user=Profile.model_validate(user))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
