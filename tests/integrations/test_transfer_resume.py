"""Killed, stopped, run again: nothing is lost but what was under way. The child program is the real one."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations.transfer.ranges import Ranges
from tests.support.downloads import WEIGHTS, build_model, content, plan_of
from tests.support.hub import Hub

MIB = 1 << 20
SIZE = 40_000_000
RATE = 6 * MIB
CONNECTIONS = 4
LOST_PER_CONNECTION = 8 * MIB
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    root = tmp_path_factory.mktemp("root")
    build_model(root / "org" / "model", weights_bytes=SIZE)
    with Hub(root) as hub:
        yield hub


@pytest.fixture
def hub(served: Hub) -> Hub:
    served.clear()
    return served


class Child:
    """The fetching program in a process of its own, as the worker starts it."""

    def __init__(self, hub: Hub, folder: Path, ref: str = "org/model") -> None:
        self.hub, self.folder, self.into = hub, folder, folder / "into"
        self.events = folder / "events.jsonl"
        plan = plan_of(hub, ref)
        self.weights = next((i for i, file in enumerate(plan["files"]) if file["path"] == WEIGHTS), None)
        spec = {
            "job_id": "test",
            "events": str(self.events),
            "plan": plan,
            "into": str(self.into),
            "options": {"connections": CONNECTIONS, "disk_reserve": 0, "base_wait": 0.05},
        }
        (folder / "spec.json").write_text(json.dumps(spec))

    def start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "integrations.sources.fetch", str(self.folder / "spec.json")]
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "HF_ENDPOINT": self.hub.url})

    def last(self) -> dict[str, Any]:
        return json.loads(self.events.read_text().splitlines()[-1])

    def finish(self) -> dict[str, Any]:
        assert self.start().wait(60) == 0, self.last()
        return self.last()

    def until_sent(self, count: int, process: "subprocess.Popen[bytes]") -> None:
        """Wait until the servers have sent `count` bytes since the log was last cleared."""
        while sent(self.hub) < count:
            assert process.poll() is None, self.last()
            time.sleep(0.01)


def sent(hub: Hub) -> int:
    """Bytes sent so far: of ended answers what was counted, of running ones what their rate allowed."""
    now = time.time()
    return sum(
        entry["bytes"] if "ended" in entry else int((now - entry["started"]) * RATE)
        for entry in hub.requests("cdn")
    )


def asked(hub: Hub) -> int:
    """Bytes of the weights that were asked for."""
    total = 0
    for entry in hub.requests("cdn"):
        start, end = entry["range"].removeprefix("bytes=").split("-")
        total += int(end) - int(start) + 1
    return total


def wait_until_quiet(hub: Hub) -> None:
    """Until the servers noticed that their client is gone."""
    while any("ended" not in entry for entry in hub.requests("cdn")):
        time.sleep(0.02)


@pytest.mark.parametrize("seed", range(4))
def test_kill_9_at_random_moments(hub: Hub, tmp_path: Path, seed: int) -> None:
    chance, child = random.Random(seed), Child(hub, tmp_path)
    there = 0
    for _ in range(3):
        hub.clear()
        hub.rate = RATE
        process = child.start()
        child.until_sent(chance.randrange(1, SIZE // 4), process)
        process.kill()
        process.wait()
        wait_until_quiet(hub)
        moved = hub.bytes_sent("cdn")
        kept = recorded(child)
        assert kept >= there + moved - CONNECTIONS * LOST_PER_CONNECTION
        assert WEIGHTS not in content(child.into), "nothing bears its name before it is whole"
        there = kept
    hub.clear()
    result = child.finish()
    assert asked(hub) == SIZE - there, "what was recorded is not fetched again"
    assert content(child.into) == content(hub.shelf.root / "org" / "model")
    assert {file["path"]: file["sha256"] for file in result["files"]} == content(child.into)


def recorded(child: Child) -> int:
    """Bytes of the weights the journal claims."""
    held = Ranges()
    journal = child.into / ".transfer" / "journal"
    for line in journal.read_bytes().splitlines()[1:] if journal.exists() else []:
        entry = json.loads(line) if line.endswith(b"}") else {}  # the last one may be torn
        if entry.get("file") == child.weights:
            for start, end in entry.get("ranges", []):
                held.add(start, end)
    return held.total


def test_sigterm_keeps_everything_and_says_stopped(hub: Hub, tmp_path: Path) -> None:
    child = Child(hub, tmp_path)
    hub.rate = RATE
    process = child.start()
    child.until_sent(SIZE // 3, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 75
    assert child.last()["type"] == "stopped"
    wait_until_quiet(hub)
    there = recorded(child)
    assert there > 0
    hub.clear()
    child.finish()
    assert asked(hub) == SIZE - there
    assert content(child.into) == content(hub.shelf.root / "org" / "model")


def test_sigterm_while_the_server_says_nothing(hub: Hub, tmp_path: Path) -> None:
    child = Child(hub, tmp_path)
    hub.fault("stall", match=WEIGHTS, times=0)
    process = child.start()
    while not hub.requests("cdn"):
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 75
    assert child.last()["type"] == "stopped"


DIE_AT = """
import os, pathlib, runpy, signal
owner = {owner}
real = owner.{call}
def die(self, *more):
    if ".new" in str(self):  # the journal itself, at the start
        return real(self, *more)
    os.kill(os.getpid(), signal.SIGKILL)
