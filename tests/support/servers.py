"""Real servers of this machine's packages, private and on loopback: PostgreSQL and Redis."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.hub_process import free_port


def _wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None and time.monotonic() < deadline, f"nothing listens on port {port}"
        time.sleep(0.05)


@contextmanager
def redis_server(directory: Path, password: str = "pw") -> Iterator[str]:
    """A redis-server with a password; yields its URL."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed (apt install redis-server)")
    port = free_port()
    options = {"port": port, "bind": "127.0.0.1", "requirepass": password, "save": "", "dir": directory}
    command = [binary, *(word for name, value in options.items() for word in (f"--{name}", str(value)))]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield f"redis://:{password}@127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def postgres(directory: Path, password: str | None = None) -> Iterator[str]:
    """A fresh PostgreSQL cluster; yields the URL of an empty database. Root runs it as `postgres`."""
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not homes:
        pytest.skip("PostgreSQL's programs are not installed (apt install postgresql)")
    programs, data = homes[-1].parent, directory / "pg"
    data.mkdir()
    prefix: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(data, "postgres", "postgres")
        for parent in [data, *data.parents]:
            if parent.stat().st_uid == 0 and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o011)
        prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    port = free_port()
    options = ["-A", "trust", "-U", "hub", "--no-sync"]
    if password:
        (directory / "pw").write_text(password)
        (directory / "pw").chmod(0o644)
        options[1:2] = ["scram-sha-256", "--pwfile", str(directory / "pw")]
    create = [*prefix, str(programs / "initdb"), "-D", str(data), *options]
    subprocess.run(create, check=True, stdout=subprocess.DEVNULL, cwd="/")
    command = [
        *prefix,
        str(programs / "postgres"),
        "-D",
        str(data),
        "-p",
        str(port),
        "-k",
        "",
        "-c",
        "fsync=off",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    try:
        _wait_for(port, process)
        yield f"postgresql://hub{f':{password}' if password else ''}@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait(20)
