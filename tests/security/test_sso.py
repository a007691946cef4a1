"""Single sign-on, against a real issuer in a process of its own, and against one that lies."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt as pyjwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from api.config import Settings
from api.extensions import db
from api.models import ApiKey, AuditEntry, User, UserSession
from api.security import passwords
from api.security.keys import signing_key
from api.services import sso
from api.unit_of_work import unit_of_work
from tests.support.hub_process import free_port
from tests.support.oidc_provider import Provider, provider

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


def test_who_asks_for_the_callback_at_random_hears_that(client: FlaskClient) -> None:
    for query in ({}, {"state": "x"}, {"code": "y", "session_state": "z", "iss": "i"}):
        assert "Begin again" in refusal(client.get(CALLBACK, query_string=urlencode(query)))
    assert db.session.scalars(select(AuditEntry).where(AuditEntry.result == "failed")).all() == []
