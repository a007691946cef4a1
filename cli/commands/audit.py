"""`modelhub audit`: what was done, by whom; and the proof that nobody changed the record."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cli import console, own_hub, places
from cli.app import App, command, family
from cli.commands.up import HOME_HELP
from cli.errors import CliError

_FILTERS = (
    click.option("--actor", help="A user's or key's id, or part of a name."),
    click.option("--action", help="deployment.create, or deployment.* for all of them."),
    click.option("--object", "object_id", metavar="ID", help="What was done to this object."),
    click.option("--result", type=click.Choice(["done", "denied", "failed"]), help="How it ended."),
    click.option("--address", help="From this network address."),
    click.option("--request", "request_id", metavar="ID", help="In this request (its X-Request-ID)."),
    click.option("-q", "--text", "q", metavar="TEXT", help="Part of the action, the object or the actor."),
    click.option("--since", metavar="TIME", help="From 2026-01-31 or 2026-01-31T12:00Z on."),
    click.option("--until", metavar="TIME", help="Until then."),
)


def _filters(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_FILTERS):
        function = option(function)
    return function


@command("list")
@_filters
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Most entries.")
def _list(app: App, limit: int, **wanted: str | None) -> None:
    """List what was done, newest first."""
    found = list(app.hub.pages("audit", most=limit, **wanted))
    if app.json:
        console.document({"items": found})
        return
    rows = [
        (
            e["seq"],
            e["at"],
            e["actor_name"] or e["actor_kind"],
            e["action"],
            _about(e),
            e["result"],
            e["address"] or "",
        )
        for e in found
    ]
    columns = [">SEQ", "AT", "ACTOR", "ACTION", "OBJECT", "RESULT", "FROM"]
    console.table(columns, rows, empty="Nothing of the kind was recorded.")


def _about(entry: dict[str, Any]) -> str:
    return entry["object_name"] or entry["object_id"] or entry["details"].get("permission", "")


@command("export")
@click.argument("file", type=click.Path(dir_okay=False), required=False)
@_filters
@click.option(
    "--format", "form", type=click.Choice(["jsonl", "csv"]), help="[default: by FILE's name, or jsonl]"
)
def _export(app: App, file: str | None, form: str | None, **wanted: str | None) -> None:
    """Write the log, oldest first, to FILE or stdout: JSON lines, or CSV for a spreadsheet."""
    form = form or ("csv" if (file or "").endswith(".csv") else "jsonl")
    pieces = app.hub.download("audit/export", format=form, **wanted)
    if file is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        return
    draft = Path(f"{file}.part")
    with draft.open("wb") as out:
        for piece in pieces:
            out.write(piece)
    draft.replace(file)
    if app.json:
        console.document({"file": file, "bytes": Path(file).stat().st_size})
    else:
        console.note(f"Written to {file}.")


@command("verify")
@click.option("--local", is_flag=True, help="Read this machine's data directory itself; the hub may be down.")
@click.option("--home", type=click.Path(file_okay=False), help=f"With --local: {HOME_HELP}")
def _verify(app: App, local: bool, home: str | None) -> int:
    """Check that no entry was altered, removed, added or moved. Exit code 1 and the first one if so."""
    found = _by_ourselves(home) if local or home else app.hub.get("audit/verify")
    if app.json:
        console.document(found)
    elif found["ok"]:
        console.say(f"The audit log is whole: {found['entries']} entries.", "green")
    else:
        console.error(found["reason"])
    return 0 if found["ok"] else 1


def _by_ourselves(home: str | None) -> Any:
    """The part of the hub that may open its data directory, as a process: we are only a client."""
    where = Path(home).resolve() if home else places.home()
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "api.verify_audit"],
        cwd=places.ROOT,
        env=own_hub.environment(MODELHUB_HOME=where),
        capture_output=True,
        text=True,
    )
    lines = ended.stdout.splitlines()
    if ended.returncode not in (0, 1) or not lines:
        said = (ended.stderr.strip().splitlines() or ["it said nothing."])[-1]
        raise CliError(said if ended.returncode == 2 else f"The audit log could not be read: {said}")
    return json.loads(lines[-1])


audit_command = family("audit", "What was done, by whom, on what, from where.", _list, _export, _verify)
