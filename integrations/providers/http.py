"""An HTTP/1.1 client for relaying: kept-alive connections, large reads, cheap per token.

A relay's cost is per wake-up, so one `recv` takes everything the engine has sent since the last and the
chunk framing of all of it is undone in one pass. (`http.client` hands out one chunk, that is one token, per
call.) Plain sockets keep it cooperative under gevent and usable from threads.
"""

import contextlib
import re
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from integrations.errors import InvalidRef, Stopped, Unreachable
from integrations.providers.framing import Chunked, Plain

RECV_BYTES = 65536
HEAD_BYTES = 65536
BODY_BYTES = 64 * 1024**2
"""Most bytes of an answer that is read whole."""
CONNECT_SECONDS = 5.0
TICK_SECONDS = 1.0
"""How often a wait for the engine looks up to ask whether anybody still wants the answer."""
SILENCE_SECONDS = 600.0
"""An engine on a busy CPU may think long before its first token; silence beyond this is an error."""
KEEP_SECONDS = 60.0
"""An engine may close an idle connection sooner: then the request is sent again on a fresh one."""
KEEP_AT_MOST = 512

_IPV4 = re.compile(r"\d{1,3}(\.\d{1,3}){3}")

Idle = Callable[[], None]
"""Called about once a second while nothing arrives; raising from it gives up."""


@dataclass(frozen=True)
class Address:
    scheme: str
    host: str
    port: int
    prefix: str

    @classmethod
    @lru_cache(maxsize=256)
    def parse(cls, url: str) -> "Address":
        """`http(s)://host[:port][/prefix]`; a trailing `/v1` is taken off, since paths bring their own."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidRef(
                f"'{url[:200]}' is not an address of an engine; it must begin with http:// or https://."
            )
        prefix = parts.path.rstrip("/").removesuffix("/v1")
        return cls(
            parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), prefix
        )

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


@dataclass
class Reply:
    """The head of an answer, and its body as it comes. Close it, or read it to its end."""

    address: Address
    status: int
    headers: dict[str, str]
    _socket: socket.socket
    _rest: bytes
    _idle: Idle
    _closed: bool = False
    _reading: bool = False
    _given_back: bool = False
    _decoder: Chunked | Plain = field(init=False)

    def __post_init__(self) -> None:
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            self._decoder = Chunked()
        else:
            length = self.headers.get("content-length", "")
            self._decoder = Plain(int(length) if length.isdigit() else None)

    def pieces(self) -> Iterator[bytes]:
        """The body in pieces, each all that had arrived.

        `Unreachable` when it ends too early, `Stopped` after `close`.
        """
        data = self._rest
        self._rest = b""
        self._reading = True
        try:
            while True:
                if data:
                    piece = self._decoder.feed(data)
                    if piece:
                        yield piece
                if self._decoder.done:
                    self._give_back()
                    return
                data = receive(self._socket, self._idle)
                if self._closed:
                    raise Stopped("The generation was stopped.")
                if not data:
                    self._decoder.end()
        except (ConnectionError, ValueError) as error:
            if self._closed:
                raise Stopped("The generation was stopped.") from None
            raise Unreachable(
                f"The engine at {self.address} broke off in the middle of its answer ({error}). "
                "See the deployment's log, then ask again."
            ) from None
        finally:
            self._reading = False
            if not self._given_back:
                self._closed = True
                hang_up(self._socket)

    def read(self) -> bytes:
        """The whole body."""
        parts, size = [], 0
        for piece in self.pieces():
            size += len(piece)
            if size > BODY_BYTES:
                self.close()
                raise Unreachable(
                    f"The engine at {self.address} answers more than {BODY_BYTES >> 20} MiB at once."
                )
            parts.append(piece)
        return b"".join(parts)

    def close(self) -> None:
        """Hang up, from any thread: the engine cancels the generation, a reader gets `Stopped`."""
        if self._closed:
            return
        self._closed = True
        if self._reading:
            # The reader closes it: closed here, the descriptor's number could be somebody else's by then.
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        else:
            hang_up(self._socket)

    def _give_back(self) -> None:
        if (
            self._closed
            or self.headers.get("connection", "").lower() == "close"
            or not self._decoder.reusable
        ):
            return
        self._closed = self._given_back = True
        POOL.put(self.address, self._socket)


class Pool:
    """Idle connections by address, the freshest first. A deque's operations are atomic and need no lock."""

    def __init__(self) -> None:
        self._idle: dict[Address, deque[tuple[float, socket.socket]]] = {}

    def take(self, address: Address) -> socket.socket | None:
        kept = self._idle.get(address)
        if not kept:
            return None
        now = time.monotonic()
        with contextlib.suppress(IndexError):
            while True:
                since, connection = kept.pop()
                if now - since < KEEP_SECONDS:
                    return connection
                hang_up(connection)
        return None

    def put(self, address: Address, connection: socket.socket) -> None:
        kept = self._idle.setdefault(address, deque())
        kept.append((time.monotonic(), connection))
        if len(kept) > KEEP_AT_MOST:
            with contextlib.suppress(IndexError):
                hang_up(kept.popleft()[1])


