"""The one cookie there is: the refresh token, kept from scripts, from other sites and from other paths."""

from flask import Response, make_response, request

from api.errors import Forbidden, now_text
from api.extensions import settings
from api.services.sessions import Caller, Opened

COOKIE = "mh_refresh"
COOKIE_PATH = "/api/v1/auth"


def refresh_token() -> str | None:
    return request.cookies.get(COOKIE) or None


def caller() -> Caller:
    """Where this request comes from. Behind proxies, as far as `MODELHUB_TRUSTED_PROXIES` believes them."""
    return Caller(request.remote_addr, request.user_agent.string)


def signed_in(opened: Opened, status: int = 200) -> Response:
    """The answer of whatever begins or renews a session, with its cookie."""
    data = opened.answer.model_dump(mode="json")
    body = {"success": True, "message": "OK", "data": data, "code": status, "timestamp": now_text()}
    response = make_response(body, status)
    set_cookie(response, opened)
    return response


def set_cookie(response: Response, opened: Opened) -> None:
    """It ends with the session, 7 days after the sign-in: a refresh does not make that later."""
    response.set_cookie(COOKIE, opened.refresh_token, max_age=opened.seconds, **_attributes())
    response.headers["Cache-Control"] = "no-store"


def delete_cookie(response: Response) -> None:
    """With the attributes it was set with, or the browser would keep it."""
    response.delete_cookie(COOKIE, **_attributes())
    response.headers["Cache-Control"] = "no-store"


def same_site() -> None:
    """SameSite=Strict keeps the cookie home; this covers browsers that do not honour it, and signing
    somebody in to another's account."""
    origin = request.headers.get("Origin")
    allowed = {request.host_url.rstrip("/"), settings().public_url, *settings().cors_origins}
    if origin and origin not in allowed:
        raise Forbidden("This page may not sign in here: its origin is not this hub's.")
    if not origin and request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise Forbidden("Another site may not sign in here.")


def _attributes() -> dict:  # type: ignore[type-arg]
    secure = settings().secure_cookies or request.is_secure
    return {"path": COOKIE_PATH, "httponly": True, "samesite": "Strict", "secure": secure}
