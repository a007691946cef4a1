"""The worker's part of a download: fetch in a child, prove, put on the shelf.

A child fetches into `incoming/<id>` ─▶ another looks at the files (`intake`) ─▶ one rename to `models/<id>`
─▶ every file a link to its blob ─▶ version, references, model and the job's end in one commit. Each step may
be repeated: after a crash anywhere it goes on here.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api.errors import describe
from api.extensions import db, settings
from api.models import Download, HubModel, Job, ModelVersion
from api.services import intake, jobs, library, mirror, ollama, store, transfers, verify, work
from api.services.downloads import forget_parts
from api.unit_of_work import AfterCommit, unit_of_work
from integrations import children
from integrations.errors import OutOfSpace
from integrations.sources import SOURCES
from integrations.sources.base import FetchPlan

ENDS = {"pause": "paused", "put_back": "queued", "cancel": "cancelled"}
"""What was wanted of a running download, and the state that obeys it."""

NOTHING_FOUND: dict[str, Any] = {"held": [], "warnings": [], "remote_code": []}


def run(job_id: str) -> None:
    """Carry one download out; safe to be called any number of times, by any worker, after any crash."""
    held = jobs.claim(job_id, work.OWNER)
    if held is None:
        return
    download = db.session.scalar(select(Download).where(Download.job_id == job_id))
    if download is None:
        jobs.finish(held, "cancelled")
        return
    try:
        _carry_out(held, download)
    except jobs.StaleFence:
        return  # somebody else has it; our hands off
    except Exception as error:
        jobs.finish(held, "failed", error=describe(error))
        if describe(error)["code"] == "INTERNAL":
            raise


def _carry_out(held: jobs.Claim, download: Download) -> None:
    plan = FetchPlan.model_validate(download.plan)
    directory = settings().children_dir / f"download-{download.id}"
    into = settings().incoming_dir / download.id
    shelf = settings().models_dir / download.id
    if not shelf.exists() and not _fetched(held, download, plan, directory, into):
        return
    found = NOTHING_FOUND
    if plan.location != "ollama":
        ours = plan.location == "local"
        where = (shelf if shelf.exists() else into) if ours else Path(plan.path or "")
        looked = intake.checked(held, download, where, ours=ours)
        if looked is None:
            return
        found = looked
        if ours:
            intake.set_aside(download.id, found, where)
    if plan.location == "local" and not shelf.exists():
        jobs.renew(held)
        _promote(into, shelf)
    _shelve(held, download, plan, children.last_event(directory) or {}, found)
    shutil.rmtree(directory, ignore_errors=True)
    shutil.rmtree(intake.child_directory(download.id), ignore_errors=True)
    if plan.given:
        shutil.rmtree(plan.given, ignore_errors=True)


def _fetched(held: jobs.Claim, download: Download, plan: FetchPlan, directory: Path, into: Path) -> bool:
    """Let a child do it. False when it is not done: the job has been ended, paused or handed over."""
    here: dict[str, str] = {}
    if plan.location == "local":
        into.mkdir(mode=0o700, exist_ok=True)
        here = _already_here(download, plan, into)
    spec = {
        "job_id": download.job_id,
        "plan": _without(plan, here),
        "already": sum(file.size or 0 for file in plan.files if file.path in here),
        "into": str(into),
        "options": {
            "connections": transfers.connections_of(download),
            "disk_reserve": settings().disk_reserve,
            "xet_bytes": settings().xet_bytes,
            "speed": transfers.speed_of(download),
        },
    }
    module, environment = SOURCES[plan.source].child_module, _environment(plan.source)
    outcome = work.follow(held, directory, lambda: children.start(directory, module, spec, environment))
    if outcome.kind == "error":
        said = {key: outcome.event[key] for key in ("code", "message", "details")}
        # A full disk is nobody's failure: what has arrived stays, and it goes on when there is room.
        jobs.finish(held, "paused" if said["code"] == OutOfSpace.code else "failed", error=said)
    elif outcome.kind in ENDS and jobs.finish(held, ENDS[outcome.kind]) == "cancelled":
        forget_parts(download.id)
    return outcome.kind == "result"


def _promote(into: Path, shelf: Path) -> None:
    """Proven files become a model by one rename."""
    shutil.rmtree(into / ".transfer", ignore_errors=True)
    into.rename(shelf)
    fd = os.open(shelf.parent, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _shelve(
    held: jobs.Claim, download: Download, plan: FetchPlan, result: dict[str, Any], found: dict[str, Any]
) -> None:
    version = _version(download, plan, result)
    proven = {file.path: file.sha256 for file in plan.files}
    proven |= {file["path"]: file["sha256"] for file in result.get("files", [])}
    proven |= download.plan.get("here") or {}
    if plan.location != "ollama":
        intake.describe(version, found)
    if plan.location == "local":
        store.keep(library.directory(version), version.files)
    model = HubModel(
        id=download.update_of or version.id,
        name=plan.name or download.ref,
        source=download.source,
        ref=download.ref,
        user_id=download.user_id,
        visibility=download.visibility,
        team_id=download.team_id,
    )
    git = {file.path: file.git_sha1 for file in plan.files if file.git_sha1}
    download_id, size = download.id, version.size
    shelf = settings().models_dir / download.id

    def also(after_commit: AfterCommit, _job: Job) -> None:
        if plan.location == "local":
            verify.heal(version.files)
        if again := verify.twin(download.update_of, version) or mirror.merge(download, version):
            # Brought only to make it whole: the version that is there already is the one.
            store.record(again, git)
            added = db.session.get_one(HubModel, again.model_id)
            after_commit(lambda: library.remove_folders(shelf))
        else:
            added = library.add(after_commit, version, model)
            if plan.location == "local":
                store.record(db.session.get_one(ModelVersion, version.id), git)
            intake.record(added, version, found, proven)
        if plan.location == "ollama":
            ollama.renewed(added)
        if row := db.session.get(Download, download_id):
            row.model_id = added.id

    jobs.finish(
        held, "completed", also=also, progress={"bytes_done": size, "bytes_total": size, "message": ""}
    )


def _version(download: Download, plan: FetchPlan, result: dict[str, Any]) -> ModelVersion:
    """What was brought, described; `result` is the child's last word."""
    if plan.location == "ollama":
        facts = {"path": "", "revision": plan.revision, "commit": plan.commit, "files": [], "warnings": []}
        return ModelVersion(
            id=download.id, location="ollama", remote_code=[], picked=_picked(download),
            **facts | (result.get("facts") or {}),
        )  # fmt: skip
    proven = {file["path"]: file["sha256"] for file in result.get("files", [])}
    proven = (download.plan.get("here") or {}) | proven
    where = Path(plan.path or "") if plan.location == "external" else settings().models_dir / download.id
    version = library.describe_directory(where, download.plan, proven)
    version.id, version.location, version.picked = download.id, plan.location, _picked(download)
    if plan.location == "external":
        version.path = str(where)
        taken = {file.path for file in plan.files}  # whatever else lies in that folder
        version.files = [file for file in version.files if file["path"] in taken]
        version.size = sum(int(file["size"] or 0) for file in version.files)
    return version


