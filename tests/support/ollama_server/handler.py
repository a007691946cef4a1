"""The routes of the server, with the answers and the refusals of the real one."""

import contextlib
import json
import socket
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.support.ollama_server import making, talk
from tests.support.ollama_server.store import LICENSE, PARAMS, SYSTEM, TEMPLATE, digest_of, full_name

if TYPE_CHECKING:
    from tests.support.ollama_server import OllamaServer

NDJSON = "application/x-ndjson"


class Refused(Exception):
    """`{"error": …}` with a status; in a stream that has begun, a last line without one."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler], ollama: "OllamaServer") -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.ollama = ollama

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.ollama = self.server.ollama
        self._begun = False
        path = self.path.partition("?")[0]
        time.sleep(self.ollama.trouble.silent)
        try:
            if path.startswith("/api/blobs/"):
                self.ollama.note(self.command, path, None)
                self._blob(path.rpartition("/")[2])
            else:
                body = self._body()
                self.ollama.note(self.command, path, body)
                self._route(f"{'GET' if self.command == 'HEAD' else self.command} {path}", body)
        except Refused as refused:
            self._refuse(refused)
        except making.Refusal as refused:
            self._refuse(Refused(refused.status, str(refused)))
        except OSError as error:
            if not isinstance(error, making.NoSpace):
                raise  # the client hung up
            self._refuse(Refused(500, str(error)))

    def _route(self, asked: str, body: dict[str, Any]) -> None:
        trouble, store = self.ollama.trouble, self.ollama.store
        if asked == "GET /":
            self._send(200, b"Ollama is running", "text/plain; charset=utf-8")
        elif asked == "GET /api/version":
            self._json({"version": "0.1.30" if trouble.old else trouble.version})
        elif asked == "GET /api/tags":
            self._json({"models": [self._listed(name) for name in reversed(store.models)]})
        elif asked == "GET /api/ps" and not trouble.old:
            self._json({"models": [self._running(name) for name in self.ollama.loaded]})
        elif asked == "POST /api/show":
            self._json(self._shown(self._known(body)))
        elif asked == "POST /api/copy":
            self._copy(body)
        elif asked == "DELETE /api/delete":
            name = self._known(body, "model '{}' not found")
            self.ollama.loaded.pop(name, None)
            store.remove(name)
            self._send(200, b"")
        elif asked == "POST /api/pull":
            self._stream(making.pull(self.ollama, self._name(body), self._cut), body)
        elif asked == "POST /api/create":
            self._stream(making.create(self.ollama, self._name(body), body), body)
        elif asked in ("POST /api/chat", "POST /api/generate"):
            name = self._known(body)
            self.ollama.loaded[name] = datetime.now(UTC).isoformat()
            self._stream(talk.answer(name, body, chat=asked.endswith("chat")), body)
        elif asked == "POST /api/embed":
            self._json(talk.embed(self._known(body), body))
        else:
            self._send(404, b"404 page not found", "text/plain")

    def _body(self) -> dict[str, Any]:
        length = int(self.headers.get("Content-Length") or 0)
        if not length:
            return {}
        try:
            found = json.loads(self.rfile.read(length))
        except ValueError as error:
            raise Refused(400, str(error)) from None
        return found if isinstance(found, dict) else {}

    def _name(self, body: dict[str, Any]) -> str:
        name = body.get("model") or body.get("name") or ""
        if not name or " " in name or ".." in name:
            raise Refused(400, "invalid model name")
        return full_name(name)

    def _known(self, body: dict[str, Any], words: str = "model '{}' not found") -> str:
        given = body.get("model") or body.get("name") or ""
        if not given:
            raise Refused(400, "model is required")
        if (name := full_name(given)) not in self.ollama.store.models:
            raise Refused(404, words.format(given))
        return name

    def _copy(self, body: dict[str, Any]) -> None:
        store = self.ollama.store
        source, destination = full_name(body.get("source") or ""), body.get("destination") or ""
        if not destination or " " in destination:
            raise Refused(400, f'destination "{destination}" is invalid')
        if source not in store.models:
            raise Refused(404, f'model "{body.get("source")}" not found')
        model = store.models[source]
        layers = [(layer["mediaType"], layer["digest"]) for layer in model["layers"]]
        store.add(full_name(destination), layers, model["details"], model["info"])
        self._send(200, b"")

    def _blob(self, digest: str) -> None:
        store = self.ollama.store
        if not digest.startswith("sha256:") or len(digest) != 71:
            self._drain()
            raise Refused(400, "invalid digest format")
        there = store.path(digest).exists()
        content = b"" if self.command == "HEAD" else self._drain()
        if there or self.command == "HEAD":
            self._send(200 if there else 404, b"")
            return
        making.room_for(self.ollama, len(content), store.path(digest))
        if (got := digest_of(content)) != digest:
            raise Refused(400, f'digest mismatch, expected "{digest}", got "{got}"')
        store.put(content)
        self._send(201, b"")

    def _drain(self) -> bytes:
        if length := self.headers.get("Content-Length"):
            return self.rfile.read(int(length))
        pieces = []
        while size := int(self.rfile.readline().strip() or b"0", 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _listed(self, name: str) -> dict[str, Any]:
        model = self.ollama.store.models[name]
        fields = {key: model[key] for key in ("modified_at", "digest", "details")}
        return {"name": name, "model": name, "size": self.ollama.store.size(name), **fields}

    def _running(self, name: str) -> dict[str, Any]:
        listed = self._listed(name)
        listed.pop("modified_at")
        ends = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
        return {**listed, "expires_at": ends, "size_vram": 0, "context_length": 4096}

    def _shown(self, name: str) -> dict[str, Any]:
        store = self.ollama.store
        model = store.models[name]
        parameters = json.loads(store.text(name, PARAMS) or "{}")
        lines = [
            f"{key:<30} {json.dumps(one) if isinstance(one, str) else one}"
            for key, value in parameters.items()
            for one in (value if isinstance(value, list) else [value])
        ]
        shown = {
            "license": store.text(name, LICENSE),
            "modelfile": f'# Modelfile generated by "ollama show"\nFROM {name}\n',
            "parameters": "\n".join(lines),
            "template": store.text(name, TEMPLATE),
            "system": store.text(name, SYSTEM),
            "details": model["details"],
            "model_info": model["info"],
            "capabilities": ["completion"],
            "modified_at": model["modified_at"],
        }
        return {key: value for key, value in shown.items() if value or key in ("details", "model_info")}

    def _stream(self, lines: Iterator[dict[str, Any]], body: dict[str, Any]) -> None:
        if body.get("stream") is False:
            *_, last = lines
            self._json(last)
            return
        for line in lines:
            if not self._begun:
                self._begun = True
                self.send_response(200)
                self.send_header("Content-Type", NDJSON)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
            self._line(line)
        self.wfile.write(b"0\r\n\r\n")

    def _line(self, line: dict[str, Any]) -> None:
        data = json.dumps(line).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _cut(self) -> None:
        """The machine is gone: nothing more comes, and the connection breaks."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True
        raise ConnectionAbortedError

    def _refuse(self, refused: Refused) -> None:
        if self._begun:
            self._line({"error": str(refused)})
            self.wfile.write(b"0\r\n\r\n")
        else:
            self._json({"error": str(refused)}, refused.status)

    def _json(self, value: Any, status: int = 200) -> None:
        self._send(status, json.dumps(value).encode(), "application/json; charset=utf-8")

    def _send(self, status: int, body: bytes, kind: str | None = None) -> None:
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
