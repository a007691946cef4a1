"""Single sign-on, against a real issuer in a process of its own, and against one that lies."""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt as pyjwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy import select

from api.config import Settings
from api.extensions import db
from api.models import ApiKey, AuditEntry, User, UserSession
from api.security import passwords
from api.security.keys import signing_key
from api.services import sso
from api.unit_of_work import unit_of_work
from integrations.errors import Unreachable
from integrations.oidc import Issuer, Misconfigured, Refused, Request
from tests.support.hub_process import free_port
from tests.support.oidc_provider import Forger, Provider, forger, provider

START, CALLBACK = "/api/v1/auth/sso/start", "/api/v1/auth/sso/callback"
LOGIN = {"email": "admin@localhost", "password": "correct horse"}


@pytest.fixture(scope="module")
def issuer() -> Iterator[Provider]:
    with provider() as running:
        yield running


def set_up(app: Flask, **changes: Any) -> None:
    """Settings as an administrator would have them."""
    now: Settings = app.extensions["modelhub_settings"]
    app.extensions["modelhub_settings"] = now.model_copy(update=changes)


@pytest.fixture
def client(app: Flask, issuer: Provider) -> FlaskClient:
    set_up(app, oidc_issuer=issuer.url, oidc_client_id="hub", oidc_client_secret="hub-secret-at-issuer")
    return app.test_client()


def start(client: FlaskClient, next: str = "/") -> str:
    answer = client.get(START, query_string={"next": next})
    assert answer.status_code == 302
    return answer.headers["Location"]


def come_back(client: FlaskClient, address: str):  # type: ignore[no-untyped-def]
    split = urlsplit(address)
    assert split.path == CALLBACK
    return client.get(f"{split.path}?{split.query}")


def sign_in(client: FlaskClient, issuer: Provider, sub: str, next: str = "/"):  # type: ignore[no-untyped-def]
    return come_back(client, issuer.approve(start(client, next), sub))


def refusal(answer: Any) -> str:
    split = urlsplit(answer.headers["Location"])
    assert answer.status_code == 302 and split.path == "/login"
    assert "mh_refresh" not in answer.headers.get("Set-Cookie", "")
    return parse_qs(split.query)["sso_error"][0]


def me(client: FlaskClient) -> dict[str, Any]:
    answer = client.post("/api/v1/auth/refresh")
    assert answer.status_code == 200, answer.text
    return answer.get_json()["data"]["user"]


def user(email: str, **fields: Any) -> str:
    with unit_of_work():
        row = User(email=email, **({"role": "user", "name": "Before"} | fields))
        db.session.add(row)
        db.session.flush()
        return str(row.id)


def test_the_way_there_and_back_makes_an_account_and_a_session(
    app: Flask, client: FlaskClient, issuer: Provider
) -> None:
    issuer.person("u1", email="Ada@Example.org", email_verified=True, name="Ada")
    address = start(client, "/models?q=x")
    asked = dict(parse_qsl(urlsplit(address).query))
    assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
    assert asked["scope"] == "openid email profile" and asked["redirect_uri"] == f"http://localhost{CALLBACK}"
    cookie = client.get_cookie("mh_sso", path="/api/v1/auth/sso")
    assert cookie and cookie.http_only and cookie.same_site == "Lax" and cookie.max_age == 600
    answer = come_back(client, issuer.approve(address, "u1"))
    assert answer.status_code == 302 and answer.headers["Location"] == "/models?q=x"
    cookies = answer.headers.getlist("Set-Cookie")
    assert any(
        c.startswith("mh_refresh=mhr_") and "HttpOnly" in c and "SameSite=Strict" in c for c in cookies
    )
    assert client.get_cookie("mh_sso", path="/api/v1/auth/sso") is None
    user = me(client)
    assert (user["email"], user["name"], user["role"]) == ("ada@example.org", "Ada", "user")
    assert user["has_password"] is False
    made = db.session.scalars(select(User).where(User.email == "ada@example.org")).one()
    assert made.sso_subject == f"{issuer.url}|u1"
    assert db.session.scalars(select(UserSession.method).where(UserSession.user_id == made.id)).all() == [
        "sso"
    ]
    noted = db.session.execute(select(AuditEntry.action, AuditEntry.result).order_by(AuditEntry.seq)).all()
    assert [tuple(row) for row in noted][-2:] == [("user.create", "done"), ("session.sign_in", "done")]
    db.session.rollback()
    assert sign_in(client, issuer, "u1").headers["Location"] == "/", "the second time it is the same account"
    assert me(client)["id"] == made.id


def test_without_an_issuer_there_is_no_such_door(app: Flask) -> None:
    client = app.test_client()
    for path in (START, CALLBACK):
        answer = client.get(path)
        assert answer.status_code == 404 and "not set up" in answer.get_json()["message"]


