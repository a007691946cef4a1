"""The real parts under the real supervisor."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.supervisor.stage import ROOT, is_alive, wait_until

START_SECONDS = 90  # only ends a start that hangs


class RealHub:
    def __init__(self, home: Path, output: Path) -> None:
        self.home, self.output = home, output
        self.process: subprocess.Popen[bytes] | None = None
        self.seen: set[int] = set()

    def start(self) -> None:
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "supervisor"],
                cwd=ROOT,
                env={**os.environ, "MODELHUB_HOME": str(self.home), "MODELHUB_PORT": "0"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        process = self.process
        wait_until(lambda: self.info("hub.json") or process.poll() is not None, START_SECONDS)
        assert process.poll() is None, self.output.read_text()
        wait_until(lambda: httpx.get(self.url + "/readyz", timeout=30).status_code == 200, START_SECONDS)
        self.processes()

    def info(self, name: str) -> dict:
        try:
            return json.loads((self.home / "run" / name).read_text())
        except (OSError, ValueError):
            return {}

    @property
    def url(self) -> str:
        return self.info("hub.json")["url"]

    def part(self, name: str) -> int:
        return self.info("hub.lock")["parts"][name]["pid"]

    def processes(self) -> list[psutil.Process]:
        """The supervisor and everything below it; remembered, to see later that none is left."""
        assert self.process is not None
        root = psutil.Process(self.process.pid)
        found = [root, *root.children(recursive=True)]
        self.seen |= {process.pid for process in found}
        return found

    def left(self) -> list[int]:
        return [pid for pid in self.seen if is_alive(pid)]

    def stop(self) -> int:
        assert self.process is not None
        self.processes()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(90)


def run(home: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "supervisor", *words],
        cwd=ROOT,
        env={**os.environ, "MODELHUB_HOME": str(home), "MODELHUB_PORT": "0", **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    """A hub for the tests that leave it running."""
    directory = tmp_path_factory.mktemp("hub")
    hub = RealHub(directory / "home", directory / "output")
    hub.start()
    yield hub
    assert hub.stop() == 0
    assert hub.left() == []


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RealHub]:
    hub = RealHub(tmp_path / "home", tmp_path / "output")
    hub.start()
    yield hub
    if hub.process and hub.process.poll() is None:
        hub.stop()


def test_the_password_is_printed_once_works_and_is_in_no_log(shared: RealHub) -> None:
    said = shared.output.read_text()
    password = re.search(r"\| Password +(\S+) ", said)
    assert password and f"| Console   {shared.url}" in said
    answer = httpx.post(
        shared.url + "/api/v1/auth/login",
        json={"email": "admin@localhost", "password": password[1]},
        timeout=30,
    )
    assert answer.json()["data"]["access_token"]
    assert not [file for file in (shared.home / "logs").iterdir() if password[1] in file.read_text()]


def test_a_second_start_says_who_runs_and_where(shared: RealHub) -> None:
    second = run(shared.home)
    assert shared.process and second.returncode == 2
    assert f"(pid {shared.process.pid}, {shared.url})" in second.stderr and second.stderr.count("\n") == 1
    found = run(shared.home, "status", "--json")
    assert found.returncode == 0 and json.loads(found.stdout)["state"] == "running"


def test_nobody_listens_but_the_web(shared: RealHub) -> None:
    port = int(shared.url.rpartition(":")[2])
    listening = {
        connection.laddr[1]
        for process in shared.processes()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {port}
    with socket.create_connection(("127.0.0.1", port), 5):
        pass


@pytest.mark.slow
def test_idle_memory_stays_under_400_mb(shared: RealHub) -> None:
    time.sleep(5)  # past the imports' garbage and the first beats
    megabytes = {p.pid: p.memory_info().rss / 2**20 for p in shared.processes()}
    assert shared.process and megabytes[shared.process.pid] < 30
    assert sum(megabytes.values()) < 400, megabytes


def test_a_client_waits_while_the_web_part_restarts_and_is_not_refused(shared: RealHub) -> None:
    before = shared.part("web")
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: not is_alive(before))
    assert httpx.get(shared.url + "/healthz", timeout=60).status_code == 200


@pytest.mark.slow
def test_every_part_comes_back_after_kill_9(shared: RealHub) -> None:
    for name in ("web", "worker", "beat", "redis"):
        before = shared.part(name)
        os.kill(before, signal.SIGKILL)
        wait_until(lambda name=name, before=before: shared.part(name) != before)
        shared.processes()
    wait_until(lambda: httpx.get(shared.url + "/readyz", timeout=60).status_code == 200, START_SECONDS)


@pytest.mark.slow
def test_stop_start_kill_9_and_start_again(hub: RealHub) -> None:
    assert hub.process
    said = len(hub.output.read_text())
    stopper = subprocess.Popen(
        [sys.executable, "-m", "supervisor", "stop"],
        cwd=ROOT,
        env={**os.environ, "MODELHUB_HOME": str(hub.home)},
        stdout=subprocess.DEVNULL,
    )
    assert hub.process.wait(90) == 0 and stopper.wait(30) == 0
    assert hub.left() == [] and not (hub.home / "run" / "hub.json").exists()
    assert (run(hub.home, "status").returncode, run(hub.home, "stop").returncode) == (3, 3)

    hub.start()
    assert "Password" not in hub.output.read_text()[said:]
    hub.process.kill()
    hub.process.wait()
    (hub.home / "run" / "hub.json").unlink()
    hub.start()  # at once, while the old parts are still ending
    pids = {process.pid for process in hub.processes()}
    wait_until(lambda: set(hub.left()) <= pids)
    assert hub.stop() == 0
    assert hub.left() == []


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    done = run(tmp_path / "home", DATABASE_URL=f"postgresql://modelhub:hidden@127.0.0.1:{port}/modelhub")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "DATABASE_URL" in done.stderr and "hidden" not in done.stderr


def test_a_setting_only_the_application_knows_is_one_sentence(tmp_path: Path) -> None:
    done = run(tmp_path / "home", MODELHUB_LEASE_SECONDS="soon")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "MODELHUB_LEASE_SECONDS" in done.stderr
