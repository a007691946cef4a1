"""The audit log cannot be changed unnoticed, and neither a crash nor a crowd breaks its chain.

Everything runs on SQLite and on PostgreSQL.
"""

import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from api.extensions import db
from api.models import AuditEntry, Team
from api.security import audit as writing
from api.security import audit_head
from api.services import audit
from api.unit_of_work import unit_of_work
from tests.support.hub_process import ROOT
from tests.support.people import owner
from tests.support.servers import postgres

KILLS = int(os.environ.get("MODELHUB_AUDIT_KILLS", "25"))
"""On each database; the record is made with more."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres(tmp_path_factory.mktemp("cluster")) as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    from api import create_app
    from api.config import Settings
    from api.prepare import prepare

    home = tmp_path_factory.mktemp("audit") / "home"
    if request.param == "postgresql":
        url = request.getfixturevalue("cluster")
    else:
        url = None
        shutil.copytree(request.getfixturevalue("prepared_home"), home)
    settings = Settings(
        MODELHUB_HOME=home,
        MODELHUB_ADMIN_PASSWORD="correct horse",
        DATABASE_URL=url,
        REDIS_URL=f"unix://{home / 'no-redis.sock'}?db=0",
        _env_file=None,
    )
    application = create_app(settings)
    application.testing = True
    if url:
        prepare(application)
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module")
def log(app: Flask) -> list[dict[str, Any]]:
    """200 entries and more, by real requests."""
    admin = owner(app)
    admin.made("roles", {"name": "tuner", "title": "Tuner", "permissions": []})
    for number in range(40):
        team = admin.made("teams", {"name": f"team {number}", "description": "é 🦙 \u2028"})["id"]
        admin.patch(f"teams/{team}", {"description": "new"})
        admin.put(f"teams/{team}/members/{admin.id}", {"manager": True})
        admin.patch("roles/tuner", {"permissions": ["chat.use"] if number % 2 else ["models.read"]})
        admin.delete(f"teams/{team}")
    rows = raw()
    assert len(rows) >= 200
    return rows


@pytest.fixture
def whole(log: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The rows as they are; whatever the test does to the table is undone."""
    head = audit_head.read(home())
    assert audit.verify().model_dump() == {"ok": True, "entries": len(log), "first_bad": None, "reason": ""}
    yield log
    put(log)
    assert head
    (home() / audit_head.FILE).unlink(missing_ok=True)
    audit_head.advance(home(), head)


def home() -> Path:
    from api.extensions import settings

    return settings().home


def raw() -> list[dict[str, Any]]:
    """The columns as the database keeps them, past our types."""
    db.session.rollback()
    with db.engine.connect() as connection:
        cast = "*, details::text AS details" if db.engine.dialect.name == "postgresql" else "*"
        return [
            dict(row._mapping)
            for row in connection.execute(text(f"SELECT {cast} FROM audit_entries ORDER BY seq"))
        ]


def sql(statement: str, **values: Any) -> None:
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(text(statement), values)


def put(rows: list[dict[str, Any]]) -> None:
    """The whole table, as raw rows."""
    db.session.rollback()
    names = list(rows[0])
    cast = {"details": "CAST(:details AS JSON)"} if db.engine.dialect.name == "postgresql" else {}
    marks = ", ".join(cast.get(name, f":{name}") for name in names)
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM audit_entries"))
        connection.execute(text(f"INSERT INTO audit_entries ({', '.join(names)}) VALUES ({marks})"), rows)


def refused(seq: int | None, *words: str) -> None:
    verdict = audit.verify()
    assert (verdict.ok, verdict.first_bad) == (False, seq), verdict
    assert all(word in verdict.reason for word in words), verdict.reason


NEW_VALUES = {
    "at": "2020-01-01 00:00:00.000000+00:00",
    "actor_kind": "key",
    "actor_id": "0" * 32,
    "actor_name": "somebody else",
    "key_id": "1" * 32,
    "action": "team.keep",
    "object_type": "role",
    "object_id": "2" * 32,
    "object_name": "another",
    "result": "denied",
    "address": "192.0.2.66",
    "user_agent": "curl",
    "request_id": "other",
    "details": "{}",
    "previous": "f" * 64,
    "hash": "e" * 64,
}


