"""Many at the same moment, against the real web server in two processes, on both databases."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import create_engine, text

from api.config import Settings
from api.services import lockouts
from tests.support.door import bare_web, sign_in_over_http
from tests.support.servers import postgres


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """(URL of the hub, URL of its database)"""
    tmp_path = tmp_path_factory.mktemp("served")
    if request.param == "sqlite":
        with bare_web(tmp_path) as url:
            yield url, f"sqlite:///{tmp_path / 'home' / 'modelhub.db'}"
    else:
        with postgres(tmp_path) as database, bare_web(tmp_path, DATABASE_URL=database) as url:
            yield url, Settings(DATABASE_URL=database, _env_file=None).sqlalchemy_url  # type: ignore[call-arg]


def refresh(url: str, cookie: str) -> httpx.Response:
    headers = {"Cookie": f"mh_refresh={cookie}"}
    return httpx.post(f"{url}/api/v1/auth/refresh", headers=headers, timeout=60)


def at_once(number: int, ask: Callable[[], httpx.Response]) -> list[httpx.Response]:
    gate = threading.Barrier(number)

    def one(_: int) -> httpx.Response:
        gate.wait()
        return ask()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def rows(database: str, sql: str) -> list[tuple]:  # type: ignore[type-arg]
    engine = create_engine(database)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]
    finally:
        engine.dispose()


def test_one_successor_and_one_end(served: tuple[str, str]) -> None:
    url, database = served
    first = sign_in_over_http(url).cookies["mh_refresh"]

    answers = at_once(50, lambda: refresh(url, first))
    assert {answer.status_code for answer in answers} == {200}
    successors = {answer.cookies["mh_refresh"] for answer in answers}
    assert len(successors) == 1
    assert len(rows(database, "SELECT id FROM refresh_tokens")) == 2
    assert len(rows(database, "SELECT id FROM refresh_tokens WHERE used_at IS NULL")) == 1

    second = successors.pop()
    access = refresh(url, second).json()["data"]["access_token"]
    answers = at_once(50, lambda: refresh(url, first))  # now its successor is used: a copy
    assert {answer.status_code for answer in answers} == {401}
    assert rows(database, "SELECT ended_because FROM user_sessions") == [("reuse",)]
    assert len(rows(database, "SELECT seq FROM audit_entries WHERE action = 'session.reuse'")) == 1
    assert len(rows(database, "SELECT id FROM refresh_tokens")) == 3
    bearer = {"Authorization": f"Bearer {access}"}
    until_refused(lambda: httpx.get(f"{url}/api/v1/auth/me", headers=bearer).status_code)


def until_refused(ask) -> None:  # type: ignore[no-untyped-def]
    """The other process may remember for a second whom it let in."""
    for _ in range(400):
        if ask() == 401:
            return
    pytest.fail("the access token of an ended session is still good")


def test_many_guesses_at_once_learn_no_more_than_a_few_in_a_row(served: tuple[str, str]) -> None:
    url, database = served
    body = {"email": "nobody@example.org", "password": "wrong"}
    answers = at_once(20, lambda: httpx.post(f"{url}/api/v1/auth/login", json=body, timeout=60))
    told = lockouts.FREE["account"] + 1
    assert Counter(answer.status_code for answer in answers) == {401: told, 429: 20 - told}
    assert rows(database, "SELECT count(*) FROM lockouts") == [(2,)]


def test_an_invitation_used_by_many_at_once_lets_one_in(served: tuple[str, str]) -> None:
    url, _ = served
    admin = bearer(url)
    token = httpx.post(f"{url}/api/v1/invites", json={}, headers=admin).json()["data"]["token"]
    names = iter(range(8))

    def join() -> httpx.Response:
        body = {"token": token, "email": f"guest{next(names)}@example.org", "password": "a long enough one"}
        return httpx.post(f"{url}/api/v1/auth/join", json=body, timeout=60)

    assert Counter(answer.status_code for answer in at_once(8, join)) == {201: 1, 404: 7}


def test_two_administrators_who_demote_each_other_do_not_both_succeed(served: tuple[str, str]) -> None:
    url, database = served
    admin = bearer(url)
    made = [
        httpx.post(
            f"{url}/api/v1/users",
            json={"email": f"{name}@example.org", "password": "a long enough one", "role": "admin"},
            headers=admin,
        ).json()["data"]["id"]
        for name in ("one", "two")
    ]
    first = rows(database, "SELECT id FROM users WHERE email = 'admin@localhost'")[0][0]
    everybody = iter([first, *made])

    def demote() -> httpx.Response:
        path = f"{url}/api/v1/users/{next(everybody)}"
        return httpx.patch(path, json={"role": "viewer"}, headers=admin, timeout=60)

    answers = at_once(3, demote)
    left = rows(database, "SELECT count(*) FROM users WHERE role = 'admin' AND active")
    assert left[0][0] >= 1, [answer.text for answer in answers]
    assert {answer.status_code for answer in answers} <= {200, 401, 403, 409}


def bearer(url: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {sign_in_over_http(url).json()['data']['access_token']}"}
