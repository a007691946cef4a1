"""Single sign-on with an OpenID Connect issuer: Authorization Code with PKCE (OpenID Connect Core 1.0 §3.1,
RFC 7636), the answer verified in full.

Only the configured issuer is asked, and what its discovery document names: over https, or over http at the
issuer's own origin when that is how it was configured. No redirect is followed.
"""

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    ExpiredTokenError,
    InvalidClaimError,
    InvalidKeyIdError,
    JoseError,
    MissingClaimError,
)
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from integrations.errors import AccessDenied, IntegrationError, Unreachable, Unsupported
from integrations.http import USER_AGENT, Origin, tls

ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA",
)  # fmt: skip
"""Signatures that only the issuer can make: not `none`, and no HMAC, whose key others may know."""

LEEWAY = 60
"""Seconds that the issuer's clock and ours may differ."""

REMEMBERED = 3600.0
"""Seconds that discovery and keys are remembered; a key we do not know is looked for at once, if the last
look is `LOOK_AGAIN` ago."""
LOOK_AGAIN = 10.0

MOST_BYTES = 1024**2
_TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
_CLOCK = "The clocks of the two machines may differ: set both by a time server."


class Refused(AccessDenied):
    """The issuer, or what it said, does not let this person in."""

    code = "SSO_REFUSED"


class Misconfigured(IntegrationError):
    """The hub and the issuer do not agree about each other; an administrator has to look."""

    code = "SSO_MISCONFIGURED"


