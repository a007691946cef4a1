"""`modelhub up` and `modelhub down`."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from cli import console, own_hub, places
from cli.app import App, command
from cli.errors import CliError, WrongUsage

HOME_HELP = "Data directory.  [default: ~/.modelhub; env: MODELHUB_HOME]"


@command("up")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1; env: MODELHUB_HOST]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="0 takes a free one.  [default: 5000; env: MODELHUB_PORT]"
)
@click.option("--home", type=click.Path(file_okay=False), help=HOME_HELP)
@click.option("-d", "--detach", is_flag=True, help="Return when it serves, and leave it running.")
def up_command(app: App, host: str | None, port: int | None, home: str | None, detach: bool) -> None:
    """Start the hub on this machine and keep it running. Ctrl-C stops every part of it."""
    where = Path(home).resolve() if home else places.home()
    changes = {"MODELHUB_HOST": host, "MODELHUB_PORT": port}
    if detach:
        _background(app, where, changes)
        return
    if app.json:
        raise WrongUsage("--json goes with --detach: in the foreground the hub writes its log.")
    sys.stdout.flush()
    argv, environment = own_hub.argv(), own_hub.environment(MODELHUB_HOME=where, **changes)
    try:
        os.execve(argv[0], argv, environment)  # noqa: S606 - we become the supervisor
    except OSError as error:
        raise CliError(f"The supervisor could not be started: {error.strerror}.") from error


def _background(app: App, home: Path, changes: Mapping[str, object]) -> None:
    if found := own_hub.running(home):
        raise CliError(f"The hub of {home} is already running at {found['url']}.", code="ALREADY_RUNNING")
    hub = own_hub.start(home, **changes)
    email, password = hub.sign_in or (None, None)
    if app.json:
        console.document(
            {"url": hub.url, "pid": hub.process.pid, "home": str(home), "email": email, "password": password}
        )
        return
    console.say(f"The hub is running at {hub.url}. `modelhub down` stops it.", "green")
    if password:
        console.fields([("E-mail", email), ("Password", f"{password}   (shown this once)")])


@command("down")
@click.option("--home", type=click.Path(file_okay=False), help=HOME_HELP)
def down_command(app: App, home: str | None) -> None:
    """Stop the hub of this machine in order; what it was doing goes on at the next start."""
    where = Path(home).resolve() if home else places.home()
    ended = subprocess.run(
        own_hub.argv("stop"),
        env=own_hub.environment(MODELHUB_HOME=where),
        capture_output=True,
        text=True,
    )
    if ended.returncode not in (0, 3):
        raise CliError(ended.stderr.strip() or "The hub could not be stopped.")
    if app.json:
        console.document({"home": str(where), "was_running": ended.returncode == 0})
    else:
        console.say("The hub is stopped." if ended.returncode == 0 else f"No hub is running in {where}.")
