"""Verify the audit log without a running hub: `python -m api.verify_audit`, which `modelhub audit verify
--local` runs on the hub's own machine. Prints one JSON line `{ok, entries, first_bad, reason}`.

Exit code 0 when the log is whole, 1 when it is not, 2 and one sentence when it cannot be read at all.
"""

import sys

from pydantic import ValidationError
from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from api import create_app
from api.config import Settings, explain
from api.errors import AppError
from api.extensions import db
from api.models import AuditEntry
from api.services import audit


def main() -> int:
    try:
        settings = Settings()
    except ValidationError as error:
        return _cannot(explain(error))
    # Building the application would make a new key, with which no entry fits.
    if not (settings.home / "audit.key").is_file():
        return _cannot(
            f"There is no audit.key in {settings.home}. Name the hub's data directory with --home."
        )
    try:
        with create_app(settings, serves=False).app_context():
            if not inspect(db.engine).has_table(AuditEntry.__tablename__):
                return _cannot("The database has no audit log. Check DATABASE_URL and the data directory.")
            verdict = audit.verify()
    except (SQLAlchemyError, OSError, AppError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        return _cannot(f"The audit log cannot be read: {reason}. Check DATABASE_URL and the data directory.")
    print(verdict.model_dump_json())
    return 0 if verdict.ok else 1


def _cannot(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
