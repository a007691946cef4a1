"""A model answering: ask for it, start, stop, delete, read its log, and put right what drifted."""

import secrets
import time
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError as DuplicateRow

from api.errors import Conflict, Missing
from api.extensions import db, settings
from api.models import Deployment, Job
from api.schemas.base import Page, Sharing
from api.schemas.deployments import (
    DeploymentOut,
    DeploymentQuery,
    DeploymentRequest,
    LogPage,
    RuntimeList,
    RuntimeOut,
)
from api.security import audit, ownership
from api.security.authorise import Identity
from api.security.keys import vault
from api.services import events, jobs, library, quarantine
from api.services.paging import page
from api.unit_of_work import AfterCommit, exclusive, unit_of_work
from integrations import children
from integrations.runtimes import RUNTIMES

CRASH_WINDOW, CRASH_LIMIT = 600.0, 3
"""More than 3 unasked restarts in 10 minutes is a crash loop."""


def runtimes() -> RuntimeList:
    return RuntimeList(
        items=[
            RuntimeOut(name=r.name, title=r.title, options_schema=r.Options.model_json_schema())
            for r in RUNTIMES.values()
        ]
    )


def request(body: DeploymentRequest, who: Identity) -> DeploymentOut:
    """Check that this model can be served with these options, then put the start in the ledger."""
    runtime = RUNTIMES[body.runtime]
    options = runtime.Options.model_validate(body.options)
    model = library.seen(body.model_id, who)
    quarantine.refuse_held(model)
    # An offloaded model's files say which engine fits when they are back.
    engine = None if model.offloaded else runtime.choose_engine(library.directory(model), options)
    taken = Conflict(
        f"A deployment is already called '{body.name}'. Choose another name or delete that one.",
        details={"name": body.name},
    )
    try:
        with unit_of_work() as after_commit:
            if db.session.scalar(select(Deployment.id).where(Deployment.name == body.name)):
                raise taken
            deployment = Deployment(
                name=body.name,
                model_id=model.id,
                runtime=body.runtime,
                engine=engine,
                options=options.model_dump(mode="json", exclude_none=True),
                secret=vault().seal(secrets.token_urlsafe(24)),
                message="Waiting for a worker",
                user_id=who.owner_id,
            )
            ownership.share(deployment, body.visibility or settings().default_visibility, body.team_id, who)
            deployment.model = library.seen(body.model_id, who)
            db.session.add(deployment)
            db.session.flush()
            jobs.submit(after_commit, "deploy", deployment.id, user_id=who.owner_id, name=body.name)
            db.session.refresh(deployment, ["owner"])
            audit.note("deployment.create", deployment, model_id=model.id, runtime=body.runtime)
            answer, rooms = shape(deployment), ownership.audience(deployment)
            after_commit(lambda: events.publish("/deployments", "created", answer, rooms))
    except DuplicateRow:
        raise taken from None
    return answer


def shape(deployment: Deployment) -> DeploymentOut:
    made = ("model_name", "outdated")
    fields = {name: getattr(deployment, name) for name in DeploymentOut.model_fields if name not in made}
    runs, active = deployment.version_id, deployment.model.active_version_id
    outdated = deployment.status == "running" and runs is not None and runs != active
    return DeploymentOut(model_name=deployment.model.name, outdated=outdated, **fields)


def seen(deployment_id: str, who: Identity) -> Deployment:
    """The deployment, if `who` may see it and it is not being deleted."""
    return _there(ownership.seen(Deployment, deployment_id, who, _missing(deployment_id)))


def _changeable(deployment_id: str, who: Identity) -> Deployment:
    return _there(ownership.changeable(Deployment, deployment_id, who, _missing(deployment_id)))


def _there(deployment: Deployment) -> Deployment:
    if deployment.wanted == "deleted":
        raise Missing(_missing(deployment.id))
    return deployment


def _missing(deployment_id: str) -> str:
    return f"There is no deployment {deployment_id[:64]}. `modelhub ps` lists them."


def get(deployment_id: str, who: Identity) -> DeploymentOut:
    return shape(seen(deployment_id, who))


def list_deployments(query: DeploymentQuery, who: Identity) -> Page[DeploymentOut]:
    statement = select(Deployment).where(Deployment.wanted != "deleted", ownership.visible(Deployment, who))
    if query.status:
        statement = statement.where(Deployment.status == query.status)
    return page(statement, Deployment.id, limit=query.limit, after=query.after, shape=shape)


def share(deployment_id: str, body: Sharing, who: Identity) -> DeploymentOut:
    """Say who else sees a deployment and may ask it."""
    with unit_of_work() as after_commit:
        deployment = _changeable(deployment_id, who)
        before = ownership.audience(deployment)
        ownership.share(deployment, body.visibility, body.team_id, who)
        lost = sorted(set(before) - set(ownership.audience(deployment)))
        audit.note("deployment.share", deployment, visibility=body.visibility, team_id=body.team_id)
        if lost:
            after_commit(lambda: events.unsubscribe("/deployments", deployment_id, lost))
        changed(after_commit, deployment)
        return shape(deployment)


def start(deployment_id: str, who: Identity) -> DeploymentOut:
    """Start a stopped or failed deployment."""
    with unit_of_work() as after_commit:
        exclusive(f"deployment:{deployment_id}")
        deployment = _changeable(deployment_id, who)
        audit.note("deployment.start", deployment)
        quarantine.refuse_held(deployment.model)
        if deployment.wanted == "running" and deployment.status in ("running", "deploying"):
            raise Conflict(f"{deployment.name} is already {deployment.status}.")
        if _active_job(deployment.id):
            raise Conflict(f"{deployment.name} is still stopping. Try again in a moment.")
        deployment.wanted, deployment.restarts = "running", []
        _begin(after_commit, deployment, "Waiting for a worker")
        return shape(deployment)


