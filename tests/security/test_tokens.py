"""Access tokens: whatever is changed about a good one, it is nobody's."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from flask import Flask

from api.errors import Unauthenticated
from api.security.authorise import identify
from api.security.keys import signing_key
from api.security.tokens import issue_access
from tests.support.door import Browser, secret_hash
from tests.support.people import user

HEADER = {"alg": "HS256", "typ": "JWT"}


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed(header: dict[str, Any], body: bytes, key: bytes, algorithm: Any = hashlib.sha256) -> str:
    """Ours, since PyJWT refuses to make what an attacker would."""
    text = f"{b64(json.dumps(header).encode())}.{b64(body)}"
    return f"{text}.{b64(hmac.digest(key, text.encode(), algorithm))}"


def pieces(header: dict[str, Any], claims: dict[str, Any], signature: str) -> str:
    return ".".join((b64(json.dumps(header).encode()), b64(json.dumps(claims).encode()), signature))


def other_algorithms(claims: dict[str, Any], key: bytes, signature: str) -> Iterator[tuple[str, str]]:
    for name in ("none", "None", "NONE", "nOnE", "", "HS1", "hs256", "RS256", "dir", "null", None, 0, [], {}):
        for end in ("", signature):
            yield (
                f"alg {name!r} with{'' if end else 'out'} signature",
                pieces({"alg": name, "typ": "JWT"}, claims, end),
            )
    for name in ("HS384", "HS512"):
        algorithm = hashlib.sha384 if name == "HS384" else hashlib.sha512
        yield name, signed({"alg": name, "typ": "JWT"}, json.dumps(claims).encode(), key, algorithm)
    private = rsa.generate_private_key(65537, 2048)
    curve = ec.generate_private_key(ec.SECP256R1())
    yield "RS256", jwt.encode(claims, private, algorithm="RS256")
    yield "PS256", jwt.encode(claims, private, algorithm="PS256")
    yield "ES256", jwt.encode(claims, curve, algorithm="ES256")
    for each in (private, curve):
        for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER):
            public = each.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
            yield "a public key as secret", signed(HEADER, json.dumps(claims).encode(), public)


def other_headers(claims: dict[str, Any], key: bytes) -> Iterator[tuple[str, str]]:
    extra = {
        "kid": ["0", "../../../../dev/null", "/dev/null", "' OR '1'='1", "secret.key", 0],
        "jku": ["http://127.0.0.1:9/keys", "https://attacker.example/jwks.json"],
        "jwk": [{"kty": "oct", "k": b64(b"x" * 32)}],
        "x5u": ["https://attacker.example/cert.pem"],
        "x5c": [["MII"]],
        "crit": [["exp"], ["unknown"], []],
        "b64": [False],
        "zip": ["DEF"],
        "cty": ["JWT"],
        "typ": ["at+jwt", "jwt", "", None],
    }
    for name, values in extra.items():
        for value in values:
            yield f"{name} {value!r}", signed({**HEADER, name: value}, json.dumps(claims).encode(), key)


def other_claims(claims: dict[str, Any], key: bytes) -> Iterator[tuple[str, str]]:
    now = int(time.time())
    changes: dict[str, list[Any]] = {
        "exp": [now - 1, 0, -1, 1, "never", None, float("nan"), [now + 60]],
        "nbf": [now + 600, "later"],
        "iat": [now + 600, "earlier", None],
        "aud": ["other", "", None, ["modelhub-api", "other"], ["modelhub-api"], 1],
        "iss": ["other", "", None, "ModelHub", ["modelhub"]],
        "typ": ["refresh", "", None, "ACCESS", 1],
        "sub": ["nobody", "", None, 1, "0" * 32],
        "sid": ["0" * 32, "", None, 1, "' OR 1=1 --", "\0"],
    }
    for name, values in changes.items():
        without = {k: v for k, v in claims.items() if k != name}
        if name != "nbf":
            yield f"no {name}", signed(HEADER, json.dumps(without).encode(), key)
        for value in values:
            yield f"{name} {value!r}", signed(HEADER, json.dumps({**claims, name: value}).encode(), key)
    for body in (b"", b"null", b"[]", b'"text"', b"{", b"{}", b"[" * 100_000, b"\xff\xfe"):
        yield f"claims {body[:8]!r}", signed(HEADER, body, key)


def other_bytes(token: str) -> Iterator[tuple[str, str]]:
    head, body, signature = token.split(".")
    raw = unb64(signature)
    for bit in range(0, 256, 9):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        yield f"signature bit {bit}", f"{head}.{body}.{b64(bytes(flipped))}"
    for bit in range(0, len(unb64(body)) * 8, 149):
        changed = bytearray(unb64(body))
        changed[bit // 8] ^= 1 << bit % 8
        yield f"claims bit {bit}", f"{head}.{b64(bytes(changed))}.{signature}"
    for length in range(0, len(token) - 1, 37):
        yield f"the first {length}", token[:length]
    yield "half a signature", f"{head}.{body}.{b64(raw[:16])}"
    yield "a longer signature", f"{head}.{body}.{b64(raw + raw)}"
    yield "no signature", f"{head}.{body}."
    yield "two parts", f"{head}.{body}"
    yield "four parts", f"{token}.{signature}"
    yield "twice", token + token
    yield "a NUL", token + "\0"
    yield "text that is no token", "é" * 100


def other_keys(claims: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, key in {
        "an empty key": b"",
        "zeros": b"\0" * 32,
        "a guess": b"secret" * 6,
        "the key of refresh tokens": signing_key("refresh-successor"),
        "the key of another purpose": signing_key("vault"),
    }.items():
        yield name, signed(HEADER, json.dumps(claims).encode(), key)


def test_every_mutation_is_refused(app: Flask) -> None:
    anna = user(app, "anna", password_hash=secret_hash())
    browser = Browser(app)
    browser.sign_in(anna.email)
    good, key = browser.access, signing_key("access-token")
    claims = jwt.decode(good, options={"verify_signature": False})
    other = user(app, "ben")
    corpus = [
        *other_algorithms(claims, key, good.rpartition(".")[2]),
        *other_headers(claims, key),
        *other_claims(claims, key),
        *other_bytes(good),
        *other_keys(claims),
        ("somebody else's session", issue_access(other.id, claims["sid"])),
        ("a refresh token", browser.cookie),
        ("a local token", "mhl_guess"),
        ("an API key", "mh_" + "A" * 43),
        ("an invitation", "mhi_" + "A" * 43),
    ]
    assert len(corpus) > 150
    for name, token in corpus:
        with pytest.raises(Unauthenticated):
            identify(token)
            pytest.fail(f"accepted: {name}")
    for name, token in corpus[::4]:
        if token.isascii() and token.isprintable():
            browser.access = token or "x"
            answer = browser.call("GET", "auth/me")
            assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer", name
    browser.access = signed(HEADER, json.dumps(claims).encode(), key)
    assert browser.is_in(), "the tools above can make a good one"
    browser.access = good
    assert browser.is_in()
