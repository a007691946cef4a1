"""Bad input: a clear sentence with a code, nothing half-made, never a 5xx of our own making."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.extensions import db
from api.models import Deployment, Download, HubModel, Job
from api.services import jobs, library
from api.unit_of_work import unit_of_work
from tests.support.hub import Hub


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    for name in ("acme/tiny", "gated/tiny", "private/tiny"):
        directory = tmp_path / "hub" / name
        directory.mkdir(parents=True)
        (directory / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
        (directory / "model.safetensors").write_bytes(b"\0" * 200_000)
    with Hub(tmp_path / "hub") as stand_in:
        monkeypatch.setenv("HF_ENDPOINT", stand_in.url)
        yield stand_in


@pytest.fixture
def client(app: Flask, token: str, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr(jobs, "ring", lambda *_: None)
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    body = answer.get_json()
    assert (answer.status_code, body["error"]) == (status, code), body
    assert body["success"] is False and len(body["message"]) > 15 and body["timestamp"].endswith("Z")
    assert db.session.query(Download).count() == db.session.query(Job).count() == 0
    assert db.session.query(Deployment).count() == 0
    return body


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"source": "nowhere", "ref": "acme/tiny"}, 422, "UNKNOWN_KIND"),
        ({"ref": "acme/nothing"}, 404, "NOT_FOUND"),
        ({"ref": "acme/tiny", "revision": "no-such"}, 404, "REVISION_NOT_FOUND"),
        ({"ref": "acme/tiny", "include": ["no-such-file"]}, 404, "FILE_NOT_FOUND"),
        ({"ref": "../x"}, 422, "INVALID_REF"),
        ({"ref": "https://elsewhere.example/x"}, 422, "INVALID_REF"),
        ({"ref": "with spaces/in it"}, 422, "INVALID_REF"),
        ({"ref": "a/" + "b" * 10_000}, 422, "INVALID_REF"),
        ({"ref": "gated/tiny"}, 403, "GATED_MODEL"),
        ({"ref": ""}, 422, "VALIDATION_FAILED"),
        ({"ref": 7}, 422, "VALIDATION_FAILED"),
        ({}, 422, "VALIDATION_FAILED"),
        ({"ref": "acme/tiny", "surprise": 1}, 422, "VALIDATION_FAILED"),
        ({"source": "starter", "ref": "acme/tiny"}, 404, "NOT_FOUND"),
    ],
)
def test_downloads(client: FlaskClient, hub: Hub, body: dict[str, Any], status: int, code: str) -> None:
    refused(client.post("/api/v1/downloads", json=body), status, code)


def test_a_private_model_without_a_token_says_how_to_get_in(client: FlaskClient, hub: Hub) -> None:
    answer = client.post("/api/v1/downloads", json={"ref": "private/tiny"})
    assert answer.status_code in (403, 404) and "token" in answer.get_json()["message"].lower()


def test_a_hub_that_is_down_is_named(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    body = refused(client.post("/api/v1/downloads", json={"ref": "acme/tiny"}), 502, "UPSTREAM_UNREACHABLE")
    assert "127.0.0.1:9" in body["message"]


def test_a_disk_too_small_is_told_with_the_deficit(app: Flask, client: FlaskClient, hub: Hub) -> None:
    app.extensions["modelhub_settings"].disk_reserve = 10**18
    body = refused(client.post("/api/v1/downloads", json={"ref": "acme/tiny"}), 507, "OUT_OF_SPACE")
    assert body["details"]["deficit"] > 10**17


def test_the_same_model_twice_is_a_conflict_that_names_the_first(client: FlaskClient, hub: Hub) -> None:
    first = client.post("/api/v1/downloads", json={"ref": "acme/tiny"}).get_json()["data"]
    answer = client.post("/api/v1/downloads", json={"ref": "acme/tiny"})
    assert answer.status_code == 409
    assert answer.get_json()["details"]["download_id"] == first["id"]
    assert db.session.query(Download).count() == 1


def test_a_failed_download_asked_for_again_goes_on_instead_of_starting_over(
    client: FlaskClient, hub: Hub
) -> None:
    first = client.post("/api/v1/downloads", json={"ref": "acme/tiny"}).get_json()["data"]
    held = jobs.claim(first["job_id"], "a")
    assert held
    jobs.finish(held, "failed", error={"code": "OUT_OF_SPACE", "message": "full", "details": {}})
    answer = client.post("/api/v1/downloads", json={"ref": "acme/tiny"})
    again = answer.get_json()["data"]
    assert (answer.status_code, again["id"], again["status"]) == (202, first["id"], "pending")
    assert again["error"] is None and db.session.query(Download).count() == 1


@pytest.mark.parametrize(
    ("data", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "BAD_REQUEST"),
        (b"[]", "application/json", 422, "VALIDATION_FAILED"),
        (b'"text"', "application/json", 422, "VALIDATION_FAILED"),
        (b"\xff\xfe", "application/json", 400, "BAD_REQUEST"),
        (b"ref=x", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"[" * 5000 + b"]" * 5000, "application/json", 400, "BAD_REQUEST"),
    ],
)
def test_bodies(client: FlaskClient, data: bytes, content_type: str, status: int, code: str) -> None:
    refused(client.post("/api/v1/downloads", data=data, content_type=content_type), status, code)


def test_a_body_that_is_too_large_is_refused(client: FlaskClient) -> None:
    answer = client.post("/api/v1/downloads", data=b" " * (17 * 1024**2), content_type="application/json")
    refused(answer, 413, "TOO_LARGE")


@pytest.mark.parametrize("path", ["downloads", "models", "deployments", "jobs", "chat/sessions"])
def test_what_is_not_there_is_a_404_with_a_sentence(client: FlaskClient, path: str) -> None:
    for name in ("0" * 32, "x", "a" * 500, "%00", "..%2F..%2Fetc", "🦙"):
        answer = client.get(f"/api/v1/{path}/{name}")
        assert answer.status_code == 404 and answer.get_json()["error"] == "NOT_FOUND", (path, name)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "status=nothing", "unknown=1", "limit=1&limit=2"]
)
def test_queries(client: FlaskClient, query: str) -> None:
    refused(client.get(f"/api/v1/downloads?{query}"), 422, "VALIDATION_FAILED")


def put_on_shelf(app: Flask, config: dict[str, Any]) -> str:
    """A model row whose directory holds only a config: enough for what is refused before a start."""
    with unit_of_work():
        row = HubModel(
            name="acme/x", source="huggingface", ref="acme/x", revision="main", commit="c", path="m1"
        )
        db.session.add(row)
    directory = library.directory(row)
    directory.mkdir(parents=True)
    (directory / "config.json").write_text(json.dumps(config))
    return str(row.id)


def test_what_is_no_causal_language_model_is_refused_before_anything_starts(
    app: Flask, client: FlaskClient
) -> None:
    model_id = put_on_shelf(app, {"architectures": ["BertModel"], "model_type": "bert"})
    refused(
        client.post("/api/v1/deployments", json={"model_id": model_id, "name": "x"}), 422, "NOT_A_CAUSAL_LM"
    )


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"model_id": "nothing", "name": "x"}, 404, "NOT_FOUND"),
        ({"model_id": "nothing", "name": "x", "runtime": "moon"}, 422, "UNKNOWN_KIND"),
        ({"model_id": "nothing", "name": "bad name!"}, 422, "VALIDATION_FAILED"),
        ({"model_id": "nothing", "name": "x", "options": {"threads": -1}}, 422, "VALIDATION_FAILED"),
        ({"model_id": "nothing", "name": "x", "options": {"port": 99}}, 422, "VALIDATION_FAILED"),
    ],
)
def test_deployments(client: FlaskClient, body: dict[str, Any], status: int, code: str) -> None:
    refused(client.post("/api/v1/deployments", json=body), status, code)


def test_unknown_addresses_and_methods(client: FlaskClient) -> None:
    assert client.get("/api/v1/nothing").get_json()["error"] == "NOT_FOUND"
    answer = client.put("/api/v1/downloads", json={})
    assert answer.status_code == 405 and "GET" in answer.headers["Allow"]
