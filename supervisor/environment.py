"""What the supervisor itself needs of the settings; `api.config` validates all of them in the `prepare` step.

The names and defaults are those of `api.config.Settings`, read here a second time because importing
pydantic would triple the size of this process. `tests/supervisor/test_environment.py` compares the two.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from supervisor.errors import CannotStart

ROOT = Path(__file__).resolve().parent.parent
"""Working directory of every part: the checkout, or the directory the packages are installed in."""


@dataclass(frozen=True)
class Environment:
    home: Path
    host: str
    port: int
    web_workers: int
    worker_threads: int
    log_level: str
    redis_url: str | None
    variables: dict[str, str]
    """The whole environment the parts inherit."""

    @property
    def run_dir(self) -> Path:
        return self.home / "run"

    @property
    def logs_dir(self) -> Path:
        return self.home / "logs"


def read_environment(outside: Mapping[str, str], dotenv: Path | None = None) -> Environment:
    """Environment over `.env` over defaults; an empty variable means its default. Raises CannotStart."""
    values = _read_dotenv(dotenv or ROOT / ".env") | {key: value for key, value in outside.items() if value}
    # Tells systemd about the supervisor alone: gunicorn would announce itself as ready with it.
    values.pop("NOTIFY_SOCKET", None)
    home = Path(values.get("MODELHUB_HOME", "~/.modelhub")).expanduser().resolve()
    level = values.get("MODELHUB_LOG_LEVEL", "INFO")
    if level not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise CannotStart("Wrong setting: MODELHUB_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR.")
    environment = Environment(
        home=home,
        host=values.get("MODELHUB_HOST", "127.0.0.1"),
        port=_whole_number(values, "MODELHUB_PORT", 5000, 0, 65535),
        web_workers=_whole_number(values, "MODELHUB_WEB_WORKERS", 1, 1, 64),
        worker_threads=_whole_number(values, "MODELHUB_WORKER_THREADS", 16, 1, 256),
        log_level=level,
        redis_url=values.get("REDIS_URL"),
        variables=values,
    )
    values["MODELHUB_HOME"] = str(home)
    values["PYTHONUNBUFFERED"] = "1"
    return environment


def _whole_number(values: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = values.get(name, str(default))
    if text.isascii() and text.isdigit() and least <= int(text[:9]) <= most and len(text) < 10:
        return int(text)
    raise CannotStart(
        f"Wrong setting: {name} must be a whole number from {least} to {most}, not {text[:40]!r}."
    )


def _read_dotenv(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise CannotStart(
            f"Cannot read {path}: {os.strerror(error.errno or 0)}; make it readable or remove it."
        ) from None
    values = {}
    for line in lines:
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if not equals or name.startswith("#"):
            continue
        value = value.strip()
        if value[:1] in ("'", '"') and value[:1] == value[-1:] and len(value) > 1:
            value = value[1:-1]
        else:
            value = value.partition(" #")[0].rstrip()
        if value:
            values[name.strip()] = value
    return values
