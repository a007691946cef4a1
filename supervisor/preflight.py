"""What is checked before anything is started: directory, disk, port. Each failure is one sentence."""

import contextlib
import errno
import os
import shutil
import socket
from pathlib import Path

from supervisor.errors import CannotStart

LEAST_FREE = 256 * 1024**2
"""Bytes of disk below which the hub does not start: database, queue and logs need room to stop in order."""


def prepare_directories(home: Path) -> None:
    """Create the data directory (private) and prove that it can be written to."""
    try:
        for path in (home, home / "run", home / "logs"):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        free = shutil.disk_usage(home).free
        if free < LEAST_FREE:
            raise CannotStart(_full(home, free))
        probe = home / "run" / f".write-test-{os.getpid()}"
        try:
            with probe.open("wb") as file:
                file.write(bytes(64 * 1024))
                file.flush()
                os.fsync(file.fileno())
        finally:
            with contextlib.suppress(OSError):
                probe.unlink()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise CannotStart(_full(home, 0)) from None
        raise CannotStart(
            f"Cannot write to the data directory {home} ({os.strerror(error.errno or 0)}); "
            "make it writable for this user or set MODELHUB_HOME to another directory."
        ) from None


def _full(home: Path, free: int) -> str:
    return (
        f"The disk that holds {home} is full "
        f"({free // 1024**2} MB free, {LEAST_FREE // 1024**2} MB needed to start); "
        "free some space or set MODELHUB_HOME to another disk."
    )


def listen(host: str, port: int) -> socket.socket:
    """The web server's socket, bound here so that a taken port is known at once.

    It stays open while the web part is restarted: clients wait a moment instead of being refused.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address[:2], family=family, backlog=1024)
    except socket.gaierror:
        raise CannotStart(
            f"MODELHUB_HOST={host} is not a name or address that can be resolved; correct it."
        ) from None
    except OSError as error:
        raise CannotStart(_why_not_listening(host, port, error)) from None


def _why_not_listening(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use{_holder(port)}; "
            f"stop that program or choose another port, for example MODELHUB_PORT={port % 65535 + 1}."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f"MODELHUB_HOST={host} is no address of this machine; use 127.0.0.1, or 0.0.0.0 for all."
    if error.errno == errno.EACCES:
        return (
            f"This user may not listen on port {port}; choose one above 1023, for example MODELHUB_PORT=5000."
        )
    reason = os.strerror(error.errno or 0)
    return f"Cannot listen on {host} port {port} ({reason}); set MODELHUB_HOST and MODELHUB_PORT."


def _holder(port: int) -> str:
    """' by "name" (pid 12)' when it may be known: other users' processes show themselves only to root."""
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            if (
                connection.status == psutil.CONN_LISTEN
                and getattr(connection.laddr, "port", None) == port
                and connection.pid
            ):
                return f' by "{psutil.Process(connection.pid).name()}" (pid {connection.pid})'
    except (psutil.Error, OSError):
        pass
    return ""
