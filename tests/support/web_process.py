"""The web server as users meet it (gunicorn, gevent, a real Redis), with a scripted engine behind it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
from flask import Flask

from supervisor import redis_server
from tests.support.hub_process import ROOT, free_port

T = TypeVar("T")
KEY = "scripted-key"
EMAIL, PASSWORD = "admin@localhost", "correct horse battery"


def until(look: Callable[[], T], seconds: float = 30) -> T:
    """Look again until it is true; the seconds are only there to end a test that hangs."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return found


@dataclass
class Engine:
    """The scripted engine's process."""

    process: subprocess.Popen[str]
    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def seen(self) -> dict[str, Any]:
        return dict(httpx.get(f"{self.endpoint}/_seen").json())

    def open(self) -> None:
        """Let go what holds."""
        httpx.post(f"{self.endpoint}/_open")

    def close(self) -> None:
        httpx.post(f"{self.endpoint}/_close")


@dataclass
class Web:
    home: Path
    redis_socket: Path
    engine: Engine
    app: Flask
    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    parts: dict[str, subprocess.Popen[Any]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        return (self.home / "local-token").read_text()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=self.headers, timeout=60)

    def api(self, method: str, path: str, json: Any = None) -> Any:
        response = httpx.request(
            method, f"{self.url}/api/v1{path}", headers=self.headers, json=json, timeout=60
        )
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json()["data"]

    def session(self, **options: Any) -> str:
        """A new conversation with the scripted engine."""
        deployment = self.deployment("scripted")
        return str(self.api("POST", "/chat/sessions", {"deployment_id": deployment, **options})["id"])

    def deployment(self, name: str) -> str:
        items = self.api("GET", "/deployments")["items"]
        return str(next(item["id"] for item in items if item["name"] == name))

    def start(self, name: str) -> None:
        commands = {
            "redis": redis_server.server_argv(redis_server.find_server()[0], self.home, self.redis_socket),
            "web": (
                *(sys.executable, "-m", "gunicorn", "-c", "python:supervisor.gunicorn_conf", "-w", "1"),
                *("-b", f"127.0.0.1:{self.port}", "api.wsgi:app"),
            ),
            "worker": (
                *(
                    sys.executable,
                    "-m",
                    "celery",
                    "-A",
                    "tasks.worker:celery",
                    "worker",
                    "-P",
                    "threads",
                    "-c",
                    "4",
                ),
                *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            ),
        }
        with (self.home / f"{name}.log").open("ab") as log:
            self.parts[name] = subprocess.Popen(
                commands[name], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        if name == "redis":
            until(lambda: self._redis_answers())
        if name == "web":
            until(lambda: self._web_answers())

    def kill(self, name: str) -> None:
        """SIGKILL, and wait until it and its children are gone."""
        process = self.parts.pop(name)
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        process.kill()
        process.wait()
        for member in family:
            with contextlib.suppress(psutil.Error):
                member.send_signal(signal.SIGKILL)
        psutil.wait_procs(family, timeout=10)

    def stop(self) -> None:
        for name in list(self.parts):
            self.kill(name)
        self.engine.process.kill()
        self.engine.process.wait()

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text(errors="replace")

    def _redis_answers(self) -> bool:
        with contextlib.suppress(OSError):
            return redis_server.answers(f"unix://{self.redis_socket}")
        return False

    def _web_answers(self) -> bool:
        assert self.parts["web"].poll() is None, self.log("web")
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/healthz").status_code == 200
        return False


def start_engine(*command: str) -> Engine:
    """`python -m COMMAND`, by default the scripted engine; it says its port first."""
    process = subprocess.Popen(
        [sys.executable, "-m", *(command or ("tests.support.upstream", KEY))],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    return Engine(process, int(process.stdout.readline()))


@contextlib.contextmanager
def web_with_engine(
    worker: bool = False, engine: Engine | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[Web]:
    """Redis and the web server (and a worker, if asked for) over a new database; `scripted` is deployed."""
    with tempfile.TemporaryDirectory(prefix="mh-") as directory:
        home = Path(directory)
        socket_path = home / "redis.sock"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": directory,
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "MODELHUB_HOME": directory,
            "MODELHUB_ADMIN_PASSWORD": PASSWORD,
            "MODELHUB_LEASE_SECONDS": "2",
            "REDIS_URL": f"unix://{socket_path}?db=0",
            **(settings or {}),
        }
        made = subprocess.run(
            [sys.executable, "-m", "api.prepare"], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert made.returncode == 0, made.stderr
        web = Web(home, socket_path, engine or start_engine(), _app(environment), environment)
        try:
            deploy(web, "scripted")
            web.start("redis")
            web.start("web")
            if worker:
                web.start("worker")
            yield web
        finally:
            web.stop()


def deploy(web: Web, name: str, **fields: Any) -> str:
    """A row as the ledger leaves it when an engine answers."""
    from api.extensions import db
    from api.models import Deployment, HubModel

    with web.app.app_context():
        model = HubModel(
            name=f"{name}-model", source="starter", ref=name, revision="main", commit="0" * 40, path=name
        )
        db.session.add(model)
        db.session.flush()
        row = Deployment(
            name=name,
            model_id=model.id,
            runtime="process",
            engine="transformers",
            **{
                "status": "running",
                "endpoint": web.engine.endpoint,
                "secret": web.app.extensions["modelhub_keyring"].vault.seal(KEY),
                **fields,
            },
        )
        db.session.add(row)
        db.session.commit()
        return str(row.id)


def _app(environment: dict[str, str]) -> Flask:
    """The application inside the test, to look at the database and to do what beat would do."""
    from api import create_app
    from api.config import Settings

    return create_app(
        Settings(
            MODELHUB_HOME=Path(environment["MODELHUB_HOME"]),
            REDIS_URL=environment["REDIS_URL"],
            DATABASE_URL=environment.get("DATABASE_URL"),
            _env_file=None,
        ),
        serves=False,
    )


def frames(response: httpx.Response) -> Iterator[tuple[str, int, Any]]:
    """`(event, id, data)` of a stream of server-sent events; heartbeats as `("ping", 0, None)`."""
    event, number = "message", 0
    for line in response.iter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            event = value
        elif field == "id":
            number = int(value)
        elif field == "data":
            yield event, number, json.loads(value)
        elif line.startswith(": ping"):
            yield "ping", 0, None
