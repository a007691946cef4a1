"""`modelhub push`."""

from pathlib import Path

import click

from cli import console, downloads, text, uploads
from cli.app import App, command
from cli.errors import NotFound


@command("push")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--name", help="What the library calls it.  [default: the name of the file or folder]")
@click.option(
    "--visibility",
    type=click.Choice(["private", "team", "public"]),
    help="Who else sees it.  [default: the hub's]",
)
@click.option("--team", metavar="TEAM", help="The team's id, for `--visibility team`.")
@click.option("--no-hash", is_flag=True, help="Do not hash first: what the hub has already is sent again.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent, and send nothing.")
@click.option("--give-up", is_flag=True, help="Delete what the hub keeps of an interrupted one.")
@click.option("-d", "--detach", is_flag=True, help="Do not wait until the hub has taken it in.")
def push_command(
    app: App,
    path: Path,
    name: str | None,
    visibility: str | None,
    team: str | None,
    no_hash: bool,
    dry_run: bool,
    give_up: bool,
    detach: bool,
) -> None:
    """Send the model at PATH, a file or a folder, to the hub.

    Interrupted, the same command goes on where it was: the hub keeps what arrived.
    """
    files = uploads.collect(path)
    called = name or uploads.name_of(path)
    if dry_run:
        _preview(app, called, files)
        return
    if give_up:
        _give_up(app, called, files)
        return
    sharing = {"visibility": visibility, "team_id": team}
    upload = uploads.begin(app.hub, called, files, sharing, hashed=not no_hash)
    uploads.send(app.hub, upload, files)
    download = uploads.complete(app.hub, upload)
    if not detach:
        download = downloads.follow(app.hub, download, as_json=app.json)
    elif app.json:
        console.document(download)
    if app.json:
        return
    if detach:
        console.say(f"{called} is sent. The hub takes it in: `modelhub downloads`.")
    else:
        model = app.hub.get(f"models/{download['model_id']}")
        console.say(f"{model['name']} is in the library: {text.size(model['size'])}.", "green")
        console.note(f"Talk to it with `modelhub run {model['name']}`.")


def _preview(app: App, name: str, files: list[uploads.Local]) -> None:
    if app.json:
        listed = [{"path": file.path, "size": file.size} for file in files]
        console.document({"name": name, "size": sum(file.size for file in files), "files": listed})
        return
    console.table([">SIZE", "FILE"], [(text.size(file.size), file.path) for file in files], empty="")
    console.note(
        f"{name}: {text.size(sum(file.size for file in files))} in {len(files)} files. Nothing was sent."
    )


def _give_up(app: App, name: str, files: list[uploads.Local]) -> None:
    found = uploads.unfinished(app.hub, name, files)
    if found is None:
        raise NotFound(f"The hub has no unfinished upload of {name} with these files.")
    app.hub.delete(f"uploads/{found['id']}")
    if app.json:
        console.document(found)
    else:
        console.say(f"What was sent of {name} is deleted.")
