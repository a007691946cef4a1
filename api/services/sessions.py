"""Signing in, staying in and being thrown out: sessions, and the chain of refresh tokens behind each.

A refresh token is good for one use, which makes its successor. Whoever uses it again has a copy of somebody
else's, and the session ends for both (RFC 9700 §4.14.2). One case is innocent: two tabs, or an answer lost on
the way. So the immediate predecessor gets the *same* successor again for `REUSE_GRACE`, as long as nobody
used that one. Its text is derived from the predecessor's: the hub can say it twice without keeping it.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from api.errors import Forbidden, InvalidCredentials, Missing, Unauthenticated
from api.extensions import db
from api.models import RefreshToken, User, UserSession
from api.models.base import new_id, utcnow
from api.schemas.auth import SessionInfo, SessionList, SignedIn
from api.security import audit, passwords
from api.security.authorise import Identity, forget, hash_token, identify
from api.security.keys import signing_keys
from api.security.tokens import ACCESS_SECONDS, REFRESH_SECONDS, issue_access
from api.services import devices, lockouts, profiles
from api.unit_of_work import AfterCommit, unit_of_work

REUSE_GRACE = timedelta(seconds=10)
KEPT_AFTER_END = timedelta(days=30)
"""So long an ended session's row explains itself; then it goes at its owner's next sign-in."""

_ENDED = "This session has ended. Sign in again."


@dataclass(frozen=True)
class Caller:
    """Where a request came from, as the controller saw it."""

    address: str | None = None
    user_agent: str = ""


@dataclass(frozen=True)
class Begun:
    """A session with the refresh token for its cookie, which nobody will be told again."""

    session_id: str
    user_id: str
    refresh_token: str
    expires_at: datetime


@dataclass(frozen=True)
class Opened:
    """The answer of a sign-in or refresh; the refresh token goes into a cookie for `seconds`."""

    answer: SignedIn
    refresh_token: str
    seconds: int


def sign_in(email: str, password: str, caller: Caller) -> Opened:
    """Check a password and begin a session. `InvalidCredentials`, or `TooMany` while locked out."""
    about = lockouts.subjects(email, caller.address)
    lockouts.check(about)
    known = _by_email(email)
    db.session.rollback()  # no connection is held while the hash is computed
    good = passwords.verify(known.password_hash if known else None, password)
    better = good and known and passwords.is_outdated(known.password_hash)
    new_hash = passwords.hash_password(password) if better else None
    begun: Begun | None = None
    with unit_of_work() as after_commit:
        lockouts.hold(about)
        locked = lockouts.seconds_left(about)
        user = _locked_user(known.id) if known else None
        # The hash is compared again: a password that was changed meanwhile must not open a session.
        if user and user.active and good and user.password_hash == known.password_hash and not locked:
            user.password_hash = new_hash or user.password_hash
            lockouts.clear_account(email)
            begun = begin(after_commit, user, caller, "password")
        else:
            lockouts.count(about)
            locked = locked and lockouts.seconds_left(about)
            _note_failure(email, user)
    if begun:
        return opened(begun)
    if locked:
        raise lockouts.refusal(locked)
    raise InvalidCredentials("This e-mail and password do not fit together. Check both and try again.")


def begin(after_commit: AfterCommit, user: User, caller: Caller, method: str) -> Begun:
    """A new session of `user`, inside the caller's unit of work; `opened` makes the answer after it.

    `method`: password, invite or sso.
    """
    now = utcnow()
    session = UserSession(
        id=new_id(),
        user_id=user.id,
        method=method,
        last_seen_at=now,
        expires_at=now + timedelta(seconds=REFRESH_SECONDS),
        **_place(caller),
    )
    mine = UserSession.user_id == user.id
    db.session.execute(delete(UserSession).where(mine, UserSession.expires_at < now - KEPT_AFTER_END))
    db.session.add(session)
    db.session.flush()
    user.last_seen_at = now
    text = "mhr_" + secrets.token_urlsafe(32)
    db.session.add(RefreshToken(session_id=session.id, token_hash=hash_token(text)))
    audit.note("session.sign_in", _named(session), actor=_actor(user), method=method)
    return Begun(session.id, user.id, text, session.expires_at)


def opened(begun: Begun) -> Opened:
    """An access token for a session whose unit of work is committed."""
    token = issue_access(begun.user_id, begun.session_id)
    answer = SignedIn(access_token=token, expires_in=ACCESS_SECONDS, user=profiles.profile(identify(token)))
    return Opened(answer, begun.refresh_token, max(0, int((begun.expires_at - utcnow()).total_seconds())))


def refresh(token: str, caller: Caller) -> Opened:
    """Trade a refresh token for its successor and a new access token. A replayed one ends the session."""
    begun: Begun | None = None
    with unit_of_work() as after_commit:
        session = _open_session(token)
        user = db.session.get(User, session.user_id)
        if user is None or not user.active:
            raise Unauthenticated("This account is not active. Ask an administrator.")
        if successor := _successor(token):
            db.session.flush()
            session.last_seen_at = user.last_seen_at = utcnow()
            session.address, session.user_agent = _place(caller).values()
            begun = Begun(session.id, user.id, successor, session.expires_at)
        else:
            _end(after_commit, session, "reuse")
            audit.note("session.reuse", _named(session), actor=_actor(user), result="failed")
    if begun is None:
        raise Unauthenticated("This session was used from two places and has been ended. Sign in again.")
    return opened(begun)


def sign_out(token: str | None) -> None:
    """End the session that this refresh token belongs to; nothing to do when there is none."""
    if not token:
        return
    with unit_of_work() as after_commit:
        session = db.session.scalar(_session_of(token))
        if session and not session.ended_at:
            _end(after_commit, session, "sign_out")
            audit.note(
                "session.sign_out", _named(session), actor=_actor(db.session.get(User, session.user_id))
            )


def list_own(who: Identity) -> SessionList:
    only_people(who)
    return list_sessions(who.owner_id, current=who.credential)


def list_sessions(user_id: str, current: str | None = None) -> SessionList:
    """Where this user is signed in now, the latest use first."""
    rows = db.session.scalars(_live(user_id).order_by(UserSession.last_seen_at.desc()).limit(500))
    return SessionList(
        items=[
            SessionInfo.model_validate(
                {
                    **{name: getattr(row, name) for name in SessionInfo.model_fields if name in _COLUMNS},
                    "current": row.id == current,
                    "device": devices.describe(row.user_agent),
                }
            )
            for row in rows
        ]
    )


def end_one(session_id: str, who: Identity) -> None:
    """End one of one's own sessions."""
    only_people(who)
    with unit_of_work() as after_commit:
        mine = _live(who.owner_id).where(UserSession.id == session_id).with_for_update()
        session = db.session.scalar(mine) if "\0" not in session_id else None
        if session is None:
            raise Missing("You have no such session; it may have ended already. List them again.")
        _end(after_commit, session, "revoked")
        audit.note("session.revoke", _named(session))


