"""`modelhub move`, `limit`: the order of the queue, and how much of the line one download may take."""

import click

from cli import console, naming, text
from cli.app import App, command
from cli.errors import WrongUsage
from cli.sizes import RATE


@command("move")
@click.argument("download", shell_complete=naming.complete_download)
@click.option("--first", is_flag=True, help="Before everything else that waits.")
@click.option("--last", is_flag=True, help="Behind everything else that waits.")
@click.option(
    "--before", metavar="DOWNLOAD", shell_complete=naming.complete_download, help="Before this download."
)
def move_command(app: App, download: str, first: bool, last: bool, before: str | None) -> None:
    """Move a waiting DOWNLOAD within the queue; it takes over the priority of its new place.

    For operators. `modelhub downloads --queue` shows the order.
    """
    if [first, last, bool(before)].count(True) != 1:
        raise WrongUsage("Say where to: --first, --last, or --before DOWNLOAD.")
    found = naming.download(app.hub, download)
    where = (
        {"before": naming.download(app.hub, before)["id"]} if before else {"to": "first" if first else "last"}
    )
    moved = app.hub.post(f"downloads/{found['id']}/move", where)
    if app.json:
        console.document(moved)
    else:
        console.say(f"{moved['ref']}: place {moved['position']}, priority {moved['priority']}.")


@command("limit")
@click.argument("download", shell_complete=naming.complete_download)
@click.option(
    "--rate", type=RATE, metavar="SPEED", help="Most bytes a second, like 20MB; none takes it away."
)
@click.option("--connections", type=click.IntRange(0, 32), help="Its connections; 0: the hub's setting.")
@click.option(
    "--priority", type=click.IntRange(-100, 100), help="Higher runs first; above 0 is an operator's."
)
@click.option(
    "--any-time/--in-hours",
    default=None,
    help="Run outside the hub's hours too (an operator's), or keep them.",
)
def limit_command(
    app: App,
    download: str,
    rate: int | None,
    connections: int | None,
    priority: int | None,
    any_time: bool | None,
) -> None:
    """Set the speed, connections, priority and hours of one DOWNLOAD, at once.

    Other connections or hours restart a running one for a moment; what has arrived is kept.
    """
    given = {"rate": rate, "connections": connections, "priority": priority, "any_time": any_time}
    body: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    for name in ("rate", "connections"):
        if body.get(name) == 0:
            body[name] = None
    if not body:
        raise WrongUsage("Say what to set: --rate, --connections, --priority, --any-time or --in-hours.")
    found = naming.download(app.hub, download)
    changed = app.hub.patch(f"downloads/{found['id']}", body)
    if app.json:
        console.document(changed)
        return
    console.fields(
        [
            ("download", changed["ref"]),
            ("status", changed["status"]),
            (
                "speed",
                f"at most {text.size(changed['rate'])}/s" if changed["rate"] else "no limit of its own",
            ),
            ("connections", changed["connections"] or "as the hub's setting"),
            ("priority", changed["priority"]),
            ("hours", "runs at any time" if changed["any_time"] else "keeps the hub's hours"),
        ]
    )
