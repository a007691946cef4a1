"""Live channels obey too: who may connect and follow what, and that it all ends with the right to it."""

import queue
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import socketio

from api.extensions import db
from api.security.permissions import BUILTIN
from api.unit_of_work import unit_of_work
from api.websockets import NAMESPACES
from tests.support import people, things
from tests.support.people import Person
from tests.support.web_process import Web, deploy, until, web_with_engine

ABSENT = "0" * 31 + "1"


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with web_with_engine() as running:
        deploy(running, "shared", visibility="public")
        yield running


@dataclass
class Cast:
    """One person of each role, a stranger, and a team of all but the stranger."""

    web: Web
    persons: dict[str, Person]
    stranger: Person
    team: str

    def make(self, kind: str, owner: Person, **shared: Any) -> str:
        with self.web.app.app_context():
            made = things.make(kind, owner.id, **shared)
            db.session.remove()
        return made


@pytest.fixture(scope="module")
def cast(web: Web) -> Cast:
    persons = {role: people.user(web.app, f"live-{role}", role) for role in BUILTIN}
    with web.app.app_context(), unit_of_work():
        team = things.team(*(person.id for person in persons.values()))
    return Cast(web, persons, people.user(web.app, "live-stranger"), team)


@dataclass
class Socket:
    """One connection to one namespace."""

    io: socketio.Client
    namespace: str
    events: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)
    unsubscribed: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)

    def call(self, event: str, **data: Any) -> dict[str, Any]:
        return dict(self.io.call(event, data, namespace=self.namespace, timeout=20))

    @property
    def connected(self) -> bool:
        return self.namespace in self.io.namespaces

    def seen(self) -> set[str]:
        """The ids of what was told so far."""
        ids = set()
        while not self.events.empty():
            ids.add(self.events.get()["id"])
        return ids


Connect = Callable[[str, str], Socket]


@pytest.fixture
def connect(web: Web) -> Iterator[Connect]:
    sockets: list[Socket] = []

    def new(token: str, namespace: str) -> Socket:
        socket = Socket(socketio.Client(reconnection=False), namespace)
        socket.io.on("event", socket.events.put, namespace=namespace)
        socket.io.on("unsubscribed", socket.unsubscribed.put, namespace=namespace)
        sockets.append(socket)
        socket.io.connect(web.url, namespaces=[namespace], transports=["websocket"], auth={"token": token})
        return socket

    yield new
    for socket in sockets:
        socket.io.disconnect()


def sign_up(web: Web, role: str, name: str) -> Person:
    return people.user(web.app, f"{name}-{time.time_ns()}", role)


@pytest.mark.parametrize("namespace", sorted(NAMESPACES))
@pytest.mark.parametrize("role", sorted(BUILTIN))
def test_who_may_connect(connect: Connect, cast: Cast, role: str, namespace: str) -> None:
    permission = NAMESPACES[namespace].permission
    token = cast.persons[role].token
    if permission in BUILTIN[role][2]:
        assert connect(token, namespace).connected
    else:
        with pytest.raises(socketio.exceptions.ConnectionError):
            connect(token, namespace)


@pytest.mark.parametrize("token", ["", "mh_unknown", "mhl_wrong", "a.b.c", "🦙"])
def test_nobody_connects_without_a_credential_of_this_hub(connect: Connect, token: str) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        connect(token, "/downloads")