def test_every_column_is_covered() -> None:
    assert set(NEW_VALUES) == {column.name for column in AuditEntry.__table__.columns} - {"seq"}


@pytest.mark.parametrize("name", NEW_VALUES)
def test_a_changed_column_names_its_row(whole: list[dict[str, Any]], name: str) -> None:
    value = NEW_VALUES[name]
    if name == "at" and db.engine.dialect.name == "sqlite":
        value = value.removesuffix("+00:00")
    for row in (whole[0], whole[len(whole) // 2], whole[-1]):
        mark = (
            "CAST(:value AS JSON)"
            if name == "details" and db.engine.dialect.name == "postgresql"
            else ":value"
        )
        sql(f"UPDATE audit_entries SET {name} = {mark} WHERE seq = :seq", value=value, seq=row["seq"])
        refused(row["seq"], f"Entry {row['seq']}", "altered")
        put(whole)


def test_a_small_change_in_a_detail_is_a_change(whole: list[dict[str, Any]]) -> None:
    row = next(row for row in whole if "models.read" in row["details"])
    rows = [
        {**each, "details": each["details"].replace("models.read", "models.write")} if each is row else each
        for each in whole
    ]
    put(rows)
    refused(row["seq"], "role.change")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("at", "yesterday"),
        ("details", "{not json"),
        ("details", "null"),
        ("at", b"\xff\xfe"),
        ("action", b"\xff"),
    ],
)
def test_what_cannot_even_be_read_is_named(whole: list[dict[str, Any]], name: str, value: Any) -> None:
    if db.engine.dialect.name != "sqlite":
        return  # PostgreSQL lets nobody put such a value into a column
    sql(f"UPDATE audit_entries SET {name} = :value WHERE seq = 100", value=value)
    refused(100, "Entry 100")


@pytest.mark.parametrize("seq", [1, 2, 100])
def test_a_deleted_row_is_missing(whole: list[dict[str, Any]], seq: int) -> None:
    sql("DELETE FROM audit_entries WHERE seq = :seq", seq=seq)
    refused(seq, f"Entry {seq} is missing")


def test_deleted_rows_that_others_were_moved_up_to_hide(whole: list[dict[str, Any]]) -> None:
    rows = [row for row in whole if not 50 <= row["seq"] <= 59]
    put([{**row, "seq": row["seq"] - 10} if row["seq"] >= 60 else row for row in rows])
    refused(50, "Entry 50", "moved")
    put([row for row in whole if not 50 <= row["seq"] <= 59])
    refused(50, "Entries 50 to 59 are missing")


def test_an_inserted_row_is_named(whole: list[dict[str, Any]]) -> None:
    fake = {**whole[99], "action": "team.never"}
    put([*whole[:100], {**fake, "seq": 101}, *({**row, "seq": row["seq"] + 1} for row in whole[100:])])
    refused(101, "Entry 101")
    put([{**whole[0], "seq": 0}, *whole])
    refused(0, "Entry 0", "added")
    put([{**whole[0], "seq": -7}, *whole])
    refused(-7, "added")
    end = whole[-1]
    put([*whole, {**end, "seq": end["seq"] + 1, "previous": end["hash"]}])
    refused(end["seq"] + 1, "added")
    put([*whole, {**end, "seq": end["seq"] + 1}])
    refused(end["seq"] + 1, "put there")


@pytest.mark.parametrize(("one", "other"), [(1, 2), (70, 71), (20, 180)])
def test_rows_in_another_order_are_named(whole: list[dict[str, Any]], one: int, other: int) -> None:
    swapped = {one: other, other: one}
    put(
        sorted(
            ({**row, "seq": swapped.get(row["seq"], row["seq"])} for row in whole), key=lambda row: row["seq"]
        )
    )
    refused(one, f"Entry {one}", "moved")


def test_a_cut_off_end_is_noticed_also_after_more_was_written(
    app: Flask, whole: list[dict[str, Any]]
) -> None:
    last = whole[-1]["seq"]
    sql("DELETE FROM audit_entries WHERE seq = :seq", seq=last)
    refused(last, f"Entry {last} is missing", "cut off")
    sql("DELETE FROM audit_entries WHERE seq > 150")
    refused(151, f"Entries 151 to {last} are missing")
    for number in range(last - 150 + 5):  # as long as before and longer: the memory is not overwritten
        writing.note_now("test.more", number=number)
        if number in (0, last - 152):
            refused(151 + number + 1, "missing")
    refused(last, "another than the one audit.head remembers")
    sql("DELETE FROM audit_entries")
    refused(1, f"Entries 1 to {last} are missing")