owner.{call} = die
runpy.run_module("integrations.sources.fetch", run_name="__main__")
"""


@pytest.mark.parametrize(("owner", "call"), [("os", "fsync"), ("pathlib.Path", "rename")])
def test_kill_9_between_the_last_byte_and_the_name(hub: Hub, tmp_path: Path, owner: str, call: str) -> None:
    """The process dies in the very system call that follows the proof."""
    child = Child(hub, tmp_path)
    command = [sys.executable, "-c", DIE_AT.format(owner=owner, call=call), str(tmp_path / "spec.json")]
    killed = subprocess.run(command, cwd=ROOT, env={**os.environ, "HF_ENDPOINT": hub.url}, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    child.finish()
    assert content(child.into) == content(hub.shelf.root / "org" / "model")


def test_finished_files_are_not_asked_for_again(hub: Hub, tmp_path: Path) -> None:
    child = Child(hub, tmp_path)
    first = child.finish()
    hub.clear()
    assert child.finish()["files"] == first["files"]
    assert hub.requests() == []


def test_a_damaged_partial_is_noticed(hub: Hub, tmp_path: Path) -> None:
    """Bytes that rot on our own disk between two runs end like wrong bytes from the network: fetched
    again."""
    child = Child(hub, tmp_path)
    hub.rate = RATE
    process = child.start()
    child.until_sent(SIZE // 2, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 75
    part = max((child.into / ".transfer").glob("*.part"), key=lambda path: path.stat().st_size)
    with part.open("r+b") as file:
        file.seek(1000)
        byte = file.read(1)
        file.seek(1000)
        file.write(bytes([byte[0] ^ 1]))
    hub.clear()
    child.finish()
    assert content(child.into) == content(hub.shelf.root / "org" / "model")


def test_a_torn_journal_line_is_ignored(hub: Hub, tmp_path: Path) -> None:
    child = Child(hub, tmp_path)
    hub.rate = RATE
    process = child.start()
    child.until_sent(SIZE // 3, process)
    process.send_signal(signal.SIGTERM)
    process.wait(10)
    with (child.into / ".transfer" / "journal").open("ab") as file:
        file.write(b'{"file":0,"generation":0,"ranges":[[0,4000')
    hub.clear()
    child.finish()
    assert content(child.into) == content(hub.shelf.root / "org" / "model")


def test_more_files_than_a_process_may_open(hub: Hub, tmp_path: Path) -> None:
    folder = hub.shelf.root / "org" / "many"
    for n in range(150):
        (folder / f"{n % 7}").mkdir(parents=True, exist_ok=True)
        (folder / f"{n % 7}" / f"{n}.txt").write_text(f"file {n}")
    child = Child(hub, tmp_path, "org/many")
    command = 'ulimit -n 64; exec "$0" -m integrations.sources.fetch "$1"'
    arguments = ["bash", "-c", command, sys.executable, str(tmp_path / "spec.json")]
    subprocess.run(arguments, cwd=ROOT, env={**os.environ, "HF_ENDPOINT": hub.url}, check=True, timeout=60)
    assert content(child.into) == content(folder)


def test_two_at_once_do_not_mix(hub: Hub, tmp_path: Path) -> None:
    child = Child(hub, tmp_path)
    hub.rate = RATE
    first = child.start()
    child.until_sent(SIZE // 4, first)
    hub.rate = SIZE // 80  # each of eight connections: ten seconds, longer than the second one waits
    assert child.start().wait(30) == 1
    assert any("already downloading" in line for line in child.events.read_text().splitlines())
    hub.rate = 0
    assert first.wait(60) == 0
    assert content(child.into) == content(hub.shelf.root / "org" / "model")
