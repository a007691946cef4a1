"""Starting a download and watching it: bars for a person, JSON lines for a script."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from cli import console, progress
from cli.errors import CliError, Interrupted
from cli.hub import Hub
from cli.waiting import states

Download = dict[str, Any]
ACTIVE = ("pending", "held", "downloading")
ENDED = ("completed", "failed", "cancelled")
STARTER_PREFIX = "modelhub/"
"""Refs of the models that ModelHub makes itself."""


def source_of(ref: str, source: str | None) -> str:
    """The source named, else the one whose refs look like this."""
    if source:
        return source
    if ref.startswith(("http://", "https://")):
        return "url"
    return "starter" if ref.startswith(STARTER_PREFIX) else "huggingface"


def variant_of(ref: str, source: str, quant: str | None) -> tuple[str, str | None]:
    """`REF:Q4_K_M`, as `ollama` and `llama.cpp` have it, is REF in that variant."""
    name, colon, suffix = ref.partition(":")
    if source != "huggingface" or not colon or "/" in suffix:
        return ref, quant
    return name, quant or suffix


def start(
    hub: Hub,
    ref: str,
    source: str,
    revision: str | None,
    include: list[str],
    exclude: list[str],
    quant: str | None = None,
    options: dict[str, Any] | None = None,
) -> Download:
    """Ask the hub for it. The same pull already known is taken up: under way, paused (goes on), or done."""
    ref, quant = variant_of(ref, source, quant)
    wanted: dict[str, Any] = {"source": source, "ref": ref, "revision": revision, "include": include}
    wanted |= {"exclude": exclude, "options": (options or {}) | ({"quant": quant} if quant else {})}
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
        with progress.shown() as show:
            found = _watch(hub, download, show)
    except KeyboardInterrupt:
        raise Interrupted(
            f"Not watching any more; the hub goes on with {download['ref']}.\n"
            f"  watch again   modelhub pull {download['ref']}\n"
            f"  pause         modelhub pause {download['id']}\n"
            f"  give up       modelhub cancel {download['id']}"
        ) from None
    return _settled(found)


def _watch(hub: Hub, download: Download, show: progress.Show) -> Download:
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
