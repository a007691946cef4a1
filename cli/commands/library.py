"""`modelhub list` and `modelhub show`."""

from typing import Any

import click

from cli import console, downloads, naming, text
from cli import remote as remote_model
from cli.app import App, command

SORTS = ("created", "name", "-name", "size", "-size")


@command("list")
@click.argument("words", metavar="[TEXT]", required=False)
@click.option("--kind", type=click.Choice(["base", "adapter", "merged", "gguf"]), help="Only this kind.")
@click.option("--source", help="Only from this source.")
@click.option("--tag", help="Only with this tag.")
@click.option("--mine", is_flag=True, help="Only yours.")
@click.option("--visibility", type=click.Choice(["private", "team", "public"]), help="Only seen by these.")
@click.option("--quantization", help="Only of this quantization, for example Q4_K_M.")
@click.option("--sort", type=click.Choice(SORTS), default="created", show_default=True, help="The order.")
def list_command(
    app: App,
    words: str | None,
    kind: str | None,
    source: str | None,
    tag: str | None,
    mine: bool,
    visibility: str | None,
    quantization: str | None,
    sort: str,
) -> None:
    """List the models in the library, or those with TEXT in name, ref or tags. A * marks what has a newer
    revision (`modelhub outdated`)."""
    filters: dict[str, Any] = {
        "q": words,
        "kind": kind,
        "source": source,
        "tag": tag,
        "owner": "me" if mine else None,
        "visibility": visibility,
        "quantization": quantization,
    }
    found = list(app.hub.pages("models", sort=None if sort == "created" else sort, **filters))
    if app.json:
        console.document({"items": found})
        return
    console.table(
        ["NAME", "ID", "KIND", ">PARAMETERS", ">SIZE", "SOURCE", "CREATED"],
        [
            (
                item["name"] + (" *" if item.get("newer") else ""),
                item["id"],
                item["kind"],
                text.count(item["parameters"]),
                text.size(item["size"]),
                item["source"],
                text.ago(item["created_at"]),
            )
            for item in found
        ],
        empty="The library has no such model."
        if any(filters.values())
        else "The library is empty. `modelhub pull REF` fills it.",
    )


@command("show")
@click.argument("model", shell_complete=naming.complete_model)
@click.option("--card", is_flag=True, help="Show the model card alone.")
@click.option("--remote", is_flag=True, help="Look at its source: variants, sizes, what is here already.")
@click.option("--source", help="Look at the model in this source instead of the library.")
@click.option("--revision", help="With --remote: branch, tag or commit.")
def show_command(
    app: App, model: str, card: bool, remote: bool, source: str | None, revision: str | None
) -> None:
    """Show what is known of MODEL: figures, files, card."""
    if remote or source or revision:
        _remote(app, model, downloads.source_of(model, source), revision, card)
        return
    found = naming.model(app.hub, model)
    if card:
        _card(app, app.hub.get(f"models/{found['id']}/card"))
        return
    found = app.hub.get(f"models/{found['id']}")  # a list leaves out the files of large models
    if app.json:
        console.document(found)
    else:
        _show(found)


def _show(model: naming.Found) -> None:
    console.fields(
        [
            ("name", model["name"]),
            ("description", model.get("description")),
            ("id", model["id"]),
            ("kind", model["kind"]),
            ("source", f"{model['source']}: {model['ref']} @ {model['revision']} ({model['commit'][:12]})"),
            ("architecture", model["architecture"]),
            ("parameters", text.count(model["parameters"]) if model["parameters"] else None),
            ("context", model["context_length"]),
            ("dtype", model["dtype"]),
            ("quantization", model["quantization"]),
            ("license", model["license"]),
            ("tags", ", ".join(model["tags"])),
            ("size", text.size(model["size"])),
            ("path", model["path"]),
            ("stored", "in the object storage alone" if model.get("offloaded") else None),
            ("newer", _newer(model)),
            ("owner", model.get("owner_name")),
            ("visibility", model.get("visibility")),
            ("created", text.ago(model["created_at"])),
        ]
    )
    for warning in model.get("warnings", []):
        console.note(warning, "yellow")
    _files(model["files"])


def _newer(model: naming.Found) -> str | None:
    newer = model.get("newer")
    if not newer:
        return None
    return f"{newer['commit'][:12]}, {text.size(newer['bytes_to_fetch'])} to fetch: `modelhub update`"


def _files(files: list[naming.Found]) -> None:
    console.say("")
    rows = [(file["path"], text.size(file["size"]), (file.get("sha256") or "")[:16]) for file in files]
    console.table(["FILE", ">SIZE", "SHA-256"], rows, empty="No files.")


def _card(app: App, card: naming.Found) -> None:
    if app.json:
        console.document(card)
    else:
        console.say(card["text"] or "This model has no card.")


def _remote(app: App, ref: str, source: str, revision: str | None, card: bool) -> None:
    found = app.hub.get("search/model", source=source, ref=ref, revision=revision)
    if card:
        _card(app, found["card"])
    elif app.json:
        console.document(found)
    else:
        remote_model.show(found)
