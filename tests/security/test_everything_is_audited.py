"""Every route and every socket event that changes something leaves an entry in the audit log.

`LEAVES` says which; a route that is neither there nor in `ELSEWHERE`, with a reason, fails.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from api.controllers.openapi import contracts
from api.extensions import db, settings
from api.models import HubModel, ModelVersion, User
from api.models.base import new_id
from api.security import passwords
from api.services import jobs
from api.unit_of_work import unit_of_work
from api.websockets import NAMESPACES
from tests.support import things
from tests.support.downloads import build_model
from tests.support.hub import Hub
from tests.support.ollama_server import OllamaServer, library_model
from tests.support.people import Person, audit_log, user

PASSWORD = "correct horse battery"
MESSAGES = "each question and answer is a row of its own, with its owner, time and figures"
USAGE = "each call is a row of usage with user, key, deployment and figures"
REFUSED = "always refused: nothing is changed"
ELSEWHERE = {
    "POST /hf/api/models/<namespace>/<name>/paths-info/<revision>": "only reads; a POST as the Hub has it",
    "POST /api/v1/auth/refresh": "a session going on; every link of its chain is a row, and reuse is noted",
    "POST /api/v1/auth/join/look": "only reads; a POST so that no access log gets the token",
    "POST /api/v1/chat/sessions/<session_id>/messages": MESSAGES,
    "POST /api/v1/chat/generations/<message_id>/stop": MESSAGES,
    "POST /v1/chat/completions": USAGE,
    "POST /v1/completions": USAGE,
    **{
        f"socket /downloads {event}": f"calls the service of POST …/{event}, which leaves the entry"
        for event in ("pause", "resume", "cancel", "retry")
    },
    "POST /ollama/api/chat": USAGE,
    "POST /ollama/api/generate": USAGE,
    "POST /ollama/api/show": "only reads; a POST because Ollama's is",
    **{f"POST /ollama/api/{verb}": REFUSED for verb in ("embed", "embeddings")},
    **{
        f"{method} /ollama/api/{verb}": REFUSED
        for verb in ("pull", "push", "create", "copy", "delete", "blobs/<digest>")
        for method in ("POST", "DELETE")
    },
    "PATCH /api/v1/uploads/<upload_id>/files/<int:index>": "a piece; its beginning and end are noted",
    "socket /chat send": MESSAGES,
    "socket /chat stop": MESSAGES,
    **{
        f"socket {name} {event}": "only listens"
        for name in NAMESPACES
        for event in ("subscribe", "unsubscribe")
    },
}

Recipe = Callable[[Person], tuple[str, Any]]
"""Prepares, for this person, what the request needs: its path and its body."""


def on(kind: str, path: str, body: Any = None, **columns: Any) -> Recipe:
    """A request about a thing of this kind; `{id}` and `{new}` in path and body are filled in."""

    def prepare(who: Person) -> tuple[str, Any]:
        id = things.make(kind, who.id, **columns) if kind else ""
        return filled(path, id), json.loads(filled(json.dumps(body), id))

    return prepare


def filled(text: str, id: str) -> str:
    return text.replace("{id}", id).replace("{new}", new_id())


def a_model_that_can_be_deployed(who: Person) -> tuple[str, Any]:
    id = things.make("model", who.id)
    directory = settings().models_dir / db.session.get(HubModel, id).path
    directory.mkdir(parents=True)
    (directory / "config.json").write_text('{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}')
    (directory / "model.safetensors").write_bytes(b"\2\0\0\0\0\0\0\0{}")
    db.session.rollback()
    return "deployments", {"model_id": id, "name": new_id()}


def a_password(who: Person) -> tuple[str, Any]:
    with unit_of_work():
        db.session.get(User, who.id).password_hash = passwords.hash_password(PASSWORD)
    return "auth/password", {"current": PASSWORD, "new": f"new {new_id()}"}


def a_sign_in(who: Person) -> tuple[str, Any]:
    a_password(who)
    return "auth/login", {"email": who.email, "password": PASSWORD}


def an_invitation(who: Person) -> tuple[str, Any]:
    token = who.made("invites", {"role": "viewer"})["token"]
    return "auth/join", {"token": token, "email": f"{new_id()}@example.org", "password": PASSWORD}


def a_member(who: Person) -> tuple[str, Any]:
    with unit_of_work():
        team = things.team(who.id)
    return f"teams/{team}/members/{who.id}", None


def a_team(path: str, body: Any) -> Recipe:
    def prepare(who: Person) -> tuple[str, Any]:
        with unit_of_work():
            team = things.team()
        return path.replace("{id}", team).replace("{user}", who.id), body

    return prepare


def a_whole_upload(who: Person) -> tuple[str, Any]:
    id = things.make("upload", who.id)
    folder = settings().uploads_dir / id
    folder.mkdir()
    (folder / "0").write_bytes(b"x")
    return f"uploads/{id}/complete", {}


def ollama_server() -> OllamaServer:
    """One for the few who need it; it ends with the tests' process. It holds tiny:1b each time anew."""
    if not _ollama:
        _ollama.append(OllamaServer(settings().home / "ollama").start())
    settings().ollama_host = _ollama[0].url
    _ollama[0].hold("tiny:1b", library_model(1000))
    return _ollama[0]


