"""`modelhub keys`: credentials for programs."""

import sys

import click

from cli import console, naming, text
from cli.app import App, command, family
from cli.commands.roles import agreed


@command("list")
@click.option("--all", "everybodys", is_flag=True, help="Everybody's keys; for who manages users.")
def _list(app: App, everybodys: bool) -> None:
    """List your API keys, revoked ones too."""
    found = list(app.hub.pages("api-keys", all="true" if everybodys else None))
    if app.json:
        console.document({"items": found})
        return
    rows = [
        (
            k["name"],
            k["id"],
            k["prefix"] + "…",
            k["state"],
            ", ".join(k["scopes"]),
            _last_use(k),
            k["expires_at"] or "never",
        )
        for k in found
    ]
    columns = ["NAME", "ID", "KEY", "STATE", "SCOPES", "LAST USED", "EXPIRES"]
    console.table(columns, rows, empty="There are no API keys. `modelhub keys create NAME` makes one.")


def _last_use(key: naming.Found) -> str:
    if not key["last_used_at"]:
        return "never"
    return f"{text.ago(key['last_used_at'])} from {key['last_used_from'] or 'unknown'}"


@command("create")
@click.argument("name")
@click.option(
    "-s", "--scope", "scopes", multiple=True,
    help="What it may do; once for each.  [default: chat.use, models.read, deployments.read]",
)  # fmt: skip
@click.option(
    "-d", "--deployment", "deployments", multiple=True, shell_complete=naming.complete_deployment,
    help="The only deployment it may ask; once for each.  [default: all you may]",
)  # fmt: skip
@click.option("--days", type=click.IntRange(1, 3650), help="Days until it expires.  [default: never]")
@click.option("--per-minute", type=click.IntRange(1), help="Most requests a minute.  [default: as yours]")
def _create(
    app: App,
    name: str,
    scopes: tuple[str, ...],
    deployments: tuple[str, ...],
    days: int | None,
    per_minute: int | None,
) -> None:
    """Make an API key called NAME. It is shown once, alone on stdout; the hub keeps only a hash.

    Programs send it as `Authorization: Bearer mh_…` to /api/v1 and /v1.
    """
    body = {
        "name": name,
        "scopes": list(scopes) or None,
        "deployments": [naming.deployment(app.hub, each)["id"] for each in deployments] or None,
        "days": days,
        "requests_per_minute": per_minute,
    }
    made = app.hub.post("api-keys", {field: value for field, value in body.items() if value is not None})
    if app.json:
        console.document(made)
        return
    console.note(f"The key {made['name']} may: {', '.join(made['scopes'])}. It is shown only this once:")
    sys.stdout.write(made["key"] + "\n")


@command("show")
@click.argument("key")
def _show(app: App, key: str) -> None:
    """Show what KEY (its name, id or beginning) may do and when it was used."""
    found = _key(app, key, every=True)
    if app.json:
        console.document(found)
        return
    limited = found["deployments"]
    console.fields(
        [
            ("name", found["name"]),
            ("id", found["id"]),
            ("key", found["prefix"] + "…"),
            ("state", found["state"]),
            ("scopes", ", ".join(found["scopes"])),
            ("deployments", "all you may ask" if limited is None else ", ".join(limited) or "none"),
            ("per minute", found["requests_per_minute"]),
            ("created", text.ago(found["created_at"])),
            ("expires", found["expires_at"] or "never"),
            ("last used", _last_use(found)),
        ]
    )


@command("revoke")
@click.argument("key")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def _revoke(app: App, key: str, yes: bool) -> None:
    """Revoke KEY (its name, id or beginning): its next use is refused. There is no way back."""
    found = _key(app, key)
    if not yes and not agreed(f"Revoke the key {text.safe(found['name'])} ({found['prefix']}…)?"):
        return
    revoked = app.hub.delete(f"api-keys/{found['id']}")
    if app.json:
        console.document(revoked)
    else:
        console.say(f"The key {revoked['name']} is revoked.")


def _key(app: App, typed: str, *, every: bool = False) -> naming.Found:
    """Of one's own keys; with its whole id, also of somebody else's."""
    own = list(app.hub.pages("api-keys"))
    if len(typed) == 32 and typed not in {item["id"] for item in own}:
        return dict(app.hub.get(f"api-keys/{typed}"))
    alive = [item for item in own if item["state"] == "active"]
    if naming.match(typed, alive, ("name", "prefix")) or not every:
        return naming.one(typed, alive, ("name", "prefix"), "working key", "modelhub keys")
    return naming.one(typed, own, ("name", "prefix"), "key", "modelhub keys")


keys_command = family("keys", "API keys: credentials for programs.", _list, _create, _show, _revoke)
