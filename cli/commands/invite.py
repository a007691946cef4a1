"""`modelhub invite`: links that let somebody in."""

import sys

import click

from cli import console, text
from cli.app import App, command
from cli.commands.users import team_ids
from cli.errors import NotFound, WrongUsage
from cli.hub import Hub
from cli.naming import SHORTEST_PREFIX


@command("invite")
@click.argument("email", required=False)
@click.option("--role", help="What the guest will be allowed to do.  [default: user]")
@click.option("--team", "teams", multiple=True, help="A team to put the guest in. May be repeated.")
@click.option("--days", type=click.IntRange(1, 30), help="Until the link expires.  [default: 7]")
@click.option("--list", "listing", is_flag=True, help="List invitations and reset links instead.")
@click.option("--revoke", metavar="ID", help="Make one of them void instead.")
def invite_command(
    app: App,
    email: str | None,
    role: str | None,
    teams: tuple[str, ...],
    days: int | None,
    listing: bool,
    revoke: str | None,
) -> None:
    """Make a link with which one person makes an account; with EMAIL, only under that e-mail.

    The link is shown only this once, alone on stdout; the hub keeps only a hash.
    """
    if (listing or revoke) and (email or role or teams or days or (listing and revoke)):
        raise WrongUsage("--list and --revoke stand alone.")
    if listing:
        _list(app)
    elif revoke:
        _revoke(app, revoke)
    else:
        given = {"email": email, "role": role, "days": days, "teams": team_ids(app.hub, teams)}
        _invite(app, {field: value for field, value in given.items() if value is not None})


def _invite(app: App, body: dict[str, object]) -> None:
    made = app.hub.post("invites", body)
    if app.json:
        console.document(made)
        return
    whom = f" to {made['email']}" if made["email"] else ""
    console.note(f"Send this{whom}. It makes one {made['role']}, once, and is shown only now:")
    sys.stdout.write(made["link"] + "\n")


def _list(app: App) -> None:
    found = list(app.hub.pages("invites"))
    if app.json:
        console.document({"items": found})
        return
    rows = [
        (
            item["id"],
            item["kind"],
            item["email"] or "anybody",
            item["role"],
            item["state"],
            text.ago(item["created_at"]),
            item["expires_at"],
        )
        for item in found
    ]
    columns = ["ID", "KIND", "FOR", "ROLE", "STATE", "CREATED", "EXPIRES"]
    console.table(columns, rows, empty="There are no invitations. `modelhub invite` makes one.")


def _revoke(app: App, typed: str) -> None:
    found = _find(app.hub, typed)
    app.hub.delete(f"invites/{found}")
    if app.json:
        console.document({"revoked": found})
    else:
        console.say("The link does not work any more.")


def _find(hub: Hub, typed: str) -> str:
    """The whole id; its end is enough, since invitations of one minute begin alike."""
    ids = [item["id"] for item in hub.pages("invites")]
    hits = [id for id in ids if id == typed] or [
        id for id in ids if len(typed) >= SHORTEST_PREFIX and (id.startswith(typed) or id.endswith(typed))
    ]
    if not hits:
        raise NotFound(f"There is no invitation '{typed}'. `modelhub invite --list` shows them.")
    if len(hits) > 1:
        raise WrongUsage(f"'{typed}' fits {len(hits)} invitations. Use the whole id.", code="AMBIGUOUS")
    return str(hits[0])
