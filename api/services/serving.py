"""The worker's part of a deployment: start the server, wait until it really speaks, take it down."""

import shutil
import time
from typing import Any

from sqlalchemy import select

from api.errors import AppError, describe
from api.extensions import db, settings
from api.models import Deployment, Job, ModelVersion
from api.security.keys import vault
from api.services import jobs, library, quarantine, remote, work
from api.services.deployments import changed, child_directory
from api.unit_of_work import AfterCommit, unit_of_work
from integrations import children
from integrations.children import Child
from integrations.errors import ChildFailed, IntegrationError, Unreachable
from integrations.runtimes import RUNTIMES


def deploy(job_id: str) -> None:
    """Bring a deployment up; safe to be called again after any crash."""
    held = jobs.claim(job_id, work.OWNER)
    if held is None:
        return
    deployment = db.session.get(Deployment, jobs.find(job_id).object_id)
    if deployment is None or deployment.wanted != "running":
        jobs.finish(held, "cancelled")
        return
    try:
        child = _bring_up(held, deployment, fresh=bool(jobs.find(job_id).params.get("fresh")))
    except jobs.StaleFence:
        return
    except Exception as error:
        _failed(held, deployment, error)
        if describe(error)["code"] == "INTERNAL":
            raise
        return
    if child == "handed_over":
        return
    _settled(held, deployment.id, child)


def undeploy(job_id: str) -> None:
    """Take a deployment down to what is wanted: stopped, or gone."""
    held = jobs.claim(job_id, work.OWNER)
    if held is None:
        return
    deployment_id = jobs.find(job_id).object_id or ""
    deployment = db.session.get(Deployment, deployment_id)
    if deployment is None:
        jobs.finish(held, "completed")
        return
    directory = child_directory(deployment)
    child = children.adopt(directory)
    if child:
        child.stop(5)

    def also(after_commit: AfterCommit, _job: Job) -> None:
        row = db.session.get(Deployment, deployment_id)
        if row is None:
            return
        row.status, row.endpoint, row.child, row.message, row.error = "stopped", None, None, "", None
        if row.wanted == "deleted":
            changed(after_commit, row, "deleted")
            db.session.delete(row)
            after_commit(lambda: shutil.rmtree(directory, ignore_errors=True))
        else:
            changed(after_commit, row)

    jobs.finish(held, "completed", also=also)


def _bring_up(held: jobs.Claim, deployment: Deployment, *, fresh: bool) -> Child | str:
    """Start (or adopt) the server and wait until it has generated one token."""
    runtime = RUNTIMES[deployment.runtime]
    directory = child_directory(deployment)
    child = children.adopt(directory)
    api_key = vault().open(deployment.secret or "")
    if child and fresh and jobs.find(held.job_id).attempt == 1:
        child.stop(5)
        child = None
    if child is None:
        quarantine.refuse_held(deployment.model)  # it may have become so since it was asked for
        version = db.session.get_one(ModelVersion, deployment.model.active_version_id or deployment.model_id)
        if version.offloaded:
            _note(deployment.id, message="Fetching from the object storage")
            if not remote.bring_back(held, version):
                return "handed_over"
            deployment = db.session.get_one(Deployment, deployment.id)
        launch = runtime.prepare(
            library.directory(version),
            deployment.name,
            runtime.Options.model_validate(deployment.options),
            api_key,
        )
        spec = {"job_id": deployment.id, **launch.spec}
        child = children.start(directory, launch.module, spec, {"HF_HUB_OFFLINE": "1"} | launch.secrets)
        endpoint, engine = launch.endpoint, launch.engine
        _note(
            deployment.id,
            endpoint=endpoint,
            engine=engine,
            version_id=version.id,
            child=child.identity(),
            message="Loading the model",
        )
    else:
        endpoint = deployment.endpoint or ""
    deadline = time.monotonic() + settings().deploy_timeout
    while True:
        said = children.last_event(directory)
        if said and said["type"] == "error":
            child.wait(2)
            raise _ChildSaid(said)
        if not child.alive:
            raise ChildFailed(
                "The inference server ended before it was ready. Its last lines: "
                + " / ".join(children.tail_log(directory, 3)),
                details={"log": children.tail_log(directory)},
            )
        if jobs.renew(held) != "run" or _wanted(deployment.id) != "running":
            child.stop(5)
            return "cancelled"
        try:
            runtime.ready(endpoint, api_key, deployment.name)
            return child
        except Unreachable:
            pass  # still loading
        if time.monotonic() > deadline:
            child.stop(5)
            raise ChildFailed(
                f"The model did not answer within {settings().deploy_timeout:.0f} s "
                "(MODELHUB_DEPLOY_TIMEOUT). Its last lines: " + " / ".join(children.tail_log(directory, 3)),
                details={"log": children.tail_log(directory)},
            )
        if work.stopping.wait(0.25):
            return "handed_over"


class _ChildSaid(AppError):
    """An error in the child's own words."""

    def __init__(self, event: dict[str, Any]) -> None:
        super().__init__(event["message"], details=event.get("details") or {})
        self.code = event["code"]


def _settled(held: jobs.Claim, deployment_id: str, child: Child | str) -> None:
    def also(after_commit: AfterCommit, _job: Job) -> None:
        row = db.session.get(Deployment, deployment_id)
        if row is None:
            return
        if isinstance(child, Child):
            row.status, row.message, row.error, row.child = "running", "", None, child.identity()
        else:
            row.status, row.endpoint, row.child, row.message = "stopped", None, None, ""
            if row.wanted == "deleted":
                jobs.submit(after_commit, "undeploy", row.id, user_id=row.user_id)
        changed(after_commit, row)

    jobs.finish(held, "completed", also=also)


def _failed(held: jobs.Claim, deployment: Deployment, error: Exception) -> None:
    said = describe(error)
    if isinstance(error, IntegrationError | _ChildSaid):
        said["details"].setdefault("log", children.tail_log(child_directory(deployment)))
    deployment_id = deployment.id

    def also(after_commit: AfterCommit, _job: Job) -> None:
        row = db.session.get(Deployment, deployment_id)
        if row is not None:
            row.status, row.error, row.endpoint, row.child, row.message = "failed", said, None, None, ""
            changed(after_commit, row)

    jobs.finish(held, "failed", error=said, also=also)


def _wanted(deployment_id: str) -> str:
    wanted = db.session.scalar(select(Deployment.wanted).where(Deployment.id == deployment_id))
    db.session.rollback()
    return wanted or "deleted"


def _note(deployment_id: str, **fields: Any) -> None:
    with unit_of_work() as after_commit:
        row = db.session.get(Deployment, deployment_id)
        if row is not None:
            for name, value in fields.items():
                setattr(row, name, value)
            changed(after_commit, row)
