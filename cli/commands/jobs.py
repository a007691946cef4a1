"""`modelhub jobs`."""

import click

from cli import console, text
from cli.app import App, command

STATES = ("queued", "running", "paused", "completed", "failed", "cancelled")


@command("jobs")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--kind", help="Only jobs of this kind, for example download.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Most jobs.")
def jobs_command(app: App, state: str | None, kind: str | None, limit: int) -> None:
    """List the work the hub has done, does and will do. `modelhub cancel` and `retry` take a job's id too."""
    found = list(app.hub.pages("jobs", most=limit, state=state, kind=kind))
    if app.json:
        console.document({"items": found})
        return
    console.table(
        ["ID", "KIND", "STATE", ">ATTEMPT", "CREATED", "ERROR"],
        [
            (
                item["id"],
                item["kind"],
                item["state"],
                item["attempt"],
                text.ago(item["created_at"]),
                (item["error"] or {}).get("message", ""),
            )
            for item in found
        ],
        empty="No jobs.",
    )
