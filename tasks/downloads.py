"""Downloads."""

from celery import shared_task

from api.services import downloads


@shared_task(name="tasks.downloads.run")
def run(job_id: str) -> None:
    """Carry out one download."""
    downloads.run(job_id)