@pytest.mark.parametrize("kind", ["deployment", "download"])
@pytest.mark.parametrize("role", sorted(BUILTIN))
def test_who_may_follow_what(connect: Connect, cast: Cast, role: str, kind: str) -> None:
    person = cast.persons[role]
    socket = connect(person.token, f"/{kind}s")
    reach = "all.read" in BUILTIN[role][2]
    allowed = {
        cast.make(kind, person): True,
        cast.make(kind, cast.stranger): reach,
        cast.make(kind, cast.stranger, visibility="public"): True,
        cast.make(kind, cast.stranger, visibility="team", team_id=cast.team): True,
        ABSENT: False,
    }
    for id, may in allowed.items():
        said = socket.call("subscribe", id=id)
        assert said["ok"] is may and (may or said["error"]["code"] == "NOT_FOUND"), said
    listed = {item["id"] for item in socket.call("subscribe", id="*")["snapshot"]}
    assert {id for id, may in allowed.items() if may} <= listed
    assert not {id for id, may in allowed.items() if not may} & listed


@pytest.mark.parametrize("room", ["public", "may:all.read", "user:x", "team:x", "..", "* ", "A" * 32])
def test_a_room_is_not_an_id(connect: Connect, cast: Cast, room: str) -> None:
    said = connect(cast.persons["user"].token, "/deployments").call("subscribe", id=room)
    assert not said["ok"] and said["error"]["code"] == "NOT_FOUND"


def test_events_reach_those_who_may_see(web: Web, connect: Connect, cast: Cast) -> None:
    sockets = {role: connect(person.token, "/deployments") for role, person in cast.persons.items()}
    sockets["stranger"] = connect(cast.stranger.token, "/deployments")
    for socket in sockets.values():
        socket.call("subscribe", id="*")
    shapes: dict[str, dict[str, Any]] = {
        "private": {},
        "team": {"visibility": "team", "team_id": cast.team},
        "public": {"visibility": "public"},
    }
    made = {name: cast.make("deployment", cast.stranger, **shared) for name, shared in shapes.items()}
    for id in made.values():
        web.api("POST", f"/deployments/{id}/start")
    last = made["public"]
    for name, socket in sockets.items():
        ids = until(lambda socket=socket: _told(socket, last))
        everything = name in ("operator", "admin", "stranger")
        assert (made["private"] in ids) is everything, name
        assert made["team"] in ids, name


def _told(socket: Socket, last: str) -> set[str] | None:
    """What was told, once the last change was."""
    known = socket.__dict__.setdefault("known", set())
    known |= socket.seen()
    return known if last in known else None


ENDINGS: dict[str, Callable[[Web, Person], Any]] = {
    "its session is ended": lambda web, who: web.api("DELETE", f"/users/{who.id}/sessions"),
    "the user is deactivated": lambda web, who: web.api("PATCH", f"/users/{who.id}", {"active": False}),
    "the role changes": lambda web, who: web.api("PATCH", f"/users/{who.id}", {"role": "viewer"}),
    "the user is removed": lambda web, who: web.api("DELETE", f"/users/{who.id}"),
    "the user signs out everywhere else": lambda web, who: httpx.delete(
        f"{web.url}/api/v1/auth/sessions", headers={"Authorization": f"Bearer {_other_session(web, who)}"}
    ).raise_for_status(),
}


@pytest.mark.parametrize("how", sorted(ENDINGS))
def test_a_socket_ends_when(web: Web, connect: Connect, how: str) -> None:
    person = sign_up(web, "user", "ends")
    sockets = [connect(person.token, namespace) for namespace in ("/deployments", "/downloads", "/chat")]
    bystander = connect(sign_up(web, "user", "stays").token, "/deployments")
    assert all(socket.call("subscribe", id="*")["ok"] for socket in sockets)
    ENDINGS[how](web, person)
    until(lambda: not any(socket.connected for socket in sockets))
    assert bystander.connected and bystander.call("subscribe", id="*")["ok"]


def test_a_role_that_loses_a_permission_loses_its_sockets(web: Web, connect: Connect) -> None:
    name = f"r{time.time_ns()}"
    body = {"name": name, "title": "x", "permissions": ["deployments.read", "chat.use"]}
    web.api("POST", "/roles", body)
    person = sign_up(web, name, "custom")
    socket = connect(person.token, "/chat")
    web.api("PATCH", f"/roles/{name}", {"permissions": ["deployments.read"]})
    until(lambda: not socket.connected)
    with pytest.raises(socketio.exceptions.ConnectionError):
        connect(person.token, "/chat")


