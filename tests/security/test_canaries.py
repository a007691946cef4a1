"""Planted secrets are found nowhere: a whole hub is used and misused, then everything it left is searched.

PostgreSQL and Redis with passwords, an upstream and an issuer that repeat what they were sent. Searched are
the logs, the data directory with its children's specs and output, the database, Redis, every answer to a GET
and every refusal, the audit log's exports, `modelhub doctor`, and the command line of every process at any
time. By design are in there: hashes, and the engine's key encrypted.
"""

import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import psycopg
import pytest
import redis
import socketio

from api import create_app
from api.config import Settings
from api.extensions import db
from api.models import Deployment, HubModel
from api.prepare import prepare
from api.security.keys import vault
from api.services import library
from api.unit_of_work import unit_of_work
from tests.support import tiny_models
from tests.support.echo import echo
from tests.support.hub_process import ROOT, Hub, start_hub
from tests.support.oidc_provider import forger
from tests.support.servers import postgres, redis_server

MODEL = "0" * 31 + "1"


class Canaries(dict[str, str]):
    """Name → secret. A new one has no shape that anybody could know it by."""

    def plant(self, name: str, secret: str | None = None, shape: str = "{}") -> str:
        self[name] = secret or shape.format("c4nary" + secrets.token_hex(12))
        return self[name]

    def found_in(self, where: str, data: str | bytes) -> list[str]:
        raw = data if isinstance(data, bytes) else data.encode(errors="replace")
        return [f"{name} in {where}" for name, secret in self.items() if secret.encode() in raw]


