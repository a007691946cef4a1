"""The worker's entry point: `celery -A tasks.worker worker`."""

import logging
import time
from typing import Any

import structlog
from celery import Task, signals

from api import create_app
from api.extensions import celery, db
from api.services import jobs, system, work

log = structlog.get_logger(__name__)
app = create_app(serves=False)


class AppTask(Task):  # type: ignore[misc]
    """Every task runs inside the application, and leaves no database session behind in its thread."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with app.app_context():
            try:
                return self.run(*args, **kwargs)
            finally:
                db.session.remove()


celery.Task = AppTask
# One line per heartbeat would hide what matters; failures are still logged.
for name in ("celery.worker.strategy", "celery.app.trace"):
    logging.getLogger(name).setLevel(logging.WARNING)
celery.conf.imports = (
    "tasks.downloads",
    "tasks.deployments",
    "tasks.chat",
    "tasks.storage",
    "tasks.ollama",
    "tasks.housekeeping",
)


@signals.worker_ready.connect
def _on_ready(**_: Any) -> None:
    """A fresh worker looks at once for work that waited while nobody was there."""
    with app.app_context():
        try:
            system.beat("worker")
            jobs.reconcile(patience=0)
        except Exception:
            log.warning("the first look into the ledger failed; beat will look again", exc_info=True)
        finally:
            db.session.remove()


@signals.worker_shutting_down.connect
def _on_shutdown(**_: Any) -> None:
    """Let go of the children (they live on) and hand the jobs back, so that nobody waits for their leases."""
    work.stopping.set()
    with app.app_context():
        time.sleep(2 * work.BEAT)  # followers notice and leave first
        try:
            jobs.give_back(work.OWNER)
            system.forget_heartbeats()
        except Exception:
            log.warning("could not hand jobs back; their leases will run out", exc_info=True)
        finally:
            db.session.remove()