def test_a_missing_anchor_is_said_and_made_anew(whole: list[dict[str, Any]]) -> None:
    (home() / audit_head.FILE).unlink()
    refused(None, "audit.head is missing")
    writing.note_now("test.more")
    assert audit.verify().ok


def test_the_anchor_is_private_and_goes_only_forward(whole: list[dict[str, Any]]) -> None:
    path = home() / audit_head.FILE
    assert path.stat().st_mode & 0o777 == 0o600
    head = audit_head.read(home())
    assert head == (whole[-1]["seq"], whole[-1]["hash"])
    audit_head.advance(home(), audit_head.Head(5, "a" * 64))
    assert audit_head.read(home()) == head
    path.write_bytes(b"{half a li")
    assert audit_head.read(home()) is None


def test_a_forger_with_the_database_but_without_the_key_cannot_rebuild_the_chain(
    whole: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [dict(row._mapping) for row in db.session.execute(audit._filtered(audit.AuditFilter()))]
    db.session.rollback()
    monkeypatch.setattr(writing, "audit_key", lambda: b"a guess")
    end = entries[98]["hash"]
    forged = []
    for entry, row in zip(entries[99:], whole[99:], strict=True):
        entry |= {"previous": end, "object_name": "forged"}
        end = writing.digest(entry)
        forged.append({**row, "previous": entry["previous"], "object_name": "forged", "hash": end})
    monkeypatch.undo()
    put([*whole[:99], *forged])
    refused(forged[0]["seq"], "does not fit its hash")


def test_what_was_rolled_back_is_not_told_later(app: Flask, whole: list[dict[str, Any]]) -> None:
    def fail() -> None:
        with unit_of_work():
            writing.note("test.never")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    writing.note_now("test.after")
    assert [row["action"] for row in raw()[len(whole) :]] == ["test.after"]


def test_any_text_can_be_noted(whole: list[dict[str, Any]]) -> None:
    strange = "nul \0, half \ud800, end"
    writing.note_now(
        "test.text", ("thing", "1", strange), text=strange, list=[{strange: strange}], n=float("inf")
    )
    assert audit.verify().ok


def test_twenty_at_once_keep_the_chain_whole(app: Flask, log: list[dict[str, Any]]) -> None:
    before = audit.verify().entries
    start = threading.Barrier(20)
    failures: list[BaseException] = []

    def write(thread: int) -> None:
        try:
            with app.app_context():
                start.wait()
                for number in range(10):
                    with unit_of_work():
                        writing.note("test.crowd", ("thing", str(thread), ""), number=number)
                        if number % 3 == 0:
                            writing.note("test.crowd.second", ("thing", str(thread), ""))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    verdict = audit.verify()
    assert verdict.ok and verdict.entries == before + 20 * 14, verdict


def test_a_killed_writer_leaves_one_entry_per_change(app: Flask, log: list[dict[str, Any]]) -> None:
    """kill -9 at random moments; MODELHUB_AUDIT_KILLS says how often."""
    from api.extensions import settings

    seed = random.randrange(2**32)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "MODELHUB_HOME": str(home()),
        **({"DATABASE_URL": settings().database_url} if settings().database_url else {}),
    }
    command = [sys.executable, "-m", "tests.security.audit_writer", str(KILLS), str(seed)]
    done = subprocess.run(command, env=environment, cwd=home(), capture_output=True, text=True)
    assert done.returncode == 0, (seed, done.stderr)
    db.session.rollback()
    teams = set(db.session.scalars(db.select(Team.id)))
    told = list(
        db.session.scalars(
            db.select(AuditEntry.object_id).where(
                AuditEntry.action == "team.create", AuditEntry.actor_kind == "system"
            )
        )
    )
    assert len(told) == len(set(told)) and set(told) == teams and len(teams) >= KILLS, f"seed {seed}"
    verdict = audit.verify()
    assert verdict.ok, (seed, verdict)
