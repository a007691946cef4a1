"""Access tokens: short-lived, signed, one algorithm, one type, one audience, no other header."""

import secrets
import time
from typing import Any

import jwt

from api.errors import Unauthenticated
from api.security.keys import signing_key, signing_keys

ACCESS_SECONDS = 15 * 60
REFRESH_SECONDS = 7 * 24 * 3600
_ALGORITHM = "HS256"
_ISSUER = "modelhub"
_AUDIENCE = "modelhub-api"
_PURPOSE = "access-token"


def issue_access(user_id: str, session_id: str) -> str:
    """A Bearer for 15 minutes. `sid` names the session, so that its end is noticed."""
    now = int(time.time())
    claims = {
        "sub": user_id,
        "sid": session_id,
        "iss": _ISSUER,
        "aud": _AUDIENCE,
        "typ": "access",
        "iat": now,
        "exp": now + ACCESS_SECONDS,
        "jti": secrets.token_hex(8),
    }
    return jwt.encode(claims, signing_key(_PURPOSE), algorithm=_ALGORITHM)


def read_access(token: str) -> dict[str, Any]:
    """The claims of a valid access token; anything else is `Unauthenticated`."""
    refused = Unauthenticated("The access token is not valid. Sign in again.")
    try:
        # kid, jku, jwk, x5u, crit: whoever sends one wants us to choose another key or rule.
        if jwt.get_unverified_header(token) != {"alg": _ALGORITHM, "typ": "JWT"}:
            raise refused
        claims = _verified(token)
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("The access token has expired. Refresh it or sign in again.") from None
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        raise refused from None
    if claims.get("typ") != "access" or not all(isinstance(claims[name], str) for name in ("sub", "sid")):
        raise refused
    return claims


def _verified(token: str) -> dict[str, Any]:
    wrong: jwt.InvalidTokenError = jwt.InvalidSignatureError()
    for key in signing_keys(_PURPOSE):
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                issuer=_ISSUER,
                options={"require": ["exp", "iat", "sub", "sid", "aud", "iss"], "strict_aud": True},
            )
        except jwt.InvalidSignatureError as error:
            wrong = error
    raise wrong
