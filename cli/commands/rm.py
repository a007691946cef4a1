"""`modelhub rm`."""

import sys
import time

import click

from cli import console, naming, text
from cli.app import App, command
from cli.errors import CliError, NotFound, WrongUsage
from cli.hub import Hub


@command("rm")
@click.argument(
    "names", metavar="MODEL|DEPLOYMENT...", nargs=-1, required=True, shell_complete=naming.complete_model
)
@click.option("--model", "kind", flag_value="model", help="Look among models only.")
@click.option("--deployment", "kind", flag_value="deployment", help="Look among deployments only.")
@click.option("--on-server", is_flag=True, help="What an Ollama server keeps is deleted there too.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def rm_command(app: App, names: tuple[str, ...], kind: str | None, on_server: bool, yes: bool) -> None:
    """Delete models or deployments, after asking. A model's files go with it."""
    targets = [_target(app.hub, name, kind) for name in names]
    agreed = [(what, found) for what, found in targets if yes or _agreed(app.hub, what, found)]
    removed: list[dict[str, str]] = []
    for what, found in sorted(agreed, key=lambda target: target[0]):  # a deployment before its model
        also = {"on_server": "true"} if on_server and found.get("location") == "ollama" else {}
        _delete(app.hub, f"{what}s/{found['id']}", also, {item["name"] for item in removed})
        removed.append({"kind": what, "id": found["id"], "name": found["name"]})
        if not app.json:
            console.say(f"The {what} {found['name']} is deleted.")
    if app.json:
        console.document({"removed": removed})


def _delete(hub: Hub, path: str, also: dict[str, str], just_removed: set[str]) -> None:
    """A deployment takes a moment to end; a model that waits only for those just removed waits for them."""
    for left in range(120, -1, -1):
        try:
            hub.delete(path, **also)
            return
        except CliError as error:
            needed_by = set(error.details.get("deployments", []))
            if not needed_by or needed_by - just_removed or not left:
                raise
        time.sleep(0.25)


def _target(hub: Hub, typed: str, kind: str | None) -> tuple[str, naming.Found]:
    """("model" | "deployment", the object). The better match of both; equal ones are refused."""
    models = naming.models(hub) if kind != "deployment" else []
    deployments = naming.deployments(hub) if kind != "model" else []
    model_rank, as_model = naming.ranked(typed, models, naming.MODEL_KEYS)
    deployment_rank, as_deployment = naming.ranked(typed, deployments, naming.DEPLOYMENT_KEYS)
    if as_model and as_deployment and model_rank == deployment_rank:
        raise WrongUsage(
            f"'{typed}' names a model and a deployment. Say which with --model or --deployment.",
            code="AMBIGUOUS",
        )
    if kind == "model" or (as_model and model_rank < deployment_rank):
        return "model", naming.one(typed, models, naming.MODEL_KEYS, "model", "modelhub list")
    if kind == "deployment" or as_deployment:
        return "deployment", naming.one(
            typed, deployments, naming.DEPLOYMENT_KEYS, "deployment", "modelhub ps"
        )
    raise NotFound(
        f"There is no model or deployment '{typed}'. `modelhub list` and `modelhub ps` show what there is."
    )


def _frees(hub: Hub, model: naming.Found) -> str:
    """What deleting it means, in brackets."""
    impact = hub.get(f"models/{model['id']}/impact")
    parts = [f"{text.size(impact['bytes_freed'])} come free"]
    if impact["versions"] > 1:
        parts.insert(0, f"{impact['versions']} versions")
    if impact["bytes_shared"]:
        parts.append(f"{text.size(impact['bytes_shared'])} stay, other models hold them")
    if impact["bytes_remote"]:
        parts.append(f"{text.size(impact['bytes_remote'])} leave the object storage")
    if impact["refused"]:
        parts.append(f"it {impact['reason']}")
    return f" ({'; '.join(parts)})"


def _agreed(hub: Hub, what: str, found: naming.Found) -> bool:
    if not sys.stdin.isatty():
        raise WrongUsage("There is no terminal to ask on. Give --yes to delete without asking.")
    if found.get("location") == "ollama":
        return click.confirm(f"Delete {text.safe(found['name'])}, which the Ollama server keeps?", err=True)
    more = _frees(hub, found) if what == "model" else f" (it is {found['status']})"
    return click.confirm(f"Delete the {what} {text.safe(found['name'])}{more}?", err=True)
