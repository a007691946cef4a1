"""The chain of refresh tokens: one successor for each, the same one for a moment, and an end for thieves."""

import time
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from api import secrets
from api.errors import Unauthenticated
from api.extensions import db
from api.models import RefreshToken, UserSession
from api.security.authorise import forget, hash_token, identify
from api.services import sessions
from api.services.sessions import Caller, Opened
from api.unit_of_work import unit_of_work
from tests.support.door import Browser, secret_hash
from tests.support.people import audit_log, user

GRACE = sessions.REUSE_GRACE.total_seconds()


@pytest.fixture
def browser(app: Flask) -> Browser:
    anna = user(app, "anna", password_hash=secret_hash())
    found = Browser(app)
    assert found.sign_in(anna.email).status_code == 200
    return found


def let_pass(seconds: float) -> None:
    """Everything that is kept becomes older."""
    with unit_of_work():
        gone = timedelta(seconds=seconds)
        for link in db.session.scalars(select(RefreshToken).where(RefreshToken.used_at.is_not(None))):
            link.used_at -= gone
        for session in db.session.scalars(select(UserSession)):
            session.expires_at -= gone
    forget()


def test_a_refresh_gives_a_new_token_and_keeps_the_end_of_the_session(browser: Browser) -> None:
    first = browser.cookie
    let_pass(24 * 3600)
    answer = browser.refresh()
    assert answer.status_code == 200 and browser.cookie != first and browser.is_in()
    cookie = answer.headers["Set-Cookie"]
    left = int(cookie.partition("Max-Age=")[2].partition(";")[0])
    assert 6 * 24 * 3600 - 60 < left <= 6 * 24 * 3600, "a refresh does not prolong the seven days"
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Path=/api/v1/auth"))
    assert answer.headers["Cache-Control"] == "no-store"
    let_pass(6 * 24 * 3600)
    assert browser.refresh().status_code == 401 and not browser.is_in()


def test_the_predecessor_gets_the_same_successor_within_the_grace(browser: Browser) -> None:
    first = browser.cookie
    browser.refresh()
    second = browser.cookie
    let_pass(GRACE - 1)
    browser.cookie = first
    assert browser.refresh().status_code == 200
    assert browser.cookie == second
    assert browser.refresh().status_code == 200, "and that one goes on"


@pytest.mark.parametrize("story", ["after the grace", "the successor was used", "two generations back"])
def test_any_other_reuse_ends_the_session_and_is_told(app: Flask, browser: Browser, story: str) -> None:
    first = browser.cookie
    browser.refresh()
    if story == "after the grace":
        let_pass(GRACE + 1)
    else:
        browser.refresh()
    if story == "two generations back":
        browser.refresh()
    newest, thief = browser.cookie, Browser(app)
    thief.cookie = first
    assert thief.refresh().status_code == 401
    assert not browser.is_in(), "the access token ends with the session, at once"
    browser.cookie = newest
    assert browser.refresh().status_code == 401
    last = audit_log()[-1]
    assert (last.action, last.result, last.actor_name, last.address) == (
        "session.reuse", "failed", "anna", thief.address,
    )  # fmt: skip
    row = UserSession.query.populate_existing().filter_by(id=last.object_id).one()
    assert row.ended_because == "reuse" and row.ended_at


def test_the_successor_is_the_same_after_the_key_was_replaced(app: Flask, browser: Browser) -> None:
    first = browser.cookie
    browser.refresh()
    second = browser.cookie
    secrets.rotate(keep=True)
    browser.cookie = first
    assert browser.refresh().status_code == 200
    assert browser.cookie == second


def test_what_was_never_given_out_ends_nothing(app: Flask, browser: Browser) -> None:
    stranger = Browser(app)
    for guess in ("", "mhr_", "mhr_" + "A" * 43, browser.access, "é" * 50, "x" * 4000):
        stranger.cookie = guess
        assert stranger.refresh().status_code == 401
    assert browser.refresh().status_code == 200


class Chains(RuleBasedStateMachine):
    """Sessions and their chains as they should be, against the hub: who gets what, and when it is over."""

    app: Flask
    user_id: str
    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.chains: dict[int, list[str]] = {}
        self.used: dict[str, float] = {}
        self.over: set[int] = set()
        self.access: dict[int, str] = {}
        self.clock = 0.0

    def now(self) -> float:
        return self.clock + time.monotonic()

    def call(self, token: str) -> Opened | None:
        try:
            return sessions.refresh(token, Caller("192.0.2.1", "Machine/1"))
        except Unauthenticated:
            return None

    @rule(target=held)
    def sign_in(self) -> tuple[int, str]:
        with unit_of_work() as after_commit:
            found = db.session.get_one(sessions.User, self.user_id)
            begun = sessions.begin(after_commit, found, Caller(), "password")
        number = len(self.chains)
        self.chains[number] = [begun.refresh_token]
        self.access[number] = sessions.opened(begun).answer.access_token
        return number, begun.refresh_token

    @rule(target=held, item=held)
    def use(self, item: tuple[int, str]) -> tuple[int, str]:
        number, token = item
        chain = self.chains[number]
        place = chain.index(token)
        newest = place == len(chain) - 1
        age = self.now() - self.used.get(token, self.now())
        if not newest and abs(age - GRACE) < 1:
            return item  # too near the edge for a clock that runs; the edge has a test of its own
        forgiven = place == len(chain) - 2 and age < GRACE
        opened = self.call(token)
        if number in self.over:
            assert opened is None
        elif newest:
            assert opened and opened.refresh_token not in chain
            self.used[token] = self.now()
            chain.append(opened.refresh_token)
            self.access[number] = opened.answer.access_token
        elif forgiven:
            assert opened and opened.refresh_token == chain[-1]
        else:
            assert opened is None
            self.over.add(number)
        return number, chain[-1]

    @rule(seconds=st.sampled_from([1, 4, 30]))
    def wait(self, seconds: int) -> None:
        let_pass(seconds)
        self.clock += seconds

    @rule(item=held)
    def sign_out(self, item: tuple[int, str]) -> None:
        sessions.sign_out(item[1])
        self.over.add(item[0])

    @rule(guess=st.text(max_size=60))
    def guess(self, guess: str) -> None:
        assert self.call("mhr_" + guess) is None

    @invariant()
    def each_chain_has_one_end(self) -> None:
        db.session.rollback()
        for number, chain in self.chains.items():
            rows = {row.token_hash: row for row in _links(chain[0])}
            assert set(rows) == {hash_token(token) for token in chain}
            assert [t for t in chain if rows[hash_token(t)].used_at is None] == chain[-1:]
            assert _works(self.access[number]) == (number not in self.over)


def _links(token: str) -> Any:
    family = select(RefreshToken.session_id).where(RefreshToken.token_hash == hash_token(token))
    return db.session.scalars(
        select(RefreshToken).where(RefreshToken.session_id == family.scalar_subquery())
    ).all()


def _works(access_token: str) -> bool:
    try:
        return identify(access_token).kind == "session"
    except Unauthenticated:
        return False


def test_chains_behave_like_their_model(app: Flask) -> None:
    Chains.app, Chains.user_id = app, user(app, "anna").id
    run_state_machine_as_test(
        Chains,
        settings=settings(
            max_examples=20, stateful_step_count=18, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    assert db.session.scalar(select(func.count()).select_from(RefreshToken))
