"""A stand-in for an Ollama server: its HTTP protocol, byte for byte where clients look, and trouble on
request.

    with OllamaServer(home) as server:           # home is what ~/.ollama is
        server.registry["tiny:latest"] = library_model(3_000_000)
        server.trouble.room = 1_000_000          # see `Trouble`
        ollama.Client(host=server.url).pull("tiny")
        server.requests("/api/pull")

As a process: `python -m tests.support.ollama_server HOME [PORT] [--model NAME=BYTES …]`. Status texts, error
texts and field names are those of the real one's `server/` sources (0.5.5 and later).
"""

import contextlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.ollama_server.handler import Handler, Server
from tests.support.ollama_server.store import Layer, Published, Store, library_model

__all__ = ["Layer", "OllamaServer", "Published", "Trouble", "library_model"]


@dataclass
class Trouble:
    """What is wrong with the server. `absent` is one that was never started, or `stop()`ped."""

    version: str = "0.12.6"
    old: bool = False  # 0.1.30: no /api/ps, and `create` knows only Modelfiles
    newest: bool = False  # LoRA adapters are no longer taken, and there is no MLX for safetensors
    silent: float = 0.0  # seconds before any answer
    pace: float = 0.0  # seconds between two steps of a pull
    room: int | None = None  # bytes the disk has left for blobs
    dies_at: int | None = None  # a pull's connection is cut when so many bytes have come
    keeps_partials: bool = True  # what has come of a layer is there at the next pull
    registry_away: bool = False


class OllamaServer:
    def __init__(self, home: Path | str, port: int = 0) -> None:
        self.store = Store(Path(home))
        self.registry: dict[str, Published] = {}
        self.trouble = Trouble()
        self.loaded: dict[str, str] = {}
        self._log: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._server = Server(port, Handler, self)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> "OllamaServer":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> "OllamaServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.stop()

    def hold(self, name: str, model: Published) -> None:
        """As if it had been pulled."""
        layers = [(layer.kind, self.store.put(layer.content)) for layer in model.layers]
        self.store.add(name, layers, model.details, model.info)

    def note(self, method: str, path: str, body: Any) -> None:
        with self._lock:
            self._log.append({"method": method, "path": path, "body": body})

    def requests(self, path: str = "") -> list[dict[str, Any]]:
        """What was asked for, oldest first; `path` is how its path begins."""
        with self._lock:
            return [entry for entry in self._log if entry["path"].startswith(path)]
