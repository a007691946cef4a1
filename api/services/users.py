"""Who uses the hub: listed, made, changed and removed by those who may manage users."""

from typing import Any

from sqlalchemy import or_, select, update

from api.errors import Conflict
from api.extensions import db
from api.models import ApiKey, Deployment, Download, HubModel, Invite, Job, User
from api.models.base import utcnow
from api.schemas.access import UserChange, UserQuery, UserRequest
from api.schemas.auth import SessionList, UserOut
from api.schemas.base import Page
from api.security import audit, passwords
from api.security.authorise import Identity, forget
from api.services import sessions
from api.services.paging import page
from api.services.user_rules import (
    add_to,
    find,
    hold,
    keep_an_admin,
    may_give,
    may_put_in,
    normal_email,
    refuse_taken,
    rename,
    revoke_links,
    touchable,
)
from api.unit_of_work import AfterCommit, unit_of_work


def list_users(query: UserQuery) -> Page[UserOut]:
    statement = select(User)
    if query.q:
        statement = statement.where(
            or_(
                User.name.icontains(query.q, autoescape=True),
                User.email.icontains(query.q.lower(), autoescape=True),
            )
        )
    if query.role is not None:
        statement = statement.where(User.role == query.role)
    if query.active is not None:
        statement = statement.where(User.active == query.active)
    return page(statement, User.id, limit=query.limit, after=query.after, shape=UserOut.model_validate)


def get(user_id: str) -> UserOut:
    return UserOut.model_validate(find(user_id))


def create(body: UserRequest, who: Identity) -> UserOut:
    """A user with a password that somebody else chose."""
    email = normal_email(body.email)
    passwords.check_rules(body.password, email)
    password_hash = passwords.hash_password(body.password)
    with unit_of_work():
        hold()
        may_give(body.role, who)
        teams = may_put_in(body.teams, who)
        refuse_taken(email)
        user = User(email=email, name=body.name.strip(), role=body.role, password_hash=password_hash)
        db.session.add(user)
        db.session.flush()
        add_to(teams, user)
        audit.note("user.create", user, role=user.role, teams=teams)
        return UserOut.model_validate(user)


def change(user_id: str, body: UserChange, who: Identity) -> UserOut:
    """Change what is given. A new role or a deactivation ends the user's sessions at once."""
    with unit_of_work() as after_commit:
        hold()
        user = touchable(user_id, who)
        changed: dict[str, list[Any]] = dict(rename(user, body.email, body.name))
        if body.role is not None and body.role != user.role:
            may_give(body.role, who)
            keep_an_admin(user)
            changed["role"] = [user.role, body.role]
            user.role = body.role
            _throw_out(after_commit, user, "role")
        if body.active is not None and body.active != user.active:
            _set_active(after_commit, user, body.active, who)
            changed["active"] = [not body.active, body.active]
        if changed:
            user.version += 1
            audit.note("user.change", user, changed=changed)
        db.session.flush()
        after_commit(forget)
        return UserOut.model_validate(user)


def delete(user_id: str, who: Identity) -> None:
    """Remove a user with his sessions, keys and conversations; his models and deployments are handed over."""
    with unit_of_work() as after_commit:
        hold()
        user = touchable(user_id, who)
        _not_oneself(user, who)
        keep_an_admin(user)
        heir = _heir(user, who)
        sessions.end_all(after_commit, user.id, "deleted")
        revoke_links(Invite.created_by == user.id)
        kept = _hand_over(user.id, heir)
        audit.note("user.delete", user, email=user.email, role=user.role, handed_to=heir, kept=kept)
        db.session.delete(user)
        after_commit(forget)


def list_sessions(user_id: str) -> SessionList:
    return sessions.list_sessions(find(user_id).id)


def end_sessions(user_id: str, who: Identity) -> None:
    """Sign a user out everywhere."""
    with unit_of_work() as after_commit:
        sessions.end_all(after_commit, touchable(user_id, who).id, "revoked")


def _set_active(after_commit: AfterCommit, user: User, active: bool, who: Identity) -> None:
    if not active:
        _not_oneself(user, who)
        keep_an_admin(user)
        _throw_out(after_commit, user, "deactivated")
        _revoke_keys(user.id)
    user.active = active


def _throw_out(after_commit: AfterCommit, user: User, because: str) -> None:
    """His sessions end, and so do the links he made: they may give what he may no longer give."""
    sessions.end_all(after_commit, user.id, because)
    revoke_links(or_(Invite.created_by == user.id, Invite.user_id == user.id))


def _revoke_keys(user_id: str) -> None:
    mine = select(ApiKey).where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None)).with_for_update()
    for key in db.session.scalars(mine):
        key.revoked_at = utcnow()
        audit.note("key.revoke", ("api_key", key.id, key.name), because="deactivated")


def _not_oneself(user: User, who: Identity) -> None:
    if who.kind != "machine" and user.id == who.user_id:
        raise Conflict("This is your own account. Somebody else has to do that.")


def _heir(user: User, who: Identity) -> str:
    """Who gets what he leaves: who removes him; from the hub's own machine, the first other administrator."""
    if who.owner_id != user.id:
        return who.owner_id
    others = select(User.id).where(User.role == "admin", User.active, User.id != user.id)
    return str(db.session.scalars(others.order_by(User.id)).first())


def _hand_over(user_id: str, heir: str) -> dict[str, int]:
    """How many of each kind."""
    counts = {}
    for table in (HubModel, Deployment, Download, Job):
        values: dict[str, Any] = {"user_id": heir}
        if hasattr(table, "version"):
            values["version"] = table.version + 1
        done = db.session.execute(update(table).where(table.user_id == user_id).values(values))
        counts[table.__tablename__] = int(done.rowcount)  # type: ignore[attr-defined]
    return counts
