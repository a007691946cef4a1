"""`modelhub downloads`, `pause`, `resume`, `cancel`, `retry`, `forget`."""

import click

from cli import console, downloads, naming, text
from cli.app import App, command
from cli.errors import NotFound
from cli.waiting import states

STATUSES = (*downloads.ACTIVE, "paused", *downloads.ENDED)


@command("downloads")
@click.option("--status", type=click.Choice(STATUSES), help="Only those in this state.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="Most downloads.")
@click.option("--queue", is_flag=True, help="What has not ended, in the order in which it runs.")
def downloads_command(app: App, status: str | None, limit: int, queue: bool) -> None:
    """List downloads, the newest first."""
    found = list(app.hub.pages("downloads", most=limit, status=status, sort="queue" if queue else None))
    if app.json:
        console.document({"items": found})
        return
    if queue:
        _tell_queue(found)
        return
    console.table(
        ["ID", "MODEL", "STATUS", ">DONE", ">SIZE", ">SPEED", ">LEFT", "CREATED"],
        [_row(item) for item in found],
        empty="No downloads. `modelhub pull REF` starts one.",
    )


def _tell_queue(found: list[downloads.Download]) -> None:
    console.table(
        [">PLACE", "ID", "MODEL", "STATUS", ">PRIORITY", ">DONE", ">SIZE", "WAITS FOR"],
        [
            (
                item["position"] or "–",
                item["id"],
                item["ref"],
                item["status"],
                item["priority"],
                _share(item),
                text.size(item["bytes_total"]),
                (item["waiting"] or {}).get("message", ""),
            )
            for item in found
        ],
        empty="Nothing is under way. `modelhub pull REF` starts a download.",
    )


def _share(item: downloads.Download) -> str:
    total = item["bytes_total"]
    return f"{100 * item['bytes_done'] // total} %" if total else "–"


def _row(item: downloads.Download) -> tuple[object, ...]:
    total = item["bytes_total"]
    moving = item["status"] == "downloading"
    return (
        item["id"],
        item["ref"],
        item["status"],
        _share(item),
        text.size(total),
        f"{text.size(item['speed'])}/s" if moving and item["speed"] else "–",
        text.duration(item["eta"]) if moving else "–",
        text.ago(item["created_at"]),
    )


@command("pause")
@click.argument("download", shell_complete=naming.complete_download)
def pause_command(app: App, download: str) -> None:
    """Pause a download; what is here stays. DOWNLOAD is an id or a ref."""
    found = naming.download(app.hub, download)
    app.hub.post(f"downloads/{found['id']}/pause")
    _tell(app, _settled(app, f"downloads/{found['id']}"), f"Go on with `modelhub resume {found['id']}`.")


@command("resume")
@click.argument("download", shell_complete=naming.complete_download)
def resume_command(app: App, download: str) -> None:
    """Go on with a paused download from where it stands."""
    found = naming.download(app.hub, download)
    _tell(app, app.hub.post(f"downloads/{found['id']}/resume"), f"Watch with `modelhub pull {found['ref']}`.")


@command("cancel")
@click.argument("download_or_job", shell_complete=naming.complete_download)
def cancel_command(app: App, download_or_job: str) -> None:
    """Give up a download or a job; what a download had fetched is deleted."""
    path, found = _download_or_job(app, download_or_job)
    app.hub.post(f"{path}/{found['id']}/cancel")
    _tell(app, _settled(app, f"{path}/{found['id']}"), "")


@command("retry")
@click.argument("download_or_job", shell_complete=naming.complete_download)
def retry_command(app: App, download_or_job: str) -> None:
    """Try a failed download or job once more; finished parts are not fetched again."""
    path, found = _download_or_job(app, download_or_job)
    hint = f"Watch with `modelhub pull {found['ref']}`." if path == "downloads" else "See `modelhub jobs`."
    _tell(app, app.hub.post(f"{path}/{found['id']}/retry"), hint)


@command("forget")
@click.argument("download", shell_complete=naming.complete_download)
def forget_command(app: App, download: str) -> None:
    """Take an ended download off the list, with the parts of a failed one; the model it brought stays."""
    found = naming.download(app.hub, download)
    app.hub.delete(f"downloads/{found['id']}")
    if app.json:
        console.document({"forgotten": found["id"]})
    else:
        console.say(f"{naming.label(found)}: off the list.")


def _download_or_job(app: App, typed: str) -> tuple[str, naming.Found]:
    try:
        return "downloads", naming.download(app.hub, typed)
    except NotFound:
        jobs = list(app.hub.pages("jobs", most=1000))
        if naming.match(typed, jobs, ()):
            return "jobs", naming.one(typed, jobs, (), "job", "modelhub jobs")
        raise


def _settled(app: App, path: str) -> naming.Found:
    """Once nobody works on it any more: a worker obeys within a second or two."""
    for found in states(app.hub, path, every=0.2):
        if (found.get("status") or found.get("state")) not in (*downloads.ACTIVE, "queued", "running"):
            return found
    raise AssertionError("states() does not end")


def _tell(app: App, answer: naming.Found, hint: str) -> None:
    if app.json:
        console.document(answer)
        return
    console.say(f"{naming.label(answer)}: {answer.get('status') or answer.get('state')}.")
    if answer.get("restart_required"):
        console.note("Its source cannot go on from the middle: resuming begins from zero.", "yellow")
    if hint:
        console.note(hint)
