"""A scripted hub for what a real one cannot be asked to do: break off, forget tokens, answer nonsense.

It speaks real HTTP in a real thread per connection. A test gives it one function per route.
"""

import contextlib
import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any

    @property
    def bearer(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass
class Reply:
    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    cut: bool = False
    """Promise more bytes than are sent, then close."""
    stream: Iterable[bytes] | None = None
    """Sent as they come, until the connection closes."""


def data(value: Any, **more: Any) -> Reply:
    return Reply({"success": True, "message": "OK", "data": value, "code": 200}, **more)


def problem(status: int, code: str, message: str = "It is so.", **more: Any) -> Reply:
    return Reply({"success": False, "message": message, "error": code, "details": {}}, status, **more)


def frame(name: str, value: Any) -> bytes:
    return f": ping\n\nevent: {name}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def sse(*events: tuple[str, Any], cut: bool = False) -> Reply:
    raw = b"".join(frame(name, value) for name, value in events)
    return Reply(raw=raw, headers={"Content-Type": "text/event-stream"}, cut=cut)


class Standin:
    def __init__(self) -> None:
        self.routes: dict[tuple[str, str], Callable[[Asked], Reply]] = {}
        self.asked: list[Asked] = []
        self.lock = threading.Lock()
        standin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(
                    self.command,
                    parts.path.removeprefix("/api/v1/"),
                    dict(parse_qsl(parts.query)),
                    headers,
                    json.loads(raw) if raw else None,
                )
                standin.asked.append(asked)
                route = standin.routes.get((asked.method, asked.path))
                self._answer(route(asked) if route else problem(404, "NOT_FOUND", f"No {asked.path}."))

            def _answer(self, reply: Reply) -> None:
                if reply.stream is not None:
                    self._pour(reply.stream)
                    return
                raw = reply.raw if reply.raw is not None else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw) + (100 if reply.cut else 0)))
                self.end_headers()
                self.wfile.write(raw)
                self.close_connection = self.close_connection or reply.cut

            def _pour(self, stream: Iterable[bytes]) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                with contextlib.suppress(OSError):  # the reader left
                    for piece in stream:
                        self.wfile.write(piece)
                        self.wfile.flush()
                self.close_connection = True

            do_GET = do_POST = do_DELETE = do_PATCH = _serve

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def on(self, method: str, path: str, route: Callable[[Asked], Reply] | Reply) -> None:
        self.routes[method, path] = route if callable(route) else lambda _: route

    def paths(self) -> list[str]:
        return [f"{asked.method} {asked.path}" for asked in self.asked]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
