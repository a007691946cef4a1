"""Conversations."""

from celery import shared_task

from api.services import generations


@shared_task(name="tasks.chat.resume")
def resume(job_id: str) -> None:
    """Go on with an answer whose writer has died."""
    generations.resume(job_id)