@pytest.mark.parametrize(
    "next",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\/evil",
        "/a\nb",
        "",
        "javascript:x",
        "/api/v1/x",
    ],
)
def test_only_a_page_of_this_hub_comes_next(next: str) -> None:
    assert sso.local_path(next) == "/"
    assert sso.local_path("/models/1?tab=files#top") == "/models/1?tab=files#top"


def test_the_groups_decide_at_every_sign_in(app: Flask, client: FlaskClient, issuer: Provider) -> None:
    set_up(app, oidc_roles={"hub-admins": "admin", "ops": "operator", "lost": "no-such-role"})
    facts = {"email": "g@example.org", "email_verified": True}
    issuer.person("g", **facts, groups=["ops", "hub-admins", "x"])
    sign_in(client, issuer, "g")
    assert me(client)["role"] == "admin", "the first of the mapping, not of the person's groups"
    elsewhere = app.test_client()
    sign_in(elsewhere, issuer, "g")
    issuer.person("g", **facts, groups=["ops"])
    sign_in(client, issuer, "g")
    assert me(client)["role"] == "operator"
    assert elsewhere.post("/api/v1/auth/refresh").status_code == 401, "what an administrator began has ended"
    issuer.person("g", **facts)
    sign_in(client, issuer, "g")
    assert me(client)["role"] == "user"
    issuer.person("g", **facts, groups=["lost"])
    assert "no role 'no-such-role'" in refusal(sign_in(client, issuer, "g"))
    assert me(client)["role"] == "user"


def test_groups_may_lie_deeper_and_too_many_are_said(
    app: Flask, client: FlaskClient, issuer: Provider
) -> None:
    set_up(app, oidc_roles={"boss": "operator"}, oidc_groups_claim="realm_access.roles")
    facts = {"email": "k@example.org", "email_verified": "true"}
    issuer.person("k", **facts, realm_access={"roles": ["boss"]})
    sign_in(client, issuer, "k")
    assert me(client)["role"] == "operator"
    set_up(app, oidc_groups_claim="groups")
    issuer.person("k", **facts, _claim_names={"groups": "src1"})
    assert "more groups" in refusal(sign_in(client, issuer, "k"))


def test_the_last_administrator_stays_one(app: Flask, client: FlaskClient, issuer: Provider) -> None:
    with unit_of_work():
        admin = db.session.scalars(select(User).where(User.role == "admin")).one()
        admin.sso_subject = f"{issuer.url}|last"
    set_up(app, oidc_roles={"hub-admins": "admin"})
    issuer.person("last", email="x@example.org")
    sign_in(client, issuer, "last")
    assert me(client)["role"] == "admin"


def test_an_account_is_found_again_by_a_verified_e_mail_and_its_past_ends(
    app: Flask, client: FlaskClient, issuer: Provider
) -> None:
    before = app.test_client()
    id = user("squat@example.org", password_hash=passwords.hash_password("laid in wait"))
    with unit_of_work():
        db.session.add(ApiKey(user_id=id, name="k", prefix="mh_x", key_hash="0" * 64, scopes=[]))
    login = {"email": "squat@example.org", "password": "laid in wait"}
    assert before.post("/api/v1/auth/login", json=login).status_code == 200
    issuer.person("owner", email="squat@example.org", email_verified=True)
    sign_in(client, issuer, "owner")
    assert me(client)["id"] == id
    assert before.post("/api/v1/auth/refresh").status_code == 401
    assert before.post("/api/v1/auth/login", json=login).status_code == 401
    assert db.session.scalars(select(ApiKey)).one().revoked_at is not None
    db.session.rollback()
    issuer.person("other", email="squat@example.org", email_verified=True)
    assert "another identity" in refusal(sign_in(app.test_client(), issuer, "other"))


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"email": "n@example.org", "email_verified": False}, "verified"),
        ({"email": "n@example.org"}, "MODELHUB_OIDC_TRUST_EMAIL"),
        ({}, "did not tell your e-mail"),
        ({"email": "admin@localhost", "email_verified": True}, "manages users"),
        ({"email": "gone@example.org", "email_verified": True}, "not active"),
    ],
)
def test_who_is_not_let_in_is_told_why(
    client: FlaskClient, issuer: Provider, claims: dict[str, Any], said: str
) -> None:
    user("gone@example.org", active=False)
    count = len(db.session.scalars(select(User)).all())
    db.session.rollback()
    issuer.person("r", **claims)
    assert said in refusal(sign_in(client, issuer, "r"))
    assert len(db.session.scalars(select(User)).all()) == count
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert (entry.action, entry.result) == ("session.sign_in", "failed") and said in entry.details["reason"]


