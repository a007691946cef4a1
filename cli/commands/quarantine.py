"""`modelhub quarantine`: files that are kept away from engines, and what to do with them."""

from typing import Any

import click

from cli import console, text
from cli.app import App, command, family


@command("list")
@click.option("--status", type=click.Choice(["held", "released", "deleted"]), help="Only those.")
def _list(app: App, status: str | None) -> None:
    """List files in quarantine, with the first thing that was found in each."""
    found = list(app.hub.pages("quarantine", most=1000, status=status))
    if app.json:
        console.document({"items": found})
        return
    rows = [
        (i["id"], i["model_name"], i["path"], text.size(i["size"]), i["status"], _first(i)) for i in found
    ]
    console.table(
        ["ID", "MODEL", "FILE", ">SIZE", "STATUS", "FOUND"], rows, empty="Nothing is in quarantine."
    )


def _first(item: dict[str, Any]) -> str:
    order = ("dangerous", "suspicious", "unknown", "none")
    found = sorted(item["findings"], key=lambda each: order.index(each["severity"]))
    return f"{found[0]['severity']}: {found[0]['message']}" if found else ""


@command("show")
@click.argument("file")
def _show(app: App, file: str) -> None:
    """Show everything that was found in a file."""
    found = app.hub.get(f"quarantine/{file}")
    if app.json:
        console.document(found)
        return
    console.note(f"{found['path']} of {found['model_name']} ({found['status']})")
    rows = [(each["scanner"], each["severity"], each["message"]) for each in found["findings"]]
    console.table(["SCANNER", "SEVERITY", "FOUND"], rows, empty="No findings.")


@command("release")
@click.argument("file")
@click.option("--reason", required=True, help="Why it may be trusted; kept in the audit log.")
def _release(app: App, file: str, reason: str) -> None:
    """Let a file back into its model."""
    found = app.hub.post(f"quarantine/{file}/release", {"reason": reason})
    if app.json:
        console.document(found)
    else:
        console.note(f"{found['path']} is a file of {found['model_name']} again.")


@command("rm")
@click.argument("file")
def _rm(app: App, file: str) -> None:
    """Delete a file in quarantine for good."""
    app.hub.delete(f"quarantine/{file}")
    if app.json:
        console.document({"deleted": file})
    else:
        console.note("Deleted.")


quarantine_command = family(
    "quarantine", "Files that could run code or are not what they say.", _list, _show, _release, _rm
)
