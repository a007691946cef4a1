"""What beat asks for: put right what drifted, sweep what was left."""

from celery import shared_task

from api.services import housekeeping


@shared_task(name="tasks.housekeeping.reconcile")
def reconcile() -> None:
    """Compare what should be with what is."""
    housekeeping.reconcile()


@shared_task(name="tasks.housekeeping.sweep")
def sweep() -> None:
    """Remove what nobody owns any more."""
    housekeeping.sweep()


@shared_task(name="tasks.housekeeping.look_for_newer")
def look_for_newer() -> None:
    """Look for newer revisions of a few models."""
    housekeeping.look_for_newer()
