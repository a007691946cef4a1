"""What an OpenID Connect issuer says is verified in full: an issuer that lies is believed in nothing."""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt as pyjwt
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from integrations.errors import Unreachable
from integrations.oidc import Issuer, Misconfigured, Refused, Request
from tests.support.oidc_provider import Forger, forger


@pytest.fixture(scope="module")
def liar() -> Iterator[Forger]:
    with forger() as running:
        yield running


REQUEST = Request("state", "nonce", "v" * 43, "http://localhost/api/v1/auth/sso/callback")


@pytest.fixture
def fresh(liar: Forger) -> Forger:
    """As good as new."""
    liar.__init__(port=liar.port, key=liar.key)  # type: ignore[misc]
    liar.claims = {"nonce": "nonce"}
    return liar


def ask(liar: Forger, wanted: tuple[str, ...] = (), issuer: Issuer | None = None) -> dict[str, Any]:
    issuer = issuer or Issuer(liar.url, "hub", "s3cret", "openid email")
    query = dict(parse_qsl(urlsplit(issuer.address(REQUEST)).query))
    liar.challenge = query["code_challenge"]
    return issuer.claims("code", REQUEST, wanted)


def test_a_true_answer_is_believed(fresh: Forger) -> None:
    assert ask(fresh)["sub"] == "s"
    [sent] = [headers for path, headers in fresh.seen if path == "/token"]
    assert sent["authorization"].startswith("Basic ") and sent["code_verifier"] == REQUEST.verifier
    fresh.claims |= {"aud": ["hub", "other"], "azp": "hub"}
    assert ask(fresh)["azp"] == "hub"


def test_who_does_not_hold_the_verifier_gets_nothing(fresh: Forger) -> None:
    issuer = Issuer(fresh.url, "hub", "s3cret", "openid")
    fresh.challenge = "of another attempt"
    with pytest.raises(Refused, match="used twice"):
        issuer.claims("stolen code", REQUEST, ())


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"}, {"nonce": None}, {"iss": "https://elsewhere.example"}, {"iss": None},
        {"aud": "another"}, {"aud": None}, {"aud": ["hub", "other"]}, {"aud": ["hub", "o"], "azp": "other"},
        {"azp": "other"}, {"exp": None}, {"exp": 1}, {"iat": None}, {"iat": 4102444800}, {"nbf": 4102444800},
        {"exp": "soon"}, {"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": "s" * 256}, {"at_hash": "wrong"},
    ],
    ids=str,
)  # fmt: skip
def test_claims_that_do_not_fit_are_refused(fresh: Forger, claims: dict[str, Any]) -> None:
    fresh.claims |= claims
    with pytest.raises(Refused) as refused:
        ask(fresh)
    if {"exp", "nbf"} & claims.keys() and claims.get("exp") != "soon" and None not in claims.values():
        assert "clocks" in str(refused.value)


def encoded(part: dict[str, Any] | bytes) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(fresh: Forger) -> Iterator[str]:
    now = int(time.time())
    claims = {
        "iss": fresh.url, "aud": "hub", "sub": "root", "nonce": "nonce", "iat": now, "exp": now + 300
    }  # fmt: skip
    other = RSAKey.generate_key(2048)
    yield pyjwt.encode(claims, None, algorithm="none")
    unsigned = [{"alg": "None", "kid": "one"}, {"alg": "nOnE"}, {"kid": "one"}]
    yield from (f"{encoded(header)}.{encoded(claims)}." for header in unsigned)
    yield jwt.encode({"alg": "RS256", "kid": "one"}, claims, other)
    yield jwt.encode({"alg": "RS256"}, claims, other)
    yield jwt.encode({"alg": "RS256", "jwk": other.as_dict(private=False)}, claims, other)
    for secret in (fresh.key.as_pem(private=False), fresh.key.as_der(private=False), b"s3cret", b""):
        text = f"{encoded({'alg': 'HS256', 'kid': 'one'})}.{encoded(claims)}"
        yield f"{text}.{encoded(hmac.digest(secret, text.encode(), 'sha256'))}"
    good = jwt.encode({"alg": "RS256", "kid": "one"}, claims, fresh.key)
    head, body, signature = good.split(".")
    yield f"{head}.{body}."
    yield f"{head}.{body}.{signature[:-8]}AAAAAAAA"
    yield (
        pyjwt.encode({**claims, "sub": "other"}, "k" * 32, algorithm="HS256").rpartition(".")[0]
        + "."
        + signature
    )
    yield pyjwt.encode(
        claims, fresh.key.as_pem(private=True), algorithm="RS256", headers={"crit": ["exp"], "kid": "one"}
    )
    yield ""
    yield "a.b.c"
    yield "not a token"


