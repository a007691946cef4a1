"""`modelhub secrets rotate` and `modelhub secrets status`: the keys in the hub's data directory."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from cli import console, own_hub, places
from cli.app import App, command, family
from cli.commands.up import HOME_HELP
from cli.errors import CliError

_HOME = click.option("--home", type=click.Path(file_okay=False), help=HOME_HELP)


@command("rotate")
@click.option("--keep", is_flag=True, help="Do not drop the old keys yet; the next rotation does.")
@_HOME
def _rotate(app: App, keep: bool, home: str | None) -> None:
    """Make a new key, seal every stored secret with it, and drop the old ones.

    The hub may run meanwhile. Killed at any point, it goes on where it was when it is run again. Who is
    signed in stays signed in: access tokens of the old key are renewed as soon as that is dropped.
    """
    found = _run(home, "rotate", *(["--keep"] if keep else []))
    if app.json:
        console.document(found)
        return
    done = "A new key was made" if found["added"] else "The rotation that had begun was finished"
    console.say(f"{done}; stored secrets sealed with it: {found['sealed']}.", "green")
    minutes = found["access_seconds"] // 60
    if found["dropped"]:
        console.say(
            "The old key is dropped. Access tokens that it signed are not valid any more; browsers and this "
            "command line renew theirs by themselves."
        )
    else:
        console.say(
            f"The old key is kept. Access tokens that it signed go on until they expire ({minutes} minutes "
            "at most); run the same without --keep to drop it."
        )
    _say_unreadable(found)


@command("status")
@_HOME
def _status(app: App, home: str | None) -> None:
    """Say how many keys there are, and how many stored secrets are sealed with which."""
    found = _run(home, "status")
    if app.json:
        console.document(found)
        return
    names = ["newest", *(f"older {number}" for number in range(1, found["keys"]))]
    console.table(["KEY", ">SECRETS"], list(zip(names, found["rows"], strict=True)), empty="No keys.")
    if found["keys"] > 1:
        console.note("A rotation has not been finished, or was told to keep: `modelhub secrets rotate`.")
    _say_unreadable(found)


def _say_unreadable(found: dict[str, Any]) -> None:
    if lost := found["unreadable"]:
        console.note(
            f"{len(lost)} stored secrets fit none of the keys: {', '.join(lost[:10])}. Restore the "
            "secret.key they were sealed with from a backup, or delete these and make them anew.",
            "yellow",
        )


def _run(home: str | None, *words: str) -> Any:
    """The part of the hub that may open its data directory, as a process: we are only a client."""
    where = Path(home).resolve() if home else places.home()
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "api.secrets", *words],
        cwd=places.ROOT,
        env=own_hub.environment(MODELHUB_HOME=where),
        capture_output=True,
        text=True,
    )
    lines = ended.stdout.splitlines()
    if ended.returncode or not lines:
        said = (ended.stderr.strip().splitlines() or ["it said nothing."])[-1]
        raise CliError(said if ended.returncode == 2 else f"The keys could not be changed: {said}")
    return json.loads(lines[-1])


secrets_command = family(
    "secrets",
    "The key that seals stored secrets and signs access tokens; on the hub's own machine.",
    _status,
    _rotate,
)
