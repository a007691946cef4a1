"""The object storage."""

from celery import shared_task

from api.services import remote


@shared_task(name="tasks.storage.run")
def run(job_id: str) -> None:
    """Move contents to the object storage, back, or out of it."""
    remote.run(job_id)
