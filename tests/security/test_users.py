"""Who may come in and as what: users, first and last administrators, passwords, and what nobody may give."""

import bcrypt
import pytest
from flask import Flask

from api.extensions import db
from api.models import ApiKey, ChatSession, HubModel, Role, RolePermission, Team, TeamMember, User
from api.security import passwords
from api.services import accounts
from api.unit_of_work import unit_of_work
from tests.support.door import SECRET, Browser, secret_hash
from tests.support.people import Person, audit_log, owner, user

NEW = {"email": "New@Example.org", "name": "New", "role": "user", "password": "a long enough one"}


@pytest.fixture
def admin(app: Flask) -> Person:
    return owner(app)


def role(name: str, *permissions: str) -> str:
    with unit_of_work():
        row = Role(name=name, title=name)
        row.permissions = [RolePermission(permission=each) for each in permissions]
        db.session.add(row)
    return name


def team(name: str, *managers: str) -> str:
    with unit_of_work():
        row = Team(name=name)
        row.members = [TeamMember(user_id=each, manager=True) for each in managers]
        db.session.add(row)
    return row.id


def fresh(id: str) -> User:
    db.session.rollback()
    return db.session.get_one(User, id, populate_existing=True)


def test_users_are_made_found_changed_and_removed(app: Flask, admin: Person) -> None:
    group = team("group")
    made = admin.made("users", {**NEW, "teams": [group]})
    assert made["email"] == "new@example.org" and made["version"] == 1
    browser = Browser(app)
    assert browser.sign_in("new@example.org", NEW["password"]).status_code == 200
    me = browser.call("GET", "auth/me").get_json()["data"]
    assert me["teams"] == [{"id": group, "name": "group", "manager": False}]
    assert "models.write" in me["permissions"] and "users.manage" not in me["permissions"]
    assert me["has_password"] and not me["set_up"]

    assert admin.post("users", NEW).status_code == 409
    assert [u["id"] for u in admin.data("users?q=NEW@exa")["items"]] == [made["id"]]
    assert [u["id"] for u in admin.data("users?role=user&active=true")["items"]] == [made["id"]]
    assert admin.data("users?q=%25")["items"] == []
    assert admin.data(f"users/{made['id']}")["name"] == "New"
    changed = admin.patch(f"users/{made['id']}", {"name": "Newer", "email": "newer@example.org"})
    assert changed.get_json()["data"]["version"] == 2
    assert audit_log()[-1].details["changed"] == {
        "name": ["New", "Newer"], "email": ["new@example.org", "newer@example.org"],
    }  # fmt: skip
    assert admin.patch(f"users/{made['id']}", {"email": admin.email}).status_code == 409
    assert admin.delete(f"users/{made['id']}").status_code == 200
    assert admin.get(f"users/{made['id']}").status_code == 404
    actions = [entry.action for entry in audit_log()]
    assert actions.count("user.create") == 2 and actions[-1] == "user.delete"


WRONG: list[dict[str, object]] = [
    {"email": "no at sign"},
    {"email": "two@@example.org"},
    {"email": "nul\0@example.org"},
    {"email": "İ" * 120 + "@example.org" + "x" * 110},
    {"name": "two\nlines"},
    {"role": "no-such-role"},
    {"role": "nul\0"},
    {"teams": ["no-such-team"]},
    {"teams": ["\0"]},
    {"password": "short"},
    {"password": "Password123"},
    {"password": "new@example.org"},
    {"password": "xyxyxyxyxy"},
    {"password": "x" * 1025},
]


def test_what_is_wrong_is_refused_with_the_reason(admin: Person) -> None:
    for wrong in WRONG:
        answer = admin.post("users", {**NEW, **wrong})
        assert answer.status_code in (400, 422) and len(answer.get_json()["message"]) > 10, wrong
        assert str(wrong.get("password", "-no-")) not in answer.get_json()["message"]
    assert User.query.count() == 1


def test_the_last_active_administrator_stays(app: Flask, admin: Person) -> None:
    me = f"users/{admin.id}"
    second = user(app, "second", "admin")
    sleeping = user(app, "sleeping", "admin", active=False)
    assert second.patch(me, {"active": False}).status_code == 200
    for answer in (
        second.patch(f"users/{second.id}", {"role": "user"}),
        second.patch(f"users/{second.id}", {"active": False}),
        second.delete(f"users/{second.id}"),
        admin.patch(f"users/{second.id}", {"active": False}),
        admin.delete(f"users/{second.id}"),
    ):
        assert answer.status_code == 409, answer.get_json()
    assert second.patch(f"users/{sleeping.id}", {"active": True}).status_code == 200
    assert second.patch(f"users/{second.id}", {"role": "user"}).status_code == 200