_ollama: list[OllamaServer] = []


def held_by_ollama(path: str, body: Any = None) -> Recipe:
    def prepare(_who: Person) -> tuple[str, Any]:
        ollama_server()
        return path, body

    return prepare


def a_model_with_news(path: str) -> Recipe:
    """Its source has another commit by now than the model."""

    def prepare(who: Person) -> tuple[str, Any]:
        columns = {"source": "huggingface", "ref": "org/model"}
        return path.replace("{id}", things.make("model", who.id, **columns)), {}

    return prepare


def a_damaged_model(who: Person) -> tuple[str, Any]:
    path, body = a_model_with_news("models/{id}/repair")(who)
    with unit_of_work():
        model = db.session.get(HubModel, path.split("/")[1])
        model.status = "damaged"
        db.session.get(ModelVersion, model.active_version_id).commit = "main"  # one that its source has
    return path, body


def another_version(path: str, body: Any) -> Recipe:
    def prepare(who: Person) -> tuple[str, Any]:
        with unit_of_work():
            model = things.model(who.id)
            version = things.version(model)
        return path.replace("{id}", model).replace("{version}", version), body

    return prepare


def a_model_for_ollama(who: Person) -> tuple[str, Any]:
    ollama_server()
    id = things.make("model", who.id)
    with unit_of_work():
        db.session.get(HubModel, id).files = [{"path": "x.gguf", "size": 5, "sha256": "0" * 64}]
    return "ollama/models", {"name": "made", "model_id": id}


