"""Starting a download and watching it: bars for a person, JSON lines for a script."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from cli import console, text
from cli.errors import CliError, Interrupted
from cli.hub import Hub
from cli.waiting import states

Download = dict[str, Any]
Show = Callable[[Download, str], None]
ACTIVE = ("pending", "downloading")
ENDED = ("completed", "failed", "cancelled")
STARTER_PREFIX = "modelhub/"
"""Refs of the models that ModelHub makes itself."""


def source_of(ref: str, source: str | None) -> str:
    """The source named, else the one whose refs look like this."""
    if source:
        return source
    return "starter" if ref.startswith(STARTER_PREFIX) else "huggingface"


def start(
    hub: Hub, ref: str, source: str, revision: str | None, include: list[str], exclude: list[str]
) -> Download:
    """Ask the hub for it. The same pull already known is taken up: under way, paused (goes on), or done."""
    wanted = {"source": source, "ref": ref, "revision": revision, "include": include, "exclude": exclude}
    try:
        return dict(hub.post("downloads", {key: value for key, value in wanted.items() if value}))
    except CliError as error:
        if error.code != "CONFLICT" or not error.details.get("download_id"):
            raise
        known = dict(hub.get(f"downloads/{error.details['download_id']}"))
    if known["status"] != "completed":
        with suppress(CliError):  # refused when it is under way already and nobody asked it to pause
            return dict(hub.post(f"downloads/{known['id']}/resume"))
    return known


def follow(hub: Hub, download: Download, *, as_json: bool) -> Download:
    """Watch until it ends; the completed download. Failed, cancelled or paused by someone: `CliError`."""
    if as_json:
        return _settled(_watch(hub, download, lambda found, _: console.line(found)))
    try:
        with progress() as show:
            found = _watch(hub, download, show)
    except KeyboardInterrupt:
        raise Interrupted(
            f"Not watching any more; the hub goes on with {download['ref']}.\n"
            f"  watch again   modelhub pull {download['ref']}\n"
            f"  pause         modelhub pause {download['id']}\n"
            f"  give up       modelhub cancel {download['id']}"
        ) from None
    return _settled(found)


def _watch(hub: Hub, download: Download, show: Show) -> Download:
    show(download, "")
    found = download
    waiting: Callable[[str], None] = lambda why: show(found, why)  # noqa: E731
    for found in states(hub, f"downloads/{download['id']}", away=waiting):
        show(found, "")
        if found["status"] not in ACTIVE:
            break
    return found


def _settled(found: Download) -> Download:
    if found["status"] == "completed":
        return found
    if found["status"] == "paused":
        raise CliError(
            f"{found['ref']} is paused. Go on with `modelhub resume {found['id']}`.", code="PAUSED"
        )
    if found["status"] == "cancelled":
        raise CliError(f"The download of {found['ref']} was cancelled.", code="CANCELLED")
    error = found.get("error") or {}
    raise CliError(
        f"{error.get('message') or 'The download failed.'} Try again with `modelhub retry {found['id']}`.",
        code=error.get("code", "FAILED"),
        details=error.get("details"),
    )


@contextmanager
def progress() -> Iterator[Show]:
    """A way to show a download's state: one live bar on a terminal, now and then a line elsewhere."""
    if console.live():
        with _bar() as show:
            yield show
    else:
        yield _Lines()


class _Lines:
    """For logs and CI: a line when something new happens, and every ten seconds otherwise."""

    def __init__(self, every: float = 10) -> None:
        self._every = every
        self._said: tuple[str, str] | None = None
        self._at = 0.0

    def __call__(self, found: Download, why: str) -> None:
        now, what = time.monotonic(), (found["status"], why)
        if what == self._said and now - self._at < self._every:
            return
        self._said, self._at = what, now
        console.note(why or summary(found), style="")


def summary(found: Download) -> str:
    done, total = found["bytes_done"], found["bytes_total"]
    parts = [f"{found['ref']}: {found['status']}"]
    if total:
        parts.append(f"{100 * done // total} % of {text.size(total)}")
    if found.get("speed") and found["status"] == "downloading":
        parts.append(f"{text.size(found['speed'])}/s, {text.duration(found['eta'])} left")
    if found.get("message"):
        parts.append(found["message"])
    return ", ".join(parts)


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
                description=text.safe(f"{found['ref']}  {why or _doing(found)}"),
                total=found["bytes_total"] or None,
                completed=found["bytes_done"],
                figures=_figures(found),
            )

        yield show


def _doing(found: Download) -> str:
    words = found["message"] or found["status"]
    return "waiting for its turn" if words == "pending" else str(words)


def _figures(found: Download) -> str:
    done, total = found["bytes_done"], found["bytes_total"]
    if not total:
        return text.size(done) if done else ""
    figures = f"{100 * done // total:3d} %  {text.size(done)}/{text.size(total)}"
    if found.get("speed") and found["status"] == "downloading":
        figures += f"  {text.size(found['speed'])}/s  {text.duration(found['eta'])}"
    return figures