def test_nobody_gives_or_touches_what_is_above_him(app: Flask, admin: Person) -> None:
    helper = user(app, "helper", role("helpdesk", "users.read", "users.manage", "models.read", "keys.use"))
    anna, viewer = user(app, "anna"), user(app, "viewer", role("seer", "models.read"))
    boss = user(app, "boss", "admin")
    for above in (anna, boss):
        for answer in (
            helper.patch(f"users/{above.id}", {"email": "mine@example.org"}),
            helper.patch(f"users/{above.id}", {"active": False}),
            helper.post(f"users/{above.id}/reset"),
            helper.delete(f"users/{above.id}/sessions"),
            helper.delete(f"users/{above.id}"),
        ):
            assert answer.status_code == 403, answer.get_json()
    for answer in (
        helper.patch(f"users/{viewer.id}", {"role": "user"}),
        helper.patch(f"users/{helper.id}", {"role": "admin"}),
        helper.post("users", {**NEW, "role": "admin"}),
        helper.post("invites", {"role": "operator"}),
    ):
        assert answer.status_code == 403, answer.get_json()
    assert helper.patch(f"users/{viewer.id}", {"name": "Seer"}).status_code == 200
    assert helper.post("users", {**NEW, "role": "seer"}).status_code == 201
    assert [viewer.call(m, f"users/{anna.id}", {}).status_code for m in ("GET", "PATCH", "DELETE")] == [
        403
    ] * 3


def test_people_are_put_only_in_teams_one_manages(app: Flask, admin: Person) -> None:
    helper = user(app, "helper", role("helpdesk", "users.read", "users.manage", "models.read"))
    role("seer", "models.read")
    mine, foreign = team("mine", helper.id), team("foreign")
    assert helper.post("users", {**NEW, "role": "seer", "teams": [foreign]}).status_code == 403
    assert helper.post("invites", {"role": "seer", "teams": [mine, foreign]}).status_code == 403
    assert helper.post("users", {**NEW, "role": "seer", "teams": [mine, mine]}).status_code == 201


def test_what_a_removed_user_leaves_goes_to_who_removes_him(app: Flask, admin: Person) -> None:
    anna, boss = user(app, "anna"), user(app, "boss", "admin")
    with unit_of_work():
        model = HubModel(
            name="m", source="starter", ref="m", revision="main", commit="0" * 40, path="m", user_id=anna.id
        )
        db.session.add(model)
    key = Person(app, anna.made("api-keys", {"name": "k", "scopes": ["models.read"]})["key"])
    assert key.get("models").status_code == 200
    assert boss.delete(f"users/{anna.id}").status_code == 200
    db.session.rollback()
    assert db.session.get_one(HubModel, model.id, populate_existing=True).user_id == boss.id
    assert key.get("models").status_code == 401
    assert ApiKey.query.count() == ChatSession.query.count() == 0
    assert audit_log()[-1].details["kept"]["models"] == 1
    assert boss.delete(f"users/{boss.id}").status_code == 409, "not oneself"
    assert admin.delete(f"users/{admin.id}").status_code == 200, "the machine's owner may, to the next one"
    db.session.rollback()
    assert User.query.one().id == boss.id


def test_a_deactivated_user_is_out_with_his_keys(app: Flask, admin: Person) -> None:
    anna = user(app, "anna", password_hash=secret_hash())
    key = Person(app, anna.made("api-keys", {"name": "k", "scopes": ["models.read"]})["key"])
    assert admin.patch(f"users/{anna.id}", {"active": False}).status_code == 200
    assert anna.get("auth/me").status_code == key.get("models").status_code == 401
    assert {"key.revoke", "session.revoke", "user.change"} <= {entry.action for entry in audit_log()}
    assert admin.patch(f"users/{anna.id}", {"active": True}).status_code == 200
    assert key.get("models").status_code == 401, "back is the user, not his keys"
    assert Browser(app).sign_in(anna.email).status_code == 200


def test_a_password_is_changed_by_who_knows_the_old_one(app: Flask) -> None:
    anna = user(app, "anna", password_hash=secret_hash(), provisional=True)
    desk, phone = Browser(app), Browser(app)
    desk.sign_in(anna.email), phone.sign_in(anna.email)
    assert desk.call("GET", "auth/me").get_json()["data"]["set_up"]
    for body, field in [
        ({"current": "not it", "new": "another good one"}, "current"),
        ({"current": SECRET, "new": SECRET}, "new"),
        ({"current": SECRET, "new": "iloveyou1"}, "new"),
        ({"current": SECRET, "new": "anna@example.org"}, "new"),
    ]:
        answer = desk.call("POST", "auth/password", body)
        assert answer.status_code == 422 and answer.get_json()["details"]["errors"][0]["loc"] == [field]
    assert phone.is_in()
    assert (
        desk.call("POST", "auth/password", {"current": SECRET, "new": "another good one"}).status_code == 200
    )
    assert desk.is_in() and not phone.is_in() and phone.refresh().status_code == 401
    assert desk.refresh().status_code == 200
    assert not desk.call("GET", "auth/me").get_json()["data"]["set_up"]
    assert Browser(app).sign_in(anna.email).status_code == 401
    assert Browser(app).sign_in(anna.email, "another good one").status_code == 200
    assert "user.password" in [entry.action for entry in audit_log()]


