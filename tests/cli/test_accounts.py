"""People come, change and go from the command line, on a real hub."""

import httpx
import pytest

from tests.cli.conftest import Terminal
from tests.cli.screen import Screen
from tests.support.hub_process import Hub

SECRET = "a long enough one"


@pytest.fixture
def admin(terminal: Terminal, session_hub: Hub) -> Terminal:
    terminal.environment |= {"MODELHUB_URL": session_hub.url, "MODELHUB_TOKEN": session_hub.token}
    return terminal


def test_a_user_from_the_first_day_to_the_last(admin: Terminal, session_hub: Hub) -> None:
    add = ("users", "add", "cleo@example.org", "--name", "Cleo", "--password-stdin")
    assert admin.run("users", "add", "cleo@example.org").code == 2, "nobody to ask"
    assert admin.run(*add, stdin="password\n").code == 1
    made = admin.run(*add, "--json", stdin=SECRET + "\n").json
    assert (made["email"], made["role"], made["active"]) == ("cleo@example.org", "user", True)
    assert admin.run(*add, stdin=SECRET + "\n").code == 1
    listed = admin.run("users", "list", "cleo", "--active")
    assert listed.out.splitlines()[1].split("\t")[:2] == ["cleo@example.org", "Cleo"]
    assert admin.run("users", "list", "--inactive", "--json").json["items"] == []

    assert admin.run("users", "change", "cleo").code == 2
    said = admin.run("users", "change", "cleo", "--role", "operator").out
    assert said == "cleo@example.org is changed: operator.\n"
    assert admin.run("users", "change", "nobody", "--role", "viewer").code == 5
    assert admin.run("users", "change", "cleo", "--role", "emperor").code == 1
    off = admin.run("users", "change", "cleo", "--deactivate", "--json").json
    assert off["active"] is False and off["version"] == 3
    assert admin.run("users", "reset", "cleo").code == 1
    assert admin.run("users", "change", "cleo", "--activate").code == 0
    last = admin.run("users", "change", session_hub.email, "--role", "user", "--json")
    assert last.code == 1 and last.problem["error"] == "CONFLICT"
    assert admin.run("users", "remove", "cleo").code == 2
    assert admin.run("users", "remove", "cleo", "--yes").out == "cleo@example.org is removed.\n"
    assert admin.run("users", "remove", "cleo", "--yes").code == 5


def test_links_let_people_in(admin: Terminal, session_hub: Hub) -> None:
    admin.run("teams", "create", "Guests")
    made = admin.run("invite", "dora@example.org", "--role", "viewer", "--team", "guests", "--days", "1")
    link = made.out.strip()
    assert made.code == 0 and link.startswith(f"{session_hub.url}/join#mhi_") and "only now" in made.err
    assert admin.run("invite", "--role", "viewer", "--team", "nobodys").code == 5
    body = {"token": link.partition("#")[2], "name": "Dora", "password": SECRET}
    assert httpx.post(f"{session_hub.url}/api/v1/auth/join", json=body).status_code == 201

    other = admin.run("invite", "--json").json
    states = {i["id"]: i["state"] for i in admin.run("invite", "--list", "--json").json["items"]}
    assert states[other["id"]] == "open" and sorted(states.values()).count("used") >= 1
    assert admin.run("invite", "--list", "--role", "user").code == 2
    assert admin.run("invite", "--revoke", other["id"][-8:]).out == "The link does not work any more.\n"
    assert admin.run("invite", "--revoke", "f" * 32).code == 5
    assert "\trevoked\t" in admin.run("invite", "--list").out

    reset = admin.run("users", "reset", "dora").out.strip()
    body = {"token": reset.partition("#")[2], "password": SECRET + "!"}
    assert httpx.post(f"{session_hub.url}/api/v1/auth/join", json=body).status_code == 201
    listed = admin.run("sessions", "list", "--user", "dora").out.splitlines()
    assert len(listed) == 2 and "\tinvite\t" in listed[1], "the first session ended with the new password"
    assert admin.run("sessions", "end", "--user", "dora").out == "1 session ended.\n"
    assert admin.run("sessions", "list", "--user", "dora", "--json").json["items"] == []
    assert admin.run("users", "remove", "dora", "-y").code == 0


def test_ones_own_sessions_and_password(admin: Terminal, session_hub: Hub, terminal: Terminal) -> None:
    admin.run("users", "add", "emil@example.org", "--password-stdin", stdin=SECRET + "\n")
    del terminal.environment["MODELHUB_TOKEN"]
    login = ("login", session_hub.url, "--email", "emil@example.org", "--password-stdin")
    assert terminal.run(*login, stdin=SECRET + "\n").code == 0
    phone = httpx.post(
        f"{session_hub.url}/api/v1/auth/login", json={"email": "emil@example.org", "password": SECRET}
    ).json()["data"]["access_token"]

    devices = [i["device"] for i in terminal.run("sessions", "--json").json["items"]]
    assert sorted(devices) == ["modelhub on Linux", "python-httpx"]
    assert "modelhub on Linux (this one)\t" in terminal.run("sessions").out
    assert terminal.run("sessions", "end").code == 2
    assert terminal.run("sessions", "end", "0" * 32).code == 5
    assert terminal.run("sessions", "end", "--user", "emil").code == 1
    assert terminal.run("sessions", "end", "--others").out == "1 session ended.\n"
    asked = httpx.get(f"{session_hub.url}/api/v1/auth/me", headers={"Authorization": f"Bearer {phone}"})
    assert asked.status_code == 401

    assert terminal.run("password").code == 2
    wrong = terminal.run("password", "--stdin", stdin=f"not it\n{SECRET} 2\n")
    assert wrong.code == 1 and "not right" in wrong.err
    assert terminal.run("password", "--stdin", stdin=f"{SECRET}\n{SECRET} 2\n").code == 0
    screen = Screen(terminal.argv("password"), terminal.environment)
    try:
        for question, answer in (("Current", f"{SECRET} 2"), ("New", SECRET), ("same again", SECRET)):
            screen.see(question)
            screen.type(f"{answer}\n")
        screen.see("is changed")
        assert screen.end() == 0
    finally:
        screen.close()
    assert terminal.run("list").code == 0, "signed in here as before"


def test_locks_are_shown_and_lifted(admin: Terminal, session_hub: Hub) -> None:
    assert admin.run("users", "unlock", "flo@example.org").code == 5
    body = {"email": "flo@example.org", "password": "wrong"}
    httpx.post(f"{session_hub.url}/api/v1/auth/login", json=body)
    line = next(row for row in admin.run("users", "lockouts").out.splitlines() if row.startswith("flo@"))
    assert line.split("\t")[1] == "account" and line.split("\t")[3:5] == ["1", "free"]
    assert admin.run("users", "unlock", "flo@example.org").out == "flo@example.org may try again.\n"
    assert "flo@" not in admin.run("users", "lockouts").out
