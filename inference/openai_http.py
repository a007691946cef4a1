"""The HTTP face of an engine: routes, key, JSON in and out, server-sent events, and clients that go away.

One thread per connection is enough: an engine answers a handful of streams at a time, and the thread sleeps
while the engine works. Standard library only, so that nothing but the engine itself costs start-up time.
"""

import contextlib
import hmac
import json
import queue
import select
import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from inference.openai_shapes import ChatAnswer, Delta, Shape, TextAnswer
from inference.openai_types import BadRequest, ChatRequest, CompletionRequest, Generation, parse

BODY_LIMIT = 16 * 1024 * 1024
CLIENT_CHECK_SECONDS = 0.5
"""How often a waiting answer looks whether its client is still there."""


class Answer(Protocol):
    """A generation under way."""

    prompt_tokens: int

    def next(self, timeout: float) -> Delta:
        """The next piece; raises `queue.Empty` when there is none within `timeout` seconds."""
        ...

    def cancel(self) -> None: ...


class Engine(Protocol):
    """What the HTTP face needs. `status` is loading, ok or failed."""

    model_name: str
    context: int

    @property
    def status(self) -> str: ...

    def chat(self, request: ChatRequest) -> Answer: ...

    def complete(self, request: CompletionRequest) -> Answer: ...

    def metrics(self) -> dict[str, float]: ...


class Server(ThreadingHTTPServer):
    """Bound at once (so a taken port is known before the model is loaded); answers 503 until the engine is
    ready."""

    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], engine: Engine, api_key: str) -> None:
        self.engine = engine
        self.api_key = api_key
        self.started = int(time.time())
        super().__init__(address, Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is printed by the base class."""
        import sys

        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "ModelHub"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = 120  # seconds an idle keep-alive connection is kept
    server: Server

    def do_GET(self) -> None:
        engine = self.server.engine
        path = self.path.partition("?")[0]
        if path in ("/health", "/v1/health"):
            self._send_json(200 if engine.status == "ok" else 503, {"status": engine.status})
        elif not self._authorised():
            return
        elif path in ("/v1/models", "/v1/models/" + engine.model_name):
            entry = {
                "id": engine.model_name,
                "object": "model",
                "created": self.server.started,
                "owned_by": "modelhub",
            }
            entry |= {"context_length": engine.context}
            self._send_json(200, {"object": "list", "data": [entry]} if path == "/v1/models" else entry)
        elif path == "/metrics":
            lines = "".join(f"modelhub_engine_{name} {value}\n" for name, value in engine.metrics().items())
            self._send(200, lines.encode(), "text/plain; version=0.0.4")
        else:
            self._send_error(404, f"There is nothing at {path[:100]}.", code="not_found")

    def do_POST(self) -> None:
        path = self.path.partition("?")[0]
        try:
            body = self._read_body()
            if not self._authorised():
                return
            if path == "/v1/chat/completions":
                self._answer(ChatAnswer, parse(ChatRequest, self._parse_json(body)))
            elif path == "/v1/completions":
                self._answer(TextAnswer, parse(CompletionRequest, self._parse_json(body)))
            else:
                self._send_error(404, f"There is nothing at {path[:100]}.", code="not_found")
        except BadRequest as error:
            self._send_error(error.status, str(error), param=error.param, code=error.code)

    # -- generating

    def _answer(self, shape: type[Shape], request: Any) -> None:
        engine = self.server.engine
        if engine.status != "ok":
            raise BadRequest("The model is still loading; try again soon.", code="model_loading", status=503)
        answer = engine.chat(request) if isinstance(request, ChatRequest) else engine.complete(request)
        frame = shape(engine.model_name, answer.prompt_tokens)
        finished = False
        try:
            if request.stream:
                finished = self._stream(frame, answer, request)
            else:
                finished = self._collect(frame, answer)
        finally:
            if not finished:
                answer.cancel()

    def _pieces(self, answer: Answer) -> Iterator[Delta]:
        """The pieces of an answer, for as long as its client listens."""
        while True:
            try:
                piece = answer.next(CLIENT_CHECK_SECONDS)
            except queue.Empty:
                self._check_client()
                continue
            yield piece
            if piece.finish_reason or piece.error:
                return
            self._check_client()

    def _check_client(self) -> None:
        """Raises `ConnectionError` when the client has closed its end. A readable socket with nothing to read
        is closed; with something to read it is a pipelined request, which waits its turn."""
        if select.select([self.connection], [], [], 0)[0]:
            try:
                gone = self.connection.recv(1, socket.MSG_PEEK) == b""
            except OSError:
                gone = True
            if gone:
                self.close_connection = True
                raise ConnectionAbortedError("the client went away")

    def _collect(self, frame: Shape, answer: Answer) -> bool:
        text: list[str] = []
        for piece in self._pieces(answer):
            if piece.error:
                self._send_error(500, piece.error, code="generation_failed")
                return True
            text.append(piece.text)
        self._send_json(200, frame.whole("".join(text), piece))
        return True

    def _stream(self, frame: Shape, answer: Answer, request: Generation) -> bool:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Accel-Buffering", "no")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for opening in frame.opening():
            self._event(opening)
        for piece in self._pieces(answer):
            if piece.error:
                self._event(
                    {"error": {"message": piece.error, "type": "server_error", "code": "generation_failed"}}
                )
                break
            if piece.text:
                self._event(frame.delta(piece.text))
            if piece.finish_reason:
                self._event(frame.ending(piece.finish_reason))
                if request.include_usage:
                    self._event(frame.usage_event(piece))
        self._chunk(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")
        return True

    def _event(self, payload: dict[str, Any]) -> None:
        self._chunk(
            b"data: " + json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
        )

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    # -- HTTP

    def _authorised(self) -> bool:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if hmac.compare_digest(given.encode(), self.server.api_key.encode()):
            return True
        self._send_error(
            401, "The API key is missing or wrong: send 'Authorization: Bearer KEY'.", code="invalid_api_key"
        )
        return False

    def _read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self.close_connection = True
            raise BadRequest("Send the body with a Content-Length.", code="length_required", status=411)
        if int(length) > BODY_LIMIT:
            self.close_connection = True
            raise BadRequest(
                f"The body may have {BODY_LIMIT} bytes at most.", code="body_too_large", status=413
            )
        return self.rfile.read(int(length))

    def _parse_json(self, body: bytes) -> Any:
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise BadRequest("The body is not valid JSON.", code="invalid_json") from None

    def _send_error(
        self, status: int, message: str, *, param: str | None = None, code: str | None = None
    ) -> None:
        kind = "invalid_request_error" if status < 500 else "server_error"
        self._send_json(status, {"error": {"message": message, "type": kind, "param": param, "code": code}})

    def _send_json(self, status: int, payload: dict[str, Any]) -> None:
        self._send(status, json.dumps(payload, ensure_ascii=False).encode(), "application/json")

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Health checks come every second: they are not news."""
        if not self.path.endswith("/health"):
            super().log_request(code, size)
