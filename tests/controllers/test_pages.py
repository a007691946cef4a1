"""The console's page for its own addresses, JSON for the API's, and no address from elsewhere."""

from flask import Flask


def test_console_addresses_get_the_page_and_api_addresses_json(app: Flask) -> None:
    client = app.test_client()
    for path in ("/", "/downloads", "/chat/abc", "/apiary"):
        assert client.get(path).mimetype == "text/html", path
    for path in ("/api/v1/nothing", "/api/nothing", "/v1/nothing", "/assets/nothing.js", "/hf/x"):
        answer = client.get(path)
        assert answer.status_code == 404 and answer.is_json, path
    assert client.get("/api/v1/auth/login").status_code == 405


def test_nothing_outside_the_console_is_served(app: Flask) -> None:
    client = app.test_client()
    for path in ("/..%2f..%2fsecret.key", "/%2e%2e/%2e%2e/etc/passwd", "/assets/..%2f..%2fpackage.json"):
        answer = client.get(path)
        assert answer.status_code == 404 or answer.mimetype == "text/html"
        assert b"root:" not in answer.data and b'"dependencies"' not in answer.data


def test_the_api_is_described_without_help_from_elsewhere(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/api/v1/openapi.json").get_json()["openapi"] == "3.1.0"
    page = client.get("/api/docs/")
    assert "http" not in page.get_data(as_text=True)
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js"):
        assert client.get(f"/api/docs/{name}").status_code == 200


def test_headers_harden_every_answer(app: Flask) -> None:
    headers = app.test_client().get("/healthz", headers={"X-Request-ID": "mine-1"}).headers
    assert headers["X-Request-ID"] == "mine-1"
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
