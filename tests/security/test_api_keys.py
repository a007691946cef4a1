"""API keys: shown once, never more than their owner, gone when revoked; one resolver for every carrier."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from api.extensions import db
from api.models import ApiKey, Deployment, HubModel, User
from api.models.base import utcnow
from api.security import key_use
from api.security.authorise import forget, hash_token
from api.security.permissions import NEVER_FOR_KEYS
from api.services import api_keys
from api.unit_of_work import unit_of_work
from tests.support.people import Person, audit_log, owner, user

READER = {"name": "reader", "scopes": ["models.read"]}


@pytest.fixture
def admin(app: Flask) -> Person:
    return owner(app)


@pytest.fixture
def anna(app: Flask) -> Person:
    return user(app, "anna")


def key_of(person: Person, body: dict[str, Any] = READER) -> tuple[Person, dict[str, Any]]:
    made = person.made("api-keys", body)
    return Person(person.app, made["key"], person.id, person.email), made


def deployment(of: Person, name: str) -> str:
    with unit_of_work():
        model = HubModel(
            name=name, source="starter", ref=name, revision="main", commit="0" * 40, path=name,
            user_id=of.id, visibility="private",
        )  # fmt: skip
        db.session.add(model)
        db.session.flush()
        row = Deployment(
            name=name, model_id=model.id, runtime="process", engine="x", user_id=of.id, visibility="private"
        )
        db.session.add(row)
    return row.id


def column(key_id: str, name: str) -> Any:
    db.session.rollback()
    return db.session.scalar(db.select(getattr(ApiKey, name)).where(ApiKey.id == key_id))


def test_a_key_is_shown_once_and_kept_as_a_hash(app: Flask, anna: Person) -> None:
    program, made = key_of(anna)
    assert re.fullmatch(r"mh_[A-Za-z0-9_-]{43}", made["key"]) and made["key"].startswith(made["prefix"])
    assert column(made["id"], "key_hash") == hash_token(made["key"])
    shown = anna.data(f"api-keys/{made['id']}")
    assert {**shown, "key": made["key"]} == made and "key_hash" not in shown
    secret = made["key"].removeprefix(made["prefix"]).encode()
    home: Path = app.extensions["modelhub_settings"].home
    for path in home.rglob("*"):
        assert not path.is_file() or secret not in path.read_bytes(), f"the key stands in {path.name}"
    entry = audit_log()[-1]
    assert (entry.action, entry.object_id) == ("key.create", made["id"])
    assert entry.details["scopes"] == ["models.read"]
    assert program.get("models").status_code == 200


def test_a_key_may_not_ask_for_more_than_its_owner_or_than_any_key(anna: Person) -> None:
    for body, status in (
        ({"scopes": ["models.fly"]}, 422),
        ({"scopes": []}, 422),
        ({"scopes": ["users.read"]}, 403),
        ({"scopes": ["models.read"], "deployments": ["nothing"]}, 422),
        ({"scopes": ["models.read"], "days": 0}, 422),
        ({"scopes": ["models.read"], "requests_per_minute": 0}, 422),
        *(({"scopes": [never]}, 422) for never in sorted(NEVER_FOR_KEYS)),
    ):
        assert anna.post("api-keys", {"name": "x", **body}).status_code == status, body
    assert anna.data("api-keys")["items"] == []


def test_viewers_make_no_keys_and_keys_make_no_keys(app: Flask, anna: Person) -> None:
    assert user(app, "vera", "viewer").post("api-keys", READER).status_code == 403
    program, _ = key_of(anna)
    assert program.post("api-keys", READER).status_code == 403


def test_a_key_does_only_what_its_scopes_say(anna: Person) -> None:
    program, _ = key_of(anna)
    assert program.get("models").status_code == 200
    for path in ("downloads", "deployments", "jobs", "chat/sessions", "users", "roles", "audit", "system"):
        answer = program.get(path)
        assert answer.status_code == 403 and "API key" in answer.get_json()["message"], path


def test_every_carrier_ends_at_the_same_check(anna: Person) -> None:
    """CVE-2026-45339 was a restriction checked on one header only."""
    _, made = key_of(anna)
    client, key = anna.app.test_client(), made["key"]
    ways = [{"Authorization": f"Bearer {key}"}, {"Authorization": f"bearer  {key}"}, {"X-API-Key": key}]
    for headers in [*ways, {**ways[0], **ways[2]}]:
        assert client.get("/api/v1/models", headers=headers).status_code == 200
        assert client.get("/api/v1/downloads", headers=headers).status_code == 403
        assert client.get("/v1/models", headers=headers).status_code == 403
    for headers in (
        {**ways[2], "Authorization": f"Bearer {anna.token}"},
        {"Authorization": f"Basic {key}"},
        {"Authorization": f"Token {key}"},
        {"Cookie": f"mh_refresh={key}"},
        {"Cookie": f"Authorization=Bearer {key}"},
        {"X-Api-Token": key},
    ):
        assert client.get("/api/v1/models", headers=headers).status_code == 401, headers
    for name in ("api_key", "key", "access_token", "token"):
        assert client.get(f"/api/v1/models?{name}={key}").status_code == 401


def test_a_key_falls_with_its_owners_role_and_account(app: Flask, anna: Person, admin: Person) -> None:
    program, _ = key_of(anna, {"name": "x", "scopes": ["models.read", "chat.use", "deployments.read"]})
    assert program.get("chat/sessions").status_code == 200
    admin.patch("roles/user", {"permissions": ["models.read", "keys.use"]})
    assert program.get("chat/sessions").status_code == 403 and program.get("models").status_code == 200
    with unit_of_work():
        db.session.get(User, anna.id).active = False
    forget()
    assert program.get("models").status_code == 401


def test_a_revoked_key_is_refused_with_the_next_request(app: Flask, anna: Person, admin: Person) -> None:
    program, made = key_of(anna)
    other, others = key_of(anna)
    assert program.get("models").status_code == other.get("models").status_code == 200
    assert anna.delete(f"api-keys/{made['id']}").get_json()["data"]["state"] == "revoked"
    assert program.get("models").status_code == 401 and other.get("models").status_code == 200
    assert (audit_log()[-1].action, audit_log()[-1].object_id) == ("key.revoke", made["id"])
    count = len(audit_log())
    assert anna.delete(f"api-keys/{made['id']}").status_code == 200 and len(audit_log()) == count
    assert admin.delete(f"api-keys/{others['id']}").status_code == 200  # users.manage
    assert other.get("models").status_code == 401
    assert [item["state"] for item in anna.data("api-keys")["items"]] == ["revoked", "revoked"]


def test_an_expired_key_is_refused(anna: Person) -> None:
    program, made = key_of(anna, {**READER, "days": 1})
    assert program.get("models").status_code == 200 and made["expires_at"]
    with unit_of_work():
        db.session.get(ApiKey, made["id"]).expires_at = utcnow() - timedelta(seconds=1)
    forget()
    assert program.get("models").status_code == 401
    assert anna.data(f"api-keys/{made['id']}")["state"] == "expired"


def test_somebody_elses_key_does_not_exist(app: Flask, anna: Person, admin: Person) -> None:
    ben = user(app, "ben")
    _, made = key_of(anna)
    for answer in (ben.get(f"api-keys/{made['id']}"), ben.delete(f"api-keys/{made['id']}")):
        assert answer.status_code == 404
    assert ben.data("api-keys")["items"] == [] and ben.get("api-keys?all=true").status_code == 403
    assert [item["id"] for item in admin.data("api-keys?all=true")["items"]] == [made["id"]]
    assert admin.data("api-keys")["items"] == [] and admin.data(f"api-keys/{made['id']}")
    assert anna.get("api-keys/%00").status_code == 404


def test_a_key_sees_and_revokes_itself_only(anna: Person) -> None:
    """Who finds a key may end it, and learns nothing of the others."""
    program, made = key_of(anna)
    _, other = key_of(anna)
    assert [item["id"] for item in program.data("api-keys")["items"]] == [made["id"]]
    assert program.get(f"api-keys/{other['id']}").status_code == 404
    assert program.delete(f"api-keys/{other['id']}").status_code == 404
    assert program.delete(f"api-keys/{made['id']}").status_code == 200
    assert program.get("models").status_code == 401


def test_a_managers_key_does_not_manage_his_team(app: Flask, anna: Person, admin: Person) -> None:
    team = admin.made("teams", {"name": "Speech"})["id"]
    admin.put(f"teams/{team}/members/{anna.id}", {"manager": True})
    program, _ = key_of(anna)
    assert program.put(f"teams/{team}/members/{admin.id}", {}).status_code == 403
    assert program.patch(f"teams/{team}", {"description": "x"}).status_code == 403
    assert anna.patch(f"teams/{team}", {"description": "x"}).status_code == 200


def test_allowed_deployments_are_ones_own_and_the_only_ones_seen(app: Flask, anna: Person) -> None:
    ben = user(app, "ben")
    mine, other, bens = deployment(anna, "mine"), deployment(anna, "other"), deployment(ben, "bens")
    scopes = ["deployments.read", "chat.use"]
    for wrong in ([bens], [mine, bens], ["absent"]):
        answer = anna.post("api-keys", {"name": "x", "scopes": scopes, "deployments": wrong})
        assert answer.status_code == 422 and "no such deployment" in answer.get_json()["message"]
    program, made = key_of(anna, {"name": "x", "scopes": scopes, "deployments": [mine, mine]})
    assert made["deployments"] == [mine]
    assert program.get(f"deployments/{mine}").status_code == 200
    assert program.get(f"deployments/{other}").status_code == program.get(f"deployments/{bens}").status_code
    assert [item["id"] for item in program.data("deployments")["items"]] == [mine]
    assert (
        key_of(anna, {"name": "y", "scopes": scopes, "deployments": []})[0].data("deployments")["items"] == []
    )


def test_last_use_is_written_at_most_once_a_minute(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_use, "_used", {})
    monkeypatch.setattr(api_keys, "_written", {})
    _, made = key_of(anna)
    assert api_keys.flush() == 0 and column(made["id"], "last_used_at") is None
    key_use.note_use(made["id"], "192.0.2.1")
    key_use.note_use(made["id"], "192.0.2.2")
    assert api_keys.flush() == 1
    first = column(made["id"], "last_used_at")
    assert first and column(made["id"], "last_used_from") == "192.0.2.2"
    key_use.note_use(made["id"], "192.0.2.3")
    assert api_keys.flush() == 0 and column(made["id"], "last_used_at") == first
    api_keys._written[made["id"]] -= api_keys.WRITTEN_EVERY  # a minute later the kept use is written
    assert api_keys.flush() == 1 and column(made["id"], "last_used_from") == "192.0.2.3"
    key_use.note_use("gone", "x" * 300)
    assert api_keys.flush() == 1  # a deleted key troubles nobody


def test_a_use_that_cannot_be_written_is_kept(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_use, "_used", {})
    monkeypatch.setattr(api_keys, "_written", {})
    _, made = key_of(anna)
    key_use.note_use(made["id"], "192.0.2.1")
    db.session.execute(
        db.text("CREATE TRIGGER no BEFORE UPDATE ON api_keys BEGIN SELECT RAISE(ABORT, 'no'); END")
    )
    db.session.commit()
    with pytest.raises(Exception, match="no"):
        api_keys.flush()
    db.session.execute(db.text("DROP TRIGGER no"))
    db.session.commit()
    assert api_keys.flush() == 1 and column(made["id"], "last_used_from") == "192.0.2.1"


def test_a_script_that_makes_keys_in_a_loop_ends(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "MAX_ACTIVE", 2)
    first = key_of(anna)[1]
    key_of(anna)
    assert anna.post("api-keys", READER).status_code == 409
    anna.delete(f"api-keys/{first['id']}")
    assert anna.post("api-keys", READER).status_code == 201
