"""Access tokens: short-lived, signed, one algorithm, one type, one audience."""

import secrets
import time
from typing import Any

import jwt

from api.errors import Unauthenticated
from api.security.keys import derive

ACCESS_SECONDS = 15 * 60
REFRESH_SECONDS = 7 * 24 * 3600
_ALGORITHM = "HS256"
_ISSUER = "modelhub"
_AUDIENCE = "modelhub-api"


def issue_access(secret: bytes, user_id: str, family: str) -> str:
    """A Bearer for 15 minutes. `sid` names the chain of refresh tokens, so signing out is noticed."""
    now = int(time.time())
    claims = {
        "sub": user_id,
        "sid": family,
        "iss": _ISSUER,
        "aud": _AUDIENCE,
        "typ": "access",
        "iat": now,
        "exp": now + ACCESS_SECONDS,
        "jti": secrets.token_hex(8),
    }
    return jwt.encode(claims, derive(secret, "access-token"), algorithm=_ALGORITHM)


def read_access(secret: bytes, token: str) -> dict[str, Any]:
    """The claims of a valid access token; anything else is `Unauthenticated`."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            derive(secret, "access-token"),
            algorithms=[_ALGORITHM],
            audience=_AUDIENCE,
            issuer=_ISSUER,
            options={"require": ["exp", "iat", "sub", "sid", "aud", "iss"]},
        )
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("The access token has expired. Refresh it or sign in again.") from None
    except jwt.InvalidTokenError:
        raise Unauthenticated("The access token is not valid. Sign in again.") from None
    if claims.get("typ") != "access":
        raise Unauthenticated("This is not an access token. Sign in again.")
    return claims
