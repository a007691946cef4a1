"""The two servers: the hub (API and small files) and, on its own port, the CDN that holds the large ones."""

import contextlib
import json
import re
import socket
import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.hub import api
from tests.support.hub.body import send_range
from tests.support.hub.faults import Fault
from tests.support.hub.repos import file_hash

if TYPE_CHECKING:
    from tests.support.hub import Hub


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self, port: int, handler: type[BaseHTTPRequestHandler], hub: "Hub", tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.hub = hub
        self.live: set[socket.socket] = set()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def process_request(self, request: Any, client_address: Any) -> None:
        self.live.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.live.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close what clients keep open, as the end of a server process does."""
        for sock in list(self.live):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up and sockets are broken on purpose here; only a mistake of ours is worth a
        traceback."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    role = "hub"
    server: Server

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    @property
    def hub(self) -> "Hub":
        return self.server.hub

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        self.query = parse_qs(split.query, keep_blank_values=True)
        self.route = unquote(split.path)
        entry = self.hub.begin(
            server=self.role,
            method=self.command,
            path=self.route,
            range=self.headers.get("Range"),
            authorization=self.headers.get("Authorization"),
        )
        self.entry = entry
        try:
            self.answer()
        finally:
            entry["ended"] = time.time()

    do_HEAD = do_POST = do_GET

    def answer(self) -> None:
        raise NotImplementedError

    def reply(self, status: int, body: Any = None, **headers: str) -> None:
        """Answer with JSON (or bytes); `X_Error_Code="…"` becomes the header X-Error-Code."""
        data = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
        self.head(status, {"Content-Type": "application/json", "Content-Length": str(len(data))}, **headers)
        if self.command != "HEAD":
            self.wfile.write(data)

    def head(self, status: int, fields: dict[str, str], **headers: str) -> None:
        self.entry["status"] = status
        self.send_response(status)
        for name, value in {**fields, **{k.replace("_", "-"): v for k, v in headers.items()}}.items():
            self.send_header(name, value)
        self.end_headers()

    def fail(self, fault: Fault) -> bool:
        """Answer as `fault` wants when it replaces the whole answer."""
        if fault.kind == "status":
            extra = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
            self.reply(fault.status, {"error": "made to fail"}, **extra)
        elif fault.kind == "unsatisfiable":
            self.reply(416, {"error": "range"}, Content_Range="bytes */0")
        elif fault.kind == "redirect":
            self.reply(302, {}, Location=fault.to)
        else:
            return False
        return True

    def send_file(self, path: Path, etag: str, fault: Fault | None, fields: dict[str, str]) -> None:
        """The file or the range of it that was asked for, with `fault` applied."""
        size = path.stat().st_size
        kind = fault.kind if fault else ""
        if fault and kind == "changed_etag":
            etag = f"{etag[:-4]}{fault.used:04x}"
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        condition = self.headers.get("If-Range")
        whole = not wanted or kind == "ignore_range" or (condition is not None and condition != f'"{etag}"')
        start, end = (0, size) if whole else (int(wanted[1]), min(size, int(wanted[2] or size - 1) + 1))
        fields = {
            "Content-Type": "application/octet-stream",
            "Accept-Ranges": "bytes",
            "ETag": f'"{etag}"',
            **fields,
        }
        if not whole and start >= size:
            return self.reply(416, {"error": "range"}, Content_Range=f"bytes */{size}")
        if kind == "wrong_range" and not whole:
            start = start - 1 if start else 1
        if not whole:
            fields["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        if kind == "gzip":
            fields["Content-Encoding"] = "gzip"
        length = end - start + (1 << 20 if kind == "oversize" else 0)
        if kind == "endless":
            fields["Connection"] = "close"
            self.close_connection = True
        else:
            fields["Content-Length"] = str(length)
        self.head(200 if whole else 206, fields)
        if self.command == "HEAD":
            return None
        self.entry["bytes"] = sent = send_range(
            self.connection, path, start, end, rate=self.hub.rate, fault=fault
        )
        if sent != length:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
        return None


class HubHandler(Handler):
    def answer(self) -> None:
        if self.route == "/_control":
            return self.control()
        name = re.sub(r"^/[^/]+/[^/]+/resolve/[^/]+/", "", self.route)
        fault = self.hub.faults.take("hub", name)
        if fault and self.fail(fault):
            return None
        return api.answer(self, fault)

    def control(self) -> None:
        """GET: the log and the faults in force; POST JSON {reset, clear, rate, expire, faults: […]}
        changes them."""
        if self.command == "POST":
            orders = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
            self.hub.obey(orders)
        self.reply(
            200, {"log": self.hub.requests(), "faults": self.hub.faults.as_json(), "cdn": self.hub.cdn_url}
        )


class CdnHandler(Handler):
    role = "cdn"

    def answer(self) -> None:
        if self.headers.get("Authorization"):
            return self.reply(400, {"error": "Only one auth mechanism allowed"})
        if self.query.get("signature") != [str(self.hub.generation)]:
            return self.reply(403, {"error": "Request has expired"})
        name = self.query["path"][0]
        path = self.hub.shelf.root / self.query["folder"][0] / name
        if not path.is_file():
            return self.reply(404, {"error": "no such blob"})
        fault = self.hub.faults.take("cdn", name)
        if fault and self.fail(fault):
            return None
        # A CDN's ETag is its own (S3 answers the MD5 of the upload), not the hash the hub speaks of.
        etag = file_hash(path, "sha256")[:32]
        return self.send_file(path, etag, fault, {})
