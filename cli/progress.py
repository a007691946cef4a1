"""A download's progress: one live bar on a terminal, now and then a line elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cli import console, text

Download = dict[str, Any]
Show = Callable[[Download, str], None]
"""Called with the download as it is, and why the hub cannot be asked just now (mostly empty)."""

MADE_HERE = frozenset({"starter"})
"""Sources that make a model instead of fetching it: bytes per second would say nothing."""


@contextmanager
def shown() -> Iterator[Show]:
    if console.live():
        with _bar() as show:
            yield show
    else:
        yield Lines()


class Lines:
    """For logs and CI: a line when the state changes, and every ten seconds otherwise."""

    def __init__(self, every: float = 10) -> None:
        self._every = every
        self._said: tuple[str, str] | None = None
        self._at = 0.0

    def __call__(self, found: Download, why: str) -> None:
        now, what = time.monotonic(), (found["status"], why)
        if what == self._said and now - self._at < self._every:
            return
        self._said, self._at = what, now
        console.note(why or f"{found['ref']}: {', '.join([doing(found), *figures(found)])}", style="")


@contextmanager
def _bar() -> Iterator[Show]:
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[figures]}", markup=False),
    )
    with Progress(*columns, console=console.stderr(), expand=True, refresh_per_second=5) as bars:
        task = bars.add_task("", total=None, figures="")

        def show(found: Download, why: str) -> None:
            bars.update(
                task,
                description=text.safe(f"{found['ref']}  {why or doing(found)}"),
                total=found["bytes_total"] or None,
                completed=found["bytes_done"],
                figures="  ".join(figures(found)),
            )

        yield show


def doing(found: Download) -> str:
    """What the hub says it does, else the state in a word."""
    words = {"pending": "waiting for its turn"}.get(found["status"], found["status"])
    if found["status"] == "downloading" and found.get("source") in MADE_HERE:
        words = "being made on this machine"
    waiting = found.get("waiting") or {}
    return str(found.get("message") or waiting.get("message") or words)


def figures(found: Download) -> list[str]:
    """`["25 %", "500 kB/2.0 MB", "1.0 MB/s", "12 s left"]`, as much of it as is known."""
    done, total = found["bytes_done"], found["bytes_total"]
    moving = found["status"] == "downloading" and bool(found.get("speed"))
    left = f"{text.duration(found['eta'])} left" if moving and found.get("eta") is not None else ""
    share = f"{100 * done // total} %" if total else ""
    if found.get("source") in MADE_HERE:
        return [word for word in (share, left) if word]
    amount = f"{text.size(done)}/{text.size(total)}" if total else text.size(done) if done else ""
    return [
        word for word in (share, amount, f"{text.size(found['speed'])}/s" if moving else "", left) if word
    ]
