"""/deployments: every deployment, live, and the log of one from an offset on."""

from typing import Any

from flask import current_app, request

from api.extensions import db, socketio
from api.schemas.deployments import DeploymentQuery
from api.security.authorise import Identity
from api.services import deployments
from api.websockets.base import LiveNamespace, Subscribe

LOG_BEAT = 0.5
"""Seconds between two looks at a log that somebody follows."""


class DeploymentsNamespace(LiveNamespace):
    permission = "deployments.read"

    def snapshot(self, wanted: Subscribe, identity: Identity) -> tuple[Any, int]:
        if wanted.id == "*":
            return deployments.list_deployments(DeploymentQuery(limit=200), identity).items, 0
        found = deployments.get(wanted.id, identity)
        return found, found.version

    def subscribed(self, wanted: Subscribe, identity: Identity) -> None:
        if wanted.logs and wanted.id != "*":
            app = current_app._get_current_object()  # type: ignore[attr-defined]
            socketio.start_background_task(self._follow, app, request.sid, wanted, identity)  # type: ignore[attr-defined]

    def _follow(self, app: Any, sid: str, wanted: Subscribe, identity: Identity) -> None:
        """Send log lines to one client while it stays in the deployment's room."""
        id, offset = wanted.id, wanted.after
        while self.is_following(sid, id):
            with app.app_context():
                try:
                    page = deployments.logs(id, offset, identity)
                except Exception:
                    return
                finally:
                    db.session.remove()
            if page.lines:
                event = {"id": id, "seq": page.next, "type": "log", "data": {"lines": page.lines}}
                socketio.emit("event", event, namespace=self.namespace, to=sid)
            offset = page.next
            if not page.lines:
                socketio.sleep(LOG_BEAT)
