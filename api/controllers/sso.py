"""/auth/sso: to the company's issuer and back. Both are visited by browsers, so a failure leads to the
sign-in page, which shows its sentence."""

from urllib.parse import urlencode

import structlog
from flask import Response, redirect, request
from flask_restful import Resource

from api.controllers.contract import contract
from api.controllers.cookies import caller, set_cookie
from api.errors import AppError, Missing, describe
from api.extensions import settings
from api.schemas.sso import CallbackQuery, StartQuery
from api.services import sso

log = structlog.get_logger(__name__)

CALLBACK = "/api/v1/auth/sso/callback"
COOKIE, COOKIE_PATH = "mh_sso", "/api/v1/auth/sso"


class StartResource(Resource):
    @contract("public", query=StartQuery, status=302, envelope=False, errors=(404,))
    def get(self, query: StartQuery) -> Response:
        """To the issuer's sign-in page."""
        try:
            address, attempt = sso.start(query.next, _here() + CALLBACK)
        except Missing:
            raise
        except AppError as error:
            return _failed(error)
        response = _redirect(address)
        # Lax: the issuer's redirect comes from another site, and has to bring it along.
        response.set_cookie(COOKIE, attempt, max_age=sso.SECONDS, samesite="Lax", **_attributes())
        return response


class CallbackResource(Resource):
    @contract("public", query=CallbackQuery, status=302, envelope=False, errors=(404,))
    def get(self, query: CallbackQuery) -> Response:
        """Where the issuer sends the browser back to."""
        attempt = request.cookies.get(COOKIE)
        try:
            opened, next = sso.finish(attempt, query.state, query.code, query.error, caller())
        except Missing:
            raise
        except AppError as error:
            response = _failed(error)
        else:
            response = _redirect(next)
            set_cookie(response, opened)
        response.delete_cookie(COOKIE, samesite="Lax", **_attributes())  # an attempt is good for one answer
        return response


def _failed(error: AppError) -> Response:
    message = describe(error)["message"]
    log.warning("single sign-on failed", reason=message)
    return _redirect("/login?" + urlencode({"sso_error": message}))


def _redirect(address: str) -> Response:
    response = redirect(address)
    response.headers["Cache-Control"] = "no-store"
    return response  # type: ignore[return-value]


def _here() -> str:
    """This hub's address as the issuer knows it."""
    return settings().public_url or request.host_url.rstrip("/")


def _attributes() -> dict:  # type: ignore[type-arg]
    secure = settings().secure_cookies or request.is_secure
    return {"path": COOKIE_PATH, "httponly": True, "secure": secure}


ROUTES = [
    (StartResource, "/api/v1/auth/sso/start"),
    (CallbackResource, CALLBACK),
]
