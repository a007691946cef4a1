"""gunicorn's gevent worker, which lets no slow or broken client hold a place or learn anything.

Every connection waits in a greenlet of its own, so a slow client delays nobody; but places are limited, so it
loses its own after a while. What a client may take its time for:

- the next request on an idle connection: `keepalive` seconds;
- a request's headers, from their first byte (or the connection) to their last: its patience;
- a request's body: its patience between any two parts of it;
- what is left of a body that nobody wanted: a bounded number of bytes, and its patience for all of it.

Patience is `MODELHUB_CLIENT_TIMEOUT`, and less when more than half of the places are taken. It counts only
while a request comes in: answers, streams and WebSockets have the bare socket and all the time of the world.
"""

import contextlib
import errno
import json
import socket
import time
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from gunicorn.http import errors as refused
from gunicorn.workers.ggevent import GeventWorker

PATIENCE = 30.0
"""Seconds, unless the application's settings say otherwise."""
LEAST = 1.0
"""Seconds of patience that remain when the last place is taken."""
LEFTOVER = 1024**2
"""Bytes beyond the largest body that are read only to be thrown away, so that the sender hears our answer."""

STATUS: dict[type[BaseException], tuple[int, str, str]] = {
    refused.LimitRequestLine: (414, "URI Too Long", "URI_TOO_LONG"),
    refused.LimitRequestHeaders: (431, "Request Header Fields Too Large", "HEADERS_TOO_LARGE"),
    refused.ExpectationFailed: (417, "Expectation Failed", "EXPECTATION_FAILED"),
}
OURS = (refused.ConfigurationProblem, refused.InvalidResponseHeader, refused.InvalidResponseHeaderName)
SENTENCES = {
    400: "This is no request of HTTP/1.1 that can be understood in one way only. The connection is closed.",
    414: "The address is too long.",
    431: "The headers are too many or too large.",
    417: "The Expect header asks for something that is not offered here.",
    500: "Something went wrong on our side. The log has the details.",
}


class PatientWorker(GeventWorker):
    """`worker_class = "supervisor.web_worker.PatientWorker"`."""

    taken = 0
    patience_seconds = PATIENCE
    largest_body = 16 * 1024**2

    def run(self) -> None:
        settings = getattr(self.wsgi, "extensions", {}).get("modelhub_settings")
        self.patience_seconds = float(getattr(settings, "client_timeout", PATIENCE))
        self.largest_body = int(getattr(settings, "max_body", self.largest_body))
        super().run()

    @property
    def patience(self) -> float:
        """Seconds: all of it while half of the places are free, then less and less."""
        free = 1 - self.taken / self.worker_connections
        return max(min(LEAST, self.patience_seconds), self.patience_seconds * min(1.0, 2 * free))

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        self.taken += 1
        try:
            super().handle(listener, Incoming(client, self), addr)
        finally:
            self.taken -= 1

    def timeout_ctx(self) -> AbstractContextManager[None]:
        return contextlib.nullcontext()  # `Incoming` knows better

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> Any:
        sock.reads_body()
        req.body.reader = Careful(req.body.reader)
        try:
            return super().handle_request(listener_name, req, sock.bare, addr)
        finally:
            sock.awaits_request()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Say no in the words of our API; a client's mistake is never a 5xx and leaves no traceback."""
        theirs = isinstance(exc, refused.ParseException) and not isinstance(
            exc,
            refused.ConfigurationProblem | refused.InvalidResponseHeader | refused.InvalidResponseHeaderName,
        )
        if theirs:
            status, reason, code = STATUS.get(type(exc), (400, "Bad Request", "BAD_REQUEST"))
            self.log.info(
                "Refused what came from %s: %s", addr[0] if addr else "a socket", type(exc).__name__
            )
        else:
            status, reason, code = 500, "Internal Server Error", "INTERNAL"
            self.log.error("Error handling a request", exc_info=exc)
        body = json.dumps(
            {
                "success": False,
                "message": SENTENCES[status],
                "error": code,
                "details": {},
                "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            }
        ).encode()
        head = (
            f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/json\r\n"
            f"X-Content-Type-Options: nosniff\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with contextlib.suppress(OSError):
            client.settimeout(LEAST)
            client.sendall(head.encode() + body)
            # Closed with bytes unread, the connection would be reset, and our answer lost with it.
            client.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + LEAST
            while time.monotonic() < deadline and client.bare.recv(65536):
                pass


class Incoming:
    """A client's socket as the parser reads it: `recv` ends, as if the client had hung up, with its patience.

    Everything else is the socket's own.
    """

    def __init__(self, bare: socket.socket, worker: PatientWorker) -> None:
        self.bare = bare
        self.worker = worker
        self.gone = False
        self.deadline: float | None = None
        self.awaits_request()
        self.deadline = time.monotonic() + worker.patience

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bare, name)

    def awaits_request(self) -> None:
        """The next bytes are what is left of a body, and then the head of a request."""
        self.in_body = False
        self.deadline = None
        self.allowance = self.worker.largest_body + LEFTOVER

    def reads_body(self) -> None:
        self.in_body = True

    def recv(self, size: int, *flags: int) -> bytes:
        seconds = self._seconds()
        if self.gone or seconds <= 0:
            self.gone = True
            return b""
        before = self.bare.gettimeout()
        self.bare.settimeout(seconds)
        try:
            data = self.bare.recv(size, *flags)
        except TimeoutError:
            data = b""
        finally:
            with contextlib.suppress(OSError):
                self.bare.settimeout(before)
        if not data:
            self.gone = True
        elif not self.in_body:
            self.allowance -= len(data)
            if self.deadline is None:
                self.deadline = time.monotonic() + self.worker.patience
        return data

    def _seconds(self) -> float:
        if self.in_body:
            return self.worker.patience
        if self.allowance <= 0:
            return 0
        if self.deadline is None:
            return float(self.worker.cfg.keepalive)
        return self.deadline - time.monotonic()


class Careful:
    """The body's reader: one that breaks HTTP's rules ends as if its client had gone, with an OSError."""

    def __init__(self, reader: Any) -> None:
        self.reader = reader

    def read(self, size: int) -> bytes:
        try:
            data: bytes = self.reader.read(size)
        except refused.ParseException as error:
            raise ConnectionResetError(errno.ECONNRESET, type(error).__name__) from None
        return data
