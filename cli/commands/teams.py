"""`modelhub teams`: who shares with whom."""

from typing import Any

import click

from cli import console, naming, text
from cli.app import App, command, family
from cli.commands.roles import agreed
from cli.errors import WrongUsage
from cli.hub import Hub


@command("list")
def _list(app: App) -> None:
    """List your teams; all of them, if you manage teams."""
    found = list(app.hub.pages("teams"))
    if app.json:
        console.document({"items": found})
        return
    rows = [
        (t["name"], t["id"], len(t["members"]), _managers(t), t["description"], text.ago(t["created_at"]))
        for t in found
    ]
    columns = ["NAME", "ID", ">MEMBERS", "MANAGERS", "DESCRIPTION", "CREATED"]
    console.table(columns, rows, empty="There is no team that you are in.")


def _managers(team: naming.Found) -> str:
    return ", ".join(member["email"] for member in team["members"] if member["manager"])


@command("show")
@click.argument("team")
def _show(app: App, team: str) -> None:
    """Show who is in TEAM."""
    found = team_named(app.hub, team)
    if app.json:
        console.document(found)
        return
    console.fields([(name, found[name]) for name in ("name", "id", "description")])
    rows = [(m["email"], m["name"], "manager" if m["manager"] else "member") for m in found["members"]]
    console.table(["E-MAIL", "NAME", "ROLE IN THE TEAM"], rows, empty="Nobody is in this team yet.")


@command("create")
@click.argument("name")
@click.option("--description", default="", help="What it is for.")
def _create(app: App, name: str, description: str) -> None:
    """Make a team called NAME, with nobody in it yet."""
    made = app.hub.post("teams", {"name": name, "description": description})
    _said(app, made, f"The team {made['name']} is made. Put users in with `modelhub teams add`.")


@command("change")
@click.argument("team")
@click.option("--name", help="A new name.")
@click.option("--description", help="What it is for.")
def _change(app: App, team: str, name: str | None, description: str | None) -> None:
    """Rename or describe TEAM. Its managers may describe it."""
    body = {
        field: value for field, value in (("name", name), ("description", description)) if value is not None
    }
    if not body:
        raise WrongUsage("Say what to change: --name or --description.")
    changed = app.hub.patch(f"teams/{team_named(app.hub, team)['id']}", body)
    _said(app, changed, f"The team {changed['name']} is changed.")


@command("add")
@click.argument("team")
@click.argument("user")
@click.option(
    "--manager/--member", default=False, help="Whether the user manages the team.  [default: member]"
)
def _add(app: App, team: str, user: str, manager: bool) -> None:
    """Put USER (an e-mail or id) into TEAM, or say whether he manages it."""
    changed = app.hub.put(f"teams/{team_named(app.hub, team)['id']}/members/{user}", {"manager": manager})
    what = "manages" if manager else "is in"
    _said(app, changed, f"{user} {what} the team {changed['name']}.")


@command("remove")
@click.argument("team")
@click.argument("user")
def _remove(app: App, team: str, user: str) -> None:
    """Take USER (an e-mail or id) out of TEAM. What is shared with it is out of sight at once."""
    changed = app.hub.delete(f"teams/{team_named(app.hub, team)['id']}/members/{user}")
    _said(app, changed, f"{user} is no longer in the team {changed['name']}.")


@command("delete")
@click.argument("team")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def _delete(app: App, team: str, yes: bool) -> None:
    """Delete TEAM. What was shared with it becomes private to its owners."""
    found = team_named(app.hub, team)
    question = f"Delete the team {text.safe(found['name'])} ({len(found['members'])} members)?"
    if not yes and not agreed(question):
        return
    app.hub.delete(f"teams/{found['id']}")
    if app.json:
        console.document({"deleted": found["id"], "name": found["name"]})
    else:
        console.say(f"The team {found['name']} is deleted.")


def team_named(hub: Hub, typed: str) -> naming.Found:
    return naming.one(typed, list(hub.pages("teams")), ("name",), "team", "modelhub teams")


def _said(app: App, team: dict[str, Any], sentence: str) -> None:
    if app.json:
        console.document(team)
    else:
        console.say(sentence)


teams_command = family(
    "teams",
    "Users who share models, downloads and deployments with each other.",
    *(_list, _show, _create, _change, _add, _remove, _delete),
)
