"""Where the bytes are: the object storage, and whether they are right."""

from celery import shared_task

from api.services import remote, verify


@shared_task(name="tasks.storage.run")
def run(job_id: str) -> None:
    """Move contents to the object storage, back, or out of it."""
    remote.run(job_id)


@shared_task(name="tasks.storage.verify")
def verify_files(job_id: str) -> None:
    """Hash what is in the library again."""
    verify.run(job_id)
