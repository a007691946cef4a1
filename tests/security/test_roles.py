"""Roles: who may give what, what cannot be changed, and when a change counts."""

import pytest
from flask import Flask

from api.models import Role
from api.security.permissions import BUILTIN, GRANTABLE
from tests.support.people import Person, audit_log, owner, user

TRAINER = {"name": "trainer", "title": "Trainer", "permissions": ["models.read", "models.write"]}


@pytest.fixture
def admin(app: Flask) -> Person:
    return owner(app)


def test_the_roles_of_a_new_hub_are_the_builtin_ones(admin: Person) -> None:
    items = admin.data("roles")["items"]
    assert [item["name"] for item in items] == ["viewer", "user", "operator", "admin"]
    for item in items:
        assert item["builtin"] and set(item["permissions"]) == BUILTIN[item["name"]][2]
    assert items[3]["users"] == 1
    assert {item["name"] for item in admin.data("permissions")["items"]} == GRANTABLE
    assert all(item["description"] for item in admin.data("permissions")["items"])


def test_a_role_is_made_changed_and_deleted_with_before_and_after(admin: Person) -> None:
    made = admin.made("roles", TRAINER)
    assert made["permissions"] == ["models.read", "models.write"] and made["version"] == 1
    assert audit_log()[-1].action == "role.create"
    change = {"title": "Tuner", "permissions": ["models.read", "chat.use"]}
    changed = admin.patch("roles/trainer", change).get_json()["data"]
    assert changed["permissions"] == ["chat.use", "models.read"] and changed["version"] == 2
    assert admin.data("roles/trainer") == changed
    entry = audit_log()[-1]
    assert (entry.action, entry.object_type, entry.object_name) == ("role.change", "role", "trainer")
    assert entry.details["before"]["permissions"] == ["models.read", "models.write"]
    assert entry.details["after"] == {
        "title": "Tuner",
        "description": "",
        "permissions": changed["permissions"],
    }
    count = len(audit_log())
    assert admin.patch("roles/trainer", change).status_code == 200  # nothing new: no entry, same version
    assert len(audit_log()) == count and admin.data("roles/trainer")["version"] == 2
    assert admin.delete("roles/trainer").status_code == 200
    assert audit_log()[-1].action == "role.delete" and admin.get("roles/trainer").status_code == 404


def test_a_wrong_role_is_refused(admin: Person) -> None:
    for wrong, status in (
        ({"permissions": ["models.fly"]}, 422),
        ({"permissions": ["public"]}, 422),
        ({"name": "Trainer!"}, 422),
        ({"name": "user"}, 409),
        ({"title": ""}, 422),
    ):
        answer = admin.post("roles", TRAINER | wrong)
        assert answer.status_code == status and len(answer.get_json()["message"]) > 10
    assert Role.query.count() == 4


def test_nobody_gives_or_takes_what_he_may_not_do(app: Flask, admin: Person) -> None:
    admin.made("roles", {"name": "clerk", "title": "Clerk", "permissions": ["roles.manage", "users.read"]})
    clerk = user(app, "clerk", "clerk")
    before = [item for item in admin.data("roles")["items"] if item["name"] != "clerk"]
    for answer in (
        clerk.post("roles", TRAINER),
        clerk.patch("roles/clerk", {"permissions": ["roles.manage", "users.read", "users.manage"]}),
        clerk.patch("roles/viewer", {"permissions": ["roles.manage"]}),  # taking away is power, too
        clerk.patch("roles/operator", {"title": "Mine"}),
        clerk.delete("roles/user"),
    ):
        assert answer.status_code == 403, answer.get_json()
        assert answer.get_json()["details"]["permissions"]
    assert [item for item in admin.data("roles")["items"] if item["name"] != "clerk"] == before
    assert clerk.post("roles", TRAINER | {"permissions": ["users.read"]}).status_code == 201


def test_the_administrators_role_is_fixed_and_builtin_ones_stay(admin: Person) -> None:
    assert admin.patch("roles/admin", {"title": "Root"}).status_code == 409
    assert admin.delete("roles/admin").status_code == 409
    assert admin.delete("roles/viewer").status_code == 409
    assert admin.patch("roles/viewer", {"permissions": []}).status_code == 200
    for name in ("nothing", "%00", "x" * 300):
        assert admin.get(f"roles/{name}").status_code == 404
        assert admin.patch(f"roles/{name}", {"title": "x"}).status_code == 404


def test_a_role_in_use_is_not_deleted_and_the_refusal_counts_its_users(app: Flask, admin: Person) -> None:
    admin.made("roles", TRAINER)
    for name in ("a", "b"):
        user(app, name, "trainer")
    answer = admin.delete("roles/trainer")
    assert answer.status_code == 409 and "2 users" in answer.get_json()["message"]
    assert answer.get_json()["details"]["users"] == 2
    app.extensions["modelhub_settings"].registration_role = "guest"
    admin.made("roles", TRAINER | {"name": "guest"})
    assert admin.delete("roles/guest").get_json()["details"]["settings"] == ["MODELHUB_REGISTRATION_ROLE"]


def test_a_change_counts_with_the_next_request_and_ends_no_session(app: Flask, admin: Person) -> None:
    admin.made("roles", TRAINER)
    someone = user(app, "someone", "trainer")
    assert someone.get("roles").status_code == 403
    admin.patch("roles/trainer", {"permissions": ["users.read"]})
    assert someone.get("roles").status_code == 200
    admin.patch("roles/trainer", {"permissions": []})
    assert someone.get("roles").status_code == 403
    assert someone.get("teams").status_code == 200


def test_only_who_manages_roles_changes_them(app: Flask) -> None:
    for role in ("viewer", "user", "operator"):
        person = user(app, role, role)
        assert person.post("roles", TRAINER).status_code == 403
        assert person.patch("roles/viewer", {"title": "x"}).status_code == 403
        assert person.delete("roles/viewer").status_code == 403
        assert person.get("roles").status_code == (200 if role == "operator" else 403)
