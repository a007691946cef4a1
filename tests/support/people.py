"""Users with a role and a session, and a client that speaks as one of them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask

from api.extensions import db
from api.models import AuditEntry, User, UserSession
from api.models.base import new_id, utcnow
from api.security.tokens import issue_access
from api.unit_of_work import unit_of_work


@dataclass
class Person:
    """Calls `/api/v1` with a Bearer; each answers Flask's response."""

    app: Flask
    token: str
    id: str = ""
    email: str = ""

    def call(self, method: str, path: str, json: Any = None, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        body = {"json": json} if json is not None else {}
        # A context of its own, as in production: what the test has loaded is not what the request sees.
        with self.app.app_context():
            return self.app.test_client().open(
                f"/api/v1/{path}", method=method, headers=headers, **body, **options
            )

    def get(self, path: str, **options: Any) -> Any:
        return self.call("GET", path, **options)

    def post(self, path: str, json: Any = None) -> Any:
        return self.call("POST", path, json if json is not None else {})

    def patch(self, path: str, json: Any) -> Any:
        return self.call("PATCH", path, json)

    def put(self, path: str, json: Any) -> Any:
        return self.call("PUT", path, json)

    def delete(self, path: str) -> Any:
        return self.call("DELETE", path)

    def made(self, path: str, json: Any = None) -> Any:
        """The `data` of a POST that must succeed."""
        answer = self.post(path, json)
        assert answer.status_code in (200, 201, 202), answer.get_json()
        return answer.get_json()["data"]

    def data(self, path: str, **options: Any) -> Any:
        answer = self.get(path, **options)
        assert answer.status_code == 200, answer.get_json()
        return answer.get_json()["data"]


def user(app: Flask, name: str, role: str = "user", **columns: Any) -> Person:
    """A new user with a session that began now."""
    email = f"{name}@example.org"
    with app.app_context():
        with unit_of_work():
            row = User(email=email, name=name, role=role, **columns)
            db.session.add(row)
            db.session.flush()
            session = UserSession(
                id=new_id(), user_id=row.id, last_seen_at=utcnow(), expires_at=utcnow() + timedelta(days=7)
            )
            db.session.add(session)
        return Person(app, issue_access(row.id, session.id), row.id, email)


def owner(app: Flask) -> Person:
    """Who started the hub, by the local token: the first administrator."""
    home = app.extensions["modelhub_settings"].home
    with app.app_context():
        found = User.query.filter_by(role="admin").order_by(User.id).first()
        return Person(app, (home / "local-token").read_text(), found.id, found.email)


def audit_log() -> list[AuditEntry]:
    """The whole audit log as it is now, oldest first."""
    db.session.rollback()
    return list(AuditEntry.query.order_by(AuditEntry.seq).populate_existing().all())
