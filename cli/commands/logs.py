"""`modelhub logs`."""

import time

import click

from cli import console, naming
from cli.app import App, command
from cli.errors import HubUnreachable
from cli.waiting import PATIENCE_SECONDS


@command("logs")
@click.argument("deployment", shell_complete=naming.complete_deployment)
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines as they come.")
@click.option("-n", "--tail", type=click.IntRange(0), metavar="N", help="Begin with the last N lines.")
def logs_command(app: App, deployment: str, follow: bool, tail: int | None) -> None:
    """Show what a deployment's process wrote."""
    found = naming.deployment(app.hub, deployment)
    path = f"deployments/{found['id']}/logs"
    lines, offset = _all(app, path, 0)
    _show(app, lines if tail is None else lines[len(lines) - min(tail, len(lines)) :])
    lost = None
    while follow:
        time.sleep(0.5)
        try:
            lines, offset = _all(app, path, offset)
            lost = None
        except HubUnreachable:
            lost = lost or time.monotonic()
            if time.monotonic() - lost > PATIENCE_SECONDS:
                raise
            continue
        _show(app, lines)


def _all(app: App, path: str, offset: int) -> tuple[list[str], int]:
    """Every line after `offset`, and the offset behind them; the hub gives long logs in pages."""
    lines: list[str] = []
    while True:
        page = app.hub.get(path, after=offset)
        lines += page["lines"]
        if page["next"] <= offset or not page["lines"]:
            return lines, page["next"]
        offset = page["next"]


def _show(app: App, lines: list[str]) -> None:
    for words in lines:
        if app.json:
            console.line({"line": words})
        else:
            click.echo(console.safe(words))
