"""Sockets end with what they rest on: a session, an API key, a role, a membership.

Whatever changes one of those leaves an entry in the audit log, in the same transaction. Once a second each
web process looks for such entries, whichever process wrote them, and looks again at who is connected; twice
a minute it does so anyway, since sessions and keys also end by themselves. Who lost something is
disconnected and may come back with what is left. The same beat writes down which API keys were used.
"""

import time

import structlog
from flask import Flask
from sqlalchemy import func, select

from api.errors import Unauthenticated
from api.extensions import db, socketio
from api.models import AuditEntry
from api.security.authorise import forget, look_again
from api.services import api_keys
from api.websockets.connected import connected

log = structlog.get_logger(__name__)

BEAT = 1.0
EVERYBODY = 30.0
ACCESS = ("user", "session", "api_key", "role", "team", "invite")
"""Types of objects in the audit log on which somebody's access rests."""


def begin(app: Flask) -> None:
    """Watch for as long as this web process lives."""
    socketio.start_background_task(_watch, app)


def _watch(app: Flask) -> None:
    seen, looked = -1, 0.0
    while True:
        socketio.sleep(BEAT)
        try:
            with app.app_context():
                api_keys.flush()
                if not connected:
                    seen = -1
                    continue
                newest, touched = _changes(seen)
                if touched or seen < 0 or time.monotonic() - looked > EVERYBODY:
                    looked = time.monotonic()
                    forget()
                    _look_at_all()
                seen = newest
        except Exception:
            log.exception("sockets could not be checked; trying again")


def _changes(seen: int) -> tuple[int, bool]:
    """The newest entry of the audit log, and whether one after `seen` is about somebody's access."""
    try:
        newest = db.session.scalar(select(func.max(AuditEntry.seq))) or 0
        if newest <= seen:
            return newest, False
        access = AuditEntry.object_type.in_(ACCESS)
        about = select(AuditEntry.seq).where(AuditEntry.seq > seen, access).limit(1)
        return newest, db.session.scalar(about) is not None
    finally:
        db.session.remove()


def _look_at_all() -> None:
    for (namespace, sid), identity in list(connected.items()):
        try:
            now = look_again(identity)
        except Unauthenticated:
            now = None
        finally:
            db.session.remove()
        if now != identity:
            # Rooms were joined with what it could see then; it comes back and joins anew.
            connected.pop((namespace, sid), None)
            socketio.server.disconnect(sid, namespace=namespace)
        socketio.sleep(0)
