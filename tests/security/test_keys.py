"""The keyring: read anew when it changes, and rotated without losing anything, whoever is killed when."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest
from flask import Flask
from sqlalchemy import String, Text, event, select

from api import create_app, secrets
from api.errors import Unauthenticated, Unavailable
from api.extensions import Base, db
from api.models import AuditEntry, Deployment, HubModel
from api.security.keys import FILE, Keyring, WrongKeyFile, derive, keyring, signing_key, vault
from api.security.tokens import issue_access, read_access
from api.unit_of_work import unit_of_work
from tests.support.hub_process import ROOT
from tests.support.servers import postgres

ROWS = 1000


def add_rows(count: int) -> None:
    with unit_of_work():
        model = HubModel(name="m", source="starter", ref="m", revision="main", commit="0" * 40, path="m")
        db.session.add(model)
        db.session.flush()
        for number in range(count):
            sealed = vault().seal(f"secret {number}")
            db.session.add(Deployment(name=f"d{number}", model_id=model.id, runtime="process", secret=sealed))


def all_readable(count: int) -> bool:
    rows = db.session.execute(select(Deployment.name, Deployment.secret)).all()
    db.session.rollback()
    return {(name, vault().open(sealed)) for name, sealed in rows} == {
        (f"d{number}", f"secret {number}") for number in range(count)
    }


def test_a_key_file_is_made_once_private_and_holds_one_key_per_line(tmp_path: Path) -> None:
    first, second = Keyring(tmp_path), Keyring(tmp_path)
    assert first.keys == second.keys and len(first.keys) == 1 and first.audit == second.audit
    for name in (FILE, "audit.key"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    (tmp_path / FILE).write_text(first.keys[0].hex())  # as the first version wrote it: no line end
    assert Keyring(tmp_path).keys == first.keys


@pytest.mark.parametrize("text", ["", "not hex", "abcd", "ü" * 64, "00" * 32 + "\nnonsense"])
def test_a_wrong_key_file_is_said_and_never_replaced(tmp_path: Path, text: str) -> None:
    Keyring(tmp_path)
    (tmp_path / FILE).write_text(text)
    with pytest.raises(WrongKeyFile, match=r"secret\.key.*backup"):
        Keyring(tmp_path)
    assert (tmp_path / FILE).read_text() == text


def test_a_missing_key_file_is_not_made_anew_while_the_hub_runs(tmp_path: Path) -> None:
    ring = Keyring(tmp_path)
    (tmp_path / FILE).unlink()
    with pytest.raises(WrongKeyFile, match="missing"):
        _ = ring.keys
    assert not (tmp_path / FILE).exists()


def test_a_running_process_sees_a_new_key_and_forgets_a_dropped_one(tmp_path: Path) -> None:
    running, elsewhere = Keyring(tmp_path), Keyring(tmp_path)
    [old] = running.keys
    sealed = running.vault.seal("x")
    elsewhere.replace([b"n" * 32, old])
    assert running.keys == [b"n" * 32, old]
    assert running.vault.open(sealed) == "x" and running.vault.key_of(sealed) == 1
    assert running.vault.key_of(running.vault.seal("x")) == 0
    assert running.signing_keys("p") == [derive(b"n" * 32, "p"), derive(old, "p")]
    elsewhere.replace([b"n" * 32])
    with pytest.raises(Unavailable, match="cannot be decrypted"):
        running.vault.open(sealed)
    assert not list(tmp_path.glob(".secret*"))


def test_an_access_token_lives_until_its_key_is_dropped(app: Flask) -> None:
    token = issue_access("u", "s")
    assert secrets.rotate(keep=True)["keys"] == 2
    assert read_access(token)["sub"] == "u"
    assert read_access(issue_access("u", "s"))
    jwt.decode(issue_access("u", "s"), signing_key("access-token"), ["HS256"], audience="modelhub-api")
    assert secrets.rotate()["keys"] == 1
    with pytest.raises(Unauthenticated):
        read_access(token)


def test_rotation_seals_everything_with_the_new_key_and_drops_the_old_one(app: Flask) -> None:
    add_rows(120)
    before = keyring().keys
    db.session.execute(db.update(Deployment).values(version=7))
    db.session.commit()
    assert secrets.status() == {"keys": 1, "rows": [120], "unreadable": []}
    answer = secrets.rotate()
    assert answer == {
        "added": True, "sealed": 120, "dropped": 1, "keys": 1, "rows": [120], "unreadable": []
    }  # fmt: skip
    assert keyring().keys != before and all_readable(120)
    assert set(db.session.scalars(select(Deployment.version))) == {7}
    assert db.session.scalar(select(AuditEntry.action).order_by(AuditEntry.seq.desc())) == "secrets.rotate"


def test_a_key_that_a_row_needs_is_not_dropped(app: Flask) -> None:
    add_rows(3)
    secrets.rotate(keep=True)
    [newest, old] = keyring().keys
    late = Keyring(keyring().path.parent)
    with unit_of_work():  # what a process writes that sealed just before the new key came
        keyring().replace([old])
        row = db.session.scalars(select(Deployment)).first()
        row.secret = late.vault.seal(f"secret {row.name[1:]}")
        keyring().replace([newest, old])
    assert secrets._drop_old_keys() is None and keyring().keys == [newest, old]
    assert secrets.status()["rows"] == [2, 1]
    assert secrets.rotate()["keys"] == 1 and all_readable(3)


def test_what_no_key_opens_is_named_and_left(app: Flask) -> None:
    add_rows(2)
    with unit_of_work():
        lost = db.session.scalars(select(Deployment).where(Deployment.name == "d1")).one()
        lost.secret = "gAAAAAnot-ours"
    answer = secrets.rotate()
    assert answer["unreadable"] == [f"deployments {lost.id}"] and answer["rows"] == [1]


def test_every_column_that_looks_sealed_is_in_the_registry() -> None:
    listed = {f"{table.__tablename__}.{attribute}" for table, attribute in secrets.SEALED}
    words = ("secret", "password", "token", "credential", "sealed", "cipher", "private", "api_key")
    looks = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, String | Text)
        and any(word in column.name for word in words)
        and not column.name.endswith("_hash")
    }
    assert looks <= listed, "add it to api.secrets.SEALED, or name it *_hash when it is one"
    for table, attribute in secrets.SEALED:
        assert attribute in table.__table__.columns


def run_and_die(home: Path, when: Callable[[], None]) -> None:
    """Rotate in a process of its own in which `when` arranges the death; it must not come to the end."""
    pid = os.fork()
    if pid == 0:
        try:
            from tests.conftest import _settings

            application = create_app(_settings(home), serves=False)
            with application.app_context():
                when()
                secrets.rotate()
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(7)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"it ended by itself: {status}"


def die_at_row(number: int) -> Callable[[], None]:
    """SIGKILL right after the given row has been sealed anew, in the middle of its transaction."""

    def arrange() -> None:
        seen = 0

        @event.listens_for(db.engine, "after_cursor_execute")
        def count(_c: object, _cu: object, statement: str, *_: object) -> None:
            nonlocal seen
            seen += statement.startswith("UPDATE deployments")
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    return arrange


def die_at_rename() -> None:
    """SIGKILL just before the key file is replaced."""

    def hook(name: str, _: object) -> None:
        if name == "os.rename":
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def test_killed_at_any_row_everything_can_be_read_and_the_next_run_goes_on(
    app: Flask, tmp_path: Path
) -> None:
    add_rows(ROWS)
    home = tmp_path / "home"
    first = keyring().keys
    db.session.remove()
    db.engine.dispose()
    chance = random.Random(7)
    deaths = [die_at_rename, *(die_at_row(chance.randint(1, 120)) for _ in range(12)), die_at_rename]
    for number, death in enumerate(deaths):
        run_and_die(home, death)
        keys = keyring().keys
        assert len(keys) == (1 if number == 0 else 2) and first[0] in keys
        assert all_readable(ROWS)
        db.session.remove()
        db.engine.dispose()
    under = secrets.status()["rows"]
    assert under[1] == 0, "the last death was at the very end"
    answer = secrets.rotate()
    assert answer["keys"] == 1 and answer["dropped"] == 1 and not answer["added"]
    assert first[0] not in keyring().keys and all_readable(ROWS)
    assert not list(home.glob(".secret*")), "drafts of the dead are cleared away"


def test_one_rotation_at_a_time_and_the_command_says_what_it_did(app: Flask, tmp_path: Path) -> None:
    add_rows(30)
    home = tmp_path / "home"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}

    def command(*words: str) -> subprocess.Popen[str]:
        argv = [sys.executable, "-m", "cli", "secrets", *words, "--home", str(home)]
        return subprocess.Popen(
            argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    both = [command("rotate", "--json"), command("rotate")]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert json.loads(said[0])["sealed"] == 30 and "old key is dropped" in said[1]
    assert len(keyring().keys) == 1 and all_readable(30)
    status = command("status").communicate()[0]
    assert status.split() == ["KEY", "SECRETS", "newest", "30"]
    shutil.rmtree(home)
    nowhere = command("status")
    assert "There is no hub" in nowhere.communicate()[1] and nowhere.returncode == 1


def test_on_postgresql_a_key_waits_for_who_is_between_sealing_and_committing(tmp_path: Path) -> None:
    from api.config import Settings
    from api.prepare import prepare

    with postgres(tmp_path) as url:
        application = create_app(
            Settings(MODELHUB_HOME=tmp_path / "home", DATABASE_URL=url, _env_file=None), serves=False
        )
        prepare(application)
        with application.app_context():
            add_rows(5)
            done = threading.Event()

            def rotate() -> None:
                with application.app_context():
                    secrets.rotate()
                    db.session.remove()
                done.set()

            with unit_of_work():
                sealed = vault().seal("secret 4")
                other = threading.Thread(target=rotate)
                other.start()
                while len(keyring().keys) == 1:
                    assert not done.is_set()
                assert not done.wait(0.5), "the old key was dropped under a writer's feet"
                db.session.execute(db.update(Deployment).where(Deployment.name == "d4").values(secret=sealed))
            other.join(30)
            assert done.is_set() and len(keyring().keys) == 1 and all_readable(5)
            db.session.remove()
            db.engine.dispose()
