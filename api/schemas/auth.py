"""Signing in, staying in, and one's own account."""

from typing import Annotated, Literal

from pydantic import Field

from api.schemas.base import Body, Out, Timestamp

Email = Annotated[
    str,
    Field(
        min_length=3,
        max_length=254,
        pattern=r"^\s*[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\s*$",
        examples=["ada@example.org"],
    ),
]
PlainText = r"^[^\x00-\x1f\x7f]*$"
"""One line without control characters."""
PersonName = Annotated[str, Field(max_length=200, pattern=PlainText)]
NewPassword = Field(min_length=8, max_length=1024, description="8 characters or more, not a common one.")


class Login(Body):
    email: str = Field(min_length=1, max_length=254, examples=["ada@example.org"])
    password: str = Field(min_length=1, max_length=1024)


class Registration(Body):
    email: Email
    name: PersonName = ""
    password: str = NewPassword


class JoinRequest(Body):
    """`token` is the part of an invitation's link after `#`."""

    token: str = Field(min_length=8, max_length=200)
    email: Email | None = None
    name: PersonName = ""
    password: str = NewPassword


class JoinLook(Body):
    token: str = Field(min_length=8, max_length=200)


class JoinInfo(Out):
    """What an invitation is for, shown to who holds it."""

    kind: Literal["invite", "reset"]
    email: str | None
    role: str
    expires_at: Timestamp


class SignInOptions(Out):
    """What the sign-in page may offer."""

    registration: bool
    sso: bool
    sso_title: str


class UserOut(Out):
    id: str
    email: str
    name: str
    role: str
    active: bool = True
    created_at: Timestamp
    last_seen_at: Timestamp | None = None
    version: int = 1


class TeamMembership(Out):
    id: str
    name: str
    manager: bool


class Profile(UserOut):
    """Who you are, and what you may do. `set_up` is true until a made-up password has been replaced."""

    permissions: list[str] = []
    teams: list[TeamMembership] = []
    set_up: bool = False
    has_password: bool = True


class ProfileChange(Body):
    name: PersonName | None = None
    email: Email | None = None


class PasswordChange(Body):
    current: str = Field(min_length=1, max_length=1024)
    new: str = NewPassword


class SignedIn(Out):
    """`access_token` is a Bearer for `expires_in` seconds; the refresh token came as a cookie."""

    access_token: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 - the scheme, not a secret
    user: Profile


class SessionInfo(Out):
    """One sign-in on one device."""

    id: str
    current: bool
    device: str = Field(description="Browser and system, as far as the User-Agent says.")
    address: str | None
    method: str
    created_at: Timestamp
    last_seen_at: Timestamp
    expires_at: Timestamp


class SessionList(Out):
    items: list[SessionInfo]
