"""The embedded Redis, as the supervisor starts it."""

import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from supervisor import redis_server
from supervisor.environment import read_environment
from supervisor.errors import CannotStart
from supervisor.parts import redis_part
from tests.supervisor.stage import wait_until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen, Path]]:
    (tmp_path / "run").mkdir()
    path = redis_server.socket_path(tmp_path)
    part = redis_part(read_environment({"MODELHUB_HOME": str(tmp_path)}), path)
    process = subprocess.Popen(part.argv, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: path.exists() and part.ready and part.ready())
        yield process, path
    finally:
        process.terminate()
        process.wait(10)


def test_it_is_closed_to_tcp_and_to_other_users(server: tuple[subprocess.Popen, Path]) -> None:
    process, path = server
    assert psutil.Process(process.pid).net_connections("inet") == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert redis_server.answers(f"unix://{path}?db=0")


def test_it_keeps_what_it_is_told(server: tuple[subprocess.Popen, Path]) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(server[1]))
        connection.sendall(b"CONFIG GET appendonly\r\nCONFIG GET maxmemory-policy\r\n")
        wait_until(lambda: connection.recv(4096, socket.MSG_PEEK).count(b"$") >= 4)
        reply = connection.recv(4096)
    assert b"yes" in reply and b"noeviction" in reply


def test_a_long_data_directory_gets_a_short_private_socket_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/tmp")
    path = redis_server.socket_path(tmp_path / ("long" * 30))
    try:
        assert len(str(path)) <= redis_server.LONGEST_SOCKET_PATH
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        path.parent.chmod(0o755)
        with pytest.raises(CannotStart, match="not private"):
            redis_server.socket_path(tmp_path / ("long" * 30))
    finally:
        path.parent.rmdir()


def test_the_server_in_the_wheel_is_found_without_one_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    binary, label = redis_server.find_server()
    assert Path(binary).is_file() and label.startswith("valkey-")
