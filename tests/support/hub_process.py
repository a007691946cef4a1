"""A whole hub as real processes, the way `modelhub up` runs it: supervisor, Redis, web, worker, beat."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[2]
EMAIL, PASSWORD = "admin@localhost", "correct horse battery"


@dataclass
class Hub:
    """`get`/`post`/`delete` speak to `/api/v1` as the administrator and return `data`; errors raise."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    email: str = EMAIL
    password: str = PASSWORD
    log: Path = field(default=Path("/dev/null"))
    owned: list[Path] = field(default_factory=list)

    @property
    def token(self) -> str:
        return (self.home / "local-token").read_text()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return httpx.request(method, f"{self.url}{path}", headers=self.headers, timeout=30, **options)

    def api(self, method: str, path: str, **options: Any) -> Any:
        response = self.request(method, f"/api/v1{path}", **options)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json()["data"]

    def get(self, path: str, **options: Any) -> Any:
        return self.api("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> Any:
        return self.api("POST", path, json=json, **options)

    def delete(self, path: str) -> Any:
        return self.api("DELETE", path)

    def until(self, path: str, good: Callable[[Any], bool], seconds: float = 120) -> Any:
        """Ask again until `good`, or say what it was instead."""
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(httpx.TransportError):
                data = self.get(path)
                if good(data):
                    return data
                if time.monotonic() > deadline:
                    raise AssertionError(f"{path} is still {data}\n{self.tail()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{path} did not answer\n{self.tail()}")
            time.sleep(0.1)

    def parts(self, word: str) -> list[psutil.Process]:
        """The processes below the supervisor whose command line contains `word`."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if word in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def tail(self, lines: int = 60) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise AssertionError(f"the hub did not stop\n{self.tail()}") from None
        for path in self.owned:
            shutil.rmtree(path, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_hub(
    home: Path, env: Mapping[str, str] | None = None, seconds: float = 60, *, inside: Sequence[str] = ()
) -> Hub:
    """Start a hub on a free port and wait until all its parts serve. `inside`: a program that becomes it."""
    home.mkdir(parents=True, exist_ok=True)
    log = home / "hub-output.log"
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TMPDIR": tempfile.gettempdir(),
        "PYTHONPATH": str(ROOT),
        "MODELHUB_HOME": str(home),
        "MODELHUB_PORT": str(port),
        "MODELHUB_ADMIN_PASSWORD": PASSWORD,
        "MODELHUB_LEASE_SECONDS": "3",
        "MODELHUB_DISK_RESERVE": "0",
        **(env or {}),
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*inside, sys.executable, "-m", "supervisor"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    hub = Hub(url=f"http://127.0.0.1:{port}", home=home, process=process, log=log)
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{hub.url}/readyz", timeout=5).status_code == 200:
                return hub
        if process.poll() is not None:
            raise AssertionError(f"the hub ended with {process.returncode}\n{hub.tail()}")
        if time.monotonic() > deadline:
            hub.stop()
            raise AssertionError(f"the hub is not ready after {seconds} s\n{hub.tail()}")
        time.sleep(0.1)
