"""`modelhub sessions`: where one is signed in."""

import click

from cli import console, naming, text
from cli.app import App, command, family
from cli.commands.users import user_of
from cli.errors import NotFound, WrongUsage


@command("list")
@click.option("--user", help="Somebody else's: an e-mail, name or id. For who manages users.")
def _list(app: App, user: str | None) -> None:
    """List where you are signed in, the latest use first."""
    found = app.hub.get(_of(app, user))
    if app.json:
        console.document(found)
        return
    rows = [
        (
            item["device"] + (" (this one)" if item["current"] else ""),
            item["id"],
            item["address"] or "",
            item["method"],
            text.ago(item["last_seen_at"]),
            item["expires_at"],
        )
        for item in found["items"]
    ]
    columns = ["DEVICE", "ID", "FROM", "SIGNED IN BY", "LAST USED", "ENDS"]
    console.table(columns, rows, empty="Nobody is signed in with a browser or `modelhub login`.")


@command("end")
@click.argument("session", required=False)
@click.option("--others", is_flag=True, help="All of yours but the one you use now.")
@click.option("--user", help="All of somebody else's: an e-mail, name or id. For who manages users.")
def _end(app: App, session: str | None, others: bool, user: str | None) -> None:
    """End SESSION (an id) of yours, at once: its next request is refused."""
    if [bool(session), others, bool(user)].count(True) != 1:
        raise WrongUsage("Name one session by its id, or give --others, or --user.")
    if session:
        items = app.hub.get("auth/sessions")["items"]
        hits = [item["id"] for item in items if item["id"] == session] or [
            item["id"] for item in items if len(session) >= naming.SHORTEST_PREFIX and session in item["id"]
        ]
        if len(hits) > 1:
            raise WrongUsage(f"'{session}' fits {len(hits)} sessions. Use the whole id.", code="AMBIGUOUS")
        if not hits:
            raise NotFound(f"You have no session '{session}'. `modelhub sessions` lists them.")
        app.hub.delete(f"auth/sessions/{hits[0]}")
        ended = 1
    else:
        items = app.hub.get(_of(app, user))["items"]
        app.hub.delete(_of(app, user))
        ended = sum(not item["current"] for item in items)
    if app.json:
        console.document({"ended": ended})
    else:
        console.say(f"{ended} session{'' if ended == 1 else 's'} ended.")


def _of(app: App, user: str | None) -> str:
    if not user:
        return "auth/sessions"
    return f"users/{user_of(app.hub, user)['id']}/sessions"


sessions_command = family("sessions", "Where one is signed in.", _list, _end)
