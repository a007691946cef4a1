"""One row per request through `/v1`, written in groups.

While one group is being committed the next gathers, so 200 answers that end together cost a handful of
commits; an answer that ends alone is written at once.
"""

import threading
import time
from datetime import datetime
from typing import Any

import structlog
from flask import Flask, current_app
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from api.extensions import db
from api.models import Completion
from api.models.base import new_id, utcnow
from api.unit_of_work import unit_of_work

log = structlog.get_logger(__name__)

PATIENCE = 2.0
"""Seconds the end of an answer waits for its record. Then it goes out, and the record follows when it can."""
KEEP_AT_MOST = 50_000
"""Records that wait for a database that is away; older ones are given up beyond that."""

Row = dict[str, Any]
_TABLE = Completion.__table__


class Receipt:
    """What one request costs, measured from its making."""

    def __init__(self, user_id: str | None, deployment_id: str, model: str, stream: bool) -> None:
        self._fields = {"user_id": user_id, "deployment_id": deployment_id, "model": model, "stream": stream}
        self._created: datetime = utcnow()
        self._began = time.monotonic()
        self._ttft: int | None = None

    def spoke(self) -> None:
        """The first token is here."""
        self._ttft = self._since()

    def row(self, status: str, finish_reason: Any = None, usage: dict[str, int] | None = None) -> Row:
        usage = usage or {}
        return {
            **self._fields,
            "id": new_id(),
            "created_at": self._created,
            "status": status,
            "finish_reason": finish_reason[:50] if isinstance(finish_reason, str) else None,
            "prompt_tokens": usage.get("prompt_tokens"),
            "completion_tokens": usage.get("completion_tokens"),
            "ttft_ms": self._ttft,
            "duration_ms": self._since(),
        }

    def _since(self) -> int:
        return round((time.monotonic() - self._began) * 1000)


class Group:
    """Rows that are committed together, and the news that they are."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.written = threading.Event()


class Recorder:
    """Gathers rows and commits them in groups, in a thread of its own."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._gathering = Group()
        self._writing = False

    def record(self, row: Row, *, wait: bool = False) -> None:
        """Write `row` soon; with `wait`, return when it is committed or patience ends."""
        with self._lock:
            group = self._gathering
            group.rows.append(row)
            start, self._writing = not self._writing, True
        if start:
            threading.Thread(target=self._write, name="completions", daemon=True).start()
        if wait:
            group.written.wait(PATIENCE)

    def _write(self) -> None:
        while True:
            with self._lock:
                group, self._gathering = self._gathering, Group()
                if not group.rows:
                    self._writing = False
                    return
            self._keep_trying(group)
            group.written.set()

    def _keep_trying(self, group: Group) -> None:
        pause = 0.5
        while True:
            try:
                return self._commit(group.rows)
            except Exception:
                log.warning(
                    "completions cannot be recorded; trying again", rows=len(group.rows), exc_info=True
                )
            time.sleep(pause)
            pause = min(pause * 2, 30)
            with self._lock:
                del self._gathering.rows[:-KEEP_AT_MOST]

    def _commit(self, rows: list[Row]) -> None:
        with self._app.app_context():
            try:
                with unit_of_work():
                    db.session.execute(insert(_TABLE), rows)
            except IntegrityError:
                # A user was deleted while they were served.
                with unit_of_work():
                    db.session.execute(insert(_TABLE), [{**row, "user_id": None} for row in rows])
            finally:
                db.session.remove()


def recorder() -> Recorder:
    """The recorder of the running application."""
    extensions = current_app.extensions
    if "modelhub_recorder" not in extensions:
        extensions["modelhub_recorder"] = Recorder(current_app._get_current_object())  # type: ignore[attr-defined]
    found: Recorder = extensions["modelhub_recorder"]
    return found
