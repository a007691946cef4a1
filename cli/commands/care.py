"""`modelhub verify`, `repair` and `gc`: whether the bytes are right, and which belong to nobody."""

import click

from cli import console, downloads, naming, text
from cli.app import App, command
from cli.errors import CliError
from cli.waiting import states

ENDED = ("completed", "failed", "cancelled")


@command("verify")
@click.argument("model", required=False, shell_complete=naming.complete_model)
@click.option("-d", "--detach", is_flag=True, help="Start it and do not wait.")
def verify_command(app: App, model: str | None, detach: bool) -> int:
    """Hash every file of MODEL, or of the whole library, again. Ends with 1 when one is not what it was."""
    found = naming.model(app.hub, model) if model else None
    job = app.hub.post("storage/verify", {"model_id": found["id"] if found else None})
    if detach:
        if app.json:
            console.document(job)
        else:
            console.say(f"The hub is verifying; see `modelhub jobs` ({job['id']}).")
        return 0
    job = _ended(app, job["id"])
    if job["state"] != "completed":
        raise CliError((job["error"] or {}).get("message") or f"Verifying was {job['state']}.")
    damaged = job["progress"].get("damaged") or []
    if app.json:
        console.document({"checked": job["progress"].get("checked"), "damaged": damaged})
    elif not damaged:
        console.say(f"All {job['progress'].get('checked')} contents are what they were.", "green")
    else:
        rows = [(item["name"], path) for item in damaged for path in item["files"]]
        console.table(["MODEL", "DAMAGED OR MISSING"], rows, empty="")
        console.note("`modelhub repair MODEL` fetches those files again, and no others.")
    return 1 if damaged else 0


def _ended(app: App, job_id: str) -> naming.Found:
    """The job when it has ended; what it does meanwhile is told."""
    for job in states(app.hub, f"jobs/{job_id}", every=1.0):
        if job["state"] in ENDED:
            return job
        done, total = job["progress"].get("bytes_done"), job["progress"].get("bytes_total")
        if total and not app.json:
            console.note(f"{text.size(done)} of {text.size(total)}, {100 * (done or 0) // total} %")
    raise AssertionError("states() does not end")


@command("repair")
@click.argument("model", shell_complete=naming.complete_model)
def repair_command(app: App, model: str) -> None:
    """Fetch the damaged files of MODEL again, and no others."""
    found = naming.model(app.hub, model)
    download = app.hub.post(f"models/{found['id']}/repair")
    downloads.follow(app.hub, download, as_json=app.json)
    if not app.json:
        console.say(f"{found['name']} is whole again.", "green")


@command("gc")
@click.option("--dry-run", is_flag=True, help="Show what would go and remove nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def gc_command(app: App, dry_run: bool, yes: bool) -> None:
    """Remove what lies on the hub's disk and belongs to nobody, after showing it and asking."""
    found = app.hub.get("storage/garbage")
    if not app.json:
        rows = [(item["kind"], item["path"], text.size(item["bytes"])) for item in found["items"]]
        console.table(["KIND", "PATH", ">FREES"], rows, empty="Nothing lies about.")
    if not dry_run and found["count"]:
        if not yes and not app.json:
            click.confirm(f"Remove these {found['count']} and free {text.size(found['bytes'])}?", abort=True)
        found = app.hub.post("storage/garbage")
        if not app.json:
            console.say(f"Freed {text.size(found['bytes'])}.", "green")
    if app.json:
        console.document(found)
