"""What comes to the door: a browser with its cookies, and web processes with nothing behind them."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from flask import Flask
from flask.testing import FlaskClient

from api.security import passwords
from tests.support.hub_process import EMAIL, PASSWORD, ROOT, free_port

PATH = "/api/v1/auth"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SECRET = "a long enough secret"
_addresses = count(1)


@cache
def secret_hash() -> str:
    return passwords.hash_password(SECRET)


def fresh_address() -> str:
    """One that no other browser of this run comes from: limits count by address."""
    number = next(_addresses)
    return f"198.51.{100 + number // 250}.{number % 250 + 1}"


@dataclass
class Browser:
    """Keeps the refresh cookie as browsers do, and the last access token."""

    app: Flask
    address: str = field(default_factory=fresh_address)
    user_agent: str = FIREFOX
    access: str = ""

    def __post_init__(self) -> None:
        self._client: FlaskClient = self.app.test_client()

    def call(self, method: str, path: str, json: Any = None, **headers: str) -> Any:
        given = {"User-Agent": self.user_agent, **{k.replace("_", "-"): v for k, v in headers.items()}}
        if self.access:
            given.setdefault("Authorization", f"Bearer {self.access}")
        with self.app.app_context():  # as in production: the request has a database session of its own
            answer = self._client.open(
                f"/api/v1/{path}",
                method=method,
                json=json,
                headers=given,
                environ_overrides={"REMOTE_ADDR": self.address},
            )
        said = answer.get_json(silent=True) or {}
        if isinstance(said.get("data"), dict) and "access_token" in said["data"]:
            self.access = said["data"]["access_token"]
        return answer

    def sign_in(self, email: str, password: str = SECRET, **headers: str) -> Any:
        return self.call("POST", "auth/login", {"email": email, "password": password}, **headers)

    def refresh(self) -> Any:
        return self.call("POST", "auth/refresh")

    def is_in(self) -> bool:
        """Whether the access token is still good."""
        return bool(self.call("GET", "auth/me").status_code == 200)

    @property
    def cookie(self) -> str:
        found = self._client.get_cookie("mh_refresh", path=PATH)
        return found.value if found else ""

    @cookie.setter
    def cookie(self, value: str) -> None:
        self._client.set_cookie("mh_refresh", value, path=PATH)


@contextlib.contextmanager
def bare_web(directory: Path, workers: int = 2, **environment: str) -> Iterator[str]:
    """The web server in `workers` processes over a new database, without Redis; yields its URL."""
    home, port = directory / "home", free_port()
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "MODELHUB_HOME": str(home),
        "MODELHUB_ADMIN_PASSWORD": PASSWORD,
        "MODELHUB_RATE_LIMIT_SIGN_IN": "100000/minute",
        "REDIS_URL": f"unix://{directory / 'no-redis.sock'}?db=0",
        **environment,
    }
    prepare = [sys.executable, "-m", "api.prepare"]
    made = subprocess.run(prepare, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    serve = [sys.executable, "-m", "gunicorn", "-c", "python:supervisor.gunicorn_conf", "-w", str(workers)]
    with (directory / "web.log").open("ab") as log:
        process = subprocess.Popen(
            [*serve, "-b", f"127.0.0.1:{port}", "api.wsgi:app"],
            cwd=ROOT,
            env=variables,
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, process, directory / "web.log")
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/healthz").status_code == 200:
                return
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def sign_in_over_http(url: str) -> httpx.Response:
    login = {"email": EMAIL, "password": PASSWORD}
    return httpx.post(f"{url}/api/v1/auth/login", json=login, timeout=30)