PUBLIC = {"visibility": "public"}
LEAVES: dict[str, tuple[str, Recipe]] = {
    "POST /api/v1/auth/login": ("session.sign_in", a_sign_in),
    "POST /api/v1/auth/logout": ("session.sign_out", a_sign_in),
    "POST /api/v1/auth/register": (
        "user.create", on("", "auth/register", {"email": "{new}@example.org", "password": PASSWORD})
    ),
    "POST /api/v1/auth/join": ("user.create", an_invitation),
    "PATCH /api/v1/auth/me": ("user.change", on("", "auth/me", {"name": "{new}"})),
    "POST /api/v1/auth/password": ("user.password", a_password),
    "DELETE /api/v1/auth/sessions": ("session.revoke", on("session", "auth/sessions")),
    "DELETE /api/v1/auth/sessions/<session_id>": ("session.revoke", on("session", "auth/sessions/{id}")),
    "POST /api/v1/users": (
        "user.create", on("", "users", {"email": "{new}@example.org", "password": PASSWORD})
    ),
    "PATCH /api/v1/users/<user_id>": ("user.change", on("user", "users/{id}", {"name": "Other"})),
    "DELETE /api/v1/users/<user_id>": ("user.delete", on("user", "users/{id}")),
    "POST /api/v1/users/<user_id>/reset": ("invite.create", on("user", "users/{id}/reset", {})),
    "DELETE /api/v1/users/<user_id>/sessions": ("session.revoke", on("session", "users/{me}/sessions")),
    "POST /api/v1/invites": ("invite.create", on("", "invites", {"role": "viewer"})),
    "DELETE /api/v1/invites/<invite_id>": ("invite.revoke", on("invite", "invites/{id}")),
    "DELETE /api/v1/lockouts/<lockout_id>": ("lockout.lift", on("lockout", "lockouts/{id}")),
    "POST /api/v1/roles": (
        "role.create", on("", "roles", {"name": "r{new}", "title": "x", "permissions": []})
    ),
    "PATCH /api/v1/roles/<name>": ("role.change", on("role", "roles/{id}", {"title": "Other"})),
    "DELETE /api/v1/roles/<name>": ("role.delete", on("role", "roles/{id}")),
    "POST /api/v1/teams": ("team.create", on("", "teams", {"name": "{new}"})),
    "PATCH /api/v1/teams/<team_id>": ("team.change", a_team("teams/{id}", {"description": "x"})),
    "DELETE /api/v1/teams/<team_id>": ("team.delete", a_team("teams/{id}", None)),
    "PUT /api/v1/teams/<team_id>/members/<user_id>": (
        "team.member.add", a_team("teams/{id}/members/{user}", {})
    ),
    "DELETE /api/v1/teams/<team_id>/members/<user_id>": ("team.member.remove", a_member),
    "POST /api/v1/api-keys": ("key.create", on("", "api-keys", {"name": "x", "scopes": ["models.read"]})),
    "DELETE /api/v1/api-keys/<key_id>": ("key.revoke", on("key", "api-keys/{id}")),
    "POST /api/v1/downloads": (
        "download.create", on("", "downloads", {"source": "starter", "ref": "modelhub/starter"})
    ),
    "DELETE /api/v1/downloads/<download_id>": (
        "download.delete", on("download", "downloads/{id}", state="completed")
    ),
    "POST /api/v1/uploads": (
        "upload.create", on("", "uploads", {"name": "x", "files": [{"path": "x.gguf", "size": 1}]})
    ),
    "DELETE /api/v1/uploads/<upload_id>": ("upload.cancel", on("upload", "uploads/{id}")),
    "POST /api/v1/uploads/<upload_id>/complete": ("upload.complete", a_whole_upload),
    "PATCH /api/v1/downloads/<download_id>": (
        "download.change", on("download", "downloads/{id}", {"rate": 1_000_000})
    ),
    "POST /api/v1/downloads/<download_id>/move": (
        "download.move", on("download", "downloads/{id}/move", {"to": "first"})
    ),
    "PUT /api/v1/settings/transfers": ("settings.change", on("", "settings/transfers", {"parallel": 3})),
    "POST /api/v1/downloads/<download_id>/pause": (
        "download.pause", on("download", "downloads/{id}/pause", {}, state="queued")
    ),
    "POST /api/v1/downloads/<download_id>/resume": (
        "download.again", on("download", "downloads/{id}/resume", {})
    ),
    "POST /api/v1/downloads/<download_id>/cancel": (
        "download.cancel", on("download", "downloads/{id}/cancel", {})
    ),
    "POST /api/v1/downloads/<download_id>/retry": (
        "download.again", on("download", "downloads/{id}/retry", {}, state="failed")
    ),
    "DELETE /api/v1/models/<model_id>": ("model.delete", on("model", "models/{id}")),
    "PATCH /api/v1/models/<model_id>": ("model.change", on("model", "models/{id}", {"tags": ["x"]})),
    "POST /api/v1/models/<model_id>/check": ("model.check", a_model_with_news("models/{id}/check")),
    "POST /api/v1/models/<model_id>/update": ("download.create", a_model_with_news("models/{id}/update")),
    "POST /api/v1/quarantine/<file_id>/release": (
        "quarantine.release", on("quarantined", "quarantine/{id}/release", {"reason": "looked at"})
    ),
    "DELETE /api/v1/quarantine/<file_id>": ("quarantine.delete", on("quarantined", "quarantine/{id}")),
    "POST /api/v1/storage/verify": ("storage.verify", on("model", "storage/verify", {"model_id": "{id}"})),
    "POST /api/v1/storage/garbage": ("storage.reclaim", on("", "storage/garbage", {})),
    "POST /api/v1/models/<model_id>/repair": ("download.create", a_damaged_model),
    "POST /api/v1/models/<model_id>/offload": ("model.offload", on("model", "models/{id}/offload", {})),
    "POST /api/v1/models/<model_id>/restore": (
        "model.restore", on("model", "models/{id}/restore", {}, offloaded=True)
    ),
    "POST /api/v1/models/<model_id>/versions/<version_id>/activate": (
        "model.activate", another_version("models/{id}/versions/{version}/activate", {})
    ),
    "DELETE /api/v1/models/<model_id>/versions/<version_id>": (
        "model.version.delete", another_version("models/{id}/versions/{version}", None)
    ),
    "PUT /api/v1/models/<model_id>/sharing": ("model.share", on("model", "models/{id}/sharing", PUBLIC)),
    "POST /api/v1/ollama/models": ("ollama.create", a_model_for_ollama),
    "DELETE /api/v1/ollama/models/<path:name>": ("ollama.delete", held_by_ollama("ollama/models/tiny:1b")),
    "POST /api/v1/ollama/models/<path:name>/copy": (
        "ollama.copy", held_by_ollama("ollama/models/tiny:1b/copy", {"to": "second"})
    ),
    "POST /api/v1/deployments": ("deployment.create", a_model_that_can_be_deployed),
    "DELETE /api/v1/deployments/<deployment_id>": (
        "deployment.delete", on("deployment", "deployments/{id}")
    ),
    "PUT /api/v1/deployments/<deployment_id>/sharing": (
        "deployment.share", on("deployment", "deployments/{id}/sharing", PUBLIC)
    ),
    **{
        f"POST /api/v1/deployments/<deployment_id>/{verb}": (
            f"deployment.{verb}", on("deployment", f"deployments/{{id}}/{verb}", {}, **columns)
        )
        for verb, columns in (
            ("start", {}), ("stop", {"wanted": "running", "status": "running"}), ("restart", {}),
        )
    },
    "POST /api/v1/jobs/<job_id>/cancel": ("test.cancel", on("job", "jobs/{id}/cancel", {})),
    "POST /api/v1/jobs/<job_id>/retry": ("test.again", on("job", "jobs/{id}/retry", {}, state="failed")),
    "POST /api/v1/chat/sessions": (
        "chat.create", on("deployment", "chat/sessions", {"deployment_id": "{id}"})
    ),
    "PATCH /api/v1/chat/sessions/<session_id>": (
        "chat.change", on("chat", "chat/sessions/{id}", {"title": "Other"})
    ),
    "DELETE /api/v1/chat/sessions/<session_id>": ("chat.delete", on("chat", "chat/sessions/{id}")),
}  # fmt: skip