class CommandLines(threading.Thread):
    """Every command line of this machine while it runs."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[bytes] = set()
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.wait(0.1):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes())
                except OSError:
                    continue


class User:
    """Somebody at the hub, who keeps every refusal and every answer to a GET."""

    def __init__(self, url: str, kept: list[tuple[str, str]], token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=60)
        self.kept = kept

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = self.http.request(method, path, **options)
        if method == "GET" or not answer.is_success:
            headers = {name: value for name, value in answer.headers.items() if name != "set-cookie"}
            self.kept.append((f"{method} {path[:60]}", f"{answer.status_code} {headers} {answer.text}"))
        return answer

    def data(self, method: str, path: str, **options: Any) -> Any:
        answer = self.ask(method, f"/api/v1{path}", **options)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json()["data"]


def shelve(home: Path, environment: dict[str, str], llama: Path) -> None:
    """A model in the library, as a download leaves it."""
    app = create_app(
        Settings(MODELHUB_HOME=home, **environment, _env_file=None),  # type: ignore[arg-type]
        serves=False,
    )
    prepare(app)
    with app.app_context():
        directory = app.extensions["modelhub_settings"].models_dir / MODEL
        tiny_models.gguf(directory, llama)
        plan = {
            "files": [],
            "ref": "org/tiny",
            "source": "huggingface",
            "revision": "main",
            "commit": "0" * 40,
        }
        with unit_of_work() as after_commit:
            version = library.describe_directory(directory, plan, {})
            named = HubModel(id=version.id, name="x", source=plan["source"], ref=plan["ref"])
            library.add(after_commit, version, named)
        db.session.remove()
        db.engine.dispose()


def engine_key(home: Path, environment: dict[str, str]) -> str:
    app = create_app(Settings(MODELHUB_HOME=home, **environment, _env_file=None), serves=False)  # type: ignore[arg-type]
    with app.app_context():
        key = vault().open(db.session.query(Deployment).one().secret)
        db.session.remove()
        db.engine.dispose()
    return key


def sign_in_and_out(canaries: Canaries, hub: Hub, admin: User, kept: list[tuple[str, str]]) -> User:
    """Right and wrong passwords, an invitation, a reset, a key; the user who came of it."""
    password = canaries.plant("user's password")
    body = {"email": "u@example.org", "password": password, "role": "user"}
    made = admin.data("POST", "/users", json=body)
    user = User(hub.url, kept)
    wrong = canaries.plant("wrong password")
    for typed in (wrong, canaries.plant("password in a wrong field")):
        answer = user.ask(
            "POST", "/api/v1/auth/login", json={"email": body["email"], "password": typed, "passwort": typed}
        )
        assert answer.status_code == 422
    assert (
        user.ask("POST", "/api/v1/auth/login", json={"email": body["email"], "password": wrong}).status_code
        == 401
    )
    half = '{"email": "u@example.org", "password": "' + canaries.plant("password in half a body")
    assert (
        user.ask(
            "POST", "/api/v1/auth/login", content=half, headers={"Content-Type": "application/json"}
        ).status_code
        == 400
    )
    as_name = {"email": canaries.plant("password typed as e-mail"), "password": "u@example.org"}
    assert user.ask("POST", "/api/v1/auth/login", json=as_name).status_code == 401
    answer = user.ask("POST", "/api/v1/auth/login", json={"email": body["email"], "password": password})
    access = canaries.plant("access token", answer.json()["data"]["access_token"])
    canaries.plant("its signature", access.rpartition(".")[2])
    canaries.plant("refresh token", user.http.cookies["mh_refresh"])
    user.ask("POST", "/api/v1/auth/refresh")
    canaries.plant("its successor", user.http.cookies["mh_refresh"])
    user.http.headers["Authorization"] = f"Bearer {access}"
    fresh = canaries.plant("new password")
    assert user.ask("POST", "/api/v1/auth/password", json={"current": password, "new": fresh}).is_success
    invited = admin.data("POST", "/invites", json={"role": "viewer"})
    canaries.plant("invite token", invited["link"].rpartition("#")[2])
    user.ask("POST", "/api/v1/auth/join/look", json={"token": canaries["invite token"]})
    joined = {
        "token": canaries["invite token"],
        "email": "j@example.org",
        "password": canaries.plant("chosen password"),
    }
    assert User(hub.url, kept).ask("POST", "/api/v1/auth/join", json=joined).is_success
    reset = admin.data("POST", f"/users/{made['id']}/reset")
    canaries.plant("reset token", reset["link"].rpartition("#")[2])
    key = user.data(
        "POST", "/api-keys", json={"name": "k", "scopes": ["chat.use", "deployments.read", "models.read"]}
    )
    canaries.plant("API key", key["key"])
    return user


def stray_credentials(canaries: Canaries, hub: Hub, kept: list[tuple[str, str]]) -> None:
    """Sent where nobody asked for them."""
    nobody = User(hub.url, kept)
    header, query, cookie = (canaries.plant(f"stray {name}") for name in ("header", "query", "cookie"))
    for path in ("/api/v1/nowhere", "/api/v1/models", "/v1/models", "/healthz", "/x" * 50):
        nobody.ask("GET", path, headers={"Authorization": f"Bearer {header}"})
        nobody.ask("GET", path, headers={"Authorization": f"Basic {header}", "X-API-Key": header})
        nobody.ask("GET", f"{path}?token={query}&access_token={query}&api_key={query}")
        nobody.ask("PUT", path, headers={"Cookie": f"mh_refresh=mhr_{cookie}; mh_sso={cookie}"})
    nobody.ask("POST", "/api/v1/auth/refresh", headers={"Cookie": f"mh_refresh=mhr_{cookie}"})
    for token in (header, canaries["access token"] + "x", "mhl_" + header, "mh_" + header):
        client = socketio.Client(reconnection=False)
        with pytest.raises(socketio.exceptions.ConnectionError):
            client.connect(hub.url, namespaces=["/system"], transports=["websocket"], auth={"token": token})


def single_sign_on(canaries: Canaries, hub: Hub, issuer: Any, kept: list[tuple[str, str]]) -> None:
    """An issuer that repeats the client's secret in its refusal."""
    browser = User(hub.url, kept)
    sent = browser.http.get("/api/v1/auth/sso/start")
    asked = dict(parse_qsl(urlsplit(sent.headers["location"]).query))
    canaries.plant("sso attempt", sent.cookies["mh_sso"])
    canaries.plant("sso state", asked["state"])
    said = f"{canaries['OIDC client secret']} is wrong for {canaries.plant('authorization code')}"
    issuer.token_answer = (401, json.dumps({"error": "other", "error_description": said}))
    answer = browser.ask(
        "GET",
        "/api/v1/auth/sso/callback",
        params={"state": asked["state"], "code": canaries["authorization code"]},
    )
    assert answer.status_code == 302 and "sso_error" in answer.headers["location"]


