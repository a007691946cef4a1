"""Make the hub ready to start: `python -m api.prepare` migrates the database, makes the first administrator
and the local token, and prints one JSON line `{admin_email, admin_password}` (null when there was one).

Exit code 2 and one sentence on standard error when a setting or the database is wrong.
"""

import json
import os
import secrets
import sys
from pathlib import Path

from flask import Flask
from flask_migrate import Migrate, upgrade
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from api import create_app
from api.config import Settings, explain
from api.extensions import db
from api.services import accounts, deployments, store

MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"


def prepare(app: Flask) -> tuple[str, str | None] | None:
    """Bring the database to the newest version; the new administrator, if one was made."""
    settings: Settings = app.extensions["modelhub_settings"]
    with app.app_context():
        Migrate(app, db, render_as_batch=True)
        upgrade(directory=str(MIGRATIONS))
        made = accounts.create_first_admin(settings)
        store.link_what_was_here_before()
        deployments.come_back()
    _write_local_token(settings.home)
    return made


def _write_local_token(home: Path) -> None:
    """A fresh token for the owner of this machine; the file's mode is its protection."""
    draft = home / ".local-token.draft"
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write("mhl_" + secrets.token_urlsafe(32))
    draft.replace(home / "local-token")


def main() -> int:
    try:
        made = prepare(create_app(Settings(), serves=False))
    except ValidationError as error:
        print(explain(error), file=sys.stderr)
        return 2
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        print(
            f"The database cannot be used: {reason}. Check DATABASE_URL and the data directory.",
            file=sys.stderr,
        )
        return 2
    except OSError as error:
        print(f"The data directory cannot be used: {error.strerror}: {error.filename}.", file=sys.stderr)
        return 2
    email, password = made or (None, None)
    print(json.dumps({"admin_email": email, "admin_password": password}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
