"""`modelhub run`: from a name to a conversation."""

import sys
from typing import Any

import click

from cli import console, deployments, downloads, naming, repl
from cli.app import App, command
from cli.errors import NotFound, WrongUsage
from cli.hub import Hub


@command("run")
@click.argument("model", shell_complete=naming.complete_model)
@click.argument("prompt", nargs=-1)
@click.option("--system", help="What the model is told before the conversation.")
@click.option("--temperature", type=click.FloatRange(0, 2), help="0 is the most likely word every time.")
@click.option(
    "--top-p", type=click.FloatRange(0, 1, min_open=True), help="Choose among this share of likely words."
)
@click.option("--max-tokens", type=click.IntRange(1), help="Longest answer.")
@click.option("--seed", type=click.IntRange(0), help="The same seed gives the same answer.")
@click.option("--keep", is_flag=True, help="Keep a single question and its answer in the history.")
@click.option("--no-pull", is_flag=True, help="Do not pull a model that is not in the library.")
@click.option("-v", "--verbose", is_flag=True, help="Show tokens and times after each answer.")
def run_command(
    app: App,
    model: str,
    prompt: tuple[str, ...],
    system: str | None,
    keep: bool,
    no_pull: bool,
    verbose: bool,
    **sampling: Any,
) -> None:
    """Talk to MODEL, a model or a deployment; it is pulled and deployed when it is not.

    With a PROMPT, or text on stdin, one answer is printed; otherwise a conversation begins. With both,
    stdin is put below the prompt.
    """
    question = _question(prompt)
    if not question and (app.json or not sys.stdin.isatty()):
        raise WrongUsage("Without a terminal to talk on, a PROMPT or text on stdin is needed.")
    deployment = deployments.ready(app.hub, _deployment(app, model, no_pull), quiet=app.json)
    options = {key: value for key, value in sampling.items() if value is not None}
    conversation = repl.Conversation(app.hub, deployment, system, options, verbose)
    if not question:
        repl.talk(conversation)
        return
    try:
        conversation.ask(question, as_json=app.json)
    finally:
        if not keep:
            conversation.forget()


def _question(prompt: tuple[str, ...]) -> str:
    parts = [" ".join(prompt)]
    if not sys.stdin.isatty():
        parts.append(sys.stdin.read())
    return "\n\n".join(part.strip() for part in parts if part.strip())


def _deployment(app: App, typed: str, no_pull: bool) -> naming.Found:
    """The deployment named so, else one of the model named so, else a new one."""
    hub = app.hub
    existing = naming.deployments(hub)
    if found := naming.match(typed, existing, naming.DEPLOYMENT_KEYS):
        return found[0] if len(found) == 1 else naming.deployment(hub, typed)
    model = _model(app, hub, typed, no_pull)
    own = [item for item in existing if item["model_id"] == model["id"]]
    for status in ("running", "deploying", "stopped", "failed"):
        if found := [item for item in own if item["status"] == status]:
            return found[0]
    return deployments.create(hub, model, None, "process", {})


def _model(app: App, hub: Hub, typed: str, no_pull: bool) -> naming.Found:
    """From the library; a ref that is not there is pulled first."""
    try:
        return naming.model(hub, typed)
    except NotFound:
        if no_pull or "/" not in typed:
            raise
    if not app.json:
        console.note(f"{typed} is not in the library yet: pulling it.", style="")
    started = downloads.start(hub, typed, downloads.source_of(typed, None), None, [], [])
    done = downloads.follow(hub, started, as_json=app.json)
    return dict(hub.get(f"models/{done['model_id']}"))
