"""`modelhub deploy`, `ps`, `start`, `stop`."""

import click

from cli import console, deployments, naming, text
from cli.app import App, command
from cli.errors import WrongUsage


@command("deploy")
@click.argument("model", shell_complete=naming.complete_model)
@click.option("--name", help="Name under which it answers.  [default: the model's]")
@click.option("--runtime", default="process", show_default=True, help="Where it runs.")
@click.option("-o", "--option", multiple=True, metavar="KEY=VALUE", help="Of the runtime. May be repeated.")
@click.option("-d", "--detach", is_flag=True, help="Do not wait until it answers.")
def deploy_command(
    app: App, model: str, name: str | None, runtime: str, option: tuple[str, ...], detach: bool
) -> None:
    """Make MODEL answer under a name, and wait until it does."""
    if bad := next((pair for pair in option if "=" not in pair), None):
        raise WrongUsage(f"--option wants KEY=VALUE, for example threads=4; '{bad}' has no '='.")
    found = naming.model(app.hub, model)
    made = deployments.create(app.hub, found, name, runtime, deployments.option_values(option))
    _report(app, made if detach else deployments.wait(app.hub, made, quiet=app.json))


def _report(app: App, found: deployments.Deployment) -> None:
    if app.json:
        console.document(found)
        return
    where = f" at {found['endpoint']}" if found["status"] == "running" and found.get("endpoint") else ""
    console.say(
        f"{found['name']} is {found['status']}{where}.", console.STATUS_STYLES.get(found["status"], "")
    )
    if found["status"] == "running":
        console.note(
            f"Talk to it: `modelhub run {found['name']}`, or {app.url}/v1 with model {found['name']}."
        )


@command("ps")
def ps_command(app: App) -> None:
    """List deployments."""
    found = naming.deployments(app.hub)
    if app.json:
        console.document({"items": found})
        return
    console.table(
        ["NAME", "ID", "MODEL", "STATUS", "RUNTIME", "ENGINE", "CREATED"],
        [
            (
                item["name"],
                item["id"],
                item["model_name"],
                item["status"] + (" (older version)" if item.get("outdated") else ""),
                item["runtime"],
                item["engine"] or "",
                text.ago(item["created_at"]),
            )
            for item in found
        ],
        empty="Nothing is deployed. `modelhub run MODEL` deploys a model and talks to it.",
    )
    for item in found:
        if item["status"] == "failed" and item.get("error"):
            console.note(f"{item['name']}: {item['error']['message']}", "red")


@command("start")
@click.argument("deployment", shell_complete=naming.complete_deployment)
@click.option("-d", "--detach", is_flag=True, help="Do not wait until it answers.")
def start_command(app: App, deployment: str, detach: bool) -> None:
    """Start a stopped or failed deployment, and wait until it answers."""
    found = naming.deployment(app.hub, deployment)
    if found["status"] in ("stopped", "failed"):
        found = app.hub.post(f"deployments/{found['id']}/start")
    _report(app, found if detach else deployments.ready(app.hub, found, quiet=app.json))


@command("stop")
@click.argument("deployment", shell_complete=naming.complete_deployment)
def stop_command(app: App, deployment: str) -> None:
    """Stop a deployment and free its memory; `modelhub start` brings it back."""
    found = naming.deployment(app.hub, deployment)
    if found["status"] != "stopped":
        found = deployments.wait_stopped(app.hub, app.hub.post(f"deployments/{found['id']}/stop"))
    _report(app, found)
