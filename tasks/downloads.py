"""Downloads."""

from celery import shared_task

from api.services import fetching


@shared_task(name="tasks.downloads.run")
def run(job_id: str) -> None:
    """Carry out one download."""
    fetching.run(job_id)
