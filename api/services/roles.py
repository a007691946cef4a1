"""Roles: named sets of permissions. Who makes or changes one can put in only what he holds himself."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from api.errors import Conflict, Forbidden, Invalid, Missing
from api.extensions import db, settings
from api.models import Invite, Role, RolePermission, User
from api.models.base import utcnow
from api.schemas.access import (
    PermissionList,
    PermissionOut,
    RoleChange,
    RoleList,
    RoleOut,
    RoleRequest,
)
from api.security import audit
from api.security.authorise import Identity, forget
from api.security.permissions import DESCRIPTIONS, GRANTABLE
from api.unit_of_work import exclusive, unit_of_work


def permissions() -> PermissionList:
    """Everything a role can contain."""
    return PermissionList(items=[PermissionOut(name=n, description=d) for n, d in DESCRIPTIONS.items()])


def list_roles() -> RoleList:
    """Those the hub came with first, from the least to the most powerful; then by name."""
    holders = _holders()
    rows = db.session.scalars(select(Role)).all()
    shaped = [_shape(row, holders.get(row.name, 0)) for row in rows]
    shaped.sort(key=lambda role: (not role.builtin, len(role.permissions) if role.builtin else 0, role.name))
    return RoleList(items=shaped)


def get(name: str) -> RoleOut:
    return _shape(_find(name), _holders(name).get(name, 0))


def create(body: RoleRequest, who: Identity) -> RoleOut:
    wanted = _known(body.permissions)
    _holds(who, wanted)
    with unit_of_work():
        exclusive("roles")
        if db.session.scalar(select(Role.id).where(Role.name == body.name)):
            raise Conflict(
                f"A role is already called '{body.name}'. Choose another name, or change that one."
            )
        row = Role(name=body.name, title=body.title, description=body.description)
        row.permissions = [RolePermission(permission=each) for each in sorted(wanted)]
        db.session.add(row)
        db.session.flush()
        audit.note("role.create", row, permissions=sorted(wanted))
        return _shape(row, 0)


def change(name: str, body: RoleChange, who: Identity) -> RoleOut:
    """Counts at once for everybody who holds the role; nobody is signed out."""
    wanted = _known(body.permissions) if body.permissions is not None else None
    with unit_of_work() as after_commit:
        row = _touchable(name, who)
        before = _facts(row)
        if wanted is not None:
            _holds(who, wanted)
            row.permissions = [p for p in row.permissions if p.permission in wanted] + [
                RolePermission(permission=each) for each in sorted(wanted - set(before["permissions"]))
            ]
        row.title = body.title if body.title is not None else row.title
        row.description = body.description if body.description is not None else row.description
        if (after := _facts(row)) != before:
            row.version, row.updated_at = row.version + 1, utcnow()
            db.session.flush()
            audit.note("role.change", row, before=before, after=after)
        answer = _shape(row, _holders(name).get(name, 0))
        after_commit(forget)
    return answer


def delete(name: str, who: Identity) -> None:
    """Only a role that nobody holds, and that nobody will be given by an open invitation or a setting."""
    try:
        with unit_of_work() as after_commit:
            exclusive("roles")
            row = _touchable(name, who)
            if row.builtin:
                raise Conflict(f"'{name}' is one of the roles every hub has. Change what it may do instead.")
            _unused(name)
            audit.note("role.delete", row, before=_facts(row))
            db.session.delete(row)
            after_commit(forget)
    except IntegrityError:
        raise Conflict(f"Somebody was given the role '{name}' at this moment. Look who holds it.") from None


def _unused(name: str) -> None:
    users = _holders(name).get(name, 0)
    open_ = (Invite.role == name, Invite.used_at.is_(None), Invite.revoked_at.is_(None))
    waiting = select(func.count()).select_from(Invite).where(*open_, Invite.expires_at > utcnow())
    invites = db.session.scalar(waiting) or 0
    given_by = [
        alias
        for alias, roles in (
            ("MODELHUB_REGISTRATION_ROLE", [settings().registration_role]),
            ("MODELHUB_OIDC_ROLES", settings().oidc_roles.values()),
        )
        if name in roles
    ]
    if users or invites or given_by:
        uses = [f"{users} user{'s' if users != 1 else ''}"] if users else []
        uses += [f"{invites} open invitation{'s' if invites != 1 else ''}"] if invites else []
        uses += [f"the setting {alias}" for alias in given_by]
        raise Conflict(
            f"The role '{name}' is in use: {', '.join(uses)}. Give them another role first.",
            details={"users": users, "invites": invites, "settings": given_by},
        )


def _touchable(name: str, who: Identity) -> Role:
    """The role, locked, if this actor may change it: never `admin`, and none that may more than he may."""
    row = _find(name, lock=True)
    if name == "admin":
        raise Conflict("The role 'admin' always may do everything and cannot be changed. Make another role.")
    _holds(who, {each.permission for each in row.permissions} & GRANTABLE)
    return row


def _known(names: Iterable[str]) -> frozenset[str]:
    wanted = frozenset(names)
    if strange := sorted(wanted - GRANTABLE):
        shown = ", ".join(f"'{name[:50]}'" for name in strange[:5])
        raise Invalid(f"There is no permission {shown}. `GET /api/v1/permissions` lists all.")
    return wanted


def _holds(who: Identity, wanted: Iterable[str]) -> None:
    if missing := sorted(set(wanted) - who.permissions):
        raise Forbidden(
            f"You cannot give or take what you may not do yourself: {', '.join(missing)}.",
            details={"permissions": missing},
        )


def _find(name: str, *, lock: bool = False) -> Role:
    statement = select(Role).where(Role.name == name)
    row = None if "\0" in name else db.session.scalar(statement.with_for_update() if lock else statement)
    if row is None:
        raise Missing(f"There is no role '{name[:50]}'. `modelhub roles` lists them.")
    return row


def _holders(name: str | None = None) -> dict[str, int]:
    """How many users hold each role (or this one)."""
    statement = select(User.role, func.count()).group_by(User.role)
    if name is not None:
        statement = statement.where(User.role == name)
    return {row[0]: row[1] for row in db.session.execute(statement)}


def _facts(row: Role) -> dict[str, Any]:
    return {
        "title": row.title,
        "description": row.description,
        "permissions": sorted(each.permission for each in row.permissions),
    }


def _shape(row: Role, users: int) -> RoleOut:
    """The administrator holds also what a newer version added since the rows were written."""
    granted = {each.permission for each in row.permissions} & GRANTABLE
    return RoleOut(
        name=row.name,
        title=row.title,
        description=row.description,
        builtin=row.builtin,
        permissions=sorted(GRANTABLE if row.name == "admin" else granted),
        users=users,
        version=row.version,
    )
