"""Children: started in a session of their own, followed by their events, adopted by whoever comes later."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from integrations import children

PROGRAM = "tests.support.child_program"


def wait_for(condition, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def start(tmp_path: Path, **spec: object) -> children.Child:
    return children.start(tmp_path / "child", PROGRAM, {"job_id": "j1", **spec})


def test_a_child_says_its_result_and_ends(tmp_path: Path) -> None:
    child = start(tmp_path, steps=3)
    assert child.wait(20)
    events, _ = children.read_events(child.directory)
    assert events[0]["type"] == "started"
    assert children.last_event(child.directory)["answer"] == 3


def test_the_spec_is_private_and_the_environment_is_scrubbed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("MODELHUB_ADMIN_PASSWORD", "canary-secret")
    monkeypatch.setenv("DATABASE_URL", "canary-secret")
    child = start(tmp_path, steps=0, tell_environment=True)
    assert child.wait(20)
    assert "canary-secret" not in json.dumps(children.last_event(child.directory))
    assert (child.directory / "spec.json").stat().st_mode & 0o777 == 0o600


def test_sigterm_is_obeyed_with_a_last_word(tmp_path: Path) -> None:
    child = start(tmp_path, steps=10_000)
    wait_for(lambda: children.read_events(child.directory)[0])
    child.stop(10)
    assert not child.alive
    assert children.last_event(child.directory)["type"] == "stopped"


def test_it_outlives_its_starter_and_is_adopted_by_another(tmp_path: Path) -> None:
    directory = tmp_path / "child"
    starter = (
        "import sys; from pathlib import Path; from integrations import children; "
        f"print(children.start(Path({str(directory)!r}), {PROGRAM!r}, {{'job_id': 'j', 'steps': 10000}}).pid)"
    )
    pid = int(subprocess.check_output([sys.executable, "-c", starter], text=True))
    adopted = children.adopt(directory)
    assert adopted is not None and adopted.pid == pid
    adopted.stop(10)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_it_is_found_without_its_identity_file(tmp_path: Path) -> None:
    child = start(tmp_path, steps=10_000)
    (child.directory / "child.json").unlink()
    wait_for(lambda: children.read_events(child.directory)[0])
    adopted = children.adopt(child.directory)
    assert adopted is not None and adopted.pid == child.pid
    adopted.stop(10)


def test_a_recycled_pid_is_not_mistaken_for_the_child(tmp_path: Path) -> None:
    child = start(tmp_path, steps=0)
    assert child.wait(20)
    identity = child.identity() | {"pid": os.getpid(), "started": psutil.Process().create_time()}
    (child.directory / "child.json").write_text(json.dumps(identity))
    assert children.adopt(child.directory) is None


def test_a_killed_child_is_not_alive_and_said_nothing(tmp_path: Path) -> None:
    child = start(tmp_path, steps=10_000)
    wait_for(lambda: children.read_events(child.directory)[0])
    os.killpg(child.pid, signal.SIGKILL)
    assert child.wait(5)
    assert children.last_event(child.directory) is None


def test_half_a_line_is_left_for_the_next_reading(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b'{"type":"log","line":"a"}\n{"type":"lo')
    events, offset = children.read_events(tmp_path)
    assert [event["line"] for event in events] == ["a"]
    with (tmp_path / "events.jsonl").open("ab") as file:
        file.write(b'g","line":"b"}\n')
    events, _ = children.read_events(tmp_path, offset)
    assert [event["line"] for event in events] == ["b"]


def test_stop_all_ends_every_child(tmp_path: Path) -> None:
    root = tmp_path / "run" / "children"
    found = [children.start(root / name, PROGRAM, {"job_id": name, "steps": 10_000}) for name in "ab"]
    command = [sys.executable, "-m", "integrations.children", "stop-all", "--home", str(tmp_path)]
    assert subprocess.check_output(command, text=True).startswith("ended 2 child processes")
    assert not any(child.alive for child in found)
