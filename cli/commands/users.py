"""`modelhub users`: who uses the hub, as what, and who is kept out."""

import sys
from typing import Any

import click

from cli import console, naming, text
from cli.app import App, command, family
from cli.commands.account import new_password
from cli.commands.roles import agreed
from cli.errors import WrongUsage
from cli.hub import Hub


@command("list")
@click.argument("words", metavar="[TEXT]", required=False)
@click.option("--role", help="Only who holds this role.")
@click.option("--active/--inactive", default=None, help="Only who may sign in, or who may not.")
def _list(app: App, words: str | None, role: str | None, active: bool | None) -> None:
    """List the users, or those with TEXT in their names or e-mails."""
    wanted = None if active is None else str(active).lower()
    found = list(app.hub.pages("users", q=words, role=role, active=wanted))
    if app.json:
        console.document({"items": found})
        return
    rows = [
        (
            user["email"],
            user["name"],
            user["id"],
            user["role"],
            "active" if user["active"] else "inactive",
            text.ago(user["last_seen_at"]) if user["last_seen_at"] else "never",
        )
        for user in found
    ]
    console.table(
        ["E-MAIL", "NAME", "ID", "ROLE", "STATE", "LAST SEEN"], rows, empty="There is no such user."
    )


@command("add")
@click.argument("email")
@click.option("--name", default="", help="What the user is called.")
@click.option("--role", default="user", show_default=True, help="What the user may do.")
@click.option("--team", "teams", multiple=True, help="A team to put the user in. May be repeated.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
def _add(app: App, email: str, name: str, role: str, teams: tuple[str, ...], password_stdin: bool) -> None:
    """Make a user with a password that you choose. `modelhub invite` lets them choose it."""
    password = new_password(password_stdin)
    body = {"email": email, "name": name, "role": role, "password": password}
    made = app.hub.post("users", {**body, "teams": team_ids(app.hub, teams)})
    _said(app, made, f"{made['email']} can sign in now, as {made['role']}.")


@command("change")
@click.argument("user")
@click.option("--email", help="A new e-mail.")
@click.option("--name", help="A new name.")
@click.option("--role", help="A new role. The user is signed out everywhere.")
@click.option("--activate/--deactivate", "active", default=None, help="Whether the user may sign in.")
def _change(
    app: App, user: str, email: str | None, name: str | None, role: str | None, active: bool | None
) -> None:
    """Change USER (an e-mail, name or id).

    Who is deactivated is signed out everywhere at once, and loses every API key for good.
    """
    given = {"email": email, "name": name, "role": role, "active": active}
    body = {field: value for field, value in given.items() if value is not None}
    if not body:
        raise WrongUsage("Say what to change: --email, --name, --role, --activate or --deactivate.")
    changed = app.hub.patch(f"users/{user_of(app.hub, user)['id']}", body)
    state = "" if changed["active"] else ", and may not sign in"
    _said(app, changed, f"{changed['email']} is changed: {changed['role']}{state}.")


@command("remove")
@click.argument("user")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def _remove(app: App, user: str, yes: bool) -> None:
    """Remove USER with sessions, keys and conversations. Models and deployments become yours."""
    found = user_of(app.hub, user)
    if not yes and not agreed(f"Remove {text.safe(found['email'])}?"):
        return
    app.hub.delete(f"users/{found['id']}")
    _said(app, {"removed": found["id"], "email": found["email"]}, f"{found['email']} is removed.")


@command("reset")
@click.argument("user")
def _reset(app: App, user: str) -> None:
    """Make a link with which USER chooses a new password. It works once, for a day.

    The link is shown only this once, alone on stdout.
    """
    made = app.hub.post(f"users/{user_of(app.hub, user)['id']}/reset")
    if app.json:
        console.document(made)
        return
    console.note(f"Send this to {made['email']}. It works once, and is shown only now:")
    sys.stdout.write(made["link"] + "\n")


@command("lockouts")
def _lockouts(app: App) -> None:
    """List the accounts and addresses with failed sign-ins in the last hour."""
    found = app.hub.get("lockouts")
    if app.json:
        console.document(found)
        return
    rows = [
        (
            item["value"],
            item["kind"],
            item["id"],
            item["failures"],
            "locked" if item["locked"] else "free",
            text.ago(item["last_failed_at"]),
        )
        for item in found["items"]
    ]
    columns = ["WHO", "KIND", "ID", ">FAILURES", "STATE", "LAST FAILURE"]
    console.table(columns, rows, empty="Nobody failed to sign in within the last hour.")


@command("unlock")
@click.argument("who")
def _unlock(app: App, who: str) -> None:
    """Let WHO (an e-mail, an address, or the id of a lock) try again now."""
    locks = app.hub.get("lockouts")["items"]
    found = naming.one(who, locks, ("value",), "lock", "modelhub users lockouts")
    app.hub.delete(f"lockouts/{found['id']}")
    _said(app, {"lifted": found["id"], "value": found["value"]}, f"{found['value']} may try again.")


def user_of(hub: Hub, typed: str) -> naming.Found:
    return naming.one(typed, list(hub.pages("users")), ("email", "name"), "user", "modelhub users")


def team_ids(hub: Hub, typed: tuple[str, ...]) -> list[str]:
    known = list(hub.pages("teams")) if typed else []
    return [naming.one(each, known, ("name",), "team", "modelhub teams")["id"] for each in typed]


def _said(app: App, answer: dict[str, Any], sentence: str) -> None:
    if app.json:
        console.document(answer)
    else:
        console.say(sentence)


users_command = family(
    "users",
    "Who uses the hub, as what, and who is kept out.",
    *(_list, _add, _change, _remove, _reset, _lockouts, _unlock),
)
