"""Every route, as every role, on one's own thing, on somebody else's, and on none.

The table is `CASES`; a route that is not in it fails. What must come out follows from the permission the
route declares, from what the role holds, and from whose thing it is.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from api.controllers.openapi import contracts
from api.extensions import db
from api.models import Deployment
from api.models.base import new_id
from api.security.authorise import forget
from api.security.permissions import BUILTIN, GRANTABLE, NEVER_FOR_KEYS
from api.unit_of_work import unit_of_work
from tests.support import people, things
from tests.support.people import Person

ABSENT = "0" * 31 + "1"
ROLES = tuple(BUILTIN)


@dataclass(frozen=True)
class Case:
    """How to call one route. `{id}` in a body stands for the thing's id.

    `whose`: owned (visible and changeable by `api.security.ownership`), seen (it is enough to see it), mine
    (nobody else's, not even for an administrator), hub (no owner: who has the permission may), keys (one's
    own, or anybody's with `users.manage`), team (own: one manages it; team: one is in it).
    `good`: the status when it is allowed, if not the declared one. `columns`: what the thing must be like.
    """

    kind: str | None = None
    body: Any = None
    query: str = ""
    whose: str = "owned"
    good: int | tuple[int, ...] | None = None
    columns: tuple[tuple[str, Any], ...] = ()


SHARING = {"visibility": "private"}
CASES: dict[str, Case] = {
    "GET /api/v1/sources": Case(),
    "GET /api/v1/search": Case(query="?source=starter&q=x"),
    "GET /api/v1/search/model": Case(query="?source=starter&ref=modelhub/starter"),
    "GET /api/v1/models": Case(),
    "GET /api/v1/models/<model_id>": Case("model"),
    "DELETE /api/v1/models/<model_id>": Case("model"),
    "PUT /api/v1/models/<model_id>/sharing": Case("model", SHARING),
    "GET /api/v1/models/<model_id>/card": Case("model"),
    "GET /api/v1/ollama": Case(),
    "POST /api/v1/ollama/models": Case(body={"name": "x", "model_id": ABSENT}, good=404),
    "GET /api/v1/ollama/models/<path:name>": Case(good=502),
    "DELETE /api/v1/ollama/models/<path:name>": Case(good=502),
    "POST /api/v1/ollama/models/<path:name>/copy": Case(body={"to": "y"}, good=502),
    "PATCH /api/v1/models/<model_id>": Case("model", {"description": "x"}),
    "GET /api/v1/models/<model_id>/impact": Case("model"),
    "GET /api/v1/models/<model_id>/versions": Case("model"),
    "GET /api/v1/models/<model_id>/versions/compare": Case("model", query="?a=x&b=y", good=404),
    "GET /api/v1/models/<model_id>/versions/<version_id>": Case("model", good=404),
    "DELETE /api/v1/models/<model_id>/versions/<version_id>": Case("model", good=404),
    "POST /api/v1/models/<model_id>/versions/<version_id>/activate": Case("model", good=404),
    "POST /api/v1/models/<model_id>/check": Case("model", good=422),
    "POST /api/v1/models/<model_id>/update": Case("model", good=422),
    "POST /api/v1/models/<model_id>/offload": Case("model", good=409),
    "POST /api/v1/models/<model_id>/repair": Case("model", good=409),
    "POST /api/v1/models/<model_id>/restore": Case("model", good=409),
    "GET /api/v1/downloads": Case(),
    "POST /api/v1/downloads": Case(body={"source": "starter", "ref": "modelhub/starter"}, good=(202, 409)),
    "GET /api/v1/downloads/<download_id>": Case("download"),
    "DELETE /api/v1/downloads/<download_id>": Case("download", columns=(("state", "completed"),)),
    "PATCH /api/v1/downloads/<download_id>": Case("download", {"rate": 1_000_000}),
    "POST /api/v1/downloads/<download_id>/move": Case("download", {"to": "first"}),
    "POST /api/v1/downloads/<download_id>/pause": Case("download", columns=(("state", "queued"),)),
    "POST /api/v1/downloads/<download_id>/resume": Case("download"),
    "POST /api/v1/downloads/<download_id>/cancel": Case("download"),
    "POST /api/v1/downloads/<download_id>/retry": Case("download", columns=(("state", "failed"),)),
    "GET /api/v1/quarantine": Case(),
    "GET /api/v1/quarantine/<file_id>": Case("quarantined"),
    "DELETE /api/v1/quarantine/<file_id>": Case("quarantined"),
    "POST /api/v1/quarantine/<file_id>/release": Case("quarantined", {"reason": "looked at"}),
    "GET /api/v1/storage": Case(),
    "POST /api/v1/storage/verify": Case("model", {"model_id": "{id}"}),
    "GET /api/v1/storage/garbage": Case(),
    "POST /api/v1/storage/garbage": Case(),
    "GET /api/v1/settings/transfers": Case(),
    "PUT /api/v1/settings/transfers": Case(body={"parallel": 3}),
    "GET /api/v1/uploads": Case(),
    "POST /api/v1/uploads": Case(body={"name": "{new}", "files": [{"path": "x.gguf", "size": 1}]}),
    "GET /api/v1/uploads/<upload_id>": Case("upload"),
    "DELETE /api/v1/uploads/<upload_id>": Case("upload"),
    "GET /api/v1/uploads/<upload_id>/files/<int:index>": Case("upload"),
    "PATCH /api/v1/uploads/<upload_id>/files/<int:index>": Case("upload", good=422),
    "POST /api/v1/uploads/<upload_id>/complete": Case("upload", good=409),
    "GET /api/v1/folders/scan": Case(),
    "GET /api/v1/runtimes": Case(),
    "GET /api/v1/deployments": Case(),
    "POST /api/v1/deployments": Case("model", {"model_id": "{id}", "name": "{new}"}, good=422),
    "GET /api/v1/deployments/<deployment_id>": Case("deployment"),
    "DELETE /api/v1/deployments/<deployment_id>": Case("deployment"),
    "PUT /api/v1/deployments/<deployment_id>/sharing": Case("deployment", SHARING),
    "POST /api/v1/deployments/<deployment_id>/start": Case("deployment"),
    "POST /api/v1/deployments/<deployment_id>/stop": Case("deployment"),
    "POST /api/v1/deployments/<deployment_id>/restart": Case("deployment"),
    "GET /api/v1/deployments/<deployment_id>/logs": Case("deployment"),
    "GET /api/v1/chat/sessions": Case(),
    "POST /api/v1/chat/sessions": Case("deployment", {"deployment_id": "{id}"}, whose="seen"),
    "GET /api/v1/chat/sessions/<session_id>": Case("chat", whose="mine"),
    "PATCH /api/v1/chat/sessions/<session_id>": Case("chat", {"title": "x"}, whose="mine"),
    "DELETE /api/v1/chat/sessions/<session_id>": Case("chat", whose="mine"),
    "GET /api/v1/chat/sessions/<session_id>/messages": Case("chat", whose="mine"),
    "POST /api/v1/chat/sessions/<session_id>/messages": Case(
        "chat", {"content": "x"}, whose="mine", good=503
    ),
    "GET /api/v1/chat/generations/<message_id>/events": Case("message", whose="mine"),
    "POST /api/v1/chat/generations/<message_id>/stop": Case("message", whose="mine"),
    "POST /v1/chat/completions": Case(
        "deployment",
        {"model": "{name}", "messages": [{"role": "user", "content": "x"}]},
        whose="seen",
        good=503,
    ),
    "POST /v1/completions": Case("deployment", {"model": "{name}", "prompt": "x"}, whose="seen", good=503),
    "GET /hf/api/whoami-v2": Case(),
    "GET /hf/api/models": Case(),
    "GET /hf/api/models/<namespace>/<name>": Case("model", whose="seen"),
    "GET /hf/api/models/<namespace>/<name>/revision/<path:revision>": Case("model", whose="seen"),
    "GET /hf/api/models/<namespace>/<name>/tree/<revision>": Case("model", whose="seen"),
    "GET /hf/api/models/<namespace>/<name>/tree/<revision>/<path:under>": Case(
        "model", whose="seen", good=404
    ),
    "GET /hf/api/models/<namespace>/<name>/refs": Case("model", whose="seen"),
    "GET /hf/api/models/<namespace>/<name>/auth-check": Case("model", whose="seen"),
    "POST /hf/api/models/<namespace>/<name>/paths-info/<revision>": Case(
        "model", {"paths": ["x"]}, whose="seen"
    ),
    "GET /hf/<namespace>/<name>/resolve/<path:rest>": Case("model", whose="seen", good=404),
    "GET /ollama/api/version": Case(),
    "GET /ollama/api/tags": Case(),
    "GET /ollama/api/ps": Case(),
    "POST /ollama/api/show": Case("deployment", {"model": "{name}"}, whose="seen", good=503),
    "POST /ollama/api/chat": Case("deployment", {"model": "{name}"}, whose="seen", good=503),
    "POST /ollama/api/generate": Case("deployment", {"model": "{name}"}, whose="seen", good=503),
    "POST /ollama/api/embed": Case(good=400),
    "POST /ollama/api/embeddings": Case(good=400),
    **{
        f"{method} /ollama/api/{verb}": Case(good=403)
        for verb in ("pull", "push", "create", "copy", "delete", "blobs/<digest>")
        for method in ("POST", "DELETE")
    },
    "GET /v1/models": Case(),
    "GET /v1/models/<path:name>": Case("deployment", whose="seen", good=503),
    "GET /api/v1/jobs": Case(),
    "GET /api/v1/jobs/<job_id>": Case("job"),
    "POST /api/v1/jobs/<job_id>/cancel": Case("job"),
    "POST /api/v1/jobs/<job_id>/retry": Case("job", columns=(("state", "failed"),)),
    "GET /api/v1/system": Case(),
    "GET /api/v1/auth/me": Case(),
    "PATCH /api/v1/auth/me": Case(body={"name": "x"}),
    "POST /api/v1/auth/password": Case(body={"current": "x", "new": "new {new}"}, good=(401, 409)),
    "GET /api/v1/auth/sessions": Case(),
    "DELETE /api/v1/auth/sessions": Case(),
    "DELETE /api/v1/auth/sessions/<session_id>": Case("session", whose="mine"),
    "GET /api/v1/permissions": Case(),
    "GET /api/v1/roles": Case(),
    "POST /api/v1/roles": Case(body={"name": "r{new}", "title": "x", "permissions": ["models.read"]}),
    "GET /api/v1/roles/<name>": Case("role", whose="hub"),
    "PATCH /api/v1/roles/<name>": Case("role", {"title": "x"}, whose="hub"),
    "DELETE /api/v1/roles/<name>": Case("role", whose="hub"),
    "GET /api/v1/users": Case(),
    "POST /api/v1/users": Case(body={"email": "{new}@example.org", "password": "new {new}"}),
    "GET /api/v1/users/<user_id>": Case("user", whose="hub"),
    "PATCH /api/v1/users/<user_id>": Case("user", {"name": "x"}, whose="hub"),
    "DELETE /api/v1/users/<user_id>": Case("user", whose="hub"),
    "POST /api/v1/users/<user_id>/reset": Case("user", whose="hub"),
    "GET /api/v1/users/<user_id>/sessions": Case("user", whose="hub"),
    "DELETE /api/v1/users/<user_id>/sessions": Case("user", whose="hub"),
    "GET /api/v1/invites": Case(),
    "POST /api/v1/invites": Case(body={"role": "viewer"}),
    "DELETE /api/v1/invites/<invite_id>": Case("invite", whose="hub"),
    "GET /api/v1/lockouts": Case(),
    "DELETE /api/v1/lockouts/<lockout_id>": Case("lockout", whose="hub"),
    "GET /api/v1/teams": Case(),
    "POST /api/v1/teams": Case(body={"name": "{new}"}),
    "GET /api/v1/teams/<team_id>": Case("team", whose="team"),
    "PATCH /api/v1/teams/<team_id>": Case("team", {"description": "x"}, whose="team"),
    "DELETE /api/v1/teams/<team_id>": Case("team", whose="hub"),
    "PUT /api/v1/teams/<team_id>/members/<user_id>": Case("team", {"manager": False}, whose="team"),
    "DELETE /api/v1/teams/<team_id>/members/<user_id>": Case("team", whose="team"),
    "GET /api/v1/api-keys": Case(),
    "POST /api/v1/api-keys": Case(body={"name": "x", "scopes": ["models.read"]}),
    "GET /api/v1/api-keys/<key_id>": Case("key", whose="keys"),
    "DELETE /api/v1/api-keys/<key_id>": Case("key", whose="keys"),
    "GET /api/v1/audit": Case(),
    "GET /api/v1/audit/export": Case(),
    "GET /api/v1/audit/verify": Case(),
}

PUBLIC = {
    "GET /healthz", "GET /readyz", "GET /ollama/",
    "POST /api/v1/auth/login", "POST /api/v1/auth/refresh", "POST /api/v1/auth/logout",
    "GET /api/v1/auth/options", "POST /api/v1/auth/register",
    "POST /api/v1/auth/join/look", "POST /api/v1/auth/join",
    "GET /api/v1/auth/sso/start", "GET /api/v1/auth/sso/callback",
}  # fmt: skip
"""Routes that ask nobody who they are. They are short, and each has its own tests."""


@pytest.fixture(scope="module")
def app(hub_application: Flask) -> Flask:
    """One application for the whole table: each case makes its own things."""
    return hub_application


@pytest.fixture(scope="module")
def routes(app: Flask) -> dict[str, Any]:
    return {f"{method} {rule.rule}": declared for rule, method, declared in contracts(app)}


def test_every_route_is_in_the_table_and_the_public_ones_are_known(routes: dict[str, Any]) -> None:
    assert {name for name, declared in routes.items() if declared.permission == "public"} == PUBLIC
    assert set(routes) - PUBLIC == set(CASES), "a route without a case, or a case without a route"


@pytest.fixture(scope="module")
def team(app: Flask) -> Iterator[dict[str, Any]]:
    """One person of each role, a stranger, and a team in which all but the stranger only are members."""
    persons = {role: people.user(app, role, role) for role in ROLES}
    stranger = people.user(app, "stranger", "user")
    with unit_of_work():
        shared = things.team(*(person.id for person in persons.values()))
    yield {"persons": persons, "stranger": stranger, "team": shared}


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_matrix(app: Flask, routes: dict[str, Any], team: dict[str, Any], name: str) -> None:
    case, declared = CASES[name], routes[name]
    assert _call(app, name, case, None, new_id(), new_id()).status_code == 401
    for role, person in team["persons"].items():
        holds = BUILTIN[role][2]
        allowed = declared.permission in holds or declared.permission == "signed_in"
        for relation in _relations(case):
            thing = _thing(case, relation, person, team)
            answer = _call(app, name, case, person, thing, team["stranger"].id)
            wanted = _expected(name, case, declared, holds, relation) if allowed else {403}
            said = (name, role, relation, answer.status_code, answer.get_data(as_text=True)[:300])
            assert answer.status_code in wanted, said


NOT_FOR_KEYS = {
    "PATCH /api/v1/auth/me", "POST /api/v1/auth/password", "GET /api/v1/auth/sessions",
    "DELETE /api/v1/auth/sessions", "DELETE /api/v1/auth/sessions/<session_id>",
    "GET /api/v1/api-keys/<key_id>", "DELETE /api/v1/api-keys/<key_id>",
    "PATCH /api/v1/teams/<team_id>", "PUT /api/v1/teams/<team_id>/members/<user_id>",
    "DELETE /api/v1/teams/<team_id>/members/<user_id>",
}  # fmt: skip
"""One's own account, keys and teams are a person's: a program's key without the scope for everybody's
(`teams.manage`) cannot touch them."""


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_key_reaches_what_its_scopes_say_and_no_more(
    app: Flask, routes: dict[str, Any], team: dict[str, Any], name: str
) -> None:
    """Its owner is an administrator: only the scopes stand between the key and everything."""
    case, declared, admin = CASES[name], routes[name], team["persons"]["admin"]
    needed = declared.permission
    reaches = name not in NOT_FOR_KEYS and needed not in NEVER_FOR_KEYS
    good = _good(case, declared) if reaches else {403, 404}
    for carrier in ("Authorization", "X-API-Key"):
        thing = _thing(case, "own", admin, team)
        key = things.api_key(admin.id, [needed, "all.read"] if needed in GRANTABLE else ["all.read"])
        assert _call(app, name, case, key, thing, team["stranger"].id, carrier).status_code in good
        others = things.api_key(admin.id, sorted(GRANTABLE - {needed}))
        answer = _call(app, name, case, others, thing, team["stranger"].id, carrier)
        if needed in GRANTABLE:
            assert answer.status_code == 403, (name, carrier, answer.get_data(as_text=True))


def _good(case: Case, declared: Any) -> set[int]:
    return set(case.good) if isinstance(case.good, tuple) else {case.good or declared.status}


def _relations(case: Case) -> tuple[str, ...]:
    if case.kind is None:
        return ("none",)
    if case.whose == "hub":
        return ("own", "absent")
    if case.whose == "team":
        return ("own", "others", "absent", "team")
    sharable = case.whose != "mine" and case.kind in ("model", "deployment", "download")
    return ("own", "others", "absent", *(("team", "public") if sharable else ()))


def _thing(case: Case, relation: str, person: Person, team: dict[str, Any]) -> str:
    if case.kind is None or relation == "absent":
        return ABSENT
    if case.kind == "team":
        inside = (person.id,) if relation == "team" else ()
        forget()  # in the hub, who changes a team says so
        with unit_of_work():
            return things.team(team["stranger"].id, *inside, manager=person.id if relation == "own" else None)
    shared: dict[str, Any] = dict(case.columns)
    if relation == "team":
        shared |= {"visibility": "team", "team_id": team["team"]}
    elif relation == "public":
        shared["visibility"] = "public"
    return things.make(case.kind, person.id if relation == "own" else team["stranger"].id, **shared)


def _expected(name: str, case: Case, declared: Any, holds: frozenset[str], relation: str) -> set[int]:
    good = _good(case, declared)
    writes = not name.startswith("GET ") and case.whose == "owned" and name != "POST /api/v1/deployments"
    if relation == "none" or relation == "own":
        return good
    if relation == "absent" or case.whose == "mine":
        return {404}
    if case.whose == "keys":
        return good if "users.manage" in holds else {404}
    if case.whose == "team":
        seen = relation == "team" or bool({"teams.manage", "all.read"} & holds)
        if name.startswith("GET "):
            return good if seen else {404}
        return good if "teams.manage" in holds else ({403} if seen else {404})
    if relation == "others":
        reach = "all.read" in holds
        if writes:
            return good if reach and "all.write" in holds else ({403} if reach else {404})
        return good if reach else {404}
    return good if not writes or "all.write" in holds else {403}


def _call(
    app: Flask,
    name: str,
    case: Case,
    who: Person | str | None,
    thing: str,
    other: str,
    carrier: str = "Authorization",
) -> Any:
    method, _, rule = name.partition(" ")
    names = iter([_name(thing) if "path:name" in rule else thing, other])
    if rule.startswith("/hf/"):
        names = iter(["local", thing, "main/x" if "<path:rest>" in rule else "main", "x"])
    path = re.sub(r"<[^>]+>", lambda _match: next(names), rule.replace("<int:index>", "0"))
    token = who.token if isinstance(who, Person) else who
    headers = {carrier: token if carrier == "X-API-Key" else f"Bearer {token}"} if token else {}
    body = _filled(case.body, thing)
    with app.app_context():
        return app.test_client().open(
            path + case.query, method=method, headers=headers, **({"json": body} if body is not None else {})
        )


def _name(deployment_id: str) -> str:
    """What `/v1` calls it; an id that is no deployment's stays as it is."""
    row = db.session.get(Deployment, deployment_id)
    name = row.name if row else deployment_id
    db.session.rollback()
    return name


def _filled(body: Any, thing: str) -> Any:
    if not isinstance(body, dict):
        return body
    words = {"{id}": thing, "{new}": new_id(), "{name}": _name(thing)}
    filled = json.dumps(body)
    for word, value in words.items():
        filled = filled.replace(word, value)
    return json.loads(filled)
