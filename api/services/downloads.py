"""Bringing a model home: ask, follow, pause, resume, cancel. What a worker does then is `fetching`."""

import hashlib
import json
import shutil
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from api.errors import Conflict
from api.extensions import db, settings
from api.models import Download, HubModel, Job
from api.schemas.base import Page, Visibility
from api.schemas.downloads import (
    DownloadChange,
    DownloadFile,
    DownloadMove,
    DownloadOut,
    DownloadQuery,
    DownloadRequest,
)
from api.security import audit, ownership
from api.security.authorise import Identity, require
from api.services import events, jobs, ollama, order, removable, room, transfers
from api.services.paging import page
from api.unit_of_work import AfterCommit, exclusive, unit_of_work
from integrations.sources import SOURCES
from integrations.sources.base import FetchPlan

STATUS = {"queued": "pending", "running": "downloading"}
"""Words a downloader uses for the ledger's states; the others are the same."""

OPTIONS = ("rate", "connections", "any_time")


def request(body: DownloadRequest, who: Identity) -> DownloadOut:
    """Plan at a pinned commit, check for room, and put the download in the ledger.

    Raises what the source says (unknown, gated, unreachable), `Conflict` when it is already here or on its
    way, `OutOfSpace` when it could never fit. What does not fit now is held until it does.
    """
    if body.source == "folder":
        require(who, "folders.use")
    source = SOURCES[body.source]
    options = source.Options.model_validate(body.options)
    plan = source.plan(body.ref, body.revision, body.include, body.exclude, options)
    key = _plan_key(plan)
    _refuse_duplicate(plan, key, who)
    picked = {"include": body.include, "exclude": body.exclude, "options": plan.options}
    sharing = body.visibility or settings().default_visibility, body.team_id
    return enter(plan, who, picked=picked, sharing=sharing)


def enter(
    plan: FetchPlan,
    who: Identity,
    *,
    picked: dict[str, Any],
    sharing: tuple[Visibility, str | None] | None = None,
    update_of: HubModel | None = None,
    kind: str = "download",
    options: dict[str, Any] | None = None,
    also: Callable[[AfterCommit, Download], None] | None = None,
) -> DownloadOut:
    """Check for room and put a plan in the ledger: as a new model shared like `sharing` says, or as the next
    version of `update_of`. `picked` is what of the source was wanted (see `ModelVersion`).
    `also` writes more in the same transaction."""
    key = _plan_key(plan)
    model_id = update_of.id if update_of else None
    shared = (update_of.visibility, update_of.team_id) if update_of else sharing
    if kind == "download" and not plan.given and (failed := _failed_before(key, who)):
        return retry(failed, who)  # what it brought so far is still here
    room.refuse_what_never_fits(plan)
    with unit_of_work() as after_commit:
        exclusive(f"update:{model_id}" if model_id else f"download:{key}")
        if kind == "mirror":
            if other := _under_way(key):
                return shape(other)  # whoever asked first: all wait for the same bytes
        elif model_id:
            _refuse_second_update(model_id)
        else:
            _refuse_duplicate(plan, key, who)
        job = jobs.submit(after_commit, kind, "", user_id=who.owner_id, name=plan.name or plan.ref)
        job.progress = {"bytes_done": 0, "bytes_total": plan.bytes_total}
        download = Download(
            job_id=job.id,
            source=plan.source,
            ref=plan.ref,
            revision=plan.revision,
            commit=plan.commit,
            plan=plan.model_dump(mode="json") | {"picked": picked},
            plan_key=key,
            options=options or {},
            user_id=who.owner_id,
            update_of=model_id or (ollama.entry(plan.ref, who) if plan.location == "ollama" else None),
        )
        if model_id or kind == "mirror":
            download.visibility, download.team_id = shared or ("private", None)
        elif shared:
            ownership.share(download, shared[0], shared[1], who)
        db.session.add(download)
        db.session.flush()
        job.object_id = download.id
        download.job = job
        db.session.refresh(download, ["owner"])
        job.waiting = jobs.why_held(job)
        about: dict[str, Any] = {"source": plan.source, "ref": plan.ref, "commit": plan.commit}
        audit.note("download.create", download, **about | ({"update_of": model_id} if model_id else {}))
        if also:
            also(after_commit, download)
        answer, rooms = shape(download), ownership.audience(download)
        after_commit(lambda: events.publish("/downloads", "created", answer, rooms))
    return answer


