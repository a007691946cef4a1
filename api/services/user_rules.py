"""What every change to a user has to keep: whom one may touch, what one may give, names nobody else has.

Nobody gives a role that allows more than he may himself, nor changes somebody who may more: otherwise who can
send a reset link could become an administrator with it. And one active administrator always remains.
"""

from collections.abc import Iterable

from sqlalchemy import func, select, update

from api.errors import Conflict, Forbidden, Invalid, Missing
from api.extensions import db
from api.models import Invite, Role, RolePermission, Team, TeamMember, User
from api.models.base import utcnow
from api.security.authorise import Identity
from api.security.permissions import GRANTABLE
from api.unit_of_work import exclusive


def hold() -> None:
    """Inside a unit of work: users, roles and teams are changed by nobody else until its commit."""
    for name in ("roles", "teams", "users"):
        exclusive(name)


def find(user_id: str) -> User:
    user = db.session.get(User, user_id) if "\0" not in user_id else None
    if user is None:
        raise Missing(f"There is no user {user_id[:64]}. `modelhub users` lists them.")
    return user


def touchable(user_id: str, who: Identity) -> User:
    """The user, if he may nothing that `who` may not; `Forbidden` otherwise."""
    user = find(user_id)
    if not permissions_of(user.role) <= who.permissions:
        raise Forbidden(f"{user.email} may do more than you. Ask somebody who may as much.")
    return user


def may_give(role: str, who: Identity) -> None:
    """`Forbidden` unless `who` holds everything that `role` allows; `Invalid` when there is no such role."""
    if beyond := permissions_of(role) - who.permissions:
        raise Forbidden(
            f"The role '{role}' allows more than you may yourself: {', '.join(sorted(beyond))}.",
            details={"permissions": sorted(beyond)},
        )


def permissions_of(role: str) -> frozenset[str]:
    known = "\0" not in role and db.session.scalar(select(Role.id).where(Role.name == role))
    if not known:
        raise Invalid(f"There is no role '{role[:50]}'. `modelhub roles` lists them.")
    if role == "admin":
        return GRANTABLE
    rows = select(RolePermission.permission).where(RolePermission.role_id == known)
    return frozenset(db.session.scalars(rows)) & GRANTABLE


def may_put_in(teams: Iterable[str], who: Identity) -> list[str]:
    """The ids without repetition, if all are teams that `who` may put people in."""
    wanted = list(dict.fromkeys(teams))
    known = set(db.session.scalars(select(Team.id).where(Team.id.in_([t for t in wanted if "\0" not in t]))))
    if unknown := [team for team in wanted if team not in known]:
        raise Invalid(f"There is no team {unknown[0][:64]}. `modelhub teams` lists them.")
    if not who.may("teams.manage") and not known <= who.manages:
        raise Forbidden("You may put people only in teams that you manage.")
    return wanted


def add_to(teams: Iterable[str], user: User) -> None:
    """Put a new user in those of the teams that are still there."""
    for team_id in db.session.scalars(select(Team.id).where(Team.id.in_(list(teams)))):
        db.session.add(TeamMember(team_id=team_id, user_id=user.id))
    db.session.flush()


def keep_an_admin(but: User) -> None:
    """`Conflict` when `but` is the last active administrator; inside a unit of work that holds the users."""
    others = select(func.count()).where(User.role == "admin", User.active, User.id != but.id)
    if but.role == "admin" and but.active and not db.session.scalar(others):
        raise Conflict(
            f"{but.email} is the last active administrator. Make somebody else one first, "
            "or nobody could manage this hub."
        )


def normal_email(email: str) -> str:
    """As it is kept: lower case, no space around."""
    normal = email.strip().lower()
    if len(normal) > 254:  # lower case can be longer
        raise wrong("email", "This e-mail is too long.")
    return normal


def refuse_taken(email: str) -> None:
    if db.session.scalar(select(User.id).where(User.email == email)):
        raise Conflict(
            "There is an account with this e-mail already. Sign in with it, or use another e-mail."
        )


def rename(user: User, email: str | None, name: str | None) -> dict[str, list[str]]:
    """Inside a unit of work that holds the users: set what is given and differs. `{field: [old, new]}`."""
    wanted = {"email": normal_email(email) if email is not None else None, "name": name and name.strip()}
    changed = {
        field: [str(getattr(user, field)), value]
        for field, value in wanted.items()
        if value is not None and value != getattr(user, field)
    }
    if "email" in changed:
        refuse_taken(changed["email"][1])
    for field, (_, value) in changed.items():
        setattr(user, field, value)
    return changed


def set_password(user: User, password_hash: str) -> None:
    """Chosen by its owner. Links that would have let him choose one are void."""
    user.password_hash, user.provisional = password_hash, False
    user.version += 1
    revoke_links(Invite.user_id == user.id)


def revoke_links(*which: object) -> None:
    """Make open invitations and reset links void."""
    still_open = (Invite.used_at.is_(None), Invite.revoked_at.is_(None))
    db.session.execute(update(Invite).where(*still_open, *which).values(revoked_at=utcnow()))  # type: ignore[arg-type]


def wrong(field: str, reason: str) -> Invalid:
    """`Invalid` that names the field, as a body that does not fit its schema would."""
    return Invalid(reason, details={"errors": [{"loc": [field], "msg": reason, "type": "value_error"}]})