POOL = Pool()


def request(
    address: Address, method: str, path: str, headers: dict[str, str], body: bytes, idle: Idle
) -> Reply:
    """Send one request and wait for the head of its answer. `Unreachable` when there is none."""
    lines = [f"{method} {address.prefix}{path} HTTP/1.1", f"Host: {address.host}:{address.port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    message = "\r\n".join(lines).encode("latin-1") + body
    connection = POOL.take(address)
    if connection is not None:
        # A kept connection may have been closed meanwhile: without a byte of an answer, ask on a fresh one.
        with contextlib.suppress(ConnectionError):
            return _exchange(address, connection, message, idle)
    try:
        return _exchange(address, connect(address), message, idle)
    except ConnectionError as error:
        raise Unreachable(
            f"The engine at {address} closed the connection without an answer ({error}). "
            "See the deployment's log."
        ) from None


def connect(address: Address) -> socket.socket:
    try:
        connection = _dial(address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if address.scheme == "https":
            connection = ssl.create_default_context().wrap_socket(connection, server_hostname=address.host)
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unreachable(
            f"The engine at {address} cannot be reached ({reason}). Is the deployment running?"
        ) from None
    connection.settimeout(TICK_SECONDS)
    return connection


def _dial(address: Address) -> socket.socket:
    if not _IPV4.fullmatch(address.host):
        return socket.create_connection((address.host, address.port), CONNECT_SECONDS)
    # `create_connection` would ask the resolver, which under gevent is a trip to another thread.
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.settimeout(CONNECT_SECONDS)
        connection.connect((address.host, address.port))
    except BaseException:
        connection.close()
        raise
    return connection


def _exchange(address: Address, connection: socket.socket, message: bytes, idle: Idle) -> Reply:
    try:
        _send(connection, message)
        head = b""
        while b"\r\n\r\n" not in head:
            data = receive(connection, idle)
            if not data:
                raise ConnectionError("end of stream")
            head += data
            if len(head) > HEAD_BYTES:
                raise Unreachable(f"What answers at {address} does not speak HTTP.")
        head, _, rest = head.partition(b"\r\n\r\n")
        status, headers = _parse_head(address, head)
    except BaseException:
        hang_up(connection)
        raise
    return Reply(address, status, headers, connection, rest, idle)


def _send(connection: socket.socket, message: bytes) -> None:
    try:
        sent = connection.send(message)
        if sent < len(message):
            connection.settimeout(60)  # a long prompt may fill the engine's buffer for a while
            connection.sendall(message[sent:])
            connection.settimeout(TICK_SECONDS)
    except TimeoutError:
        raise ConnectionError("it does not take the request") from None


def _parse_head(address: Address, head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
        raise Unreachable(f"What answers at {address} does not speak HTTP.")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return int(rest[:3]), headers


def receive(connection: socket.socket, idle: Idle) -> bytes:
    """What has arrived, waiting for it; empty at the end. `ConnectionError` after long silence."""
    began = time.monotonic()
    while True:
        try:
            return connection.recv(RECV_BYTES)
        except TimeoutError:
            if time.monotonic() - began > SILENCE_SECONDS:
                raise ConnectionError(f"silent for {SILENCE_SECONDS:.0f} s") from None
            idle()
        except OSError as error:
            raise ConnectionError(error.strerror or str(error)) from None


def hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        connection.close()
