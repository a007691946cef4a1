"""Shared by all tests: skips fail in CI, the environment is clean, an application has a database."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from api.config import Settings
from tests.support.hub_process import Hub, start_hub

CI = os.environ.get("MODELHUB_CI") == "1"
_OUTSIDE = ("MODELHUB_", "HF_", "OLLAMA_", "DOCKER_HOST", "DATABASE_URL", "REDIS_URL")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """What may be missing on a user's machine must be there in CI."""
    report = yield
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where it must run: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def clean_environ(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's shell reaches a test."""
    for name in list(os.environ):
        if name.startswith(_OUTSIDE) and name != "MODELHUB_CI":
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def prepared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with an administrator, to be copied: that is quicker than migrating."""
    from api import create_app
    from api.extensions import db
    from api.prepare import prepare

    home = tmp_path_factory.mktemp("prepared") / "home"
    application = create_app(_settings(home), serves=False)
    prepare(application)
    with application.app_context():
        db.session.remove()
        db.engine.dispose()
    return home


@pytest.fixture
def app(tmp_path: Path, prepared_home: Path) -> Iterator[Flask]:
    """The application on a fresh SQLite database. Redis is not there: nothing may depend on it."""
    yield from _application(tmp_path / "home", prepared_home)


@pytest.fixture(scope="module")
def hub_application(tmp_path_factory: pytest.TempPathFactory, prepared_home: Path) -> Iterator[Flask]:
    """The same for a whole module, where making one for each test would take longer than the tests."""
    yield from _application(tmp_path_factory.mktemp("module") / "home", prepared_home)


def _application(home: Path, prepared_home: Path) -> Iterator[Flask]:
    from api import create_app
    from api.extensions import db

    shutil.copytree(prepared_home, home)
    application = create_app(_settings(home))
    application.testing = True
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


def _settings(home: Path) -> Settings:
    return Settings(  # type: ignore[call-arg]
        MODELHUB_HOME=home,
        MODELHUB_ADMIN_PASSWORD="correct horse",
        MODELHUB_FOLDERS=[],  # not what this machine's user has
        REDIS_URL=f"unix://{home / 'no-redis.sock'}?db=0",
        _env_file=None,
    )


@pytest.fixture
def token(app: Flask) -> str:
    """The local token: an administrator's."""
    return (Path(app.extensions["modelhub_settings"].home) / "local-token").read_text()


@pytest.fixture(scope="session")
def session_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """One whole hub (Redis, web, worker, beat as processes) shared by tests that do no harm to it."""
    hub = start_hub(tmp_path_factory.mktemp("hub"))
    yield hub
    hub.stop()