def test_guessing_the_current_password_locks_as_guessing_at_the_door(app: Flask) -> None:
    anna = user(app, "anna", password_hash=secret_hash())
    thief = Browser(app)
    thief.sign_in(anna.email)
    guess = {"current": "a guess", "new": "another good one"}
    said = [thief.call("POST", "auth/password", guess).status_code for _ in range(7)]
    assert said == [422] * 6 + [429]
    right = {"current": SECRET, "new": "another good one"}
    assert thief.call("POST", "auth/password", right).status_code == 429


def test_hashes_made_elsewhere_are_accepted_once_and_replaced(app: Flask) -> None:
    for prefix in (b"2a", b"2b"):
        old = bcrypt.hashpw(b"the right one", bcrypt.gensalt(4, prefix)).decode()
        anna = user(app, f"anna-{prefix.decode()}", password_hash=old)
        assert Browser(app).sign_in(anna.email, "the wrong one").status_code == 401
        assert fresh(anna.id).password_hash == old
        assert Browser(app).sign_in(anna.email, "the right one").status_code == 200
        assert str(fresh(anna.id).password_hash).startswith("$argon2id$")
        assert Browser(app).sign_in(anna.email, "the right one").status_code == 200


@pytest.mark.parametrize(
    "kept", ["", "plain", "$2b$04$short", "$argon2id$v=19$nonsense", "$2b$99$" + "." * 53]
)
def test_a_damaged_hash_opens_for_nobody(kept: str) -> None:
    assert not passwords.verify(kept, "whatever") and not passwords.verify(kept, kept)


def test_bcrypt_reads_what_its_makers_read() -> None:
    long = "x" * 100
    old = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()
    assert passwords.verify(old, long) and not passwords.verify(old, "x" * 71)
    assert not passwords.verify(old, "nul\0nul")


def test_the_first_administrator(app: Flask) -> None:
    settings = app.extensions["modelhub_settings"]
    assert accounts.create_first_admin(settings) is None, "only the first"
    first = User.query.one()
    assert first.role == "admin" and not first.provisional
    assert audit_log()[0].action == "user.create" and audit_log()[0].actor_kind == "system"
    with unit_of_work():
        db.session.delete(db.session.get_one(User, first.id))
    made = accounts.create_first_admin(settings.model_copy(update={"admin_password": None}))
    assert made and made[1] and len(made[1]) >= 30
    browser = Browser(app)
    assert browser.sign_in(made[0], made[1]).get_json()["data"]["user"]["set_up"] is True


def test_registration_is_off_and_can_be_on(app: Flask) -> None:
    body = {"email": "Stranger@example.org", "name": "S", "password": "a long enough one"}
    browser = Browser(app)
    assert browser.call("POST", "auth/register", body).status_code == 403
    assert browser.call("GET", "auth/options").get_json()["data"]["registration"] is False
    was = app.extensions["modelhub_settings"]
    app.extensions["modelhub_settings"] = was.model_copy(
        update={"registration": True, "registration_role": "viewer"}
    )
    assert browser.call("GET", "auth/options").get_json()["data"]["registration"] is True
    answer = browser.call("POST", "auth/register", body)
    assert answer.status_code == 201 and answer.get_json()["data"]["user"]["role"] == "viewer"
    assert browser.cookie and browser.is_in()
    assert Browser(app).call("POST", "auth/register", body).status_code == 409
    app.extensions["modelhub_settings"] = was.model_copy(
        update={"registration": True, "registration_role": "gone"}
    )
    other = {**body, "email": "other@example.org"}
    assert Browser(app).call("POST", "auth/register", other).status_code == 503


def test_ones_own_name_and_email(app: Flask, admin: Person) -> None:
    anna = user(app, "anna", password_hash=secret_hash())
    assert (
        anna.patch("auth/me", {"name": " Anna ", "email": "A@example.org"}).get_json()["data"]["name"]
        == "Anna"
    )
    assert fresh(anna.id).email == "a@example.org"
    assert anna.patch("auth/me", {"email": admin.email}).status_code == 409
    assert anna.patch("auth/me", {"role": "admin"}).status_code == 422
    assert admin.patch("auth/me", {"name": "Root"}).get_json()["data"]["email"] == admin.email
