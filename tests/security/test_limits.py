"""How often one may ask: per user, key and address; what is exempt; what happens while Redis is away."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from api.config import Settings
from api.controllers.openapi import contracts
from api.extensions import db
from api.models import ApiKey, AuditEntry
from api.security import limits
from api.security.authorise import Identity, forget, hash_token
from api.unit_of_work import unit_of_work
from tests.support.people import Person, owner, user
from tests.support.servers import redis_server

Make = Callable[..., Flask]
LOGIN = {"email": "nobody@example.org", "password": "wrong guess"}


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def make(tmp_path: Path, prepared_home: Path) -> Iterator[Make]:
    """Applications with these settings on a copy of a prepared database; without Redis by default."""
    from api import create_app

    made: list[Flask] = []

    def application(redis: str | None = None, home: str = "home", **settings: str) -> Flask:
        if not (tmp_path / home).exists():
            shutil.copytree(prepared_home, tmp_path / home)
        given = {f"MODELHUB_{name.upper()}": value for name, value in settings.items()}
        redis = redis or f"unix://{tmp_path}/no-redis.sock?db=0"
        app = create_app(Settings(MODELHUB_HOME=tmp_path / home, REDIS_URL=redis, _env_file=None, **given))
        app.testing = True
        made.append(app)
        return app

    yield application
    for app in made:
        with app.app_context():
            db.engine.dispose()


def key_of(person: Person, name: str, per_minute: int | None = None) -> Person:
    with person.app.app_context(), unit_of_work():
        db.session.add(
            ApiKey(
                user_id=person.id, name=name, prefix=name, key_hash=hash_token(f"mh_{name}"),
                scopes=["models.read"], requests_per_minute=per_minute,
            )
        )  # fmt: skip
    return Person(person.app, f"mh_{name}", person.id, person.email)


def statuses(ask: Callable[[], Any], times: int) -> list[int]:
    return [ask().status_code for _ in range(times)]


def from_address(app: Flask, address: str, path: str = "/api/v1/models", token: str = "", **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with app.app_context():
        return app.test_client().open(
            path, headers=headers, environ_overrides={"REMOTE_ADDR": address}, **{"method": "GET", **more}
        )


def test_a_user_is_limited_and_others_are_not(make: Make) -> None:
    app = make(rate_limit="4/minute")
    anna, ben = user(app, "anna"), user(app, "ben")
    assert statuses(lambda: anna.get("models"), 6) == [200] * 4 + [429] * 2
    assert ben.get("models").status_code == 200
    answer = anna.get("models")
    body = answer.get_json()
    assert body["error"] == "TOO_MANY_REQUESTS" and "4 requests in a minute" in body["message"]
    assert 1 <= int(answer.headers["Retry-After"]) == body["details"]["retry_after"] <= 60
    assert answer.headers["RateLimit-Limit"] == "4" and answer.headers["RateLimit-Remaining"] == "0"
    assert answer.headers["RateLimit-Reset"] == answer.headers["Retry-After"]
    # Refusals count as requests too: a key may not be asked for ever what it may not do.
    assert statuses(lambda: ben.get("users"), 4) == [403] * 3 + [429]


def test_all_keys_of_a_user_share_his_limit_and_one_may_have_less(make: Make) -> None:
    app = make(rate_limit="7/minute")
    anna = user(app, "anna")
    slow, other = key_of(anna, "slow", per_minute=2), key_of(anna, "other")
    assert statuses(lambda: slow.get("models"), 3) == [200, 200, 429]
    assert "with this API key" in slow.get("models").get_json()["message"]
    assert statuses(lambda: other.get("models"), 3) == [200] * 3
    assert statuses(lambda: anna.get("models"), 3) == [200, 200, 429]
    generous = key_of(anna, "generous", per_minute=1000)
    assert generous.get("models").status_code == 429


def test_openai_clients_get_their_own_shape(make: Make) -> None:
    anna = user(make(rate_limit="1/minute"), "anna")
    ask = {"method": "GET", "path": "/v1/models", "token": anna.token}
    assert from_address(anna.app, "127.0.0.1", **ask).status_code == 200
    answer = from_address(anna.app, "127.0.0.1", **ask)
    assert answer.status_code == 429 and answer.headers["Retry-After"]
    assert answer.get_json()["error"]["type"] == "rate_limit_error"


def test_a_flood_over_the_limit_costs_nothing_behind_the_door(make: Make) -> None:
    app = make(rate_limit="2/minute")
    anna = user(app, "anna")
    statuses(lambda: anna.get("users"), 10)
    with app.app_context():
        # Each refusal is written down; the ones beyond the limit never come that far.
        assert AuditEntry.query.filter_by(result="denied").count() <= 4


def test_credentials_cannot_be_guessed_without_limit(make: Make) -> None:
    app = make(rate_limit_anonymous="5/minute", rate_limit="1000/minute")
    anna = user(app, "anna")
    newcomer = key_of(anna, "newcomer")
    assert from_address(app, "192.0.2.1", token=anna.token).status_code == 200
    guesses = [from_address(app, "192.0.2.1", token=f"mh_guess{i}").status_code for i in range(9)]
    assert guesses == [401] * 5 + [429] * 4
    # Nor does the right one say so now, unless it was known before: others behind this address go on.
    assert from_address(app, "192.0.2.1", token=newcomer.token).status_code == 429
    assert from_address(app, "192.0.2.1", token=anna.token).status_code == 200
    assert from_address(app, "192.0.2.2", token=newcomer.token).status_code == 200


def test_signing_in_has_a_limit_of_its_own(make: Make) -> None:
    app = make(rate_limit_sign_in="3/minute")
    login = {"path": "/api/v1/auth/login", "method": "POST", "json": LOGIN}
    assert [from_address(app, "192.0.2.1", **login).status_code for _ in range(5)] == [401] * 3 + [429] * 2
    join = {"path": "/api/v1/auth/join/look", "method": "POST", "json": {"token": "mhi_guess"}}
    assert from_address(app, "192.0.2.1", **join).status_code == 429
    assert from_address(app, "192.0.2.2", **login).status_code == 401
    # A forwarded address is not believed when there is no proxy.
    spoofed = {**login, "headers": {"X-Forwarded-For": "198.51.100.9"}}
    with app.app_context():
        path = spoofed.pop("path")
        answer = app.test_client().open(path, environ_overrides={"REMOTE_ADDR": "192.0.2.1"}, **spoofed)
    assert answer.status_code == 429


def test_every_way_in_is_limited_as_one(make: Make) -> None:
    app = make()
    ways = {rule.rule for rule, _, declared in contracts(app) if declared.permission == "public"}
    known = {"options", "refresh", "logout"}  # nothing can be guessed there that has not 200 random bits
    assert {way for way in ways if "/auth/" in way} == limits.SIGN_IN | {f"/api/v1/auth/{n}" for n in known}


def test_an_ipv6_network_is_one_address(make: Make) -> None:
    app = make(rate_limit_anonymous="2/minute")
    path = {"path": "/api/v1/openapi.json"}
    assert [from_address(app, f"2001:db8:1:2::{i:x}", **path).status_code for i in range(1, 4)] == [
        200,
        200,
        429,
    ]
    assert from_address(app, "2001:db8:1:3::1", **path).status_code == 200
    mapped = [
        from_address(app, address, **path).status_code for address in ("::ffff:192.0.2.1", "192.0.2.1") * 2
    ]
    assert mapped == [200, 200, 429, 429]


def test_health_assets_and_this_machine_are_not_counted(make: Make) -> None:
    app = make(rate_limit="1/minute", rate_limit_anonymous="1/minute", rate_limit_sign_in="1/minute")
    for path in ("/healthz", "/readyz", "/", "/favicon.svg", "/api/docs/start.js"):
        got = {from_address(app, "192.0.2.1", path).status_code for _ in range(4)}
        assert 429 not in got, path
    assert statuses(lambda: owner(app).get("models"), 4) == [200] * 4
    # What is not there still makes work.
    assert [from_address(app, "192.0.2.1", "/api/v1/x").status_code for _ in range(3)] == [404, 429, 429]


def test_no_limit_is_no_limit(make: Make) -> None:
    app = make(rate_limit="", rate_limit_anonymous="", rate_limit_sign_in="")
    anna = user(app, "anna")
    assert statuses(lambda: anna.get("models"), 20) == [200] * 20
    assert [from_address(app, "192.0.2.1", token="mh_guess").status_code for _ in range(20)] == [401] * 20


@pytest.mark.parametrize("text", ["many", "0/minute", "-1/minute", "10", "10/fortnight", "5/minute;x"])
def test_a_limit_that_cannot_be_read_stops_the_start(make: Make, text: str) -> None:
    with pytest.raises(ValueError, match=r"MODELHUB_RATE_LIMIT\n.*write it like 100/minute"):
        make(rate_limit=text)


def test_several_limits_at_once(make: Make) -> None:
    anna = user(make(rate_limit="100/hour;3/minute"), "anna")
    assert statuses(lambda: anna.get("models"), 4) == [200] * 3 + [429]


def test_processes_share_what_redis_counts(make: Make, redis: str) -> None:
    one, two = (make(redis, rate_limit="4/minute") for _ in range(2))
    anna = user(one, "shared")
    there = Person(two, anna.token)
    assert statuses(lambda: anna.get("models"), 2) == statuses(lambda: there.get("models"), 2) == [200, 200]
    assert anna.get("models").status_code == there.get("models").status_code == 429


def test_redis_may_go_and_come_back(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "AWAY_SECONDS", 0.0)
    with redis_server(tmp_path) as url:
        app = make(url, rate_limit="3/minute", rate_limit_sign_in="2/minute")
        anna = user(app, "anna")
        counter = app.extensions["modelhub_limits"].counter
        assert statuses(lambda: anna.get("models"), 4) == [200] * 3 + [429]
        assert not counter.away_until
    # Away: nobody gets an error for it, and nobody is unlimited.
    app.extensions["modelhub_limits"].over.clear()
    ben = user(app, "ben")
    assert statuses(lambda: ben.get("models"), 5) == [200] * 3 + [429] * 2
    login = {"path": "/api/v1/auth/login", "method": "POST", "json": LOGIN}
    assert [from_address(app, "192.0.2.1", **login).status_code for _ in range(4)] == [401] * 2 + [429] * 2
    assert counter.away_until
    port = int(url.rpartition(":")[2].partition("/")[0])
    monkeypatch.setattr("tests.support.servers.free_port", lambda: port)
    (tmp_path / "again").mkdir()
    with redis_server(tmp_path / "again"):
        cleo = user(app, "cleo")
        assert cleo.get("models").status_code == 200 and not counter.away_until
        assert counter.shared.storage.check()


def identity(credential: str, kind: Any = "session") -> Identity:
    return Identity(kind, "u", "somebody", "user", frozenset(), credential)


def test_a_socket_may_send_only_so_many_events(app: Flask) -> None:
    with app.test_request_context():
        for _ in range(int(limits.EVENTS_AT_ONCE)):
            limits.allow_event(identity("noisy"))
        with pytest.raises(limits.TooMany):
            for _ in range(50):
                limits.allow_event(identity("noisy"))
        limits.allow_event(identity("quiet"))
        for _ in range(int(limits.EVENTS_AT_ONCE) * 2):
            limits.allow_event(identity("local", "machine"))


def test_what_is_remembered_does_not_grow(make: Make) -> None:
    app = make(rate_limit_anonymous="1/minute")
    known = app.extensions["modelhub_limits"]
    for number in range(limits._MOST + 50):
        limits._remember(known.suspects, number, 0.0)
    assert len(known.suspects) <= limits._MOST
    forget()
