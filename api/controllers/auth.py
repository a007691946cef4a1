"""/auth: signing in, staying signed in, signing out. The refresh token lives only in an HttpOnly cookie."""

from flask import Response, make_response, request
from flask_restful import Resource

from api.controllers.contract import contract
from api.errors import Forbidden, Unauthenticated, now_text
from api.extensions import settings
from api.schemas.auth import Login, SignedIn, UserOut
from api.schemas.base import Empty
from api.security.authorise import current
from api.security.tokens import REFRESH_SECONDS
from api.services import accounts

COOKIE = "mh_refresh"
COOKIE_PATH = "/api/v1/auth"


class LoginResource(Resource):
    @contract("public", body=Login, out=SignedIn, errors=(401, 429))
    def post(self, body: Login) -> Response:
        """Sign in with e-mail and password."""
        _same_site()
        return _with_cookie(*accounts.sign_in(body.email, body.password))


class RefreshResource(Resource):
    @contract("public", out=SignedIn, errors=(401, 403))
    def post(self) -> Response:
        """Trade the refresh cookie for a new access token; the cookie is replaced."""
        _same_site()
        token = request.cookies.get(COOKIE)
        if not token:
            raise Unauthenticated("There is no session here. Sign in.")
        return _with_cookie(*accounts.refresh(token))


class LogoutResource(Resource):
    @contract("public", out=Empty, errors=(403,))
    def post(self) -> Response:
        """End the session of the refresh cookie."""
        _same_site()
        accounts.sign_out(request.cookies.get(COOKIE))
        response = make_response(_envelope({}))
        response.delete_cookie(COOKIE, path=COOKIE_PATH, httponly=True, samesite="Strict", secure=_secure())
        return response


class MeResource(Resource):
    @contract("signed_in", out=UserOut)
    def get(self) -> UserOut:
        """Who you are."""
        return accounts.profile(current())


def _with_cookie(answer: SignedIn, token: str) -> Response:
    response = make_response(_envelope(answer.model_dump(mode="json")))
    response.set_cookie(
        COOKIE,
        token,
        max_age=REFRESH_SECONDS,
        path=COOKIE_PATH,
        httponly=True,
        samesite="Strict",
        secure=_secure(),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _envelope(data: dict) -> dict:  # type: ignore[type-arg]
    return {"success": True, "message": "OK", "data": data, "code": 200, "timestamp": now_text()}


def _secure() -> bool:
    return settings().secure_cookies or request.is_secure


def _same_site() -> None:
    """SameSite=Strict keeps the cookie home; the Origin check covers browsers that do not honour it."""
    origin = request.headers.get("Origin")
    allowed = {request.host_url.rstrip("/"), settings().public_url, *settings().cors_origins}
    if origin and origin not in allowed:
        raise Forbidden("This page may not sign in here: its origin is not this hub's.")


ROUTES = [
    (LoginResource, "/api/v1/auth/login"),
    (RefreshResource, "/api/v1/auth/refresh"),
    (LogoutResource, "/api/v1/auth/logout"),
    (MeResource, "/api/v1/auth/me"),
]
