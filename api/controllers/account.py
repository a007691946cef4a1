"""/auth, one's own account: profile, password, and where one is signed in."""

from flask_restful import Resource

from api.controllers.contract import contract
from api.controllers.cookies import caller
from api.schemas.auth import PasswordChange, Profile, ProfileChange, SessionList
from api.schemas.base import Empty
from api.security.authorise import current
from api.services import accounts, profiles, sessions


class MeResource(Resource):
    @contract("signed_in", out=Profile)
    def get(self) -> Profile:
        """Who you are, and what you may do."""
        return profiles.profile(current())

    @contract("signed_in", body=ProfileChange, out=Profile, errors=(409,))
    def patch(self, body: ProfileChange) -> Profile:
        """Change your name or e-mail."""
        return accounts.change_profile(body, current())


class PasswordResource(Resource):
    @contract("signed_in", body=PasswordChange, out=Empty, errors=(409, 429))
    def post(self, body: PasswordChange) -> None:
        """Change your password; every other session of yours ends."""
        accounts.change_password(body, current(), caller())


class SessionsResource(Resource):
    @contract("signed_in", out=SessionList)
    def get(self) -> SessionList:
        """Where you are signed in."""
        return sessions.list_own(current())

    @contract("signed_in", out=Empty)
    def delete(self) -> None:
        """End all of your sessions but this one."""
        sessions.end_others(current())


class SessionResource(Resource):
    @contract("signed_in", out=Empty)
    def delete(self, session_id: str) -> None:
        """End one of your sessions."""
        sessions.end_one(session_id, current())


ROUTES = [
    (MeResource, "/api/v1/auth/me"),
    (PasswordResource, "/api/v1/auth/password"),
    (SessionsResource, "/api/v1/auth/sessions"),
    (SessionResource, "/api/v1/auth/sessions/<session_id>"),
]
