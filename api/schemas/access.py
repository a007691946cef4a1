"""Users, roles, teams, API keys, invitations, lock-outs and sharing, as an administrator sees them."""

from typing import Literal

from pydantic import Field

from api.schemas.auth import Email, NewPassword, PersonName, PlainText
from api.schemas.base import Body, Out, PageQuery, Timestamp

Permissions = Field(max_length=100, description="Names as `GET /permissions` lists them.")


class PermissionOut(Out):
    name: str
    description: str


class PermissionList(Out):
    items: list[PermissionOut]


class RoleRequest(Body):
    name: str = Field(min_length=1, max_length=50, pattern=r"^[a-z][a-z0-9_-]*$")
    title: str = Field(min_length=1, max_length=100, pattern=PlainText)
    description: str = Field(default="", max_length=500)
    permissions: list[str] = Permissions


class RoleChange(Body):
    title: str | None = Field(default=None, min_length=1, max_length=100, pattern=PlainText)
    description: str | None = Field(default=None, max_length=500)
    permissions: list[str] | None = Field(default=None, max_length=100)


class RoleOut(Out):
    name: str
    title: str
    description: str
    builtin: bool
    permissions: list[str]
    users: int = Field(description="How many hold it.")
    version: int


class RoleList(Out):
    items: list[RoleOut]


class UserQuery(PageQuery):
    q: str | None = Field(
        default=None, max_length=200, pattern=PlainText, description="Part of the name or e-mail."
    )
    role: str | None = Field(default=None, max_length=50, pattern=PlainText)
    active: bool | None = None


class UserRequest(Body):
    """A user with a password somebody else chose; an invitation is the better way."""

    email: Email
    name: PersonName = ""
    role: str = Field(default="user", max_length=50)
    password: str = NewPassword
    teams: list[str] = Field(default=[], max_length=50, description="Ids of teams to put the user in.")


class UserChange(Body):
    email: Email | None = None
    name: PersonName | None = None
    role: str | None = Field(default=None, max_length=50)
    active: bool | None = None


class InviteRequest(Body):
    email: Email | None = Field(default=None, description="Only this address.")
    role: str = Field(default="user", max_length=50)
    teams: list[str] = Field(default=[], max_length=50)
    days: int = Field(default=7, ge=1, le=30, description="Until it expires.")


class InviteOut(Out):
    id: str
    kind: Literal["invite", "reset"]
    email: str | None
    role: str
    teams: list[str]
    state: Literal["open", "used", "revoked", "expired"]
    created_at: Timestamp
    expires_at: Timestamp


class InviteMade(InviteOut):
    """`link` is shown this once: the hub keeps only a hash of its token."""

    link: str
    token: str


class TeamRequest(Body):
    name: str = Field(min_length=1, max_length=100, pattern=PlainText)
    description: str = Field(default="", max_length=500)


class TeamChange(Body):
    name: str | None = Field(default=None, min_length=1, max_length=100, pattern=PlainText)
    description: str | None = Field(default=None, max_length=500)


class MemberRequest(Body):
    manager: bool = False


class MemberOut(Out):
    user_id: str
    name: str
    email: str
    manager: bool


class TeamOut(Out):
    id: str
    name: str
    description: str
    members: list[MemberOut]
    created_at: Timestamp
    version: int


class ApiKeyQuery(PageQuery):
    all: bool = Field(default=False, description="Everybody's keys; needs `users.manage`.")


class ApiKeyRequest(Body):
    name: str = Field(min_length=1, max_length=100, pattern=PlainText)
    scopes: list[str] = Field(
        default=["chat.use", "models.read", "deployments.read"],
        min_length=1,
        max_length=100,
        description="Permissions, a part of your own.",
    )
    deployments: list[str] | None = Field(
        default=None, max_length=200, description="Ids of the only deployments it may ask; null for all."
    )
    days: int | None = Field(default=None, ge=1, le=3650, description="Until it expires; null for never.")
    requests_per_minute: int | None = Field(default=None, ge=1, le=1_000_000)


class ApiKeyOut(Out):
    id: str
    user_id: str
    name: str
    prefix: str
    scopes: list[str]
    deployments: list[str] | None
    requests_per_minute: int | None
    state: Literal["active", "expired", "revoked"]
    created_at: Timestamp
    expires_at: Timestamp | None
    last_used_at: Timestamp | None
    last_used_from: str | None


class ApiKeyMade(ApiKeyOut):
    """`key` is shown this once: the hub keeps only a hash."""

    key: str


class LockoutOut(Out):
    id: str
    kind: Literal["account", "address"]
    value: str
    failures: int
    locked: bool
    locked_until: Timestamp | None
    last_failed_at: Timestamp


class LockoutList(Out):
    items: list[LockoutOut]
