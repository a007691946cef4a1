"""What browsers are told, which hosts and origins are ours, and what a proxy may say."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.config import Settings
from api.controllers.headers import Door, exact_origin, own_hosts, page_policy

Make = Callable[..., FlaskClient]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A client of an application with these settings; its database is empty."""
    from api import create_app

    def made(**settings: Any) -> FlaskClient:
        given = {f"MODELHUB_{name.upper()}": value for name, value in settings.items()}
        redis = f"unix://{tmp_path}/none.sock?db=0"
        app = create_app(Settings(MODELHUB_HOME=tmp_path / "home", REDIS_URL=redis, _env_file=None, **given))
        app.testing = True
        return app.test_client()

    return made


def preflight(client: FlaskClient, origin: str, path: str = "/api/v1/models") -> dict[str, str]:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    headers["Access-Control-Request-Headers"] = "Authorization, X-Secret"
    return dict(client.options(path, headers=headers).headers)


def test_a_page_may_run_our_scripts_only_and_speak_to_us_only(app: Flask) -> None:
    headers = app.test_client().get("/api/docs/", headers={"Host": "127.0.0.1:5000"}).headers
    policy = dict(part.partition(" ")[::2] for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'" and policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self' ws://127.0.0.1:5000"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "'unsafe" not in policy["script-src"] and "*" not in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "no-referrer" and "camera=()" in headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in headers


def test_data_is_no_page_and_stays_in_no_cache(app: Flask, token: str) -> None:
    answer = app.test_client().get("/api/v1/models", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "script-src" not in answer.headers["Content-Security-Policy"]


def test_a_host_header_cannot_write_into_the_policy() -> None:
    assert "evil" not in page_policy("http", "x;script-src evil")
    assert page_policy("https", "hub.example").count("wss://hub.example") == 1


def test_https_is_remembered_when_it_is_there(make: Make) -> None:
    https = {"base_url": "https://localhost"}
    assert make().get("/healthz", **https).headers["Strict-Transport-Security"].startswith("max-age=31536000")
    over_proxy = make(public_url="https://hub.example")
    assert "Strict-Transport-Security" in over_proxy.get("/healthz").headers


OURS = [
     "localhost", "LOCALHOST:5000", "localhost.", "127.0.0.1:5000", "10.2.3.4", "[::1]:5000", "app.localhost",
     "hub.example", "hub.example:8443", "models.lan"
]  # fmt: skip


def test_our_names_and_numbers_are_answered(make: Make) -> None:
    client = make(public_url="https://hub.example", allowed_hosts=["models.lan:80"])
    for host in OURS:
        assert client.get("/api/v1/openapi.json", headers={"Host": host}).status_code == 200, host


HOSTILE = [
     "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "127.1",
     "hub.example.evil.example", "xhub.example", "evil.example:5000", "0x7f.1", "localhost/..", "a b",
     "[::1", "[::1]evil", "localhost:5000:1", "localhost:port", "hub_.example", "lo\u0441alhost", ".", "-"
]  # fmt: skip


def test_a_name_made_to_point_here_is_refused(make: Make) -> None:
    client = make(public_url="https://hub.example")
    paths = ("/", "/api/v1/openapi.json", "/socket.io/?EIO=4&transport=websocket", "/v1/models")
    for host, path in itertools.product(HOSTILE, paths):
        environ = {"HTTP_HOST": host.encode().decode("latin-1")}
        answer = client.get(path, environ_overrides=environ)
        assert answer.status_code == 400, (host, path)
        said = answer.get_json()
        assert said["error"] == "BAD_REQUEST" if path != "/v1/models" else said["error"]["code"]
        assert answer.headers["X-Request-ID"] and answer.headers["X-Frame-Options"] == "DENY"


def test_a_balancer_may_ask_for_our_health_by_any_name(app: Flask) -> None:
    assert app.test_client().get("/healthz", headers={"Host": "pod-17.internal"}).status_code == 200


def test_the_refusal_says_what_to_do(app: Flask) -> None:
    answer = app.test_client().get("/", headers={"Host": "hub.lan"})
    assert "MODELHUB_ALLOWED_HOSTS" in answer.get_json()["message"]


def test_no_host_only_from_programs_of_long_ago(app: Flask) -> None:
    client = app.test_client()
    gone = {"HTTP_HOST": "", "SERVER_PROTOCOL": "HTTP/1.1"}
    assert client.get("/api/v1/openapi.json", environ_overrides=gone).status_code == 400
    old = {"HTTP_HOST": "", "SERVER_PROTOCOL": "HTTP/1.0"}
    assert client.get("/api/v1/openapi.json", environ_overrides=old).status_code == 200


def test_own_names_need_no_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "Box.corp.example")
    monkeypatch.setattr("socket.getaddrinfo", None)
    names = own_hosts(Settings(_env_file=None))
    assert {"localhost", "box", "box.local", "box.corp.example"} <= names


def test_only_exact_origins_may_read(make: Make) -> None:
    client = make(cors_origins=["https://app.example", "http://[::1]:3000"])
    for origin in ("https://app.example", "http://[::1]:3000"):
        headers = preflight(client, origin)
        assert headers["Access-Control-Allow-Origin"] == origin
        assert headers["Access-Control-Allow-Headers"] == "Authorization"
    for origin in (
        "https://app.example.evil", "https://xapp.example", "http://app.example", "https://app.example:444",
        "null", "*", "https://appXexample", "http://:", "http://[::1]:30001",
    ):  # fmt: skip
        assert not [name for name in preflight(client, origin) if name.startswith("Access-Control")], origin
    plain = client.get("/api/v1/openapi.json")
    assert "Access-Control-Allow-Origin" not in plain.headers and "Origin" in plain.headers["Vary"]
    assert not [name for name in preflight(make(), "https://app.example") if name.startswith("Access-")]


@pytest.mark.parametrize("origin", ["*", "null", "https://*.example", "https://x/path", "ftp://x", ""])
def test_a_pattern_is_no_origin(origin: str) -> None:
    with pytest.raises(ValueError, match="no origin"):
        exact_origin(origin)


def test_an_origin_is_written_as_browsers_do() -> None:
    assert exact_origin("HTTPS://App.Example:443/") == "https://app.example"


def test_pages_of_others_change_nothing_where_the_cookie_counts(make: Make) -> None:
    client = make(cors_origins=["https://app.example"], public_url="https://hub.example")
    for path in ("login", "refresh", "logout", "register", "join", "password"):
        url = f"/api/v1/auth/{path}"
        for origin in ("https://evil.example", "null", "http://localhost:3000", "https://hub.example.evil"):
            assert client.post(url, headers={"Origin": origin}).status_code == 403, (path, origin)
    for origin in ("http://localhost", "https://hub.example", "https://app.example"):
        assert client.post("/api/v1/auth/nothing", headers={"Origin": origin}).status_code == 404, origin


def test_forwarded_headers_count_only_from_as_many_proxies_as_there_are(make: Make) -> None:
    forwarded = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-For": "9.9.9.9",
    }
    direct = make()
    answer = direct.get("/api/v1/openapi.json", headers=forwarded)
    assert answer.status_code == 200 and "Strict-Transport-Security" not in answer.headers
    behind = make(trusted_proxies=1)
    assert behind.get("/api/v1/openapi.json", headers=forwarded).status_code == 400
    forwarded["X-Forwarded-Host"] = "evil.example, localhost"
    answer = behind.get("/api/v1/openapi.json", headers=forwarded)
    assert answer.status_code == 200 and "Strict-Transport-Security" in answer.headers


