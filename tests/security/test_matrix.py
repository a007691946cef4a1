"""Every route, as every role, on one's own thing, on somebody else's, and on none.

The table is `CASES`; a route that is not in it fails. What must come out follows from the permission the
route declares, from what the role holds, and from whose thing it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from api.controllers.openapi import contracts
from api.models.base import new_id
from api.security.permissions import BUILTIN
from api.unit_of_work import unit_of_work
from tests.support import people, things
from tests.support.people import Person

ABSENT = "0" * 31 + "1"
ROLES = tuple(BUILTIN)


@dataclass(frozen=True)
class Case:
    """How to call one route. `{id}` in a body stands for the thing's id.

    `whose`: owned (visible and changeable by `api.security.ownership`), mine (nobody else's, not even for an
    administrator), hub (no owner: who has the permission may).
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
    "GET /api/v1/downloads": Case(),
    "POST /api/v1/downloads": Case(body={"source": "starter", "ref": "modelhub/starter"}, good=(202, 409)),
    "GET /api/v1/downloads/<download_id>": Case("download"),
    "DELETE /api/v1/downloads/<download_id>": Case("download", columns=(("state", "completed"),)),
    "POST /api/v1/downloads/<download_id>/pause": Case("download", columns=(("state", "queued"),)),
    "POST /api/v1/downloads/<download_id>/resume": Case("download"),
    "POST /api/v1/downloads/<download_id>/cancel": Case("download"),
    "POST /api/v1/downloads/<download_id>/retry": Case("download", columns=(("state", "failed"),)),
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
    "GET /v1/models": Case(),
    "GET /v1/models/<path:name>": Case("deployment", whose="seen", good=503),
    "GET /api/v1/jobs": Case(),
    "GET /api/v1/jobs/<job_id>": Case("job"),
    "POST /api/v1/jobs/<job_id>/cancel": Case("job"),
    "POST /api/v1/jobs/<job_id>/retry": Case("job", columns=(("state", "failed"),)),
    "GET /api/v1/system": Case(),
}

PUBLIC = {
    "GET /healthz", "GET /readyz",
    "POST /api/v1/auth/login", "POST /api/v1/auth/refresh", "POST /api/v1/auth/logout",
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
    assert _call(app, name, case, None, new_id()).status_code == 401
    for role, person in team["persons"].items():
        holds = BUILTIN[role][2]
        allowed = declared.permission in holds or declared.permission == "signed_in"
        for relation in _relations(case):
            thing = _thing(case, relation, person, team)
            answer = _call(app, name, case, person, thing)
            wanted = _expected(name, case, declared, holds, relation) if allowed else {403}
            said = (name, role, relation, answer.status_code, answer.get_data(as_text=True)[:300])
            assert answer.status_code in wanted, said


def _relations(case: Case) -> tuple[str, ...]:
    if case.kind is None:
        return ("none",)
    if case.whose == "hub":
        return ("own", "absent")
    sharable = case.whose != "mine" and case.kind in ("model", "deployment", "download")
    return ("own", "others", "absent", *(("team", "public") if sharable else ()))


def _thing(case: Case, relation: str, person: Person, team: dict[str, Any]) -> str:
    if case.kind is None or relation == "absent":
        return ABSENT
    shared: dict[str, Any] = dict(case.columns)
    if relation == "team":
        shared |= {"visibility": "team", "team_id": team["team"]}
    elif relation == "public":
        shared["visibility"] = "public"
    return things.make(case.kind, person.id if relation == "own" else team["stranger"].id, **shared)


def _expected(name: str, case: Case, declared: Any, holds: frozenset[str], relation: str) -> set[int]:
    good = set(case.good) if isinstance(case.good, tuple) else {case.good or declared.status}
    writes = not name.startswith("GET ") and case.whose == "owned" and name != "POST /api/v1/deployments"
    if relation == "none" or relation == "own":
        return good
    if relation == "absent" or case.whose == "mine":
        return {404}
    if relation == "others":
        reach = "all.read" in holds
        if writes:
            return good if reach and "all.write" in holds else ({403} if reach else {404})
        return good if reach else {404}
    return good if not writes or "all.write" in holds else {403}


def _call(app: Flask, name: str, case: Case, person: Person | None, thing: str) -> Any:
    method, _, rule = name.partition(" ")
    start, end = rule.find("<"), rule.find(">")
    path = rule if start < 0 else rule[:start] + _name(case, thing, rule) + rule[end + 1 :]
    headers = {"Authorization": f"Bearer {person.token}"} if person else {}
    body = _filled(case.body, thing)
    if method != "GET" and body is None and "body" in name:
        body = {}
    with app.app_context():
        return app.test_client().open(
            path + case.query, method=method, headers=headers, **({"json": body} if body is not None else {})
        )


def _name(case: Case, thing: str, rule: str) -> str:
    from api.extensions import db
    from api.models import Deployment

    if "path:name" not in rule:
        return thing
    row = db.session.get(Deployment, thing)
    name = row.name if row else thing
    db.session.rollback()
    return name


def _filled(body: Any, thing: str) -> Any:
    if not isinstance(body, dict):
        return body
    words = {"{id}": thing, "{new}": new_id(), "{name}": _name(Case(), thing, "<path:name>")}
    return {key: words.get(value, value) if isinstance(value, str) else value for key, value in body.items()}
