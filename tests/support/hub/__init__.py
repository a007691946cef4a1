"""A stand-in for the Hugging Face Hub: real HTTP, the Hub's own protocol, two origins, faults on request.

    with Hub(root) as hub:                       # root/<namespace>/<name>/files
        os.environ["HF_ENDPOINT"] = hub.url
        hub.fault("cut", match="*.safetensors", at=1_000_000)
        ...
        hub.requests("cdn")                      # what was asked for, with status and bytes sent

As a process: `python -m tests.support.hub ROOT [PORT]`; the same orders go to `POST /_control` as JSON.
"""

import ssl
import threading
import time
from pathlib import Path
from typing import Any

from tests.support.hub.api import TOKEN
from tests.support.hub.faults import Fault, Script
from tests.support.hub.repos import Shelf
from tests.support.hub.server import CdnHandler, HubHandler, Server
from tests.support.hub.xet import CasHandler, Storage

__all__ = ["TOKEN", "Fault", "Hub"]


class Hub:
    """Hub and CDN on free ports of 127.0.0.1, with `tls` over https.

    `rate` limits each connection, in bytes/s (0 = free).
    """

    def __init__(
        self,
        root: Path | str,
        port: int = 0,
        *,
        rate: int = 0,
        tls: ssl.SSLContext | None = None,
        frozen: bool = False,
    ) -> None:
        self.shelf = Shelf(Path(root), frozen=frozen)
        self.faults = Script()
        self.rate = rate
        self.generation = 1
        self._log: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._servers = [
            Server(port, HubHandler, self, tls),
            Server(0, CdnHandler, self, tls),
            Server(0, CasHandler, self, tls),
        ]
        self.xet = Storage()
        self.url, self.cdn_url, self.cas_url = (server.url for server in self._servers)

    def start(self) -> "Hub":
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
            server.hang_up()

    def __enter__(self) -> "Hub":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def fault(self, kind: str, **fields: Any) -> Fault:
        """Put a fault in force; see `tests.support.hub.faults`."""
        return self.faults.add(kind=kind, **fields)

    def expire(self) -> None:
        """Every signed CDN address handed out so far stops working (403)."""
        self.generation += 1

    def begin(self, **fields: Any) -> dict[str, Any]:
        entry = {"started": time.time(), "bytes": 0, "status": 0, **fields}
        with self._lock:
            self._log.append(entry)
        return entry

    def requests(self, server: str | None = None, path: str | None = None) -> list[dict[str, Any]]:
        """The log, oldest first; `path` is a part of the path asked for."""
        with self._lock:
            return [
                dict(entry)
                for entry in self._log
                if (server is None or entry["server"] == server) and (path is None or path in entry["path"])
            ]

    def bytes_sent(self, server: str | None = None) -> int:
        return sum(entry["bytes"] for entry in self.requests(server))

    def clear(self) -> None:
        """Forget the log and all faults; serve at full rate again."""
        with self._lock:
            self._log.clear()
        self.faults.clear()
        self.rate = 0

    def obey(self, orders: dict[str, Any]) -> None:
        if orders.get("reset"):
            self.clear()
        if orders.get("clear"):
            with self._lock:
                self._log.clear()
        if "rate" in orders:
            self.rate = int(orders["rate"])
        if orders.get("expire"):
            self.expire()
        for fault in orders.get("faults", []):
            self.fault(**fault)
