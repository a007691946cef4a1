"""What can be made to go wrong, for how many requests, on which files.

Kinds that shape the answer's head: `status` (status, retry_after), `ignore_range`, `wrong_range`,
`unsatisfiable` (416), `changed_etag`, `redirect` (to), `oversize` (claims more than there is), `gzip`.
Kinds that shape its body, from byte `at` of that answer on: `cut`, `reset`, `stall`, `drip` (rate),
`wrong_bytes` (flips one bit at byte `at` of the *file*), `endless` (never stops sending).
"""

import fnmatch
import threading
from dataclasses import asdict, dataclass
from typing import Any

HEAD_KINDS = {
    "status",
    "ignore_range",
    "wrong_range",
    "unsatisfiable",
    "changed_etag",
    "redirect",
    "oversize",
    "gzip",
}
BODY_KINDS = {"cut", "reset", "stall", "drip", "wrong_bytes", "endless"}


@dataclass
class Fault:
    """`match` is a glob on the file's path (or the API path); `on` is hub, cdn or any; `times` requests, 0
    = always.

    `skip` lets that many matching requests pass unharmed first.
    """

    kind: str
    match: str = "*"
    on: str = "any"
    times: int = 1
    skip: int = 0
    at: int = 0
    rate: int = 0
    status: int = 503
    retry_after: str | None = None
    to: str = ""
    used: int = 0

    def __post_init__(self) -> None:
        if self.kind not in HEAD_KINDS | BODY_KINDS:
            raise ValueError(f"no fault called {self.kind!r}")


class Script:
    """The faults in force. `take` hands out the first that matches and counts it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, **fields: Any) -> Fault:
        fault = Fault(**fields)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, server: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                fresh = not fault.times or fault.used < fault.times
                if fresh and fault.on in (server, "any") and fnmatch.fnmatch(path, fault.match):
                    if fault.skip:
                        fault.skip -= 1
                        continue
                    fault.used += 1
                    return fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults]
