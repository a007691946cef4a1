"""Links that let somebody in: once, for a while, for whom they are meant, never for more than was given."""

from datetime import timedelta

import pytest
from flask import Flask

from api.extensions import db
from api.models import Invite, Team, TeamMember, User
from api.models.base import utcnow
from api.unit_of_work import unit_of_work
from tests.support.door import SECRET, Browser, secret_hash
from tests.support.people import Person, audit_log, owner, user

GOOD = "a long enough one"


@pytest.fixture
def admin(app: Flask) -> Person:
    return owner(app)


def look(app: Flask, token: str) -> int:
    return int(Browser(app).call("POST", "auth/join/look", {"token": token}).status_code)


def test_an_invitation_lets_one_person_in(app: Flask, admin: Person) -> None:
    with unit_of_work():
        db.session.add(group := Team(name="group"))
    made = admin.made("invites", {"role": "operator", "teams": [group.id], "days": 3})
    assert made["link"] == f"http://localhost/join#{made['token']}" and made["token"].startswith("mhi_")
    assert len(made["token"]) == 47 and made["state"] == "open"
    kept = db.session.get_one(Invite, made["id"])
    assert made["token"] not in (kept.token_hash, kept.id)

    guest = Browser(app)
    info = guest.call("POST", "auth/join/look", {"token": made["token"]}).get_json()["data"]
    assert (info["kind"], info["role"], info["email"]) == ("invite", "operator", None)
    assert guest.call("POST", "auth/join", {"token": made["token"], "password": GOOD}).status_code == 422
    body = {"token": made["token"], "email": "Guest@example.org", "name": "Guest", "password": GOOD}
    weak = guest.call("POST", "auth/join", {**body, "password": "password1"})
    assert weak.status_code == 422, "and the link is not used up"
    answer = guest.call("POST", "auth/join", body)
    assert answer.status_code == 201 and guest.is_in() and guest.refresh().status_code == 200
    assert answer.get_json()["data"]["user"]["role"] == "operator"
    db.session.rollback()
    assert TeamMember.query.one().user_id == answer.get_json()["data"]["user"]["id"]
    again = Browser(app).call("POST", "auth/join", {**body, "email": "second@example.org"})
    assert again.status_code == 404 and look(app, made["token"]) == 404
    assert admin.data("invites")["items"][0]["state"] == "used"
    assert admin.delete(f"invites/{made['id']}").status_code == 409
    assert made["token"] not in str([(e.object_name, e.details) for e in audit_log()])
    assert {"invite.create", "user.create"} <= {entry.action for entry in audit_log()}


def test_an_invitation_for_one_address_is_for_nobody_else(app: Flask, admin: Person) -> None:
    made = admin.made("invites", {"email": "Guest@Example.org"})
    body = {"token": made["token"], "password": GOOD}
    thief = Browser(app).call("POST", "auth/join", {**body, "email": "thief@example.org"})
    assert thief.status_code == 422
    assert Browser(app).call("POST", "auth/join", body).status_code == 201
    assert User.query.filter_by(email="guest@example.org").one().role == "user"
    assert admin.post("invites", {"email": "guest@example.org"}).status_code == 409


def test_a_taken_email_does_not_use_the_link_up(app: Flask, admin: Person) -> None:
    token = admin.made("invites")["token"]
    body = {"token": token, "email": admin.email, "password": GOOD}
    assert Browser(app).call("POST", "auth/join", body).status_code == 409
    assert look(app, token) == 200


def test_what_is_void_looks_like_what_never_was(app: Flask, admin: Person) -> None:
    revoked, expired = admin.made("invites"), admin.made("invites")
    assert admin.delete(f"invites/{revoked['id']}").status_code == 200
    assert admin.delete(f"invites/{revoked['id']}").status_code == 200
    with unit_of_work():
        db.session.get_one(Invite, expired["id"]).expires_at = utcnow() - timedelta(seconds=1)
    said = set()
    for token in (revoked["token"], expired["token"], "mhi_" + "A" * 43, "é" * 10):
        answer = Browser(app).call(
            "POST", "auth/join", {"token": token, "email": "x@example.org", "password": GOOD}
        )
        assert answer.status_code == 404
        said.add(answer.get_json()["message"])
    assert len(said) == 1
    assert [item["state"] for item in admin.data("invites")["items"]] == ["expired", "revoked"]
    assert admin.delete("invites/none").status_code == admin.delete("invites/%00").status_code == 404


def test_a_reset_link_gives_a_new_password_and_ends_every_session(app: Flask, admin: Person) -> None:
    anna = user(app, "anna", password_hash=secret_hash())
    desk = Browser(app)
    desk.sign_in(anna.email)
    older = admin.made(f"users/{anna.id}/reset")["token"]
    made = admin.made(f"users/{anna.id}/reset")
    assert (made["kind"], made["email"]) == ("reset", anna.email)
    assert look(app, older) == 404 and desk.is_in(), "until it is used, nothing changes"
    for _ in range(6):
        Browser(app).sign_in(anna.email, "forgotten")
    assert Browser(app).sign_in(anna.email).status_code == 429
    fresh = Browser(app)
    assert fresh.call("POST", "auth/join", {"token": made["token"], "password": GOOD}).status_code == 201
    assert fresh.is_in() and not desk.is_in() and desk.refresh().status_code == 401
    assert Browser(app).sign_in(anna.email, GOOD).status_code == 200, "and the lock is gone"
    assert Browser(app).sign_in(anna.email, SECRET).status_code == 401
    assert look(app, made["token"]) == 404


def test_a_changed_password_makes_reset_links_void(app: Flask, admin: Person) -> None:
    anna = user(app, "anna", password_hash=secret_hash())
    token = admin.made(f"users/{anna.id}/reset")["token"]
    assert anna.post("auth/password", {"current": SECRET, "new": GOOD}).status_code == 200
    assert look(app, token) == 404


def test_links_end_with_the_right_to_give_them(app: Flask, admin: Person) -> None:
    boss = user(app, "boss", "admin")
    by_boss, by_admin = boss.made("invites", {"role": "admin"}), admin.made("invites")
    reset = admin.made(f"users/{boss.id}/reset")
    assert admin.patch(f"users/{boss.id}", {"active": False}).status_code == 200
    assert look(app, by_boss["token"]) == look(app, reset["token"]) == 404
    assert look(app, by_admin["token"]) == 200
    assert admin.post(f"users/{boss.id}/reset").status_code == 409


def test_only_who_manages_users_invites(app: Flask, admin: Person) -> None:
    anna = user(app, "anna", "operator")
    made = admin.made("invites")
    for answer in (
        anna.get("invites"),
        anna.post("invites", {"role": "viewer"}),
        anna.delete(f"invites/{made['id']}"),
        anna.post(f"users/{anna.id}/reset"),
    ):
        assert answer.status_code == 403