def shape(download: Download) -> DownloadOut:
    """A download and its job as one object."""
    job, progress, chosen = download.job, download.job.progress, download.options
    moving = job.state == "running"
    status = "held" if job.state == "queued" and job.waiting else STATUS.get(job.state, job.state)
    resumable = progress.get("resumable")
    return DownloadOut(
        id=download.id,
        job_id=job.id,
        source=download.source,
        ref=download.ref,
        name=download.plan.get("name") or download.ref,
        revision=download.revision,
        commit=download.commit,
        status=status,  # type: ignore[arg-type]
        bytes_done=progress.get("bytes_done") or 0,
        bytes_total=progress.get("bytes_total"),
        speed=progress.get("speed") if moving else None,
        eta=progress.get("eta") if moving else None,
        message=progress.get("message") or "",
        note=download.plan.get("note"),
        waiting=job.waiting,  # type: ignore[arg-type]
        priority=job.priority,
        rate=chosen.get("rate"),
        connections=chosen.get("connections"),
        any_time=bool(chosen.get("any_time")),
        resumable=resumable,
        restart_required=resumable is False and job.state in ("queued", "paused", "failed"),
        error=job.error,  # type: ignore[arg-type]
        update_of=download.update_of,
        model_id=download.model_id,
        owner_id=download.owner_id,
        owner_name=download.owner_name,
        visibility=download.visibility,  # type: ignore[arg-type]
        team_id=download.team_id,
        files=[DownloadFile(path=f["path"], size=f["size"]) for f in download.plan["files"]],
        created_at=download.created_at,
        updated_at=job.updated_at,
        version=job.version,
    )


def missing(download_id: str) -> str:
    return f"There is no download {download_id[:64]}. `modelhub downloads` lists them."


def get(download_id: str, who: Identity) -> DownloadOut:
    download = ownership.seen(Download, download_id, who, missing(download_id))
    answer = shape(download).model_copy(update={"position": order.position(download.job)})
    return removable.advise(answer, who)


def list_downloads(query: DownloadQuery, who: Identity) -> Page[DownloadOut]:
    """Newest first, or (`sort=queue`) what has not ended in the order in which it runs."""
    statement = select(Download).join(Job).where(ownership.visible(Download, who))
    if query.status in ("held", "pending"):
        statement = statement.where(Job.state == "queued")
        held = Job.waiting.is_not(None)
        statement = statement.where(held if query.status == "held" else ~held)
    elif query.status:
        states = {status: state for state, status in STATUS.items()}
        statement = statement.where(Job.state == states.get(query.status, query.status))
    if query.sort == "queue":
        return order.page(statement, query, shape)
    return page(statement, Download.id, limit=query.limit, after=query.after, shape=shape)


def pause(download_id: str, who: Identity) -> DownloadOut:
    jobs.want(changeable(download_id, who).job_id, "pause")
    return get(download_id, who)


def resume(download_id: str, who: Identity) -> DownloadOut:
    jobs.again(changeable(download_id, who).job_id, from_states=("paused",))
    return get(download_id, who)


def cancel(download_id: str, who: Identity) -> DownloadOut:
    job = jobs.want(changeable(download_id, who).job_id, "cancel")
    if job.state == "cancelled":
        forget_parts(download_id)
    return get(download_id, who)


def retry(download_id: str, who: Identity) -> DownloadOut:
    jobs.again(changeable(download_id, who).job_id, from_states=("failed", "cancelled", "paused"))
    return get(download_id, who)


def change(download_id: str, body: DownloadChange, who: Identity) -> DownloadOut:
    """Set its place, its limits, whether it keeps the hours. Speed changes while it runs; for the rest a
    running download is put back to the queue for a moment and keeps what it has.

    Who goes before everybody's, and at what hour, is an operator's: Forbidden for others.
    """
    wanted = body.model_dump(exclude_unset=True)
    if wanted.get("any_time") or wanted.get("priority", 0) > 0:
        require(who, "settings.manage")
    download = changeable(download_id, who)
    with unit_of_work() as after_commit:
        job = jobs.locked(download.job_id) or jobs.find(download.job_id)
        if job.state in jobs.ENDED:
            raise Conflict("This download has ended; there is nothing to set any more.")
        download = db.session.get_one(Download, download_id)
        before = download.options
        job.priority = wanted.get("priority", job.priority)
        download.options = {**download.options, **{k: wanted[k] for k in OPTIONS if k in wanted}}
        if _at_start(before) != _at_start(download.options):
            jobs.put_back(job)
        audit.note("download.change", download, **wanted)
        jobs.changed(after_commit, job)
        rate, own = download.options.get("rate"), transfers.own_limit(download.id)
        if own.exists():
            after_commit(lambda: transfers.write_limit(own, rate))
        after_commit(lambda: jobs.ring_held("download"))
        after_commit(lambda: jobs.ring_waiting("download"))
    return get(download_id, who)


