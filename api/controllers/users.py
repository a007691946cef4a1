"""/users, /invites and /lockouts: who uses the hub, who may come in, who is kept out."""

from flask import request
from flask_restful import Resource

from api.controllers.contract import contract
from api.extensions import settings
from api.schemas.access import (
    InviteMade,
    InviteOut,
    InviteRequest,
    LockoutList,
    UserChange,
    UserQuery,
    UserRequest,
)
from api.schemas.auth import SessionList, UserOut
from api.schemas.base import Empty, Page, PageQuery
from api.security.authorise import current
from api.services import invites, lockouts, users


class UsersResource(Resource):
    @contract("users.read", query=UserQuery, out=Page[UserOut])
    def get(self, query: UserQuery) -> Page[UserOut]:
        """Who uses this hub, newest first."""
        return users.list_users(query)

    @contract("users.manage", body=UserRequest, out=UserOut, status=201, errors=(409,))
    def post(self, body: UserRequest) -> UserOut:
        """Make a user with a password that you choose; an invitation is the better way."""
        return users.create(body, current())


class UserResource(Resource):
    @contract("users.read", out=UserOut)
    def get(self, user_id: str) -> UserOut:
        """One user."""
        return users.get(user_id)

    @contract("users.manage", body=UserChange, out=UserOut, errors=(409,))
    def patch(self, user_id: str, body: UserChange) -> UserOut:
        """Change name, e-mail, role, or whether the user may sign in."""
        return users.change(user_id, body, current())

    @contract("users.manage", out=Empty, errors=(409,))
    def delete(self, user_id: str) -> None:
        """Remove a user; models, downloads and deployments become yours."""
        users.delete(user_id, current())


class ResetResource(Resource):
    @contract("users.manage", out=InviteMade, status=201, errors=(409,))
    def post(self, user_id: str) -> InviteMade:
        """Make a link with which the user chooses a new password. It works once, for a day."""
        return invites.reset(user_id, current(), _base())


class UserSessionsResource(Resource):
    @contract("users.manage", out=SessionList)
    def get(self, user_id: str) -> SessionList:
        """Where a user is signed in."""
        return users.list_sessions(user_id)

    @contract("users.manage", out=Empty)
    def delete(self, user_id: str) -> None:
        """Sign a user out everywhere."""
        users.end_sessions(user_id, current())


class InvitesResource(Resource):
    @contract("users.manage", query=PageQuery, out=Page[InviteOut])
    def get(self, query: PageQuery) -> Page[InviteOut]:
        """Invitations and reset links, newest first."""
        return invites.list_invites(query)

    @contract("users.manage", body=InviteRequest, out=InviteMade, status=201, errors=(409,))
    def post(self, body: InviteRequest) -> InviteMade:
        """Invite somebody: a link for one new user, shown this once."""
        return invites.invite(body, current(), _base())


class InviteResource(Resource):
    @contract("users.manage", out=Empty, errors=(409,))
    def delete(self, invite_id: str) -> None:
        """Make an invitation or reset link void."""
        invites.revoke(invite_id)


class LockoutsResource(Resource):
    @contract("users.manage", out=LockoutList)
    def get(self) -> LockoutList:
        """Accounts and addresses with failed sign-ins in the last hour."""
        return lockouts.list_lockouts()


class LockoutResource(Resource):
    @contract("users.manage", out=Empty)
    def delete(self, lockout_id: str) -> None:
        """Let an account or address try again now."""
        lockouts.lift(lockout_id)


def _base() -> str:
    """Where people reach this hub."""
    return settings().public_url or request.host_url.rstrip("/")


ROUTES = [
    (UsersResource, "/api/v1/users"),
    (UserResource, "/api/v1/users/<user_id>"),
    (ResetResource, "/api/v1/users/<user_id>/reset"),
    (UserSessionsResource, "/api/v1/users/<user_id>/sessions"),
    (InvitesResource, "/api/v1/invites"),
    (InviteResource, "/api/v1/invites/<invite_id>"),
    (LockoutsResource, "/api/v1/lockouts"),
    (LockoutResource, "/api/v1/lockouts/<lockout_id>"),
]
