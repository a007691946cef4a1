"""Who asks while the API is fuzzed, and real things of theirs to ask about."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from api.extensions import db
from api.models import Download
from api.models.base import new_id
from api.security.permissions import GRANTABLE, NEVER_FOR_KEYS
from tests.support import people, things
from tests.support.web_process import KEY, Web

NAMES = ("anonymous", "viewer", "user", "operator", "admin", "key")

_KINDS = {
    "model_id": "model", "download_id": "download", "deployment_id": "deployment", "job_id": "job",
    "message_id": "message", "user_id": "user", "invite_id": "invite", "lockout_id": "lockout",
    "team_id": "team", "key_id": "key",
}  # fmt: skip


@dataclass
class Actor:
    """One identity. `renew` gives it a new session after it ended the one it had."""

    name: str
    app: Flask
    id: str = ""
    credential: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.credential}"} if self.credential else {}

    def renew(self) -> None:
        if self.name == "anonymous":
            return
        role = "admin" if self.name == "key" else self.name
        person = people.user(self.app, f"{role}-{new_id()}", role)
        self.id, self.credential = person.id, person.token
        if self.name == "key":
            with self.app.app_context():
                self.credential = things.api_key(person.id, sorted(GRANTABLE - NEVER_FOR_KEYS))


def actors(app: Flask) -> list[Actor]:
    found = [Actor(name, app) for name in NAMES]
    for each in found:
        each.renew()
    return found


@dataclass
class Shelf:
    """Things that exist, made when they are asked for: some the actor's own, some a stranger's."""

    web: Web
    chance: random.Random
    stranger: str = ""
    kept: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stranger = people.user(self.web.app, f"stranger-{new_id()}").id

    def id(self, kind: str, actor: Actor) -> str:
        """An id of this kind; often new, since the one before may have been deleted."""
        owner = self.stranger if self.chance.random() < 0.3 or not actor.id else actor.id
        known = self.kept.setdefault((kind, owner), [])
        if not known or self.chance.random() < 0.3:
            with self.web.app.app_context():
                known.append(self._make(kind, owner))
                db.session.remove()
        return self.chance.choice(known[-20:])

    def _make(self, kind: str, owner: str) -> str:
        columns: dict[str, Any] = {}
        if kind == "job":  # of a kind that a worker knows
            made = things.make("download", owner, state=self.chance.choice(["queued", "failed"]))
            return str(db.session.get_one(Download, made).job_id)
        if kind == "download":
            columns["state"] = self.chance.choice(["paused", "queued", "failed", "completed"])
        elif kind == "deployment" or kind == "chat":
            secret = self.web.app.extensions["modelhub_keyring"].vault.seal(KEY)
            columns = {"endpoint": self.web.engine.endpoint, "secret": secret, "engine": "transformers"}
            columns |= {"wanted": "running", "status": "running"}
        elif kind == "team":
            with people.unit_of_work():
                return things.team(owner, manager=owner if self.chance.random() < 0.5 else None)
        return things.make(kind, owner, **columns)


def fill(case: Any, actor: Actor, shelf: Shelf) -> None:
    """Put ids of real things where a generated case has invented ones; not always."""
    chance = shelf.chance
    for name in list(case.path_parameters or {}):
        if chance.random() < 0.7 and (kind := _kind(name, case.operation.path)):
            case.path_parameters[name] = kind(shelf, actor)
    if isinstance(case.body, dict) and chance.random() < 0.7:
        for name, make in _FIELDS.items():
            if name in case.body and isinstance(case.body[name], str | list):
                case.body[name] = make(shelf, actor)


def _kind(name: str, path: str) -> Callable[[Shelf, Actor], str] | None:
    if name == "session_id":
        kind = "chat" if "/chat/" in path else "session"
    elif name == "name":
        if re.match(r"/v1/", path):
            return lambda shelf, actor: "scripted"
        if "/ollama/" in path:
            return lambda shelf, actor: "tiny:1b"
        kind = "role"
    else:
        kind = _KINDS.get(name, "")
    return (lambda shelf, actor: shelf.id(kind, actor)) if kind else None


_FIELDS: dict[str, Callable[[Shelf, Actor], Any]] = {
    "model_id": lambda shelf, actor: shelf.id("model", actor),
    "deployment_id": lambda shelf, actor: shelf.id("deployment", actor),
    "team_id": lambda shelf, actor: shelf.id("team", actor),
    "teams": lambda shelf, actor: [shelf.id("team", actor)],
    "deployments": lambda shelf, actor: [shelf.id("deployment", actor)],
    "model": lambda shelf, actor: "scripted",
    "source": lambda shelf, actor: shelf.chance.choice(["huggingface", "starter"]),
    "ref": lambda shelf, actor: shelf.chance.choice(["acme/tiny", "gated/tiny", "modelhub/starter", "x/y"]),
    "role": lambda shelf, actor: shelf.chance.choice(["viewer", "user", "admin", "nothing"]),
    "scopes": lambda shelf, actor: shelf.chance.sample(sorted(GRANTABLE), 3),
    "permissions": lambda shelf, actor: shelf.chance.sample(sorted(GRANTABLE), 3),
}
