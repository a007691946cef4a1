"""`modelhub doctor`."""

import os

from cli import console, places
from cli.app import App, command
from cli.checks import Check, Surroundings, run_all

MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}


@command("doctor")
def doctor_command(app: App) -> int:
    """Check this machine and the hub, and say what to do. Exit code 0 when the hub can be used."""
    checks = [*_settings(), *run_all(Surroundings(places.home(), _variables(), app.url))]
    failed = [check for check in checks if check.status == "fail"]
    if app.json:
        console.document({"ok": not failed, "checks": [check.as_json() for check in checks]})
    else:
        _show(checks)
        words = ", ".join(check.name for check in failed)
        console.say(f"\nNot usable yet: {words}." if failed else "\nThis machine can run ModelHub.")
    return 1 if failed else 0


def _variables() -> dict[str, str]:
    """The environment as the hub would see it, `.env` included."""
    from supervisor.environment import read_environment
    from supervisor.errors import CannotStart

    try:
        return read_environment(os.environ).variables
    except CannotStart:
        return dict(os.environ)


def _settings() -> list[Check]:
    from supervisor.environment import read_environment
    from supervisor.errors import CannotStart

    try:
        read_environment(os.environ)
    except CannotStart as error:
        return [Check("Settings", "fail", str(error), "Correct it in the environment or in .env.")]
    return []


def _show(checks: list[Check]) -> None:
    out = console.stdout()
    width = max(len(check.name) for check in checks)
    for check in checks:
        mark, colour = MARKS[check.status]
        out.print(f"[{colour}]{mark}[/{colour}] [bold]{check.name.ljust(width)}[/bold]  ", end="")
        out.print(console.safe(check.detail), markup=False)
        if check.advice:
            out.print(f"{' ' * (width + 4)}{console.safe(check.advice)}", style="dim", markup=False)
