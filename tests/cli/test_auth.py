"""Who is shown which token, and that a refresh token is never used twice."""

import stat
import time
from typing import Any

import pytest

from tests.cli.conftest import Terminal
from tests.cli.standin import Asked, Reply, Standin, data, problem

USER = {"id": "u1", "email": "admin@localhost", "name": "", "role": "admin"}


class Door:
    """Login and refresh as the hub does them: a refresh token is good for one use."""

    def __init__(self, standin: Standin, expires_in: float = 900) -> None:
        self.standin, self.expires_in = standin, expires_in
        self.issued = 0
        self.valid: set[str] = set()
        self.stolen = False
        standin.on("POST", "auth/login", self.login)
        standin.on("POST", "auth/refresh", self.refresh)
        standin.on("POST", "auth/logout", data({}))
        standin.on("GET", "models", self.models)

    def login(self, asked: Asked) -> Reply:
        if asked.body != {"email": "admin@localhost", "password": "right"}:
            return problem(401, "INVALID_CREDENTIALS", "E-mail and password do not fit together.")
        return self.signed_in()

    def refresh(self, asked: Asked) -> Reply:
        with self.standin.lock:
            if asked.headers.get("cookie") != f"mh_refresh=refresh-{self.issued}":
                self.stolen = True
                return problem(401, "UNAUTHENTICATED")
            return self.signed_in()

    def signed_in(self) -> Reply:
        self.issued += 1
        self.valid = {f"access-{self.issued}"}
        cookie = f"mh_refresh=refresh-{self.issued}; HttpOnly; Secure; SameSite=Strict; Path=/api/v1/auth"
        answer = {"access_token": f"access-{self.issued}", "expires_in": self.expires_in, "user": USER}
        return data(answer, headers={"Set-Cookie": cookie})

    def models(self, asked: Asked) -> Reply:
        return (
            data({"items": [], "next": None})
            if asked.bearer in self.valid
            else problem(401, "UNAUTHENTICATED")
        )


def sign_in(terminal: Terminal, standin: Standin) -> None:
    done = terminal.run(
        "login", standin.url, "--email", "admin@localhost", "--password-stdin", stdin="right\n"
    )
    assert done.code == 0, done.err


def test_a_sign_in_is_kept_for_its_hub_alone_and_private(terminal: Terminal, standin: Standin) -> None:
    Door(standin)
    sign_in(terminal, standin)

    kept = terminal.config / "modelhub" / "credentials.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert list(terminal.credentials()["hubs"]) == [standin.url]
    assert "right" not in kept.read_text()
    assert terminal.run("list").code == 0, "the hub signed in to is the one used from now on"


def test_a_wrong_password_is_said(terminal: Terminal, standin: Standin) -> None:
    Door(standin)
    done = terminal.run("login", standin.url, "--email", "admin@localhost", MODELHUB_PASSWORD="wrong")
    assert done.code == 3
    assert "do not fit together" in done.err
    assert not (terminal.config / "modelhub" / "credentials.json").exists()


def test_without_a_terminal_the_password_is_not_asked_for(terminal: Terminal, standin: Standin) -> None:
    done = terminal.run("login", standin.url, "--email", "admin@localhost")
    assert done.code == 2
    assert "--password-stdin" in done.err


def test_an_access_token_that_ran_out_is_renewed(terminal: Terminal, standin: Standin) -> None:
    door = Door(standin, expires_in=0)
    sign_in(terminal, standin)
    assert terminal.run("list").code == 0
    assert terminal.run("list").code == 0
    assert door.issued == 3
    assert not door.stolen


def test_an_access_token_that_the_hub_refuses_is_renewed(terminal: Terminal, standin: Standin) -> None:
    door = Door(standin)
    sign_in(terminal, standin)
    door.valid = set()
    assert terminal.run("list").code == 0
    assert standin.paths()[-3:] == ["GET models", "POST auth/refresh", "GET models"]


def test_many_at_once_never_use_one_refresh_token_twice(terminal: Terminal, standin: Standin) -> None:
    door = Door(standin, expires_in=0)
    sign_in(terminal, standin)
    door.expires_in = 900
    running = [terminal.popen("list") for _ in range(8)]
    said = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0] * 8, said
    assert not door.stolen
    assert door.issued == 2, "one renewed it, the others took what it got"


def test_an_ended_session_asks_to_sign_in_again(terminal: Terminal, standin: Standin) -> None:
    door = Door(standin, expires_in=0)
    sign_in(terminal, standin)
    door.issued = 99
    done = terminal.run("list", "--json")
    assert done.code == 3
    assert done.problem["error"] == "UNAUTHENTICATED"
    assert f"modelhub login {standin.url}" in done.problem["message"]


def test_signing_out_tells_the_hub_and_forgets(terminal: Terminal, standin: Standin) -> None:
    Door(standin)
    sign_in(terminal, standin)
    assert terminal.run("logout").code == 0
    assert standin.asked[-1].headers["cookie"] == "mh_refresh=refresh-1"
    assert terminal.credentials() == {"default": None, "hubs": {}}


def test_signing_out_works_with_the_hub_gone(terminal: Terminal, standin: Standin) -> None:
    Door(standin)
    sign_in(terminal, standin)
    standin.close()
    assert terminal.run("logout").code == 0
    assert terminal.credentials()["hubs"] == {}


@pytest.mark.parametrize(
    "spelling", ["http://127.0.0.1:{port}", "localhost:{port}/", "http://0.0.0.0:{port}"]
)
def test_on_the_hubs_machine_its_own_token_opens_it(
    terminal: Terminal, standin: Standin, spelling: str
) -> None:
    door = Door(standin)
    door.valid = {"mhl_mine"}
    terminal.is_local(standin.url, "mhl_mine")
    assert terminal.run("list").code == 0
    port = standin.url.rpartition(":")[2]
    assert terminal.run("list", "--hub", spelling.format(port=port)).code == 0


def test_the_local_token_is_never_shown_to_another_address(terminal: Terminal, standin: Standin) -> None:
    Door(standin)
    terminal.is_local("http://127.0.0.1:1", "mhl_mine")
    assert terminal.run("list", "--hub", standin.url).code == 3
    assert all("authorization" not in asked.headers for asked in standin.asked)


def test_a_token_can_be_given_to_a_script(terminal: Terminal, standin: Standin) -> None:
    Door(standin).valid = {"given"}
    assert terminal.run("list", "--hub", standin.url, MODELHUB_TOKEN="given").code == 0
    assert terminal.run("list", "--hub", standin.url, MODELHUB_TOKEN="old").code == 3


def test_a_torn_credentials_file_means_not_signed_in(terminal: Terminal, standin: Standin) -> None:
    Door(standin)
    (terminal.config / "modelhub").mkdir(parents=True)
    (terminal.config / "modelhub" / "credentials.json").write_text('{"hubs": [')
    assert terminal.run("list", "--hub", standin.url).code == 3


def test_tokens_are_not_told(terminal: Terminal, standin: Standin) -> None:
    Door(standin)
    sign_in(terminal, standin)
    entry: dict[str, Any] = terminal.credentials()["hubs"][standin.url]
    assert entry["expires_at"] > time.time()
    said = terminal.run(
        "login", standin.url, "--email", "admin@localhost", "--json", MODELHUB_PASSWORD="right"
    )
    assert said.json["user"]["email"] == "admin@localhost"
    assert "access-" not in said.out + said.err
    assert "refresh-" not in said.out + said.err
