"""Each reason not to start: exit code 2, exactly one sentence on stderr, nothing left running."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.supervisor.stage import ROOT


def try_to_start(home: Path, prefix: tuple[str, ...] = (), **variables: str) -> str:
    """The sentence. The hub must not come up; if it does, the limit ends it and the test."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MODELHUB_")}
    for name in ("REDIS_URL", "DATABASE_URL"):
        kept.pop(name, None)
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "supervisor"],
        cwd=ROOT,
        env={**kept, "MODELHUB_HOME": str(home), "MODELHUB_PORT": "0", **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.endswith(".\n") and done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stdout
    return done.stderr


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def test_port_in_use(tmp_path: Path, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    sentence = try_to_start(tmp_path / "home", MODELHUB_PORT=str(port))
    assert f"Port {port} on 127.0.0.1 is in use by " in sentence
    assert f"(pid {os.getpid()})" in sentence and "MODELHUB_PORT=" in sentence


def test_not_an_address_of_this_machine(tmp_path: Path) -> None:
    assert "MODELHUB_HOST=192.0.2.1 is no address" in try_to_start(tmp_path, MODELHUB_HOST="192.0.2.1")


def test_directory_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sentence = try_to_start(tmp_path / "file" / "home")
    assert "Cannot write to the data directory" in sentence and "MODELHUB_HOME" in sentence


def test_read_only_directory(tmp_path: Path) -> None:
    assert "Cannot write to the data directory" in try_to_start(Path("/proc/modelhub"))


@pytest.mark.skipif(
    not shutil.which("unshare") or os.geteuid() != 0, reason="mounts a small disk: needs root"
)
def test_full_disk(tmp_path: Path) -> None:
    mount = f'mount -t tmpfs -o size=1m none {tmp_path} && exec "$@"'
    sentence = try_to_start(tmp_path, ("unshare", "--mount", "sh", "-c", mount, "sh"))
    assert f"The disk that holds {tmp_path} is full (1 MB free" in sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "70000"),
        ("WEB_WORKERS", "0"),
        ("WORKER_THREADS", "-1"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_wrong_setting(tmp_path: Path, name: str, value: str) -> None:
    assert f"Wrong setting: MODELHUB_{name} must be" in try_to_start(tmp_path, **{f"MODELHUB_{name}": value})


def test_unreachable_redis_without_its_password(tmp_path: Path, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    sentence = try_to_start(tmp_path, REDIS_URL=f"redis://:hidden@127.0.0.1:{port}/0")
    assert f"Redis at 127.0.0.1:{port} (REDIS_URL) cannot be reached (Connection refused)" in sentence
    assert "hidden" not in sentence


@pytest.mark.parametrize("url", ["http://127.0.0.1", "redis://host:port/0", "nonsense"])
def test_redis_url_of_another_kind(tmp_path: Path, url: str) -> None:
    assert "REDIS_URL must look like redis://" in try_to_start(tmp_path, REDIS_URL=url)
