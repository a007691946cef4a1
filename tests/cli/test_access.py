"""An administrator runs a team from the command line: roles, teams, keys, and the record of all of it."""

import csv
import json
import sqlite3
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Terminal
from tests.support.hub_process import Hub


@pytest.fixture
def admin(terminal: Terminal, session_hub: Hub) -> Terminal:
    terminal.environment |= {"MODELHUB_URL": session_hub.url, "MODELHUB_TOKEN": session_hub.token}
    return terminal


def test_roles_and_teams(admin: Terminal) -> None:
    listed = admin.run("roles")
    assert listed.code == 0 and listed.out.startswith("NAME\tTITLE") and "\nadmin\t" in listed.out
    assert "models.write\tChange and delete models" in admin.run("roles", "permissions").out
    made = admin.run("roles", "create", "tuner", "-p", "models.read", "-p", "chat.use", "--json").json
    assert made["title"] == "Tuner" and made["permissions"] == ["chat.use", "models.read"]
    changed = admin.run("roles", "change", "tuner", "--add", "jobs.read", "--remove", "chat.use")
    assert changed.out == "The role tuner is changed. It allows: jobs.read, models.read.\n"
    wrong = admin.run("roles", "change", "tuner", "--add", "models.fly", "--json")
    assert wrong.code == 1 and "models.fly" in wrong.problem["message"]
    assert admin.run("roles", "change", "tuner").code == 2
    assert admin.run("roles", "delete", "admin", "-y").code == 1
    assert admin.run("roles", "delete", "tuner").code == 2  # nobody to ask
    assert admin.run("roles", "delete", "tuner", "--yes").code == 0

    assert admin.run("teams", "create", "Speech", "--description", "Voices").code == 0
    added = admin.run("teams", "add", "speech", "admin@localhost", "--manager")
    assert added.out == "admin@localhost manages the team Speech.\n"
    assert "admin@localhost\tAdministrator\tmanager" in admin.run("teams", "show", "speech").out
    assert admin.run("teams", "add", "speech", "nobody@localhost").code == 5
    assert admin.run("teams", "change", "speech", "--name", "Sound", "--json").json["name"] == "Sound"
    assert admin.run("teams", "--json").json["items"][0]["members"][0]["manager"] is True
    assert admin.run("teams", "remove", "sound", "admin@localhost").code == 0
    assert admin.run("teams", "delete", "sound", "-y", "--json").json["name"] == "Sound"
    assert admin.run("teams", "show", "sound").code == 5


def test_keys(admin: Terminal, session_hub: Hub) -> None:
    made = admin.run("keys", "create", "ci", "-s", "models.read", "--days", "7", "--per-minute", "600")
    key = made.out.strip()
    assert key.startswith("mh_") and "\n" not in key and "only this once" in made.err
    asked = httpx.get(f"{session_hub.url}/api/v1/models", headers={"Authorization": f"Bearer {key}"})
    assert asked.status_code == 200
    assert admin.run("list", MODELHUB_TOKEN=key).code == 0
    assert admin.run("roles", MODELHUB_TOKEN=key).code == 1
    shown = admin.run("keys", "show", "ci", "--json").json
    assert shown["scopes"] == ["models.read"] and shown["requests_per_minute"] == 600
    assert key not in admin.run("keys").out and shown["prefix"] in admin.run("keys").out
    assert admin.run("keys", "revoke", "ci").code == 2
    assert admin.run("keys", "revoke", "ci", "-y").out == "The key ci is revoked.\n"
    assert admin.run("keys", "revoke", "ci", "-y").code == 5
    assert admin.run("keys", "show", "ci", "--json").json["state"] == "revoked"
    assert admin.run("list", MODELHUB_TOKEN=key).code == 3


def test_the_audit_log(admin: Terminal, session_hub: Hub, tmp_path: Path) -> None:
    admin.run("teams", "create", "=Audited")
    admin.run("teams", "delete", "=Audited", "-y")
    listed = admin.run("audit", "list", "--action", "team.*", "--limit", "2")
    assert [line.split("\t")[3:6] for line in listed.out.splitlines()[1:]] == [
        ["team.delete", "=Audited", "done"],
        ["team.create", "=Audited", "done"],
    ]
    assert admin.run("audit", "list", "--since", "tomorrow").code == 1
    lines = admin.run("audit", "export", "--action", "team.*").lines
    assert lines[-1]["action"] == "team.delete"
    written = admin.run("audit", "export", str(tmp_path / "log.csv"), "--action", "team.delete")
    assert written.code == 0 and written.out == ""
    with (tmp_path / "log.csv").open(newline="") as file:
        assert list(csv.DictReader(file))[-1]["object_name"] == "'=Audited"
    verified = admin.run("audit", "verify")
    assert verified.code == 0 and verified.out.startswith("The audit log is whole: ")
    assert admin.run("audit", "verify", "--local", "--home", str(session_hub.home)).code == 0


def test_verification_of_a_hub_that_is_down(admin: Terminal, prepared_home: Path, tmp_path: Path) -> None:
    import shutil

    home = tmp_path / "copy"
    shutil.copytree(prepared_home, home)
    nothing = admin.run("audit", "verify", "--home", str(tmp_path / "nowhere"))
    assert nothing.code == 1 and "audit.key" in nothing.err
    with sqlite3.connect(home / "modelhub.db") as database:
        row = database.execute("SELECT * FROM audit_entries LIMIT 1").fetchone()
        marks = ", ".join("?" for _ in row or ()) or None
        if row is None:
            pytest.fail("making the first administrator must be in the log")
        database.execute(f"INSERT INTO audit_entries VALUES ({marks})", (99, *row[1:]))
    broken = admin.run("audit", "verify", "--home", str(home), "--json")
    verdict = json.loads(broken.out)
    assert (
        broken.code == 1
        and verdict["ok"] is False
        and verdict["first_bad"]
        and "missing" in verdict["reason"]
    )
