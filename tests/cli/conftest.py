"""The command line is a process here, as it is for people; its settings are the test's own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.standin import Standin

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def problem(self) -> Any:
        """The error that `--json` writes to stderr."""
        return json.loads(self.err.splitlines()[-1])


class Terminal:
    """Runs `modelhub` with an environment of its own."""

    def __init__(self, directory: Path) -> None:
        self.home = directory / "home"
        self.config = directory / "config"
        mine = ("MODELHUB_", "OLLAMA_HOST", "DATABASE_URL", "REDIS_URL", "DOCKER_HOST")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
        self.environment |= {
            "MODELHUB_HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.config),
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "200",
        }

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "cli", *words]

    def popen(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.argv(*words),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def run(self, *words: str, stdin: str = "", timeout: float = 120, **variables: str) -> Ran:
        done = subprocess.run(
            self.argv(*words),
            input=stdin,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    def is_local(self, url: str, token: str) -> None:
        """As if the hub of this home had written where it is and who may use it."""
        (self.home / "run").mkdir(parents=True, exist_ok=True)
        (self.home / "run" / "hub.json").write_text(json.dumps({"url": url, "pid": os.getpid()}))
        (self.home / "local-token").write_text(token + "\n")

    def credentials(self) -> dict[str, Any]:
        return json.loads((self.config / "modelhub" / "credentials.json").read_text())


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@pytest.fixture
def standin() -> Iterator[Standin]:
    server = Standin()
    yield server
    server.close()