def _at_start(options: dict[str, Any]) -> tuple[Any, bool]:
    """What a child is told only when it starts."""
    return options.get("connections"), bool(options.get("any_time"))


def move(download_id: str, body: DownloadMove, who: Identity) -> DownloadOut:
    """Move it within the queue: before another download, or to an end."""
    job_id = changeable(download_id, who).job_id
    before = ownership.seen(Download, body.before, who, missing(body.before)).job_id if body.before else None
    order.move(job_id, before=before, to=body.to)
    return get(download_id, who)


def changeable(download_id: str, who: Identity) -> Download:
    return ownership.changeable(Download, download_id, who, missing(download_id))


def delete(download_id: str, who: Identity) -> None:
    """Take an ended download off the list. The model it brought stays."""
    with unit_of_work() as after_commit:
        download = changeable(download_id, who)
        if download.job.state not in jobs.ENDED:
            raise Conflict("This download has not ended. Cancel it first.")
        answer, rooms = shape(download), ownership.audience(download)
        audit.note("download.delete", download)
        db.session.delete(download)
        db.session.flush()
        db.session.delete(download.job)
        after_commit(lambda: events.publish("/downloads", "deleted", answer, rooms, seq=answer.version + 1))
    forget_parts(download_id)


def _plan_key(plan: FetchPlan) -> str:
    names = sorted(file.path for file in plan.files)
    names += [plan.location] if plan.location == "external" else []
    return hashlib.sha256(json.dumps([plan.source, plan.ref, plan.commit, names]).encode()).hexdigest()


def _refuse_duplicate(plan: FetchPlan, key: str, who: Identity) -> None:
    """What somebody has for themselves is no reason: it would tell others that it is here."""
    other = db.session.scalar(
        select(Download)
        .join(Job)
        .where(ownership.visible(Download, who))
        .where(Download.plan_key == key, Job.state.in_(("queued", "running", "paused", "completed")))
        .order_by(Download.id.desc())
        .limit(1)
    )
    if other is None:
        return
    details: dict[str, Any] = {"download_id": other.id, "model_id": other.model_id}
    if other.job.state == "completed":
        if other.model_id is None or plan.location == "ollama":
            return  # it was deleted from the library since, or it is asked for as it is by now
        raise Conflict(f"{plan.ref} is already in the library at this commit.", details=details)
    raise Conflict(f"{plan.ref} is already on its way here (download {other.id}).", details=details)


def _under_way(key: str) -> Download | None:
    running = Download.plan_key == key, Job.state.in_(("queued", "running"))
    return db.session.scalar(select(Download).join(Job).where(*running).limit(1))


def _refuse_second_update(model_id: str) -> None:
    running = Download.update_of == model_id, Job.state.not_in(jobs.ENDED)
    if other := db.session.scalar(select(Download.id).join(Job).where(*running).limit(1)):
        raise Conflict(
            f"An update of this model is already under way (download {other}).",
            details={"download_id": other},
        )


def _failed_before(key: str, who: Identity) -> str | None:
    """One's own newest download of the same plan, if it failed."""
    same = Download.plan_key == key, Job.state == "failed", Download.user_id == who.user_id
    found = select(Download.id).join(Job).where(*same)
    return db.session.scalar(found.order_by(Download.id.desc()).limit(1))


def forget_parts(download_id: str) -> None:
    """Delete what has arrived of a download, and its child's files."""
    shutil.rmtree(settings().incoming_dir / download_id, ignore_errors=True)
    shutil.rmtree(settings().children_dir / f"download-{download_id}", ignore_errors=True)


def job_changed(after_commit: AfterCommit, job: Job) -> None:
    """The job of a download changed: its followers see the download, and room it needs no more is free."""
    if job.state != "running":
        room.give_up(job)
    download = db.session.scalar(select(Download).where(Download.job_id == job.id))
    if download is not None:
        rooms = ownership.audience(download)
        after_commit(lambda: events.publish("/downloads", "updated", shape(download), rooms))
