"""`modelhub versions`, `outdated`, `update`, `edit`, `offload`: what a model was, is and will be."""

from typing import Any

import click

from cli import console, downloads, naming, text
from cli.app import App, command, family
from cli.errors import CliError, WrongUsage


@command("list")
@click.argument("model", shell_complete=naming.complete_model)
def _list(app: App, model: str) -> None:
    """List the versions of MODEL, the newest first."""
    found = naming.model(app.hub, model)
    versions = list(app.hub.pages(f"models/{found['id']}/versions"))
    if app.json:
        console.document({"items": versions})
        return
    rows = [
        (
            version["id"],
            "active" if version["active"] else "",
            version["revision"],
            version["commit"][:12],
            text.size(version["size"]),
            ", ".join(version["deployments"]),
            text.ago(version["created_at"]),
        )
        for version in versions
    ]
    console.table(["ID", "", "REVISION", "COMMIT", ">SIZE", "RUN BY", "CREATED"], rows, empty="None.")


@command("activate")
@click.argument("model", shell_complete=naming.complete_model)
@click.argument("version")
def _activate(app: App, model: str, version: str) -> None:
    """Make VERSION of MODEL (the beginning of its id or commit) the one that is deployed from now on."""
    found, chosen = _chosen(app, model, version)
    changed = app.hub.post(f"models/{found['id']}/versions/{chosen['id']}/activate")
    _said(app, changed, f"{found['name']} is now at {chosen['commit'][:12]}. Restart what should run it.")


@command("compare")
@click.argument("model", shell_complete=naming.complete_model)
@click.argument("a")
@click.argument("b")
def _compare(app: App, model: str, a: str, b: str) -> None:
    """Show which files differ between the versions A and B of MODEL."""
    found, first = _chosen(app, model, a)
    _, second = _chosen(app, model, b)
    told = app.hub.get(f"models/{found['id']}/versions/compare", a=first["id"], b=second["id"])
    if app.json:
        console.document(told)
        return
    rows = [("+", file["path"], text.size(file["size"])) for file in told["added"]]
    rows += [("-", file["path"], text.size(file["size"])) for file in told["removed"]]
    rows += [
        ("~", file["path"], f"{text.size(file['a'])} → {text.size(file['b'])}") for file in told["changed"]
    ]
    console.table(["", "FILE", ">SIZE"], rows, empty="Their files are the same.")
    console.note(f"{len(told['same'])} files are the same.")


@command("remove")
@click.argument("model", shell_complete=naming.complete_model)
@click.argument("version")
def _remove(app: App, model: str, version: str) -> None:
    """Delete VERSION of MODEL. The active one stays, and so does one that is being run."""
    found, chosen = _chosen(app, model, version)
    app.hub.delete(f"models/{found['id']}/versions/{chosen['id']}")
    _said(app, {"deleted": chosen["id"]}, f"{found['name']} has that version no more.")


def _chosen(app: App, model: str, typed: str) -> tuple[naming.Found, naming.Found]:
    found = naming.model(app.hub, model)
    versions = list(app.hub.pages(f"models/{found['id']}/versions"))
    by_commit = [each for each in versions if len(typed) >= 4 and each["commit"].startswith(typed)]
    if len(by_commit) == 1:
        return found, by_commit[0]
    listing = f"modelhub versions list {found['name']}"
    return found, naming.one(typed, versions, ("commit",), "version", listing)


versions_command = family(
    "versions",
    "The versions of a model: each set of files it was brought in as.",
    _list,
    _activate,
    _compare,
    _remove,
)
versions_command.invoke_without_command, versions_command.no_args_is_help = False, True


@command("outdated")
@click.option("--check", is_flag=True, help="Ask the sources of your models first.")
def outdated_command(app: App, check: bool) -> None:
    """List models whose source has a newer revision."""
    if check:
        for model in list(app.hub.pages("models", owner="me")):
            _ask(app, model)
    found = list(app.hub.pages("models", outdated="true"))
    if app.json:
        console.document({"items": found})
        return
    rows = [
        (
            item["name"],
            item["id"],
            item["commit"][:12],
            item["newer"]["commit"][:12],
            f"+{item['newer']['added']} -{item['newer']['removed']} ~{item['newer']['changed']}",
            text.size(item["newer"]["bytes_to_fetch"]),
            text.ago(item["newer"]["checked_at"]),
        )
        for item in found
    ]
    columns = ["NAME", "ID", "HERE", "NEWER", "FILES", ">TO FETCH", "LOOKED"]
    console.table(columns, rows, empty="Nothing newer is known of.")
    if found:
        console.note(f"Bring one in with `modelhub update {found[0]['name']}`.")


def _ask(app: App, model: naming.Found) -> None:
    try:
        app.hub.post(f"models/{model['id']}/check")
    except CliError as error:
        if error.code != "UNSUPPORTED":  # a source without revisions has nothing newer
            console.note(f"{model['name']}: {error.message}", "yellow")


@command("update")
@click.argument("model", shell_complete=naming.complete_model)
@click.option("-d", "--detach", is_flag=True, help="Start it and do not watch.")
def update_command(app: App, model: str, detach: bool) -> None:
    """Bring the newest revision of MODEL in as its next version. Only what is not here is fetched."""
    found = naming.model(app.hub, model)
    download = app.hub.post(f"models/{found['id']}/update")
    if not detach:
        download = downloads.follow(app.hub, download, as_json=app.json)
    elif app.json:
        console.document(download)
    if not app.json:
        ended = download["status"] == "completed"
        at = f"at {download['commit'][:12]}" if ended else "being updated; see `modelhub downloads`"
        console.say(f"{found['name']} is {at}.", "green" if ended else "")


@command("edit")
@click.argument("model", shell_complete=naming.complete_model)
@click.option("--name", help="A new name.")
@click.option("--description", help="What it is for; Markdown.")
@click.option("--tag", "tags", multiple=True, help="A tag in place of those it has. May be repeated.")
@click.option("--no-tags", is_flag=True, help="Take all tags away.")
def edit_command(
    app: App, model: str, name: str | None, description: str | None, tags: tuple[str, ...], no_tags: bool
) -> None:
    """Rename, describe or tag MODEL."""
    body: dict[str, Any] = {"name": name, "description": description, "tags": list(tags) or None}
    body = {field: value for field, value in body.items() if value is not None}
    if no_tags:
        body["tags"] = []
    if not body or (tags and no_tags):
        raise WrongUsage("Say what to change: --name, --description, --tag or --no-tags.")
    changed = app.hub.patch(f"models/{naming.model(app.hub, model)['id']}", body)
    _said(app, changed, f"{changed['name']} is changed.")


@command("offload")
@click.argument("model", shell_complete=naming.complete_model)
@click.option("--back", is_flag=True, help="Bring its files back to the hub's disk instead.")
def offload_command(app: App, model: str, back: bool) -> None:
    """Take MODEL's large files off the hub's disk; they stay in the object storage.

    Deploying the model brings them back, and so does --back.
    """
    found = naming.model(app.hub, model)
    if back:
        job = app.hub.post(f"models/{found['id']}/restore")
        _said(app, job, f"The files of {found['name']} are on their way back. See `modelhub jobs`.")
        return
    changed = app.hub.post(f"models/{found['id']}/offload")
    _said(app, changed, f"The large files of {found['name']} are in the object storage alone now.")


def _said(app: App, document: Any, sentence: str) -> None:
    if app.json:
        console.document(document)
    else:
        console.say(sentence)