def failing_upstream(hub: Hub, admin: User, upstream: Any) -> None:
    for path in ("/search?q=tiny", "/search/model?ref=org/broken", "/search/model?ref=org/denied"):
        assert not admin.ask("GET", f"/api/v1{path}").is_success
    for ref in ("org/broken", "org/denied"):
        assert not admin.ask("POST", "/api/v1/downloads", json={"ref": ref}).is_success
    assert any(upstream.seen), "the token was sent, so it could be repeated"


def failing_child(canaries: Canaries, home: Path, url: str) -> None:
    """The program that fetches, with a plan for an upstream that repeats the token in its error."""
    directory = home / "run" / "children" / "download-canary"
    directory.mkdir()
    file = {"path": "model.safetensors", "size": 10, "sha256": "0" * 64, "git_sha1": None}
    plan = {
        "source": "huggingface",
        "ref": "org/denied",
        "revision": "main",
        "commit": "0" * 40,
        "files": [file],
    }
    spec = {
        "job_id": "j",
        "plan": plan,
        "into": str(directory / "into"),
        "events": str(directory / "events.jsonl"),
    }
    (directory / "into").mkdir()
    (directory / "spec.json").write_text(json.dumps({**spec, "options": {"attempts": 1, "base_wait": 0.01}}))
    with (directory / "output.log").open("wb") as output:
        subprocess.run(
            [sys.executable, "-m", "integrations.sources.fetch", str(directory / "spec.json")],
            cwd=ROOT, stdout=output, stderr=output,
            env={"PATH": os.environ["PATH"], "HF_TOKEN": canaries["HF_TOKEN"], "HF_ENDPOINT": url},
        )  # fmt: skip
    assert '"error"' in (directory / "events.jsonl").read_text()


