"""/auth, the door: signing in, staying in, signing out, registering, and using an invitation."""

from flask import Response, jsonify
from flask_restful import Resource

from api.controllers.contract import contract
from api.controllers.cookies import caller, delete_cookie, refresh_token, same_site, signed_in
from api.errors import Unauthenticated, now_text
from api.schemas.auth import JoinInfo, JoinLook, JoinRequest, Login, Registration, SignedIn, SignInOptions
from api.schemas.base import Empty
from api.services import accounts, invites, sessions


class OptionsResource(Resource):
    @contract("public", out=SignInOptions)
    def get(self) -> SignInOptions:
        """What the sign-in page may offer."""
        return accounts.options()


class LoginResource(Resource):
    @contract("public", body=Login, out=SignedIn, errors=(401, 403, 429))
    def post(self, body: Login) -> Response:
        """Sign in with e-mail and password."""
        same_site()
        return signed_in(sessions.sign_in(body.email, body.password, caller()))


class RefreshResource(Resource):
    @contract("public", out=SignedIn, errors=(401, 403))
    def post(self) -> Response:
        """Trade the refresh cookie for a new access token; the cookie is replaced."""
        same_site()
        token = refresh_token()
        if token is None:
            raise Unauthenticated("There is no session here. Sign in.")
        return signed_in(sessions.refresh(token, caller()))


class LogoutResource(Resource):
    @contract("public", out=Empty, errors=(403,))
    def post(self) -> Response:
        """End the session of the refresh cookie."""
        same_site()
        sessions.sign_out(refresh_token())
        response = jsonify(
            {"success": True, "message": "OK", "data": {}, "code": 200, "timestamp": now_text()}
        )
        delete_cookie(response)
        return response


class RegisterResource(Resource):
    @contract("public", body=Registration, out=SignedIn, status=201, errors=(403, 409))
    def post(self, body: Registration) -> Response:
        """Make an account for oneself, where this hub allows it."""
        same_site()
        return signed_in(accounts.register(body, caller()), 201)


class JoinLookResource(Resource):
    # A token in a query would stand in the access log of every proxy on the way.
    @contract("public", body=JoinLook, out=JoinInfo, errors=(404,))
    def post(self, body: JoinLook) -> JoinInfo:
        """What an invitation or reset link is for; it stays unused."""
        return invites.look(body.token)


class JoinResource(Resource):
    @contract("public", body=JoinRequest, out=SignedIn, status=201, errors=(403, 404, 409))
    def post(self, body: JoinRequest) -> Response:
        """Use it: as a new user, or with a new password."""
        same_site()
        return signed_in(invites.join(body, caller()), 201)


ROUTES = [
    (OptionsResource, "/api/v1/auth/options"),
    (LoginResource, "/api/v1/auth/login"),
    (RefreshResource, "/api/v1/auth/refresh"),
    (LogoutResource, "/api/v1/auth/logout"),
    (RegisterResource, "/api/v1/auth/register"),
    (JoinLookResource, "/api/v1/auth/join/look"),
    (JoinResource, "/api/v1/auth/join"),
]
