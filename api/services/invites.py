"""Links that let one person in: an invitation makes a user, a reset link a new password. Each works once.

Only the SHA-256 of a link's token is kept. The token stands behind the `#` of the link, where no server and
no log on the way sees it.
"""

import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from api.errors import Conflict, Missing
from api.extensions import db
from api.models import Invite, User
from api.models.base import utcnow
from api.schemas.access import InviteMade, InviteOut, InviteRequest
from api.schemas.auth import JoinInfo, JoinRequest
from api.schemas.base import Page, PageQuery
from api.security import audit, passwords
from api.security.authorise import Identity, hash_token
from api.services import lockouts, sessions
from api.services.paging import page
from api.services.sessions import Caller, Opened
from api.services.user_rules import (
    add_to,
    hold,
    may_give,
    may_put_in,
    normal_email,
    refuse_taken,
    revoke_links,
    set_password,
    touchable,
    wrong,
)
from api.unit_of_work import AfterCommit, unit_of_work

RESET_LASTS = timedelta(days=1)


def list_invites(query: PageQuery) -> Page[InviteOut]:
    return page(select(Invite), Invite.id, limit=query.limit, after=query.after, shape=_shape)


def invite(body: InviteRequest, who: Identity, base: str) -> InviteMade:
    """A link for one new user. `base`: where people reach this hub, for example https://hub.example.org."""
    with unit_of_work():
        hold()
        may_give(body.role, who)
        email = normal_email(body.email) if body.email else None
        if email:
            refuse_taken(email)
        return _make(
            who,
            base,
            email=email,
            role=body.role,
            teams=may_put_in(body.teams, who),
            expires_at=utcnow() + timedelta(days=body.days),
        )


def reset(user_id: str, who: Identity, base: str) -> InviteMade:
    """A link with which a user chooses a new password. Until then the old one counts; older links do not."""
    with unit_of_work():
        hold()
        user = touchable(user_id, who)
        if not user.active:
            raise Conflict(f"{user.email} is deactivated. Activate the account first.")
        revoke_links(Invite.user_id == user.id)
        return _make(
            who, base, email=user.email, role=user.role, user_id=user.id, expires_at=utcnow() + RESET_LASTS
        )


def revoke(invite_id: str) -> None:
    """Make a link void; one that is void or over already stays so."""
    with unit_of_work():
        row = db.session.get(Invite, invite_id, with_for_update=True) if "\0" not in invite_id else None
        if row is None:
            raise Missing("There is no such invitation. `modelhub invite --list` shows them.")
        if row.used_at:
            raise Conflict("This invitation has been used; remove the user instead.")
        if row.revoked_at is None:
            row.revoked_at = utcnow()
            audit.note("invite.revoke", _named(row))


def look(token: str) -> JoinInfo:
    """What a link is for, for who holds it."""
    row = _open(token)
    return JoinInfo(kind=_kind(row), email=row.email, role=row.role, expires_at=row.expires_at)


def join(body: JoinRequest, caller: Caller) -> Opened:
    """Use a link: as a new user, or with a new password. Signed in afterwards, and nowhere else."""
    row = _open(body.token)
    email = _email(row, body)
    db.session.rollback()
    passwords.check_rules(body.password, email)
    password_hash = passwords.hash_password(body.password)
    with unit_of_work() as after_commit:
        hold()
        row = _open(body.token, lock=True)
        if row.user_id:
            user = _reset(after_commit, row, password_hash)
        else:
            user = _join(row, email, body.name.strip(), password_hash)
        row.used_at = utcnow()
        begun = sessions.begin(after_commit, user, caller, "invite")
    return sessions.opened(begun)


def _join(row: Invite, email: str, name: str, password_hash: str) -> User:
    refuse_taken(email)
    user = User(email=email, name=name, role=row.role, password_hash=password_hash)
    db.session.add(user)
    db.session.flush()
    add_to(row.teams, user)
    audit.note("user.create", user, actor=(user.id, name or email), role=row.role, invite=row.id)
    return user


def _reset(after_commit: AfterCommit, row: Invite, password_hash: str) -> User:
    user = db.session.get_one(User, row.user_id, with_for_update={"key_share": True})
    if not user.active:
        raise Conflict("This account is deactivated. Ask an administrator.")
    set_password(user, password_hash)
    lockouts.clear_account(user.email)
    sessions.end_all(after_commit, user.id, "password")
    audit.note("user.password", user, actor=(user.id, user.name or user.email), invite=row.id)
    return user


def _make(who: Identity, base: str, **fields: Any) -> InviteMade:
    token = "mhi_" + secrets.token_urlsafe(32)
    row = Invite(token_hash=hash_token(token), created_by=who.owner_id, **fields)
    db.session.add(row)
    db.session.flush()
    audit.note("invite.create", _named(row), kind=_kind(row), role=row.role, user=row.user_id)
    return InviteMade(**_shape(row).model_dump(), link=f"{base}/join#{token}", token=token)


def _open(token: str, *, lock: bool = False) -> Invite:
    mine = select(Invite).where(Invite.token_hash == hash_token(token))
    row = db.session.scalar(mine.with_for_update() if lock else mine)
    if row is None or _state(row) != "open":
        raise Missing("This link does not work any more. Ask whoever sent it for another.")
    return row


def _email(row: Invite, body: JoinRequest) -> str:
    given = normal_email(body.email) if body.email else None
    if row.email and given not in (None, row.email):
        raise wrong("email", f"This link is for {row.email} only.")
    found = row.email or given
    if found is None:
        raise wrong("email", "Say the e-mail you want to sign in with.")
    return found


def _kind(row: Invite) -> Any:
    return "reset" if row.user_id else "invite"


def _state(row: Invite) -> Any:
    if row.used_at:
        return "used"
    if row.revoked_at:
        return "revoked"
    return "expired" if row.expires_at <= utcnow() else "open"


def _named(row: Invite) -> tuple[str, str, str]:
    return "invite", row.id, row.email or f"role {row.role}"


def _shape(row: Invite) -> InviteOut:
    columns = {name: getattr(row, name) for name in InviteOut.model_fields if name not in ("kind", "state")}
    return InviteOut(kind=_kind(row), state=_state(row), **columns)
