"""`modelhub roles`: named sets of permissions."""

import sys
from typing import Any

import click

from cli import console
from cli.app import App, command, family
from cli.errors import WrongUsage

_PERMISSION = click.option(
    "-p", "--permission", "permissions", multiple=True, help="What it allows; give it once for each."
)


@command("list")
def _list(app: App) -> None:
    """List the roles, what each allows and how many users hold it."""
    found = app.hub.get("roles")
    if app.json:
        console.document(found)
        return
    rows = [
        (r["name"], r["title"], r["users"], "all" if r["name"] == "admin" else ", ".join(r["permissions"]))
        for r in found["items"]
    ]
    console.table(["NAME", "TITLE", ">USERS", "PERMISSIONS"], rows, empty="There are no roles.")


@command("permissions")
def _permissions(app: App) -> None:
    """List everything a role or an API key can be allowed."""
    found = app.hub.get("permissions")
    if app.json:
        console.document(found)
    else:
        rows = [(item["name"], item["description"]) for item in found["items"]]
        console.table(["PERMISSION", "ALLOWS TO"], rows, empty="None.")


@command("create")
@click.argument("name")
@click.option("--title", help="What people read.  [default: the name]")
@click.option("--description", default="", help="What it is for.")
@_PERMISSION
def _create(app: App, name: str, title: str | None, description: str, permissions: tuple[str, ...]) -> None:
    """Make the role NAME. You can put in only what you may do yourself."""
    body = {"name": name, "title": title or name.capitalize(), "description": description}
    _said(app, app.hub.post("roles", {**body, "permissions": list(permissions)}), "made")


@command("change")
@click.argument("name")
@click.option("--title", help="What people read.")
@click.option("--description", help="What it is for.")
@_PERMISSION
@click.option("--add", "added", multiple=True, metavar="PERMISSION", help="Allow this, too.")
@click.option("--remove", "removed", multiple=True, metavar="PERMISSION", help="Do not allow this any more.")
def _change(
    app: App,
    name: str,
    title: str | None,
    description: str | None,
    permissions: tuple[str, ...],
    added: tuple[str, ...],
    removed: tuple[str, ...],
) -> None:
    """Change the role NAME; it counts at once for everybody who holds it.

    `--permission` says anew what the role allows; `--add` and `--remove` change what it has.
    """
    if permissions and (added or removed):
        raise WrongUsage("Say the whole set with --permission, or change it with --add and --remove.")
    body: dict[str, Any] = {"title": title, "description": description}
    if permissions:
        body["permissions"] = list(permissions)
    elif added or removed:
        now = set(app.hub.get(f"roles/{name}")["permissions"])
        body["permissions"] = sorted((now | set(added)) - set(removed))
    body = {field: value for field, value in body.items() if value is not None}
    if not body:
        raise WrongUsage("Say what to change: --title, --description, --permission, --add or --remove.")
    _said(app, app.hub.patch(f"roles/{name}", body), "changed")


@command("delete")
@click.argument("name")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def _delete(app: App, name: str, yes: bool) -> None:
    """Delete the role NAME. One that somebody holds stays."""
    if not yes and not agreed(f"Delete the role {name}?"):
        return
    app.hub.delete(f"roles/{name}")
    if app.json:
        console.document({"deleted": name})
    else:
        console.say(f"The role {name} is deleted.")


def agreed(question: str) -> bool:
    """Ask on the terminal; without one, `--yes` must have been given."""
    if not sys.stdin.isatty():
        raise WrongUsage("There is no terminal to ask on. Give --yes to do it without asking.")
    return click.confirm(question, err=True)


def _said(app: App, role: dict[str, Any], done: str) -> None:
    if app.json:
        console.document(role)
    else:
        allowed = ", ".join(role["permissions"]) or "nothing"
        console.say(f"The role {role['name']} is {done}. It allows: {allowed}.")


roles_command = family(
    "roles", "What users may do: the roles they hold.", _list, _permissions, _create, _change, _delete
)
