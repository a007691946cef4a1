"""`modelhub env`: what the Hugging Face Hub's clients need to know to bring models from this hub."""

import shlex

import click

from cli import console
from cli.app import App, command


@command("env")
@click.option("--key", metavar="KEY", help="An API key with the scope models.read.  [default: $MODELHUB_KEY]")
def env_command(app: App, key: str | None) -> None:
    """Print what makes `hf`, huggingface_hub and transformers bring models from this hub.

    Use it like this: eval "$(modelhub env --key mh_…)". A key is made with `modelhub keys create hf -s
    models.read`.
    """
    variables = {"HF_ENDPOINT": f"{app.url}/hf", "HF_TOKEN": key}
    if app.json:
        console.document(variables)
        return
    click.echo(f"export HF_ENDPOINT={shlex.quote(variables['HF_ENDPOINT'] or '')}")
    click.echo(f"export HF_TOKEN={shlex.quote(key) if key else '${MODELHUB_KEY}'}")