def test_https_only_sends_on_what_is_harmless_and_refuses_what_is_not(make: Make) -> None:
    client = make(https_only=True, public_url="https://hub.example", trusted_proxies=1)
    far = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}, "headers": {"Host": "hub.example"}}
    answer = client.get("/models/a b?x=%2F1", **far)
    assert (answer.status_code, answer.headers["Location"]) == (
        308,
        "https://hub.example/models/a%20b?x=%2F1",
    )
    two_slashes = {**far["environ_overrides"], "PATH_INFO": "//evil.example/"}
    answer = client.get("/", headers=far["headers"], environ_overrides=two_slashes)
    assert answer.headers["Location"].startswith("https://hub.example/")
    client.set_cookie("mh_refresh", "x", domain="hub.example", path="/api/v1/auth")
    for path, secret in (
        ("models", {"Authorization": "Bearer x"}), ("models", {"X-API-Key": "x"}), ("auth/options", {}),
    ):  # fmt: skip
        refused = client.get(f"/api/v1/{path}", **{**far, "headers": {**far["headers"], **secret}})
        assert refused.status_code == 403 and "https://hub.example" in refused.get_json()["message"]
    assert client.post("/api/v1/auth/login", json={}, **far).status_code == 403
    tls = {**far, "headers": {"Host": "hub.example", "X-Forwarded-Proto": "https"}}
    assert client.get("/api/v1/openapi.json", **tls).status_code == 200
    assert client.get("/healthz", **far).status_code == 200
    # What never leaves this machine needs no encryption; a proxy on it does not make a request local.
    assert client.get("/api/v1/openapi.json", headers={"Host": "127.0.0.1:5000"}).status_code == 200
    near_proxy = {"Host": "127.0.0.1:5000", "X-Forwarded-Proto": "http"}
    assert client.get("/api/v1/openapi.json", headers=near_proxy).status_code == 308
    assert client.get("/api/v1/openapi.json", headers={"Host": "hub.example"}).status_code == 308


def test_the_door_is_outside_of_the_sockets(app: Flask) -> None:
    assert isinstance(app.wsgi_app, Door)
