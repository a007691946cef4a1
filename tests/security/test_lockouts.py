"""Wrong passwords: slower and slower, per account and per address, whoever it is and however many at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import bcrypt
import pytest
from flask import Flask
from sqlalchemy import select

from api import create_app
from api.config import Settings
from api.errors import TooMany
from api.extensions import db
from api.models import Lockout
from api.models.base import utcnow
from api.services import lockouts, sessions
from api.services.sessions import Caller
from api.unit_of_work import unit_of_work
from tests.support.door import Browser, fresh_address, secret_hash
from tests.support.people import Person, audit_log, owner, user
from tests.support.servers import postgres

FREE = lockouts.FREE


@pytest.fixture
def anna(app: Flask) -> Person:
    return user(app, "anna", password_hash=secret_hash())


def fail(times: int, email: str, address: str | None = None) -> None:
    for _ in range(times):
        with unit_of_work():
            about = lockouts.subjects(email, address)
            lockouts.hold(about)
            lockouts.count(about)


def let_pass(**time: float) -> None:
    with unit_of_work():
        for row in db.session.scalars(select(Lockout)):
            row.last_failed_at -= timedelta(**time)
            row.locked_until = row.locked_until and row.locked_until - timedelta(**time)


def wait(email: str, address: str | None = None) -> int:
    db.session.rollback()
    return lockouts.seconds_left(lockouts.subjects(email, address))


def test_the_waits_double_up_to_a_quarter_of_an_hour(app: Flask) -> None:
    fail(FREE["account"], "a@b.example")
    assert wait("a@b.example") == 0
    waits = []
    for _ in range(8):
        fail(1, "a@b.example")
        waits.append(wait("a@b.example"))
        let_pass(seconds=waits[-1])
        assert wait("a@b.example") == 0
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]
    let_pass(hours=1)
    fail(FREE["account"], "a@b.example")
    assert wait("a@b.example") == 0, "an hour without failure forgets"


def test_a_known_and_an_unknown_account_answer_alike(app: Flask, anna: Person) -> None:
    def story(email: str) -> list[tuple[int, str, str]]:
        said = []
        for _ in range(FREE["account"] + 3):
            answer = Browser(app).sign_in(email, "not the password")
            said.append((answer.status_code, answer.get_json()["error"], answer.get_json()["message"]))
        return said

    known = story(anna.email)
    assert known == story("nobody@example.org")
    assert [status for status, *_ in known] == [401] * (FREE["account"] + 1) + [429] * 2


def test_a_locked_account_refuses_the_right_password_until_it_is_lifted(app: Flask, anna: Person) -> None:
    fail(FREE["account"] + 1, anna.email)
    browser, admin = Browser(app), owner(app)
    answer = browser.sign_in("  ANNA@example.org ")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) == answer.get_json()["details"]["retry_after"] <= 30
    (found,) = admin.data("lockouts")["items"]
    assert (found["kind"], found["value"], found["locked"], found["failures"]) == (
        "account", anna.email, True, FREE["account"] + 1,
    )  # fmt: skip
    assert anna.get("lockouts").status_code == 403
    assert anna.delete(f"lockouts/{found['id']}").status_code == 403
    assert admin.delete(f"lockouts/{found['id']}").status_code == 200
    assert audit_log()[-1].action == "lockout.lift" and audit_log()[-1].object_name == anna.email
    assert admin.delete(f"lockouts/{found['id']}").status_code == 404
    assert browser.sign_in(anna.email).status_code == 200


def test_success_clears_the_account_and_not_the_address(app: Flask, anna: Person) -> None:
    browser = Browser(app)
    fail(FREE["account"], anna.email, browser.address)
    assert browser.sign_in(anna.email).status_code == 200
    db.session.rollback()
    (left,) = db.session.scalars(select(Lockout)).all()
    assert (left.kind, left.value, left.failures) == ("address", browser.address, FREE["account"])


def test_an_address_is_locked_for_all_accounts_and_others_are_not(app: Flask, anna: Person) -> None:
    browser = Browser(app)
    for number in range(FREE["address"]):
        fail(1, f"guess{number}@example.org", browser.address)
    assert browser.sign_in("guess@example.org", "wrong").status_code == 401
    assert browser.sign_in(anna.email).status_code == 429
    spoofed = {"X_Forwarded_For": "203.0.113.9", "X_Real_IP": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    assert browser.sign_in(anna.email, **spoofed).status_code == 429, "a header that nobody vouches for"
    assert Browser(app).sign_in(anna.email).status_code == 200


def test_behind_one_trusted_proxy_its_word_counts_and_no_other(app: Flask, anna: Person) -> None:
    home = app.extensions["modelhub_settings"].home
    behind = create_app(
        Settings(
            MODELHUB_HOME=home,
            MODELHUB_TRUSTED_PROXIES=1,
            REDIS_URL=f"unix://{home / 'no-redis.sock'}?db=0",
            _env_file=None,
        )  # type: ignore[call-arg]
    )
    proxy = Browser(behind)
    attacker = fresh_address()
    for number in range(FREE["address"] - 1):
        fail(1, f"guess{number}@example.org", attacker)
    for number in range(2):  # what the client claims stands before what the proxy saw
        claimed = f"203.0.113.{number}, {attacker}"
        assert proxy.sign_in(f"g{number}@example.org", "wrong", X_Forwarded_For=claimed).status_code == 401
    assert proxy.sign_in(anna.email, X_Forwarded_For=f"203.0.113.200, {attacker}").status_code == 429
    assert proxy.sign_in(anna.email, X_Forwarded_For=fresh_address()).status_code == 200


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("not an address\0", "not an address\ufffd"),
    ],
)
def test_an_ipv6_network_is_one_address(address: str, counted: str) -> None:
    assert lockouts.network(address) == counted


def test_a_right_guess_under_way_when_the_lock_falls_learns_nothing(app: Flask) -> None:
    slow = bcrypt.hashpw(b"the right one", bcrypt.gensalt(13)).decode()  # about half a second to check
    anna = user(app, "anna", password_hash=slow)
    said: list[str] = []

    def guess() -> None:
        with app.app_context():
            try:
                sessions.sign_in(anna.email, "the right one", Caller(fresh_address()))
                said.append("in")
            except TooMany:
                said.append("locked")

    thread = threading.Thread(target=guess)
    thread.start()
    fail(FREE["account"] + 1, anna.email)
    thread.join()
    assert said == ["locked"]


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_no_failure_is_lost_between_threads(kind: str, tmp_path: Path, app: Flask) -> None:
    if kind == "sqlite":
        count_at_once(app)
        return
    from api.prepare import prepare

    with postgres(tmp_path) as database:
        settings = Settings(
            MODELHUB_HOME=tmp_path / "pg-home",
            DATABASE_URL=database,
            _env_file=None,
            MODELHUB_ADMIN_PASSWORD="long one",
        )  # type: ignore[call-arg]
        on_postgres = create_app(settings, serves=False)
        prepare(on_postgres)
        count_at_once(on_postgres)
        with on_postgres.app_context():
            db.engine.dispose()


def count_at_once(app: Flask) -> None:
    def one(_: int) -> None:
        with app.app_context():
            fail(1, "nobody@example.org", "192.0.2.1")

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(one, range(50)))
    with app.app_context():
        found = {(row.kind, row.failures) for row in db.session.scalars(select(Lockout))}
        assert found == {("account", 50), ("address", 50)}
        row = db.session.scalars(select(Lockout).where(Lockout.kind == "account")).one()
        assert row.locked_until and row.locked_until - utcnow() > timedelta(minutes=14)
        db.session.rollback()