def test_forged_tokens_are_refused(fresh: Forger) -> None:
    issuer = Issuer(fresh.url, "hub", "s3cret", "openid")
    for token in list(forged(fresh)):
        fresh.id_token = token or " "
        with pytest.raises((Refused, Misconfigured)):
            ask(fresh, issuer=issuer)


def test_a_shared_secret_among_the_published_keys_signs_nothing(fresh: Forger) -> None:
    secret = OctKey.import_key(b"published by mistake, known to all", {"kid": "o"})
    fresh.published = [secret.as_dict(), fresh.key.as_dict(private=False)]
    now = int(time.time())
    claims = {"iss": fresh.url, "aud": "hub", "sub": "s", "nonce": "nonce", "iat": now, "exp": now + 300}
    fresh.id_token = jwt.encode({"alg": "HS256", "kid": "o"}, claims, secret, algorithms=["HS256"])
    with pytest.raises(Refused):
        ask(fresh)


def test_a_new_key_is_fetched_once_and_an_unknown_one_not_again_and_again(
    fresh: Forger, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer = Issuer(fresh.url, "hub", "s3cret", "openid")
    ask(fresh, issuer=issuer)
    ask(fresh, issuer=issuer)
    assert fresh.asked("/jwks") == 1 and fresh.asked("/.well-known/openid-configuration") == 1
    old, fresh.key = fresh.key, RSAKey.generate_key(2048, {"kid": "two"})
    fresh.header = {"alg": "RS256", "kid": "two"}
    try:
        for _ in range(3):
            with pytest.raises(Refused):  # we have just looked
                ask(fresh, issuer=issuer)
        assert fresh.asked("/jwks") == 1
        monkeypatch.setattr("integrations.oidc.LOOK_AGAIN", 0.0)
        assert ask(fresh, issuer=issuer)["sub"] == "s" and fresh.asked("/jwks") == 2
    finally:
        fresh.key = old


def test_userinfo_tells_what_is_missing_and_only_about_the_same_person(fresh: Forger) -> None:
    fresh.claims["email"] = "token@example.org"
    fresh.userinfo = {"sub": "s", "groups": ["a"], "email": "userinfo@example.org"}
    assert "groups" not in ask(fresh, ("email",)) and fresh.asked("/userinfo") == 0
    claims = ask(fresh, ("email", "groups"))
    assert claims["groups"] == ["a"] and claims["email"] == "token@example.org", "what is signed counts"
    assert [h["Authorization"] for p, h in fresh.seen if p == "/userinfo"] == ["Bearer opaque"]
    fresh.userinfo["sub"] = "somebody else"
    with pytest.raises(Refused, match="two different people"):
        ask(fresh, ("groups",))


@pytest.mark.parametrize(
    ("discovery", "said"),
    [
        ({"issuer": "https://elsewhere.example"}, "calls itself"),
        ({"token_endpoint": "http://127.0.0.1:1/token"}, "unencrypted"),
        ({"jwks_uri": "http://localhost.example/jwks"}, "unencrypted"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "no usable"),
        ({"token_endpoint": None}, "no usable"),
        ({"jwks_uri": "file:///etc/passwd"}, "no usable"),
    ],
)
def test_only_what_the_issuer_may_name_is_asked(fresh: Forger, discovery: dict[str, Any], said: str) -> None:
    fresh.discovery = discovery
    with pytest.raises(Misconfigured, match=said):
        ask(fresh)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((200, "no json"), Unreachable),
        ((200, "[]"), Unreachable),
        ((500, "broken"), Unreachable),
        ((302, ""), Unreachable),
        ((200, '{"access_token": "a", "token_type": "Bearer"}'), Misconfigured),
        ((401, '{"error": "invalid_client", "error_description": "s3cret is wrong"}'), Misconfigured),
        ((400, '{"error": "invalid_grant"}'), Refused),
        ((400, '{"error": "something", "error_description": "else"}'), Misconfigured),
    ],
)
def test_every_other_answer_has_its_sentence(fresh: Forger, answer: tuple[int, str], kind: type) -> None:
    fresh.token_answer = answer
    with pytest.raises(kind) as told:
        ask(fresh)
    assert "s3cret" not in str(told.value)
