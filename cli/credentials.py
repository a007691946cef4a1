"""Sign-ins this person's command line remembers: one file, 0600, keyed by the hub's address.

The refresh token is changed by the hub at every use, and using an old one twice looks like theft to
it. So reading, using and writing it happen under one file lock, however many `modelhub` run at once.
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli import places


def path() -> Path:
    return places.config_directory() / "credentials.json"


def load() -> dict[str, Any]:
    """`{"default": url|null, "hubs": {url: {email, refresh_token, access_token, expires_at}}}`."""
    try:
        found = json.loads(path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    if not isinstance(found, dict) or not isinstance(found.get("hubs"), dict):
        found = {}
    return {"default": found.get("default"), "hubs": found.get("hubs", {})}


def of(url: str) -> dict[str, Any] | None:
    entry = load()["hubs"].get(url)
    return entry if isinstance(entry, dict) else None


@contextmanager
def locked() -> Iterator[dict[str, Any]]:
    """The whole file, ours alone until the block ends; it is written when the block ends well."""
    directory = path().parent
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(directory / "credentials.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        content = load()
        before = json.dumps(content)
        yield content
        if json.dumps(content) != before:
            _write(content)
    finally:
        os.close(lock)


def _write(content: dict[str, Any]) -> None:
    """Whole or not at all: a torn file would sign everybody out."""
    handle, name = tempfile.mkstemp(dir=path().parent, prefix=".credentials-")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
