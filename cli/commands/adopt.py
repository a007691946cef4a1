"""`modelhub scan` and `modelhub adopt`."""

import click

from cli import console, downloads, text
from cli.app import App, command


@command("scan")
@click.argument("path", required=False)
def scan_command(app: App, path: str | None) -> None:
    """Look for models in folders of the hub's machine: below PATH, or in all folders the hub may use."""
    answer = app.hub.call("GET", "folders/scan", params={"path": path})
    if app.json:
        console.document(answer)
        return
    console.table(
        ["NAME", "KIND", "LAYOUT", ">SIZE", "IN THE LIBRARY", "CAN BE", "PATH"],
        [
            (
                found["name"],
                found["kind"],
                found["layout"],
                text.size(found["size"]),
                "yes" if found["model_id"] else "–",
                "adopted" if found["adoptable"] else "copied",
                found["path"],
            )
            for found in answer["found"]
        ],
        empty="No models in: " + (", ".join(answer["folders"]) or "no folder (MODELHUB_FOLDERS)."),
    )
    if answer["truncated"]:
        console.note("There is more. Name a folder: `modelhub scan PATH`.", "yellow")


@command("adopt")
@click.argument("path")
@click.option("--copy", "copied", is_flag=True, help="Copy it into the hub's store instead.")
@click.option("--name", help="What the library calls it.  [default: its own name]")
@click.option("-d", "--detach", is_flag=True, help="Start it and do not watch.")
def adopt_command(app: App, path: str, copied: bool, name: str | None, detach: bool) -> None:
    """Use the model at PATH, on the hub's machine, where it is. `modelhub scan` shows what there is.

    Every file is hashed first. The hub never changes or deletes what it adopted.
    """
    options = {"mode": "copy" if copied else "adopt", **({"name": name} if name else {})}
    download = downloads.start(app.hub, path, "folder", None, [], [], options=options)
    if not detach:
        download = downloads.follow(app.hub, download, as_json=app.json)
    elif app.json:
        console.document(download)
    if app.json:
        return
    if detach:
        console.say("The hub hashes it: `modelhub downloads`.")
        return
    model = app.hub.get(f"models/{download['model_id']}")
    where = "is copied" if model["location"] == "local" else f"is used where it is, {model['path']}"
    console.say(
        f"{model['name']} {where}: {text.size(model['size'])} in {len(model['files'])} files.", "green"
    )