def deploy_and_talk(admin: User, user: User, key: str) -> None:
    body = {"model_id": MODEL, "name": "tiny", "visibility": "public", "options": {"threads": 1}}
    deployment = admin.data("POST", "/deployments", json=body)
    bad = {**body, "name": "bad", "options": {"api_key": key, "environment": {"SECRET": key}}}
    assert admin.ask("POST", "/api/v1/deployments", json=bad).status_code == 422
    deadline = time.monotonic() + 60
    while (now := admin.data("GET", f"/deployments/{deployment['id']}"))["status"] != "running":
        assert now["status"] == "deploying" and time.monotonic() < deadline, now
        time.sleep(0.1)
    asked = {"model": "tiny", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 8}
    answer = user.ask("POST", "/v1/chat/completions", json=asked, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200, answer.text
    session = admin.data("POST", "/chat/sessions", json={"deployment_id": deployment["id"]})
    said = {"content": "hello", "stream": False}
    admin.data("POST", f"/chat/sessions/{session['id']}/messages", json=said)
    admin.ask("POST", "/v1/chat/completions", json={**asked, "max_tokens": -1})


def every_get(admin: User) -> int:
    """Every GET of the API's description, with ids of things that are there, and one that is not."""
    paths = admin.http.get("/api/v1/openapi.json").json()["paths"]
    count = 0
    for path in [path for path, methods in paths.items() if "get" in methods]:
        before, brace, _ = path.partition("/{")
        ids = ["nothing"]
        if brace:
            listed = admin.http.get(before)
            is_json = listed.is_success and "json" in listed.headers.get("content-type", "")
            said = listed.json() if is_json else {}
            found = (said.get("data") or {}) if isinstance(said, dict) else {}
            items = found.get("items", []) if isinstance(found, dict) else []
            ids += [str(item[name]) for item in items[:3] for name in ("id", "name") if item.get(name)]
        for id in ids:
            where = before + "".join(
                f"/{id if part.startswith('{') else part}"
                for part in path[len(before) + 1 :].split("/")
                if part
            )
            try:
                admin.ask("GET", where if brace else path, timeout=10)
                count += 1
            except httpx.TimeoutException:
                continue  # a stream that waits for more
    return count


def database_text(url: str) -> Iterator[tuple[str, str]]:
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert len(names) > 15
        for (name,) in names:
            rows = connection.execute(f'SELECT row_to_json(t)::text FROM "{name}" t').fetchall()  # type: ignore[arg-type]
            yield f"table {name}", "\n".join(row[0] for row in rows)


def redis_text(url: str) -> Iterator[tuple[str, bytes]]:
    client = redis.Redis.from_url(url)
    for key in client.scan_iter():
        yield f"redis {key!r}", key + (client.dump(key) or b"")
        if client.type(key) == b"string":
            yield f"redis {key!r}", client.get(key) or b""


def files_of(home: Path) -> Iterator[tuple[str, bytes]]:
    own = {"secret.key", "audit.key", "local-token"}
    for path in home.rglob("*"):
        if path.is_file() and path.name not in own:
            yield str(path.relative_to(home)), path.read_bytes()


def program(environment: dict[str, str], *words: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return ended.stdout + ended.stderr


@pytest.mark.slow
def test_planted_secrets_are_found_nowhere(tmp_path: Path) -> None:
    canaries, kept, watching = Canaries(), [], CommandLines()
    home = tmp_path / "home"
    llama = tiny_models.llama(tmp_path / "llama")
    pg, rd = canaries.plant("database password"), canaries.plant("Redis password")
    leaked = canaries.plant("password in an upstream's error"), canaries.plant("token in an upstream's error")
    leak = "see https://reader:{}@mirror.example/?token={}".format(*leaked)
    (tmp_path / "redis").mkdir()
    with (
        postgres(tmp_path, pg) as database_url,
        redis_server(tmp_path / "redis", rd) as redis_url,
        echo(leak) as upstream,
        forger() as issuer,
    ):
        environment = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "HF_ENDPOINT": upstream.url,
            "HF_TOKEN": canaries.plant("HF_TOKEN"),
            "MODELHUB_ADMIN_PASSWORD": canaries.plant("administrator's password"),
            "MODELHUB_OIDC_ISSUER": issuer.url,
            "MODELHUB_OIDC_CLIENT_ID": "hub",
            "MODELHUB_OIDC_CLIENT_SECRET": canaries.plant("OIDC client secret"),
        }
        shelve(home, environment, llama)
        watching.start()
        hub = start_hub(home, environment)
        try:
            canaries.plant("local token", hub.token)
            for name in ("secret.key", "audit.key"):
                canaries.plant(name, (home / name).read_text().strip())
            admin = User(hub.url, kept, hub.token)
            signed_in = User(hub.url, kept)
            login = {"email": "admin@localhost", "password": canaries["administrator's password"]}
            assert signed_in.ask("POST", "/api/v1/auth/login", json=login).is_success
            user = sign_in_and_out(canaries, hub, admin, kept)
            stray_credentials(canaries, hub, kept)
            single_sign_on(canaries, hub, issuer, kept)
            failing_upstream(hub, admin, upstream)
            failing_child(canaries, home, upstream.url)
            deploy_and_talk(admin, user, canaries["API key"])
            canaries.plant("engine key", engine_key(home, environment))
            shell = {
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "MODELHUB_HOME": str(home),
                **environment,
            }
            for words in (
                ["doctor"],
                ["doctor", "--json"],
                ["secrets", "rotate"],
                ["secrets"],
                ["ps", "--json"],
            ):
                kept.append((f"modelhub {words}", program(shell, *words)))
            asked = {"model": "tiny", "prompt": "hello", "max_tokens": 2}
            bearer = {"Authorization": f"Bearer {canaries['API key']}"}
            answer = user.ask("POST", "/v1/completions", json=asked, headers=bearer)
            assert answer.is_success, "the hub goes on with the key it was given meanwhile"
            assert every_get(admin) > 40
            for format in ("jsonl", "csv"):
                exported = admin.ask("GET", f"/api/v1/audit/export?format={format}")
                assert exported.is_success and len(exported.text) > 2000
            kept.extend(database_text(database_url))
            found = [hit for where, data in redis_text(redis_url) for hit in canaries.found_in(where, data)]
        finally:
            hub.stop()
            watching.stopping.set()
            watching.join()
    assert len(canaries) >= 20
    assert any(b"supervisor" in line for line in watching.seen)
    looked_at = {Path(name).name for name, _ in files_of(home)}
    assert {"web.log", "worker.log", "spec.json", "output.log", "events.jsonl"} <= looked_at
    for line in watching.seen:
        found += canaries.found_in(f"the command line {line[:80]!r}", line)
    for where, text in kept:
        found += canaries.found_in(where, text)
    for name, content in files_of(home):
        found += canaries.found_in(name, content)
    # Its own server is started with it, and by us.
    found = [hit for hit in found if not (hit.startswith("Redis password") and "redis-server" in hit)]
    assert not found, "\n".join(found)