def _picked(download: Download) -> dict[str, Any]:
    """What of the source's files was wanted: an update wants the same."""
    picked: dict[str, Any] = download.plan.get("picked") or {}
    return picked


def _already_here(download: Download, plan: FetchPlan, into: Path) -> dict[str, str]:
    """Path → SHA-256 of what need not be fetched, linked into `into`.

    Decided once: what has arrived of the rest is remembered for exactly that rest.
    """
    here: dict[str, str] | None = download.plan.get("here")
    if here is None or not all((into / path).is_file() for path in here):
        here = store.known(plan.files)
        store.place(into, here)
        with unit_of_work():
            row = db.session.get_one(Download, download.id)
            row.plan = {**row.plan, "here": here}
        db.session.refresh(download)
    return here


def _without(plan: FetchPlan, here: dict[str, str]) -> dict[str, Any]:
    """The plan less what need not be fetched, since the same content is in the store."""
    files = [file for file in plan.files if file.path not in here]
    rest = plan.model_copy(update={"files": files, "bytes_total": sum(file.size or 0 for file in files)})
    return rest.model_dump(mode="json")


def _environment(source: str) -> dict[str, str]:
    """What a fetching child of this source may know beyond its spec."""
    chosen = settings()
    if source == "huggingface":
        return {"HF_ENDPOINT": chosen.hf_endpoint} | (
            {"HF_TOKEN": chosen.hf_token} if chosen.hf_token else {}
        )
    if source in ("url", "folder", "upload"):
        return chosen.permitted.as_environment()
    return {"OLLAMA_HOST": chosen.ollama_host} if source == "ollama" else {}
