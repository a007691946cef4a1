"""Change the key that seals and signs: `python -m api.secrets rotate [--keep]|status`, which `modelhub
secrets` runs on the hub's own machine. Prints one JSON line. The hub may run meanwhile.

A rotation adds a key, seals every stored secret anew, row by row, and then drops the old keys. Both keys are
in the file until no row needs the old one, so it may be killed at any moment and run again: it goes on where
it was. Exit code 2 and one sentence when a setting, the key file or the database is wrong.
"""

import argparse
import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Column, select, update
from sqlalchemy.exc import SQLAlchemyError

from api import create_app
from api.config import Settings, explain
from api.errors import AppError
from api.extensions import db, settings
from api.models import Deployment
from api.security import audit
from api.security.keys import FILE, keyring, new_key, until_commit, vault
from api.security.tokens import ACCESS_SECONDS
from api.unit_of_work import unit_of_work

SEALED: tuple[tuple[Any, str], ...] = ((Deployment, "secret"),)
"""Every column that `vault()` has sealed: (table, attribute)."""

BATCH = 50
"""Rows sealed anew in one transaction; other writers get their turn in between."""


def status() -> dict[str, Any]:
    """`{keys, rows: [under the newest key, …], unreadable: ["table id", …]}`."""
    rows, unreadable = [0] * len(keyring().keys), []
    for column in _columns():
        for id, sealed in _after(column, "", None):
            number = vault().key_of(sealed)
            if number is None:
                unreadable.append(f"{column.table.name} {id}")
            else:
                rows[number] += 1
    db.session.rollback()
    return {"keys": len(rows), "rows": rows, "unreadable": unreadable}


def rotate(*, keep: bool = False) -> dict[str, Any]:
    """Add a key, seal everything anew, drop the old keys; or finish what an earlier run began.

    `keep` leaves the old keys in the file: access tokens signed with them go on until they expire. Answers
    `{added, sealed, dropped, keys, rows, unreadable}`.
    """
    with _alone():
        keys = keyring().keys
        added = len(keys) == 1
        if added:
            keyring().replace([new_key(), *keys])
        sealed = _seal_anew()
        dropped = 0 if keep else _drop_old_keys()
        while dropped is None:  # somebody sealed with the old key while we added the new one
            sealed += _seal_anew()
            dropped = _drop_old_keys()
        with unit_of_work():
            audit.note("secrets.rotate", added=added, sealed=sealed, dropped=dropped)
        return {"added": added, "sealed": sealed, "dropped": dropped, **status()}


def _seal_anew() -> int:
    """Seal with the newest key what another one opens, `BATCH` rows at a time; how many rows it was."""
    count = 0
    for column in _columns():
        after = ""
        while True:
            with unit_of_work():
                until_commit(shared=True)
                rows = _after(column, after, BATCH)
                old = [(id, sealed) for id, sealed in rows if vault().key_of(sealed)]
                for id, sealed in old:
                    # Straight to the table: the secret is the same, so the row's version is too.
                    db.session.execute(
                        update(column.table)
                        .where(column.table.c.id == id, column == sealed)
                        .values({column.name: vault().seal(vault().open(sealed))})
                    )
            count += len(old)
            if len(rows) < BATCH:
                break
            after = rows[-1][0]
    return count


def _drop_old_keys() -> int | None:
    """Keep the newest key alone; how many were dropped. None when a row still needs one of them."""
    with unit_of_work():
        # Nobody is between sealing and committing now, and whoever seals next finds the new file.
        until_commit(shared=False)
        if any(vault().key_of(sealed) for column in _columns() for _, sealed in _after(column, "", None)):
            return None
        keys = keyring().keys
        if len(keys) > 1:
            keyring().replace(keys[:1])
    return len(keys) - 1


def _columns() -> list[Column[Any]]:
    return [table.__table__.c[attribute] for table, attribute in SEALED]


def _after(column: Column[Any], id: str, most: int | None) -> list[tuple[str, str]]:
    """(id, sealed) of the rows that have one, by id."""
    key = column.table.c.id
    chosen = select(key, column).where(column.is_not(None), key > id).order_by(key).limit(most)
    return [(row[0], row[1]) for row in db.session.execute(chosen)]


@contextmanager
def _alone() -> Iterator[None]:
    """One rotation at a time; the kernel lets go when it is killed."""
    path = settings().run_dir / "secrets.lock"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m api.secrets", description=__doc__)
    parser.add_argument("action", choices=("rotate", "status"))
    parser.add_argument("--keep", action="store_true", help="do not drop the old keys yet")
    arguments = parser.parse_args()
    try:
        given = Settings()
        if not (given.home / FILE).exists():
            return _cannot(f"There is no hub in {given.home}. Set MODELHUB_HOME, or start it: `modelhub up`.")
        app = create_app(given, serves=False)
        with app.app_context():
            answer = rotate(keep=arguments.keep) if arguments.action == "rotate" else status()
    except ValidationError as error:
        return _cannot(explain(error))
    except AppError as error:
        return _cannot(str(error))
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        return _cannot(f"The database cannot be used: {reason}. Is the hub set up? `modelhub up` does it.")
    except OSError as error:
        return _cannot(f"The data directory cannot be used: {error.strerror}: {error.filename}.")
    print(json.dumps({**answer, "access_seconds": ACCESS_SECONDS}))
    return 0


def _cannot(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
