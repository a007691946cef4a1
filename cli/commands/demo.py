"""`modelhub demo`, which is what `make demo` runs."""

import os
import signal
import sys
from types import FrameType

from cli import console, demo, own_hub, places
from cli.app import App, command


@command("demo")
def demo_command(app: App) -> int:
    """Make the built-in model, deploy it, ask it three questions. Needs no internet and no running hub.

    A hub that is not running is started for it on a free port, and stopped again. Exit code 0 only when
    every answer is right.
    """
    from cli.hub import Hub

    steps = demo.Steps(app.json)
    if not app.json:
        console.say("ModelHub, from a model's name to a conversation\n", "bold")
    given = app.hub_option or os.environ.get("MODELHUB_URL")
    found = None if given else own_hub.running(places.home())
    if given or found:
        hub = app.hub if given else Hub(places.normal(found["url"]))  # type: ignore[index]
        steps.done("hub", f"Using the hub at {hub.url}", url=hub.url)
        return 0 if demo.show(hub, steps) else 1
    signal.signal(signal.SIGTERM, _end)  # so that the hub we start is stopped then, too
    started = demo.own(steps, places.home())
    try:
        return 0 if demo.show(Hub(places.normal(started.url)), steps) else 1
    finally:
        started.stop()
        if not app.json:
            console.note("The hub of this demonstration is stopped. `make up` starts it for good.")


def _end(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)
