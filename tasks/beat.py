"""The entry point of beat: `celery -A tasks.beat beat`. It sends only names and loads nothing else."""

import logging

from celery import Celery

from api.broker import celery_options
from api.config import Settings

SCHEDULE = {
    "reconcile": {"task": "tasks.housekeeping.reconcile", "schedule": 3.0, "options": {"expires": 10}},
    "newer": {"task": "tasks.housekeeping.look_for_newer", "schedule": 60.0, "options": {"expires": 50}},
    "sweep": {"task": "tasks.housekeeping.sweep", "schedule": 600.0, "options": {"expires": 300}},
}

celery = Celery("modelhub")
celery.conf.update(celery_options(Settings()), beat_schedule=SCHEDULE)
logging.getLogger("celery.beat").setLevel(logging.WARNING)  # a line every three seconds says nothing