@pytest.fixture(scope="module")
def app(hub_application: Flask) -> Flask:
    hub_application.extensions["modelhub_settings"].registration = True
    hub_application.extensions["modelhub_settings"].storage = "s3://bucket/prefix"
    return hub_application


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A Hugging Face Hub with the model org/model."""
    root = tmp_path_factory.mktemp("hub")
    build_model(root / "org" / "model", weights_bytes=1000)
    with Hub(root) as running:
        yield running


def changing_routes(app: Flask) -> set[str]:
    return {f"{method} {rule.rule}" for rule, method, _ in contracts(app) if method != "GET"}


def changing_events() -> set[str]:
    return {
        f"socket {name} {attribute.removeprefix('on_')}"
        for name, namespace in NAMESPACES.items()
        for attribute in dir(namespace)
        if attribute.startswith("on_") and attribute not in ("on_connect", "on_disconnect")
    }


def test_every_change_is_in_the_table(app: Flask) -> None:
    assert changing_routes(app) | changing_events() == set(LEAVES) | set(ELSEWHERE)
    assert not set(LEAVES) & set(ELSEWHERE) and all(ELSEWHERE.values())


@pytest.mark.parametrize("name", LEAVES)
def test_a_change_leaves_its_entry(
    app: Flask, source: Hub, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(jobs, "ring", lambda *_: None)
    monkeypatch.setenv("HF_ENDPOINT", source.url)
    action, recipe = LEAVES[name]
    method, _, rule = name.partition(" ")
    who = user(app, new_id(), "admin")
    path, body = recipe(who)
    client = app.test_client()
    if "logout" in rule:
        with app.app_context():
            client.post(f"/api/v1/{path}", json=body)
        path, body = "auth/logout", {}
    path = path.replace("{me}", who.id)
    assert re.fullmatch(re.sub(r"<[^>]+>", "[^/]+", rule), f"/api/v1/{path}"), "the recipe is another route's"
    before = len(audit_log())
    signs_in = rule.rpartition("/")[2] in ("login", "logout", "register", "join")
    headers = {} if signs_in else {"Authorization": f"Bearer {who.token}"}
    with app.app_context():
        answer = client.open(
            f"/api/v1/{path}", method=method, headers=headers, **({"json": body} if body is not None else {})
        )
    assert answer.status_code < 300, answer.get_json()
    entries = [entry for entry in audit_log()[before:] if entry.action == action]
    assert entries, f"{name} left {[entry.action for entry in audit_log()[before:]]}, not {action}"
    for entry in entries:
        assert entry.result == "done" and entry.request_id == answer.headers["X-Request-ID"]
        assert entry.actor_id, f"{action} does not say who"
        assert entry.object_type and (entry.object_id or entry.object_name), f"{action} does not say on what"