def test_who_leaves_a_team_hears_no_more_of_it(web: Web, connect: Connect) -> None:
    person, owner = sign_up(web, "user", "leaver"), sign_up(web, "user", "owner")
    with web.app.app_context(), unit_of_work():
        team = things.team(person.id, owner.id)
    cast = Cast(web, {}, owner, team)
    id = cast.make("deployment", owner, visibility="team", team_id=team)
    socket = connect(person.token, "/deployments")
    assert socket.call("subscribe", id=id)["ok"]
    web.api("DELETE", f"/teams/{team}/members/{person.id}")
    until(lambda: not socket.connected)
    assert not connect(person.token, "/deployments").call("subscribe", id=id)["ok"]


def test_narrowing_who_sees_it_ends_following(web: Web, connect: Connect, cast: Cast) -> None:
    id = cast.make("deployment", cast.stranger, visibility="public")
    viewer = connect(cast.persons["viewer"].token, "/deployments")
    viewer.call("subscribe", id=id)
    viewer.call("subscribe", id="*")
    web.api("PUT", f"/deployments/{id}/sharing", {"visibility": "private"})
    assert viewer.unsubscribed.get(timeout=20) == {"id": id}
    assert viewer.call("subscribe", id=id)["error"]["code"] == "NOT_FOUND"
    viewer.seen()
    web.api("POST", f"/deployments/{id}/start")
    marker = cast.make("deployment", cast.stranger, visibility="public")
    web.api("POST", f"/deployments/{marker}/start")
    assert id not in until(lambda: _told(viewer, marker))


def test_a_key_is_a_credential_for_sockets_and_its_end_is_theirs(web: Web, connect: Connect) -> None:
    person = sign_up(web, "user", "keyed")
    with web.app.app_context():
        text = things.api_key(person.id, ["deployments.read"])
    socket = connect(text, "/deployments")
    with pytest.raises(socketio.exceptions.ConnectionError):
        connect(text, "/chat")
    key = web.api("GET", "/api-keys?all=true")["items"][0]["id"]
    web.api("DELETE", f"/api-keys/{key}")
    until(lambda: not socket.connected)


@pytest.mark.parametrize("channel", ["chat", "openai"])
def test_a_stream_of_tokens_ends_with_the_session(web: Web, channel: str) -> None:
    person = sign_up(web, "user", "streams")
    headers = {"Authorization": f"Bearer {person.token}"}
    question = "count=400 pace=0.05"
    if channel == "chat":
        session = httpx.post(
            f"{web.url}/api/v1/chat/sessions",
            json={"deployment_id": web.deployment("shared")},
            headers=headers,
        ).json()["data"]["id"]
        path, body = f"/api/v1/chat/sessions/{session}/messages", {"content": question, "stream": True}
    else:
        path = "/v1/chat/completions"
        body = {"model": "shared", "messages": [{"role": "user", "content": question}], "stream": True}
    with httpx.stream("POST", f"{web.url}{path}", json=body, headers=headers, timeout=60) as response:
        assert response.status_code == 200
        lines = response.iter_lines()
        next(lines)
        web.api("DELETE", f"/users/{person.id}/sessions")
        rest = list(lines)
    assert not any("word399" in line for line in rest), "it went on to the end"


def _other_session(web: Web, who: Person) -> str:
    from datetime import timedelta

    from api.models import UserSession
    from api.models.base import utcnow
    from api.security.tokens import issue_access

    with web.app.app_context():
        with unit_of_work():
            ends = utcnow() + timedelta(days=1)
            row = UserSession(user_id=who.id, last_seen_at=utcnow(), expires_at=ends)
            db.session.add(row)
        return issue_access(who.id, row.id)
