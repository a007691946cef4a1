"""`modelhub settings`: what is set while the hub runs."""

import re
from typing import Any

import click

from cli import console, text
from cli.app import App, command, family
from cli.errors import WrongUsage
from cli.sizes import RATE

_HOURS = re.compile(r"(\d\d:\d\d)\s*[-–]\s*(\d\d:\d\d)")


@command("transfers")
@click.option(
    "--rate", type=RATE, metavar="SPEED", help="Most bytes a second for the whole hub, like 20MB; or none."
)
@click.option("--parallel", type=click.IntRange(1, 64), help="Downloads at the same time.")
@click.option(
    "--connections", type=click.IntRange(0, 32), help="Per download; 0: MODELHUB_DOWNLOAD_CONNECTIONS."
)
@click.option("--hours", metavar="HH:MM-HH:MM", help="When downloads run, in the hub's time zone; or none.")
@click.option(
    "--outside",
    metavar="hold|SPEED",
    help="Outside the hours: hold downloads (as usual), or slow them to this.",
)
def _transfers(
    app: App,
    rate: int | None,
    parallel: int | None,
    connections: int | None,
    hours: str | None,
    outside: str | None,
) -> None:
    """Show how fast the hub downloads, how many at once and when; with options, set it. For operators.

    It holds at once, for downloads under way too.
    """
    now = app.hub.get("settings/transfers")
    given = (rate, parallel, connections, hours, outside)
    if any(value is not None for value in given):
        wanted = {name: now[name] for name in ("rate", "parallel", "connections", "hours")}
        if rate is not None:
            wanted["rate"] = rate or None
        if connections is not None:
            wanted["connections"] = connections or None
        wanted["parallel"] = parallel or wanted["parallel"]
        wanted["hours"] = _hours(wanted["hours"], hours, outside)
        now = app.hub.put("settings/transfers", wanted)
    if app.json:
        console.document(now)
        return
    console.fields(
        [
            ("speed", f"at most {text.size(now['rate'])}/s" if now["rate"] else "no limit"),
            ("at once", now["parallel"]),
            ("connections", now["connections"] or "as MODELHUB_DOWNLOAD_CONNECTIONS says"),
            ("hours", _told(now)),
            ("now", _now(now["now"])),
        ]
    )


def _hours(known: dict[str, Any] | None, hours: str | None, outside: str | None) -> dict[str, Any] | None:
    if hours is not None and hours.lower() == "none":
        return None
    if hours is not None:
        found = _HOURS.fullmatch(hours.strip())
        if found is None:
            raise WrongUsage(f"'{hours}' are no hours. Write them like 22:00-06:00, or none.")
        known = {"outside": "hold", "rate": None, **(known or {}), "begin": found[1], "end": found[2]}
    if outside is not None:
        if known is None:
            raise WrongUsage("There are no hours yet. Set them too: --hours 22:00-06:00.")
        slow = 0 if outside.lower() == "hold" else RATE.convert(outside, None, None)
        known = {**known, "outside": "slow" if slow else "hold", "rate": slow or None}
    return known


def _told(found: dict[str, Any]) -> str:
    hours = found["hours"]
    if hours is None:
        return "at any time"
    outside = "held" if hours["outside"] == "hold" else f"at most {text.size(hours['rate'])}/s"
    return f"{hours['begin']}–{hours['end']} {found['time_zone']}; outside them {outside}"


def _now(now: dict[str, Any]) -> str:
    if now["held"]:
        return f"held until {now['until']}"
    return f"at most {text.size(now['rate'])}/s" if now["rate"] else "no limit"


settings_command = family("settings", "What is set while the hub runs.", _transfers)
