"""How fast the hub downloads, how many at once, and when: settings that hold from the moment they are made.

A fetching child reads its limits from two small files, `{"rate": bytes/s or null}`: one it shares with all
others, one of its own. Who changes a limit writes the file; beat writes what the clock changes.
"""

import json
import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api.extensions import db, settings
from api.models import Download, Job
from api.schemas.settings import Hours, TransferNow, TransferSettings, TransferSettingsOut
from api.security.authorise import Identity
from api.services import hub_settings, jobs
from api.unit_of_work import unit_of_work

NAME = "transfers"
OUTSIDE_HOURS = "OUTSIDE_HOURS"


def current() -> TransferSettings:
    return hub_settings.read(NAME, TransferSettings)


def get() -> TransferSettingsOut:
    chosen, now = current(), datetime.now().astimezone()
    return TransferSettingsOut(
        **chosen.model_dump(),
        time_zone=f"{now.tzname()} (UTC{now:%z})",
        now=TransferNow(
            rate=_rate(chosen, now),
            held=held(chosen, now),
            until=_next_change(chosen.hours, now) if chosen.hours else None,
        ),
    )


def put(body: TransferSettings, who: Identity) -> TransferSettingsOut:
    """Set all of them, for what runs too: speeds and hours within seconds, connections at the next start."""
    with unit_of_work() as after_commit:
        hub_settings.write(NAME, body, who)
        after_commit(write_limits)
        after_commit(obey_hours)
        after_commit(lambda: jobs.ring_held("download"))
        after_commit(lambda: jobs.ring_waiting("download"))
    return get()


def at_once() -> int:
    """Downloads that may run at the same time."""
    return current().parallel


def held(chosen: TransferSettings, now: datetime) -> bool:
    """Whether downloads wait at `now`."""
    return chosen.hours is not None and chosen.hours.outside == "hold" and not inside(chosen.hours, now)


def why_held(download: Download) -> dict[str, Any] | None:
    """The reason that holds this download back because of the hour, if there is one."""
    chosen, now = current(), datetime.now().astimezone()
    if download.options.get("any_time") or chosen.hours is None or not held(chosen, now):
        return None
    begins = _next_change(chosen.hours, now)
    return {
        "code": OUTSIDE_HOURS,
        "message": f"Downloads run from {chosen.hours.begin} to {chosen.hours.end}; this one goes on by "
        "itself then. To have it now, let it run at any time.",
        "details": {"until": begins.isoformat(), "begin": chosen.hours.begin, "end": chosen.hours.end},
    }


def admission(job: Job) -> dict[str, Any] | None:
    """`why_held` for a download's job."""
    download = db.session.scalar(select(Download).where(Download.job_id == job.id))
    return why_held(download) if download else None


def inside(hours: Hours, now: datetime) -> bool:
    clock = f"{now:%H:%M}"
    if hours.begin < hours.end:
        return hours.begin <= clock < hours.end
    return clock >= hours.begin or clock < hours.end


def _next_change(hours: Hours, now: datetime) -> datetime:
    """When the hours end (inside) or begin (outside) next, by the clock on the wall."""
    hour, minute = map(int, (hours.end if inside(hours, now) else hours.begin).split(":"))
    naive = now.replace(tzinfo=None, hour=hour, minute=minute, second=0, microsecond=0)
    if naive <= now.replace(tzinfo=None):
        naive += timedelta(days=1)
    return naive.astimezone()


def _rate(chosen: TransferSettings, now: datetime) -> int | None:
    """The hub's limit at `now`; outside the hours the lower of the two."""
    if chosen.hours is None or chosen.hours.outside != "slow" or inside(chosen.hours, now):
        return chosen.rate
    return min(rate for rate in (chosen.rate, chosen.hours.rate) if rate is not None)


def obey_hours() -> int:
    """Outside the hours, what runs goes back to the queue, where it is held. How many."""
    chosen, now = current(), datetime.now().astimezone()
    db.session.rollback()
    if not held(chosen, now):
        return 0
    running = select(Download.job_id, Download.options).join(Job)
    rows = db.session.execute(running.where(Job.kind == "download", Job.state == "running")).all()
    ids = [row.job_id for row in rows if not row.options.get("any_time")]
    db.session.rollback()
    if ids:
        with unit_of_work():
            for job_id in ids:
                if job := jobs.locked(job_id):
                    jobs.put_back(job)
    return len(ids)


def reconcile() -> None:
    """What the clock changes by itself: hours that begin or end."""
    write_limits()
    if not obey_hours():
        _ring_who_waited_for_the_hour()


def _ring_who_waited_for_the_hour() -> None:
    chosen, now = current(), datetime.now().astimezone()
    db.session.rollback()
    if held(chosen, now):
        return
    waiting = select(Job.id, Job.waiting).where(Job.kind == "download", Job.state == "queued")
    rows = db.session.execute(waiting.where(Job.waiting.is_not(None)).order_by(*jobs.ORDER).limit(200)).all()
    db.session.rollback()
    for row in rows:
        if row.waiting and row.waiting.get("code") == OUTSIDE_HOURS:
            jobs.ring(row.id, "download")


# — the files the children read —


def shared_limit(any_time: bool) -> Path:
    """Where the hub's limit stands: for those who keep the hours, or for those who need not."""
    return settings().run_dir / "speed" / ("any-time.json" if any_time else "hours.json")


def own_limit(download_id: str) -> Path:
    return settings().children_dir / f"download-{download_id}" / "speed.json"


def write_limits() -> None:
    """Both shared limits as they are now; a file that says so already is left alone."""
    chosen, now = current(), datetime.now().astimezone()
    db.session.rollback()
    write_limit(shared_limit(any_time=False), _rate(chosen, now))
    write_limit(shared_limit(any_time=True), chosen.rate)


def write_limit(path: Path, rate: int | None) -> None:
    """Let `path` say `{"rate": rate}`, whole at every moment."""
    text = json.dumps({"rate": rate})
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    draft.write_text(text)
    draft.replace(path)


def speed_of(download: Download) -> dict[str, str]:
    """What a child's spec says about its limits; the files are there when this returns."""
    any_time = bool(download.options.get("any_time"))
    write_limits()
    own = own_limit(download.id)
    write_limit(own, download.options.get("rate"))
    return {"shared": str(shared_limit(any_time)), "own": str(own)}


def connections_of(download: Download) -> int:
    return download.options.get("connections") or current().connections or settings().download_connections
