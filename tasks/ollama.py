"""The Ollama server."""

from celery import shared_task

from api.services import ollama_making


@shared_task(name="tasks.ollama.create")
def create(job_id: str) -> None:
    """Make one model there of the library's files."""
    ollama_making.run(job_id)
