"""Where one is signed in: listed so that people recognise it, and ended so that it is over at once."""

import pytest
from flask import Flask

from api.controllers.cookies import same_site
from api.errors import Forbidden
from api.extensions import db
from api.models import User, UserSession
from api.services import devices
from api.unit_of_work import unit_of_work
from tests.support.door import SECRET, Browser, secret_hash
from tests.support.people import Person, audit_log, owner, user

CURL = "curl/8.14.1"


@pytest.fixture
def anna(app: Flask) -> Person:
    return user(app, "anna", password_hash=secret_hash())


def signed_in(app: Flask, person: Person, **more: str) -> Browser:
    browser = Browser(app, **more)
    assert browser.sign_in(person.email).status_code == 200
    return browser


def test_sessions_are_listed_with_device_and_place(app: Flask, anna: Person) -> None:
    desk, script = signed_in(app, anna), signed_in(app, anna, user_agent=CURL)
    items = {item["device"]: item for item in desk.call("GET", "auth/sessions").get_json()["data"]["items"]}
    assert items["Firefox on Linux"]["current"] and items["Firefox on Linux"]["address"] == desk.address
    assert not items["curl"]["current"] and items["curl"]["address"] == script.address
    assert items["curl"]["method"] == "password"
    script.address = "203.0.113.77"
    script.refresh()
    seen = {i["device"]: i["address"] for i in desk.call("GET", "auth/sessions").get_json()["data"]["items"]}
    assert seen["curl"] == "203.0.113.77", "where it was used last"


def test_one_session_is_ended_and_nobody_elses(app: Flask, anna: Person) -> None:
    desk, phone = signed_in(app, anna), signed_in(app, anna, user_agent=CURL)
    ben = signed_in(app, user(app, "ben", password_hash=secret_hash()))
    by_device = {
        item["device"]: item["id"] for item in desk.call("GET", "auth/sessions").get_json()["data"]["items"]
    }
    assert ben.call("DELETE", f"auth/sessions/{by_device['curl']}").status_code == 404
    assert phone.is_in()
    assert desk.call("DELETE", f"auth/sessions/{by_device['curl']}").status_code == 200
    assert not phone.is_in() and phone.refresh().status_code == 401
    assert desk.is_in() and audit_log()[-1].action == "session.revoke"
    assert desk.call("DELETE", f"auth/sessions/{by_device['curl']}").status_code == 404


def test_all_others_are_ended_at_once(app: Flask, anna: Person) -> None:
    desk, *others = (signed_in(app, anna) for _ in range(4))
    assert desk.call("DELETE", "auth/sessions").status_code == 200
    assert desk.is_in() and not any(other.is_in() for other in others)
    assert len(desk.call("GET", "auth/sessions").get_json()["data"]["items"]) == 1


def test_an_administrator_signs_somebody_out_everywhere(app: Flask, anna: Person) -> None:
    desk, admin = signed_in(app, anna), owner(app)
    assert len(admin.data(f"users/{anna.id}/sessions")["items"]) == 2
    assert anna.get(f"users/{anna.id}/sessions").status_code == 403
    assert admin.delete(f"users/{anna.id}/sessions").status_code == 200
    assert not desk.is_in() and desk.refresh().status_code == 401
    assert admin.data(f"users/{anna.id}/sessions")["items"] == []


def test_signing_out_ends_the_session_and_takes_the_cookie_back(app: Flask, anna: Person) -> None:
    desk = signed_in(app, anna)
    given = desk.refresh().headers["Set-Cookie"]
    taken = desk.call("POST", "auth/logout").headers["Set-Cookie"]
    assert not desk.is_in() and desk.cookie == ""

    def attributes(cookie: str) -> set[str]:
        parts = {part.strip() for part in cookie.split(";")[1:]}
        return {part for part in parts if not part.startswith(("Expires", "Max-Age"))}

    assert attributes(given) == attributes(taken) >= {"HttpOnly", "SameSite=Strict", "Path=/api/v1/auth"}
    assert audit_log()[-1].action == "session.sign_out" and audit_log()[-1].actor_name == "anna"
    assert desk.call("POST", "auth/logout").status_code == 200, "twice is once"


def test_sign_ins_are_audited_done_and_failed(app: Flask, anna: Person) -> None:
    desk = signed_in(app, anna)
    Browser(app).sign_in(anna.email, "wrong")
    Browser(app).sign_in("nobody@example.org", "wrong")
    done, failed, unknown = audit_log()[-3:]
    assert (done.action, done.result, done.actor_id, done.address) == (
        "session.sign_in", "done", anna.id, desk.address,
    )  # fmt: skip
    assert (failed.action, failed.result, failed.actor_id, failed.object_id) == (
        "session.sign_in", "failed", None, anna.id,
    )  # fmt: skip
    assert unknown.result == "failed" and unknown.object_id is None
    assert "wrong" not in str([entry.details for entry in (done, failed, unknown)])


