"""Bringing a model to answer: deploy or start it, and wait until it runs."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cli import console, naming, text
from cli.errors import CliError, Interrupted, NotFound
from cli.hub import Hub
from cli.waiting import states

Deployment = dict[str, Any]
NOTICE_SECONDS = 20


def create(
    hub: Hub, model: dict[str, Any], name: str | None, runtime: str, options: dict[str, Any]
) -> Deployment:
    """Ask for a deployment. Without a name it takes the model's, numbered when that is taken."""
    body = {"model_id": model["id"], "runtime": runtime, "options": options}
    if name:
        return dict(hub.post("deployments", {**body, "name": name}))
    wanted = name_for(model)
    taken = {found["name"] for found in naming.deployments(hub)}
    number = 0
    while True:
        number += 1
        free = wanted if number == 1 else f"{wanted}-{number}"
        if free in taken:
            continue
        try:
            return dict(hub.post("deployments", {**body, "name": free}))
        except CliError as error:
            # Somebody else's, which we do not see, may be called so.
            if error.code != "CONFLICT" or number > 100:
                raise


def name_for(model: dict[str, Any]) -> str:
    """The last part of the model's name, in the characters a deployment's name may have."""
    last = str(model["name"]).rpartition("/")[2]
    return re.sub(r"^[^A-Za-z0-9]+", "", re.sub(r"[^A-Za-z0-9._-]+", "-", last))[:70] or "model"


def ready(hub: Hub, deployment: Deployment, *, quiet: bool = False) -> Deployment:
    """Start it when it is not, and wait. Returns it running; `CliError` with the reason when it fails."""
    if deployment["status"] == "running":
        return deployment
    if deployment["status"] in ("stopped", "failed"):
        deployment = hub.post(f"deployments/{deployment['id']}/start")
    return wait(hub, deployment, quiet=quiet)


def wait(hub: Hub, deployment: Deployment, *, quiet: bool = False) -> Deployment:
    try:
        with _spinner(deployment["name"], quiet) as tell:
            for found in states(hub, f"deployments/{deployment['id']}", every=0.25, away=tell):
                tell(found.get("message") or "loading")
                if found["status"] != "deploying":
                    break
    except KeyboardInterrupt:
        raise Interrupted(
            f"Not waiting any more; the hub goes on starting {deployment['name']}.\n"
            f"  see it     modelhub ps\n  stop it    modelhub stop {deployment['name']}"
        ) from None
    if found["status"] == "running":
        return found
    raise failure(found)


def comes_back(hub: Hub, deployment: Deployment) -> bool:
    """Whether the hub brings a deployment that was running back by itself; waits until it has.

    The hub looks every three seconds whether what should run does, so a start that was not noted after
    `NOTICE_SECONDS` does not come.
    """
    deadline = time.monotonic() + NOTICE_SECONDS
    try:
        for found in states(hub, f"deployments/{deployment['id']}", every=0.25, changes_only=False):
            if found["status"] in ("stopped", "failed"):
                break
            if found["status"] == "running" and found["version"] > deployment["version"]:
                return True
            if found["status"] == "running" and time.monotonic() > deadline:
                break
    except NotFound:
        pass  # deleted meanwhile
    return False


def failure(found: Deployment) -> CliError:
    error = found.get("error") or {}
    reason = error.get("message") or f"It is {found['status']}."
    return CliError(
        f"{found['name']} does not run: {reason} `modelhub logs {found['name']}` shows its last words.",
        code=error.get("code", "DEPLOYMENT_" + found["status"].upper()),
        details=error.get("details"),
    )


@contextmanager
def _spinner(name: str, quiet: bool) -> Iterator[Callable[[str], None]]:
    if quiet:
        yield lambda _: None
    elif not console.live():
        console.note(f"Starting {name} …", style="")
        yield lambda _: None
    else:
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        with Progress(*columns, console=console.stderr(), transient=True) as line:
            task = line.add_task(f"Starting {name}")
            yield lambda words: line.update(task, description=text.safe(f"Starting {name}: {words}"))


def option_values(pairs: tuple[str, ...]) -> dict[str, Any]:
    """`("threads=4", "engine=llamacpp")` → `{"threads": 4, "engine": "llamacpp"}`: JSON where it is JSON."""
    import json

    values: dict[str, Any] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        try:
            values[key] = json.loads(value)
        except ValueError:
            values[key] = value
    return values


def wait_stopped(hub: Hub, deployment: Deployment) -> Deployment:
    """Until its process is gone."""
    for found in states(hub, f"deployments/{deployment['id']}", every=0.25):
        if found["status"] == "stopped":
            return found
    raise AssertionError("states() does not end")
