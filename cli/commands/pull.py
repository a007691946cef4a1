"""`modelhub pull`."""

import click

from cli import console, downloads, text
from cli.app import App, command
from cli.hub import Hub

OLLAMA = "ollama:"


@command("pull")
@click.argument("ref")
@click.option("--source", help="Where from.  [default: starter for modelhub/…, else huggingface]")
@click.option("--revision", help="Branch, tag or commit.")
@click.option("--quant", metavar="NAME", help="Which variant: Q4_K_M, Q8_0, … The same as REF:NAME.")
@click.option("--include", multiple=True, metavar="GLOB", help="Take only files like this. May be repeated.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave files like this. May be repeated.")
@click.option("-d", "--detach", is_flag=True, help="Start it and do not watch.")
def pull_command(
    app: App,
    ref: str,
    source: str | None,
    revision: str | None,
    quant: str | None,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    detach: bool,
) -> None:
    """Bring the model REF home: a name, or the web address of a file. The hub downloads; this only watches,
    and can be left and taken up again.

    Of a model in several quantisations one is taken: that of REF:NAME, or the recommended one.
    `ollama:NAME` lets the Ollama server pull NAME.
    """
    if source is None and ref.startswith(OLLAMA):
        source, ref = "ollama", ref.removeprefix(OLLAMA)
    where = downloads.source_of(ref, source)
    download = downloads.start(app.hub, ref, where, revision, list(include), list(exclude), quant)
    if download.get("note") and not app.json:
        console.note(f"{download['note']} `modelhub show --remote {download['ref']}` lists them all.")
    if detach:
        if app.json:
            console.document(download)
        else:
            console.say(
                f"The hub is pulling {ref}. Watch with `modelhub pull {ref}`, or see `modelhub downloads`."
            )
        return
    done = downloads.follow(app.hub, download, as_json=app.json)
    if not app.json:
        _tell(app.hub, done)


def _tell(hub: Hub, done: downloads.Download) -> None:
    model = hub.get(f"models/{done['model_id']}")
    if model.get("location") == "ollama":
        console.say(f"{model['name']} is on the Ollama server: {text.size(model['size'])}.", "green")
        return
    console.say(
        f"{model['name']} is here: {text.size(model['size'])} in {len(model['files'])} files.", "green"
    )
    for warning in model.get("warnings", []):
        console.note(warning, "yellow")
    console.note(f"Talk to it with `modelhub run {model['name']}`.")
