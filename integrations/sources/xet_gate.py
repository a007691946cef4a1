"""The way out for the Xet library, which opens connections by itself: a proxy on loopback, for one program.

What goes through it goes by the rules of `integrations.http` (a hub leads nobody into a private network), is
counted, so that a standstill shows, and takes its turn under the speed limits.
"""

import base64
import contextlib
import secrets
import socket
import threading
from types import TracebackType
from urllib.parse import urlsplit

from integrations.addresses import Origin
from integrations.errors import IntegrationError
from integrations.http import Outbound
from integrations.transfer.throttle import Throttle

LONGEST_HEAD = 64 * 1024
BLOCK = 256 * 1024


class Gate:
    """`with Gate(outbound, throttle) as gate:` give the program `gate.address` as its proxy.

    `moved` counts the bytes that came in. `refused` is the first refusal by our rules, if there was one.
    """

    def __init__(self, outbound: Outbound, throttle: Throttle) -> None:
        self.outbound, self.throttle = outbound, throttle
        self.moved = 0
        self.refused: str | None = None
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        key = secrets.token_urlsafe(24)
        self._password = base64.b64encode(f"xet:{key}".encode())
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://xet:{key}@127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> "Gate":
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._listening.close()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(caller,), daemon=True).start()

    def _relay(self, caller: socket.socket) -> None:
        with self._held(caller), contextlib.suppress(OSError):
            head, rest = _read_head(caller)
            if b"proxy-authorization: basic " + self._password.lower() not in head.lower():
                caller.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            origin, first = _where(head)
            try:
                server = self.outbound.connect(origin)
            except (OSError, IntegrationError) as error:
                if isinstance(error, IntegrationError):
                    self.refused = self.refused or str(error)
                caller.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                return
            with self._held(server):
                if first is None:
                    caller.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    server.sendall(first)
                server.sendall(rest)
                up = threading.Thread(target=self._pump, args=(caller, server, False), daemon=True)
                up.start()
                self._pump(server, caller, True)

    def _pump(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        """Bytes from one to the other until one of them is done; what comes in waits its turn."""
        with contextlib.suppress(OSError):
            while True:
                most = self.throttle.turn(BLOCK) if counts else BLOCK
                block = source.recv(most)
                if not block:
                    break
                if counts:
                    self.throttle.take(len(block), self._closing)
                    self.moved += len(block)
                target.sendall(block)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR if not counts else socket.SHUT_RDWR)

    @contextlib.contextmanager
    def _held(self, sock: socket.socket):  # type: ignore[no-untyped-def]
        with self._lock:
            self._open.add(sock)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()


def _read_head(caller: socket.socket) -> tuple[bytes, bytes]:
    """The head of a request, and what came with it. Raises OSError for what is none."""
    caller.settimeout(30)
    data = b""
    while b"\r\n\r\n" not in data:
        block = caller.recv(8192)
        if not block or len(data) > LONGEST_HEAD:
            raise OSError("no request")
        data += block
    caller.settimeout(None)
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _where(head: bytes) -> tuple[Origin, bytes | None]:
    """Where a request wants to go, and its head as that server wants it; None for a tunnel."""
    line, *fields = head.decode("latin-1").split("\r\n")
    method, target, *_ = line.split(" ")
    if method == "CONNECT":
        host, _, port = target.rpartition(":")
        return Origin("https", host.strip("[]"), int(port)), None
    split = urlsplit(target)
    path = (split.path or "/") + (f"?{split.query}" if split.query else "")
    kept = [field for field in fields if not field.lower().startswith(("proxy-", "connection:"))]
    lines = [f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""]
    return Origin.of(target), "\r\n".join(lines).encode("latin-1")