def test_an_administrator_may_trust_an_issuer_that_is_silent(
    app: Flask, client: FlaskClient, issuer: Provider
) -> None:
    set_up(app, oidc_trust_email=True)
    issuer.person("e", email="e@example.org")
    assert sign_in(client, issuer, "e").headers["Location"] == "/"
    issuer.person("f", email="f@example.org", email_verified=False)
    assert "verified" in refusal(sign_in(client, issuer, "f"))


def test_a_deactivated_user_stays_out(client: FlaskClient, issuer: Provider) -> None:
    user("d@example.org", sso_subject=f"{issuer.url}|d", active=False)
    issuer.person("d", email="d@example.org", email_verified=True)
    assert "not active" in refusal(sign_in(client, issuer, "d"))


def test_an_answer_is_good_once_and_in_the_browser_that_asked(
    app: Flask, client: FlaskClient, issuer: Provider
) -> None:
    issuer.person("s", email="s@example.org", email_verified=True)
    back = issuer.approve(start(client), "s")
    assert "another browser" in refusal(come_back(app.test_client(), back)), "somebody else's browser"
    foreign = app.test_client()
    start(foreign)
    assert "belongs to another sign-in" in refusal(come_back(foreign, back)), "login CSRF"
    kept = client.get_cookie("mh_sso", path="/api/v1/auth/sso").value
    assert come_back(client, back).headers["Location"] == "/"
    assert "over already" in refusal(come_back(client, back)), "the attempt is gone with its cookie"
    client.set_cookie("mh_sso", kept, path="/api/v1/auth/sso")
    assert "used twice" in refusal(come_back(client, back)), "and the code is spent at the issuer"


def test_a_cookie_we_did_not_make_now_is_nothing(app: Flask, client: FlaskClient, issuer: Provider) -> None:
    good = {
        "typ": "sso", "state": "s", "nonce": "n", "verifier": "v" * 43, "next": "/", "exp": time.time() + 60,
        "redirect_uri": f"http://localhost{CALLBACK}",
    }  # fmt: skip
    key = signing_key("sso-attempt")
    for attempt in (
        pyjwt.encode(good, "guessed key that is long enough to be one", algorithm="HS256"),
        pyjwt.encode({**good, "exp": time.time() - 1}, key, algorithm="HS256"),
        pyjwt.encode({**good, "typ": "access"}, key, algorithm="HS256"),
        pyjwt.encode({**good, "typ": "sso"}, signing_key("access-token"), algorithm="HS256"),
        pyjwt.encode(good, None, algorithm="none"),
        "x",
    ):
        client.set_cookie("mh_sso", attempt, path="/api/v1/auth/sso")
        assert "Begin again" in refusal(client.get(CALLBACK, query_string={"state": "s", "code": "c"}))


def test_a_no_at_the_issuer_is_said_without_its_words(client: FlaskClient, issuer: Provider) -> None:
    state = dict(parse_qsl(urlsplit(start(client)).query))["state"]
    for error, said in (("access_denied", "said no"), ("<b>call 555", "an answer without a code")):
        start_again = dict(parse_qsl(urlsplit(start(client)).query))["state"]
        assert start_again != state
        words = refusal(client.get(CALLBACK, query_string={"state": start_again, "error": error}))
        assert said in words and "555" not in words


def test_a_registered_client_needs_its_secret(app: Flask) -> None:
    with provider(strict=True) as strict:
        client_id, secret = strict.client(f"http://localhost{CALLBACK}")
        strict.person("u", email="u@example.org", email_verified=True)
        set_up(app, oidc_issuer=strict.url, oidc_client_id=client_id, oidc_client_secret="wrong")
        assert "MODELHUB_OIDC_CLIENT_SECRET" in refusal(sign_in(app.test_client(), strict, "u"))
        set_up(app, oidc_client_secret=secret)
        assert sign_in(app.test_client(), strict, "u").headers["Location"] == "/"


def test_an_issuer_that_is_down_is_named(app: Flask, client: FlaskClient) -> None:
    set_up(app, oidc_issuer=f"http://127.0.0.1:{free_port()}")
    words = refusal(client.get(START))
    assert "does not answer" in words and "password" in words
    assert client.post("/api/v1/auth/login", json=LOGIN).status_code == 200


# The answer itself, from an issuer that lies.


@pytest.fixture(scope="module")
def liar() -> Iterator[Forger]:
    with forger() as running:
        yield running


REQUEST = Request("state", "nonce", "v" * 43, f"http://localhost{CALLBACK}")


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


def test_who_asks_for_the_callback_at_random_hears_that(client: FlaskClient) -> None:
    for query in ({}, {"state": "x"}, {"code": "y", "session_state": "z", "iss": "i"}):
        assert "Begin again" in refusal(client.get(CALLBACK, query_string=urlencode(query)))
    assert db.session.scalars(select(AuditEntry).where(AuditEntry.result == "failed")).all() == []