@pytest.mark.parametrize(
    ("change", "because"), [({"role": "viewer"}, "role"), ({"active": False}, "deactivated")]
)
def test_a_new_role_or_a_deactivation_ends_the_sessions_at_once(
    app: Flask,
    anna: Person,
    change: dict,
    because: str,  # type: ignore[type-arg]
) -> None:
    desk, admin = signed_in(app, anna), owner(app)
    assert desk.is_in()
    assert admin.patch(f"users/{anna.id}", change).status_code == 200
    assert not desk.is_in() and desk.refresh().status_code == 401
    assert {row.ended_because for row in UserSession.query.populate_existing().all()} == {because}
    assert Browser(app).sign_in(anna.email).status_code == (401 if because == "deactivated" else 200)


def test_a_removed_user_is_out_at_once(app: Flask, anna: Person) -> None:
    desk = signed_in(app, anna)
    assert owner(app).delete(f"users/{anna.id}").status_code == 200
    assert not desk.is_in() and desk.refresh().status_code == 401
    assert Browser(app).sign_in(anna.email).status_code == 401


def test_a_programs_key_has_nothing_to_do_here(app: Flask, anna: Person) -> None:
    key = Person(app, anna.made("api-keys", {"name": "k", "scopes": ["models.read"]})["key"])
    session = anna.data("auth/sessions")["items"][0]["id"]
    for method, path, body in [
        ("GET", "auth/sessions", None),
        ("DELETE", "auth/sessions", None),
        ("DELETE", f"auth/sessions/{session}", None),
        ("PATCH", "auth/me", {"email": "thief@example.org"}),
        ("POST", "auth/password", {"current": SECRET, "new": "another good one"}),
    ]:
        assert key.call(method, path, body).status_code == 403, path
    assert key.get("auth/me").status_code == 200


FOREIGN = ("https://elsewhere.example", "null", "http://localhost.elsewhere.example")


def test_a_foreign_page_may_use_nothing_that_has_the_cookie(app: Flask, anna: Person) -> None:
    desk = signed_in(app, anna)
    bodies = {
        "login": {"email": anna.email, "password": SECRET},
        "refresh": None,
        "logout": None,
        "register": {"email": "x@example.org", "password": "another good one"},
        "join": {"token": "mhi_" + "A" * 43, "password": "another good one"},
    }
    for origin in FOREIGN:
        for name, body in bodies.items():
            answer = desk.call("POST", f"auth/{name}", body, Origin=origin)
            assert answer.status_code == 403 and "Set-Cookie" not in answer.headers, (name, origin)
    assert desk.call("POST", "auth/refresh", Sec_Fetch_Site="cross-site").status_code == 403
    assert desk.call("POST", "auth/refresh", Origin="http://localhost").status_code == 200


def test_the_cookies_own_check_does_not_rest_on_the_one_before_it(app: Flask) -> None:
    for headers in (*({"Origin": origin} for origin in FOREIGN), {"Sec-Fetch-Site": "cross-site"}):
        with app.test_request_context(headers=headers), pytest.raises(Forbidden):
            same_site()
    with app.test_request_context(headers={"Origin": "http://localhost"}):
        same_site()


def test_old_ended_sessions_are_forgotten_at_the_next_sign_in(app: Flask, anna: Person) -> None:
    signed_in(app, anna)
    with unit_of_work():
        for row in db.session.scalars(db.select(UserSession)):
            row.expires_at = row.created_at.replace(year=2020)
    signed_in(app, anna)
    db.session.rollback()
    assert UserSession.query.count() == 1
    assert db.session.get_one(User, anna.id).last_seen_at


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 "
         "Safari/537.36", "Chrome on Windows"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 "
         "Safari/537.36 Edg/141.0.0.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/26.0 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/26.0 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile "
         "Safari/537.36", "Chrome on Android"),
        ("modelhub (Linux)", "modelhub on Linux"),
        ("python-httpx/0.28.1", "python-httpx"),
        ("Mozilla/5.0", "Unknown"),
        ("", "Unknown"),
        ("<script>alert(1)</script>", "Unknown"),
    ],
)  # fmt: skip
def test_devices_are_named_as_people_name_them(user_agent: str, device: str) -> None:
    assert devices.describe(user_agent) == device