def end_others(who: Identity) -> None:
    """End all of one's own sessions but the one that asks."""
    only_people(who)
    with unit_of_work() as after_commit:
        end_all(after_commit, who.owner_id, "revoked", keep=who.credential)


def end_all(after_commit: AfterCommit, user_id: str, because: str, *, keep: str | None = None) -> int:
    """Inside the caller's unit of work: end every session of a user but `keep`. How many there were."""
    rows = db.session.scalars(_live(user_id).order_by(UserSession.id).with_for_update()).all()
    ended = [row for row in rows if row.id != keep]
    for session in ended:
        _end(after_commit, session, because)
        audit.note("session.revoke", _named(session), because=because)
    return len(ended)


def only_people(who: Identity) -> None:
    """An account is its owner's: a program's key does not change it, nor see where it is signed in."""
    if who.kind == "key":
        raise Forbidden("An API key cannot do this. Sign in as a person.")


def _end(after_commit: AfterCommit, session: UserSession, because: str) -> None:
    session.ended_at, session.ended_because = utcnow(), because
    after_commit(forget)


def _open_session(token: str) -> UserSession:
    """The session of a refresh token, locked until the commit; `Unauthenticated` when it is over."""
    session = db.session.scalar(_session_of(token))
    if session is None or session.ended_at or session.expires_at <= utcnow():
        raise Unauthenticated(_ENDED)
    return session


def _successor(token: str) -> str | None:
    """The refresh token that follows this one; None when this one was used before and is not forgiven."""
    link = db.session.scalar(select(RefreshToken).where(RefreshToken.token_hash == hash_token(token)))
    candidates = [_derived(key, token) for key in signing_keys("refresh-successor")]
    if link is None:
        return None
    if link.used_at is None:
        link.used_at = utcnow()
        db.session.add(RefreshToken(session_id=link.session_id, token_hash=hash_token(candidates[0])))
        return candidates[0]
    if utcnow() - link.used_at > REUSE_GRACE:
        return None
    # The key may have been rotated since; the successor was made with one that still counts.
    for text in candidates:
        unused = select(RefreshToken.id).where(
            RefreshToken.token_hash == hash_token(text), RefreshToken.used_at.is_(None)
        )
        if db.session.scalar(unused):
            return text
    return None


def _derived(key: bytes, token: str) -> str:
    digest = hmac.new(key, token.encode(), hashlib.sha256).digest()
    return "mhr_" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _session_of(token: str) -> Any:
    family = select(RefreshToken.session_id).where(RefreshToken.token_hash == hash_token(token))
    return select(UserSession).where(UserSession.id == family.scalar_subquery()).with_for_update()


def _live(user_id: str) -> Any:
    return select(UserSession).where(
        UserSession.user_id == user_id, UserSession.ended_at.is_(None), UserSession.expires_at > utcnow()
    )


def _by_email(email: str) -> Any:
    """`(id, password_hash)` or None."""
    wanted = email.strip().lower()
    if "\0" in wanted:
        return None
    return db.session.execute(select(User.id, User.password_hash).where(User.email == wanted)).first()


def _locked_user(user_id: str) -> User | None:
    # FOR NO KEY UPDATE: a new session's reference to the user must not have to wait for it.
    mine = select(User).where(User.id == user_id).with_for_update(key_share=True)
    found: User | None = db.session.scalar(mine)
    return found


def _note_failure(email: str, user: User | None) -> None:
    typed = lockouts.subjects(email, None)[0][1]
    about = ("user", user.id if user else None, typed)
    audit.note("session.sign_in", about, result="failed", actor=(None, typed))


def _place(caller: Caller) -> dict[str, Any]:
    readable = "".join(char for char in caller.user_agent if char.isprintable())
    return {"address": (caller.address or "")[:64] or None, "user_agent": readable[:300]}


def _named(session: UserSession) -> tuple[str, str, str]:
    return "session", session.id, devices.describe(session.user_agent)


def _actor(user: User | None) -> tuple[str | None, str]:
    return (user.id, user.name or user.email) if user else (None, "")


_COLUMNS = ("id", "address", "method", "created_at", "last_seen_at", "expires_at")