def restart(deployment_id: str, who: Identity) -> DeploymentOut:
    """Stop and start again, with the options it has."""
    with unit_of_work() as after_commit:
        exclusive(f"deployment:{deployment_id}")
        deployment = _changeable(deployment_id, who)
        audit.note("deployment.restart", deployment)
        quarantine.refuse_held(deployment.model)
        if _active_job(deployment.id):
            raise Conflict(f"{deployment.name} is just {deployment.status}. Try again in a moment.")
        deployment.wanted, deployment.restarts = "running", []
        _begin(after_commit, deployment, "Restarting", {"fresh": True})
        return shape(deployment)


def stop(deployment_id: str, who: Identity) -> DeploymentOut:
    """End the serving process; the deployment and its logs stay."""
    return _end(deployment_id, "stopped", who)


def delete(deployment_id: str, who: Identity) -> None:
    """End the serving process and forget the deployment. Conversations with it stay readable."""
    _end(deployment_id, "deleted", who)


def logs(deployment_id: str, after: int, who: Identity) -> LogPage:
    lines, offset = children.read_log(child_directory(seen(deployment_id, who)), after)
    return LogPage(lines=lines, next=offset)


def child_directory(deployment: Deployment) -> Path:
    return settings().children_dir / f"deployment-{deployment.id}"


def reconcile() -> int:
    """Put right what drifted: a serving process that is gone is started again, up to a limit. How many."""
    wrong = 0
    rows = db.session.scalars(select(Deployment)).unique().all()
    for row in [row for row in rows if _drifted(row)]:
        wrong += 1
        with unit_of_work() as after_commit:
            exclusive(f"deployment:{row.id}")
            deployment = db.session.get(Deployment, row.id)
            if deployment is None or not _drifted(deployment):
                continue
            if deployment.wanted != "running":
                jobs.submit(after_commit, "undeploy", deployment.id, user_id=deployment.user_id)
                continue
            now = time.time()
            recent = [at for at in deployment.restarts if at > now - CRASH_WINDOW]
            if len(recent) >= CRASH_LIMIT:
                deployment.status, deployment.endpoint = "failed", None
                deployment.error = _crash_loop(deployment)
                changed(after_commit, deployment)
                continue
            deployment.restarts = [*recent, now]
            _begin(after_commit, deployment, "Its process is gone; starting it again")
    return wrong


def come_back() -> None:
    """At a start, before anybody asks: what ran and was wanted when the hub was stopped is started again.

    A server that outlived a crash is left alone.
    """
    wanted = Deployment.wanted == "running", Deployment.status == "running"
    for row in db.session.scalars(select(Deployment).where(*wanted)).unique().all():
        if _drifted(row):
            with unit_of_work() as after_commit:
                deployment = db.session.get_one(Deployment, row.id)
                deployment.endpoint = deployment.child = None
                _begin(after_commit, deployment, "The hub was stopped; starting again")


def job_changed(after_commit: AfterCommit, job: Job) -> None:
    """A start that was cancelled in the ledger is a deployment that is stopped."""
    if job.state != "cancelled":
        return
    deployment = db.session.get(Deployment, job.object_id)
    if deployment is not None and deployment.status == "deploying" and deployment.wanted == "running":
        deployment.wanted = "stopped"
        jobs.submit(after_commit, "undeploy", deployment.id, user_id=deployment.user_id)


def _end(deployment_id: str, wanted: str, who: Identity) -> DeploymentOut:
    with unit_of_work() as after_commit:
        exclusive(f"deployment:{deployment_id}")
        deployment = _changeable(deployment_id, who)
        if wanted == "stopped" and deployment.wanted == "stopped":
            return shape(deployment)
        audit.note("deployment.delete" if wanted == "deleted" else "deployment.stop", deployment)
        deployment.wanted, deployment.message = wanted, "Stopping"
        if not _active_job(deployment.id):
            jobs.submit(after_commit, "undeploy", deployment.id, user_id=deployment.user_id)
        changed(after_commit, deployment)
        return shape(deployment)


def _begin(
    after_commit: AfterCommit, deployment: Deployment, message: str, params: dict[str, Any] | None = None
) -> None:
    deployment.status, deployment.error, deployment.message = "deploying", None, message
    owner, name = deployment.user_id, deployment.name
    jobs.submit(after_commit, "deploy", deployment.id, params, user_id=owner, name=name)
    changed(after_commit, deployment)


def _active_job(deployment_id: str) -> bool:
    return bool(
        db.session.scalar(
            select(Job.id)
            .where(Job.object_id == deployment_id, Job.state.in_(("queued", "running")))
            .limit(1)
        )
    )


def _drifted(deployment: Deployment) -> bool:
    """What is and what is wanted differ, and nobody is at work on it."""
    if _active_job(deployment.id):
        return False
    if deployment.wanted == "running":
        if deployment.status == "failed":
            return False
        return deployment.status == "deploying" or children.adopt(child_directory(deployment)) is None
    return deployment.wanted == "deleted" or deployment.status != "stopped"


def changed(after_commit: AfterCommit, deployment: Deployment, type: str = "updated") -> None:
    deployment.version += 1
    answer, rooms = shape(deployment), ownership.audience(deployment)
    after_commit(lambda: events.publish("/deployments", type, answer, rooms))


def _crash_loop(deployment: Deployment) -> dict[str, Any]:
    return {
        "code": "CRASH_LOOP",
        "message": f"The inference server ended {CRASH_LIMIT} times within 10 minutes and is left alone now. "
        "Read its log, then start it again.",
        "details": {"log": children.tail_log(child_directory(deployment))},
    }