@dataclass(frozen=True)
class Request:
    """One attempt to sign in, as the browser carries it there and back. All values are random."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str


class Issuer:
    """An issuer and this hub's registration there. Safe to share between threads."""

    def __init__(self, url: str, client_id: str, client_secret: str | None, scopes: str) -> None:
        self.url = url
        self.client_id = client_id
        self.scopes = " ".join(dict.fromkeys(["openid", *scopes.split()]))
        self._secret = client_secret
        self._origin = Origin.of(url)
        self._lock = threading.RLock()
        self._discovery: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def address(self, request: Request) -> str:
        """Where to send the browser."""
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self._endpoint("authorization_endpoint"),
                state=request.state,
                code_verifier=request.verifier,
                nonce=request.nonce,
                redirect_uri=request.redirect_uri,
                scope=self.scopes,
            )
        return str(url)

    def claims(self, code: str, request: Request, wanted: tuple[str, ...]) -> dict[str, Any]:
        """Trade the code for what the issuer says about the person: the id token's claims, verified, and what
        only its userinfo endpoint tells, if one of `wanted` is missing.

        Raises Refused, Misconfigured or Unreachable.
        """
        with self._client() as client:
            token = self._exchange(client, code, request)
            claims = self._verified(token, request.nonce)
            missing = any(name not in claims for name in wanted)
            if missing and "userinfo_endpoint" in self._discover() and token.get("access_token"):
                claims = self._userinfo(client, claims) | claims
        return claims

    def _exchange(self, client: OAuth2Client, code: str, request: Request) -> dict[str, Any]:
        try:
            token = client.fetch_token(
                self._endpoint("token_endpoint"),
                grant_type="authorization_code",
                code=code,
                code_verifier=request.verifier,
                redirect_uri=request.redirect_uri,
            )
        except OAuthError as error:
            raise self._unwilling(str(error.error)) from None
        except httpx2.HTTPStatusError as error:
            raise self._away(f"its token endpoint answered {error.response.status_code}") from None
        except httpx2.HTTPError as error:
            raise self._away(type(error).__name__) from None
        except ValueError:
            raise self._away("its token endpoint gave no JSON") from None
        if not isinstance(token.get("id_token"), str):
            raise Misconfigured(
                f"{self.url} signed nobody in: its answer has no id token. "
                "Check that MODELHUB_OIDC_SCOPES has 'openid' and that the client there may use it."
            )
        return dict(token)

    def _unwilling(self, error: str) -> IntegrationError:
        """What RFC 6749 §5.2 calls the reasons of a token endpoint."""
        if error in ("invalid_client", "unauthorized_client"):
            return Misconfigured(
                f"{self.url} does not accept this hub: check MODELHUB_OIDC_CLIENT_ID and "
                "MODELHUB_OIDC_CLIENT_SECRET against the client that is registered there."
            )
        if error == "invalid_grant":
            return Refused(
                "The sign-in took too long, was used twice, or was begun at another address. Begin again; if "
                "it stays, compare the redirect address registered at the issuer with this hub's."
            )
        # Its description is not repeated: it may hold the code, or our secret.
        known = error if re.fullmatch(r"[a-z_]{1,40}", error) else "a reason it did not name"
        return Misconfigured(f"{self.url} refused the sign-in ({known}). Its own log should say why.")

    def _verified(self, token: dict[str, Any], nonce: str) -> dict[str, Any]:
        """The id token's claims: signature, algorithm, issuer, audience, times, nonce (Core §3.1.3.7)."""
        wrong = Refused(f"What {self.url} sent is not signed by it for this hub, and was not believed.")
        registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
        try:
            decoded = self._with_keys(lambda keys: jwt.decode(token["id_token"], keys, registry=registry))
        except (JoseError, ValueError, TypeError, KeyError):
            raise wrong from None
        if "crit" in decoded.header:
            raise wrong
        options: Any = {
            "iss": {"essential": True, "value": self._discover()["issuer"]},
            "aud": {"essential": True, "value": self.client_id},
        }
        params = {"nonce": nonce, "client_id": self.client_id, "access_token": token.get("access_token")}
        claims = CodeIDToken(decoded.claims, decoded.header, options, params)
        try:
            claims.validate(leeway=LEEWAY)
        except ExpiredTokenError:
            raise Refused(f"What {self.url} sent has expired already. {_CLOCK}") from None
        except (InvalidClaimError, MissingClaimError) as error:
            raise self._unfit(str(getattr(error, "claim", ""))) from None
        except (JoseError, ValueError, TypeError):
            raise wrong from None
        if not isinstance(claims.get("sub"), str) or not 0 < len(claims["sub"]) <= 255:
            raise self._unfit("sub")
        return dict(claims)

    def _unfit(self, claim: str) -> Refused:
        if claim in ("iat", "nbf", "exp"):
            return Refused(f"What {self.url} sent is not valid now. {_CLOCK}")
        if claim == "nonce":
            return Refused("This answer belongs to another sign-in. Begin again.")
        return Refused(
            f"What {self.url} sent was made for somebody else ('{claim[:30]}' does not fit), and was not "
            "believed. Check MODELHUB_OIDC_ISSUER and MODELHUB_OIDC_CLIENT_ID."
        )

    def _userinfo(self, client: OAuth2Client, claims: dict[str, Any]) -> dict[str, Any]:
        token = client.token["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        said = self._get(client, self._endpoint("userinfo_endpoint"), headers)
        if said.get("sub") != claims["sub"]:  # Core §5.3.2: otherwise it may be about somebody else
            raise Refused(f"{self.url} speaks of two different people. Begin again.")
        return said

    def _with_keys(self, verify: Callable[[KeySet], Any]) -> Any:
        """Verify with the keys we know; with new ones when the issuer has changed them since."""
        asked, keys = self._key_set(REMEMBERED)
        try:
            return verify(keys)
        except (
            InvalidKeyIdError,
            BadSignatureError,
        ):  # a new key may come without a name, or with the old one
            if time.monotonic() - asked < LOOK_AGAIN:
                raise
            return verify(self._key_set(LOOK_AGAIN)[1])

    def _key_set(self, most_age: float) -> tuple[float, KeySet]:
        """Keys that were asked for at most `most_age` seconds ago, and when that was."""
        with self._lock:
            now = time.monotonic()
            known = self._keys
            if known is None or now - known[0] > most_age:
                with self._client() as client:
                    document = self._get(client, self._endpoint("jwks_uri"))
                known = self._keys = (now, self._usable(document))
        return known

    def _usable(self, document: dict[str, Any]) -> KeySet:
        """Public signature keys only: a shared secret in this list would let anybody sign."""
        given = document.get("keys")
        keys = [
            key
            for key in (given if isinstance(given, list) else [])
            if isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP") and key.get("use") != "enc"
        ]
        try:
            return KeySet.import_key_set({"keys": keys})
        except (JoseError, ValueError, TypeError, KeyError):
            raise self._away("its list of keys makes no sense") from None

    def _discover(self) -> dict[str, Any]:
        with self._lock:
            known = self._discovery
            if known is None or time.monotonic() - known[0] > REMEMBERED:
                with self._client() as client:
                    document = self._get(client, f"{self.url}/.well-known/openid-configuration")
                said = str(document.get("issuer", ""))
                if said.rstrip("/") != self.url:  # Discovery §4.3; with or without the last slash
                    raise Misconfigured(
                        f"MODELHUB_OIDC_ISSUER is {self.url}, but what answers there calls itself "
                        f"'{said[:200]}'. Use that name if you trust it."
                    )
                known = self._discovery = (time.monotonic(), document)
        return known[1]

    def _endpoint(self, name: str) -> str:
        address = self._discover().get(name)
        try:
            origin = Origin.of(str(address))
        except Unsupported:
            raise Misconfigured(f"{self.url} names no usable {name} in its discovery document.") from None
        if origin.scheme != "https" and origin != self._origin:
            raise Misconfigured(f"{self.url} names an unencrypted {name} at {origin}. That was refused.")
        return str(address)

    def _get(self, client: OAuth2Client, url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """A JSON object. What is answered after redirects is not asked for: nothing here needs one."""
        try:
            with client.stream("GET", url, withhold_token=True, auth=None, headers=headers) as response:
                if response.status_code != 200:
                    raise self._away(f"{url} answered {response.status_code}")
                body = bytearray()
                for piece in response.iter_bytes():
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise self._away(f"{url} answered with more than {MOST_BYTES} bytes")
        except httpx2.HTTPError as error:
            raise self._away(type(error).__name__) from None
        try:
            value = json.loads(body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise self._away(f"{url} gave no JSON object")
        return value

    def _client(self) -> OAuth2Client:
        known = self._discovery[1] if self._discovery else {}
        methods = known.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        post = "client_secret_basic" not in methods and "client_secret_post" in methods
        return OAuth2Client(
            self.client_id,
            self._secret,
            token_endpoint_auth_method=None if not (self._secret and post) else "client_secret_post",
            code_challenge_method="S256",
            timeout=_TIMEOUT,
            follow_redirects=False,
            verify=tls(),
            headers={"User-Agent": USER_AGENT},
        )

    def _away(self, reason: str) -> Unreachable:
        return Unreachable(
            f"{self.url} does not answer as an OpenID Connect issuer should ({reason[:200]}). Try again in a "
            "moment, or sign in with a password."
        )
