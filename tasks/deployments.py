"""Deployments."""

from celery import shared_task

from api.services import serving


@shared_task(name="tasks.deployments.deploy")
def deploy(job_id: str) -> None:
    """Bring one deployment up."""
    serving.deploy(job_id)


@shared_task(name="tasks.deployments.undeploy")
def undeploy(job_id: str) -> None:
    """Take one deployment down."""
    serving.undeploy(job_id)
