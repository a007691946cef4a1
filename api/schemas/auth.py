"""Signing in and who one is."""

from pydantic import Field

from api.schemas.base import Body, Out, Timestamp


class Login(Body):
    email: str = Field(min_length=3, max_length=254, examples=["admin@localhost"])
    password: str = Field(min_length=1, max_length=1024)


class UserOut(Out):
    id: str
    email: str
    name: str
    role: str
    created_at: Timestamp


class SignedIn(Out):
    """`access_token` is a Bearer for `expires_in` seconds; the refresh token came as a cookie."""

    access_token: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 - the scheme, not a secret
    user: UserOut
