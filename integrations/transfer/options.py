"""What goes in and what comes out of a transfer."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from integrations.transfer.throttle import Throttle

MIB = 1 << 20


@dataclass(frozen=True)
class Download:
    """One file to fetch. `size` in bytes; `sha256` and `git_sha1` (of a git blob) are what it must hash
    to."""

    path: str
    url: str
    size: int
    sha256: str | None = None
    git_sha1: str | None = None


@dataclass(frozen=True)
class Fetched:
    """One file that is there and proven."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Options:
    """How hard to try. Times in seconds, sizes in bytes."""

    connections: int = 8
    attempts: int = 8
    """Failures in a row, without progress, of one part."""
    base_wait: float = 0.5
    max_wait: float = 120.0
    """The longest wait a server may ask for; beyond it we give up and say so."""
    connect_timeout: float = 10.0
    stall_timeout: float = 30.0
    slow_rate: int = 1024
    """A connection slower than this for `slow_time` is given up and its part tried again."""
    slow_time: float = 30.0
    disk_reserve: int = 64 * MIB
    throttle: Throttle = field(default_factory=Throttle)

    @classmethod
    def of(cls, given: dict[str, Any]) -> "Options":
        """From a spec's options; what this program does not know is left alone."""
        known = {field.name for field in fields(cls)} - {"throttle"}
        chosen = cls(**{name: value for name, value in given.items() if name in known and value is not None})
        limits = {name: Path(path) for name, path in (given.get("speed") or {}).items() if path}
        throttle = Throttle(limits.get("shared"), limits.get("own"))
        connections = max(1, min(32, int(chosen.connections)))
        return cls(**{**vars(chosen), "connections": connections, "throttle": throttle})
