"""The few settings the supervisor reads itself mean the same as in api.config."""

from pathlib import Path

import pytest

from api.config import Settings
from supervisor.environment import read_environment
from supervisor.errors import CannotStart

SHARED = {
    "home": "MODELHUB_HOME",
    "host": "MODELHUB_HOST",
    "port": "MODELHUB_PORT",
    "web_workers": "MODELHUB_WEB_WORKERS",
    "worker_threads": "MODELHUB_WORKER_THREADS",
    "log_level": "MODELHUB_LOG_LEVEL",
    "redis_url": "REDIS_URL",
}


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SHARED.values():
        monkeypatch.delenv(name, raising=False)


def test_the_defaults_are_the_same() -> None:
    ours, theirs = read_environment({}, Path("/nonexistent")), Settings(_env_file=None)
    for field, name in SHARED.items():
        assert getattr(ours, field) == getattr(theirs, field), name
        assert Settings.model_fields[field].alias == name


def test_the_environment_wins_over_dotenv_and_empty_means_default(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        "# a comment\nexport MODELHUB_HOST='0.0.0.0'\nMODELHUB_PORT=6000 # near\n"
        "MODELHUB_WEB_WORKERS=2\nREDIS_URL=\n"
    )
    outside = {"MODELHUB_PORT": "7000", "MODELHUB_WEB_WORKERS": "", "MODELHUB_HOME": str(tmp_path)}
    environment = read_environment(outside, dotenv)
    assert (environment.host, environment.port, environment.web_workers) == ("0.0.0.0", 7000, 2)
    assert environment.redis_url is None
    assert environment.variables["MODELHUB_HOST"] == "0.0.0.0"


@pytest.mark.parametrize("value", ["-1", "65536", "５", "1e3", "9" * 40])
def test_a_wrong_port_is_named(value: str) -> None:
    with pytest.raises(CannotStart, match="MODELHUB_PORT must be a whole number from 0 to 65535"):
        read_environment({"MODELHUB_PORT": value})
