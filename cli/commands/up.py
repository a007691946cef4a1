"""`modelhub up`: become the supervisor that runs every part of the hub."""

import os
import sys
from pathlib import Path

import click

from cli.app import App, command
from cli.errors import CliError

ROOT = Path(__file__).resolve().parent.parent.parent


@command("up")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1; env: MODELHUB_HOST]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: 5000; env: MODELHUB_PORT]")
@click.option("--home", type=click.Path(file_okay=False), help="Data directory.  [default: ~/.modelhub; env: MODELHUB_HOME]")
def up_command(app: App, host: str | None, port: int | None, home: str | None) -> None:
    """Start the hub on this machine and keep it running. Ctrl-C stops every part of it."""
    given = {"MODELHUB_HOST": host, "MODELHUB_PORT": port, "MODELHUB_HOME": home and os.path.abspath(home)}
    environment = {**supervisor_environment(), **{k: str(v) for k, v in given.items() if v is not None}}
    argv = supervisor_argv()
    sys.stdout.flush()
    try:
        os.execve(argv[0], argv, environment)
    except OSError as error:
        raise CliError(f"The supervisor could not be started: {error.strerror}.") from error


def supervisor_argv() -> list[str]:
    # -P: a folder called `supervisor` in the current directory must not be taken for ours.
    return [sys.executable, "-P", "-m", "supervisor"]


def supervisor_environment() -> dict[str, str]:
    """Ours, with the project findable from whatever directory we are in."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
