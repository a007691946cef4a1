"""Following something on the hub until it ends, through short absences of the hub itself."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from cli.errors import HubUnreachable
from cli.hub import Hub

PATIENCE_SECONDS = 120
"""A hub that restarts is back in a few seconds; one that is away longer needs a person."""


def states(
    hub: Hub,
    path: str,
    *,
    every: float = 0.5,
    changes_only: bool = True,
    away: Callable[[str], None] = lambda _: None,
) -> Iterator[dict[str, Any]]:
    """The object at `path` each time it changed (by `version`), and at least once. Endless: the caller stops.

    With `changes_only` off it comes every `every` seconds, changed or not.

    While the hub does not answer, `away` is told why; after `PATIENCE_SECONDS` the error goes up.
    """
    seen, lost = None, None
    while True:
        try:
            found = hub.get(path)
            lost = None
        except HubUnreachable as error:
            lost = lost or time.monotonic()
            if time.monotonic() - lost > PATIENCE_SECONDS:
                raise
            away(error.message)
            time.sleep(1)
            continue
        if seen is None or found.get("version") != seen or not changes_only:
            seen = found.get("version")
            yield found
        time.sleep(every)
