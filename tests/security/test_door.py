"""The door: signing in, staying in, being thrown out; every route and event declares who may."""

import re

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.controllers.openapi import contracts
from api.models import RefreshToken
from api.models.base import utcnow
from api.security.authorise import hash_token
from api.security.keys import signing_key
from api.security.permissions import ALL
from api.services import sessions
from api.unit_of_work import unit_of_work
from api.websockets import NAMESPACES

LOGIN = {"email": "admin@localhost", "password": "correct horse"}


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def sign_in(client: FlaskClient) -> str:
    return client.post("/api/v1/auth/login", json=LOGIN).get_json()["data"]["access_token"]


def test_login_gives_a_short_token_and_a_careful_cookie(client: FlaskClient) -> None:
    answer = client.post("/api/v1/auth/login", json=LOGIN)
    data = answer.get_json()["data"]
    assert answer.status_code == 200 and data["expires_in"] == 900 and data["user"]["role"] == "admin"
    cookie = answer.headers["Set-Cookie"]
    assert all(
        word in cookie for word in ("HttpOnly", "SameSite=Strict", "Path=/api/v1/auth", "mh_refresh=mhr_")
    )
    me = client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {data['access_token']}"})
    assert me.get_json()["data"]["email"] == "admin@localhost"


@pytest.mark.parametrize("body", [{**LOGIN, "password": "wrong"}, {**LOGIN, "email": "who@localhost"}])
def test_a_wrong_password_and_an_unknown_account_answer_alike(client: FlaskClient, body: dict) -> None:
    answer = client.post("/api/v1/auth/login", json=body)
    assert answer.status_code == 401 and answer.get_json()["error"] == "INVALID_CREDENTIALS"


def test_refresh_rotates_and_a_replayed_token_ends_the_session(app: Flask, client: FlaskClient) -> None:
    client.post("/api/v1/auth/login", json=LOGIN)
    first = client.get_cookie("mh_refresh", path="/api/v1/auth").value
    answer = client.post("/api/v1/auth/refresh")
    access = answer.get_json()["data"]["access_token"]
    second = client.get_cookie("mh_refresh", path="/api/v1/auth").value
    assert second != first
    with unit_of_work():  # long enough ago not to be two tabs
        RefreshToken.query.filter_by(token_hash=hash_token(first)).one().used_at = (
            utcnow() - 2 * sessions.REUSE_GRACE
        )
    client.set_cookie("mh_refresh", first, path="/api/v1/auth")
    assert client.post("/api/v1/auth/refresh").status_code == 401
    client.set_cookie("mh_refresh", second, path="/api/v1/auth")
    assert client.post("/api/v1/auth/refresh").status_code == 401
    me = client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {access}"})
    assert me.status_code == 401


def test_logout_ends_the_access_token_too(client: FlaskClient) -> None:
    headers = {"Authorization": f"Bearer {sign_in(client)}"}
    assert client.get("/api/v1/auth/me", headers=headers).status_code == 200
    assert client.post("/api/v1/auth/logout").status_code == 200
    assert client.get("/api/v1/auth/me", headers=headers).status_code == 401
    assert client.post("/api/v1/auth/refresh").status_code == 401


def test_a_foreign_page_may_not_use_the_cookie(client: FlaskClient) -> None:
    sign_in(client)
    answer = client.post("/api/v1/auth/refresh", headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403


def test_forged_tokens_are_refused(app: Flask, client: FlaskClient) -> None:
    token = sign_in(client)
    claims = jwt.decode(token, options={"verify_signature": False})
    key = signing_key("access-token")
    forged = [
        jwt.encode(claims, "", algorithm="none"),
        jwt.encode(claims, "x" * 32, algorithm="HS256"),
        jwt.encode({**claims, "typ": "refresh"}, key, algorithm="HS256"),
        jwt.encode({**claims, "aud": "other"}, key, algorithm="HS256"),
        jwt.encode({**claims, "exp": 1}, key, algorithm="HS256"),
        jwt.encode({k: v for k, v in claims.items() if k != "exp"}, key, algorithm="HS256"),
        jwt.encode({**claims, "sub": "nobody"}, key, algorithm="HS256"),
        token[:-4] + "AAAA",
        "mhl_guess",
        "",
    ]
    for candidate in forged:
        answer = client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {candidate}"})
        assert answer.status_code == 401, candidate


def test_every_route_declares_a_permission_and_is_closed_without_a_token(
    app: Flask, client: FlaskClient
) -> None:
    public = set()
    for rule, method, declared in contracts(app):
        assert declared.permission in ALL
        if declared.permission == "public":
            public.add(rule.rule)
            continue
        path = re.sub(r"<int:\w+>", "0", rule.rule)
        path = re.sub(r"<(path:)?\w+>", "x", path)
        answer = client.open(path, method=method, json={})
        assert answer.status_code == 401, f"{method} {path} answered {answer.status_code} without a token"
    assert public == {
        "/ollama/",
        "/healthz",
        "/readyz",
        "/api/v1/auth/login",
        "/api/v1/auth/refresh",
        "/api/v1/auth/logout",
        "/api/v1/auth/options",
        "/api/v1/auth/register",
        "/api/v1/auth/join",
        "/api/v1/auth/join/look",
        "/api/v1/auth/sso/start",
        "/api/v1/auth/sso/callback",
    }


def test_every_socket_event_declares_a_permission() -> None:
    for name, namespace in NAMESPACES.items():
        assert namespace.permission in ALL
        for attribute in dir(namespace):
            if attribute.startswith("on_") and attribute not in ("on_connect", "on_disconnect"):
                assert getattr(namespace, attribute).permission in ALL, f"{name} {attribute}"


def test_the_local_token_is_private(app: Flask, token: str, client: FlaskClient) -> None:
    path = app.extensions["modelhub_settings"].home / "local-token"
    assert path.stat().st_mode & 0o777 == 0o600
    assert client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200
