"""The one outbound HTTP client for bytes: plain `http.client`, with rules about where things may go.

- A token goes to the home origin (scheme, host and port) and nowhere else, whoever redirects us where.
- A redirect never leads from https to http, and never from a public hub into a private network: the address
  is resolved once, checked, and connected to.
- An address that a user gave (`Outbound.for_address`) leads to public addresses only, at every hop.
- TLS is verified against certifi or `SSL_CERT_FILE`; `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are honoured.
"""

import base64
import contextlib
import http.client
import os
import socket
import ssl
import urllib.request
from functools import cache, cached_property
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from integrations.addresses import (
    Origin,
    Place,
    allowed_origins,
    is_public,
    look_up,
    look_up_public,
    read_url,
)
from integrations.errors import AccessDenied, Unreachable

USER_AGENT = "modelhub/0.1"
MAX_REDIRECTS = 5
URL_CHARACTERS = "%/:=&?~+!$,;'@()*[]"
"""What a redirect may contain as it is; the rest (spaces, accents) is escaped."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Outbound:
    """The rules for one transfer: its home (the hub's base address), its token, its patience in seconds."""

    def __init__(
        self, home: str, token: str | None = None, *, connect: float = 10.0, read: float = 30.0
    ) -> None:
        self.home = Origin.of(home)
        self.token = token
        self.connect_timeout = connect
        self.read_timeout = read
        self.allowed: frozenset[Origin] | None = None

    @classmethod
    def for_address(
        cls, url: str, allowed: frozenset[Origin] | None = None, *, connect: float = 10.0, read: float = 30.0
    ) -> "Outbound":
        """The rules for an address that a user gave: no token, and only public addresses at every hop.

        `allowed` are the exact origins an administrator configured (`addresses.allowed_origins()` when None);
        nothing is checked about those. Raises InvalidRef when the address is not plain.
        """
        origin, _ = read_url(url)
        rules = cls(str(origin), connect=connect, read=read)
        rules.allowed = allowed_origins() if allowed is None else allowed
        return rules

    def headers(self, origin: Origin) -> dict[str, str]:
        fields = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
        if self.token and origin == self.home:
            fields["Authorization"] = f"Bearer {self.token}"
        return fields

    def origin_of(self, url: str) -> Origin:
        """Where `url` leads; strictly read when a user has a say in it."""
        return Origin.of(url) if self.allowed is None else read_url(url)[0]

    @cached_property
    def private_home(self) -> bool:
        """Whether the hub itself lies in a private network; then its redirects may too."""
        try:
            found = look_up(self.home.host, self.home.port)
        except OSError:
            return False
        return any(not is_public(place.address[0]) for place in found)

    def places(self, origin: Origin) -> list[Place]:
        """The addresses to connect to for this origin, looked up and checked. Raises Unreachable, OSError."""
        if self.allowed is not None:
            exempt = origin in self.allowed
            return (look_up if exempt else look_up_public)(origin.host, origin.port)
        found = look_up(origin.host, origin.port)
        if origin[1:] != self.home[1:] and not self.private_home:
            for place in found:
                if not is_public(place.address[0]):
                    raise Unreachable(
                        f"{self.home} sent us on to {origin.host}, which lies in a private network. "
                        "That was refused.",
                        details={"host": origin.host},
                    )
        return found

    def connect(self, origin: Origin) -> socket.socket:
        """Look up once, check, and connect to exactly that address."""
        trouble: OSError = OSError(f"{origin.host} has no address")
        for family, kind, protocol, place in self.places(origin):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(self.connect_timeout)
                sock.connect(place)
                sock.settimeout(self.read_timeout)
            except OSError as error:
                sock.close()
                trouble = error
            else:
                return sock
        raise trouble

    def via(self, origin: Origin) -> tuple[Any, str]:
        """The proxy the environment names for this origin, or None; and the host to ask it for.

        A proxy looks names up for itself. For an address from a user it is therefore given the number that
        was checked; what an administrator allowed is asked directly.
        """
        proxy = proxy_for(origin)
        if proxy is None or origin in (self.allowed or ()):
            return None, origin.host
        if self.allowed is not None:
            return proxy, self.places(origin)[0].address[0]
        if origin[1:] != self.home[1:]:
            with contextlib.suppress(OSError):  # it may be that only the proxy knows this name
                self.places(origin)
        return proxy, origin.host


@cache
def tls() -> ssl.SSLContext:
    given = os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE")
    if given is None:
        try:
            import certifi

            given = certifi.where()
        except ImportError:
            pass
    context = ssl.create_default_context(cafile=given)
    context.set_alpn_protocols(["http/1.1"])
    return context


class Response:
    """An answer whose body is read into the caller's buffer. `url` is where it came from after redirects."""

    def __init__(self, raw: http.client.HTTPResponse, url: str) -> None:
        self._raw = raw
        self.url = url
        self.status = raw.status
        self.received = 0

    def header(self, name: str) -> str | None:
        return self._raw.getheader(name)

    @property
    def length(self) -> int | None:
        """Content-Length, None when the body is chunked or ends with the connection."""
        return self._raw.length

    def receive(self, view: memoryview) -> int:
        """At least one byte into `view`, as one read of the socket gives them; 0 at the end of the body."""
        if self._raw.fp is None:
            return 0
        body: Any = self._raw.fp
        count: int = self._raw.readinto(view) if self._raw.chunked else body.readinto1(view)
        self.received += count
        return count

    def finish(self) -> bool:
        """Done with this answer; True when it was read to its end and the connection can be used again."""
        whole = not self._raw.chunked and self.length is not None and self.received == self.length
        self._raw.close()
        return whole and not self._raw.will_close

    def drain(self, limit: int = 65536) -> bool:
        """Read what is left of a small body; True when the connection can be used again."""
        length = self.length
        if self._raw.chunked or length is None or length - self.received > limit:
            return False
        buffer = memoryview(bytearray(limit))
        while self.received < length:
            if not self.receive(buffer[: length - self.received]):
                return False
        self._raw.close()
        return not self._raw.will_close


class Wire:
    """The connections of one thread, one for each origin. Not for sharing, except `abort`."""

    def __init__(self, outbound: Outbound) -> None:
        self.outbound = outbound
        self._open: dict[Origin, http.client.HTTPConnection] = {}

    def get(self, url: str, fields: dict[str, str]) -> Response:
        """The answer to GET after redirects.

        Raises OSError or http.client.HTTPException when the network fails, AccessDenied or Unreachable when
        a redirect breaks the rules. Statuses are the caller's business.
        """
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send(url, fields)
            if response.status not in REDIRECTS:
                return response
            target = self._next(url, response.header("Location") or "")
            if not response.drain():
                self.drop(url)
            if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
                raise AccessDenied(
                    f"{Origin.of(url)} sent us on to an unencrypted address. That was refused."
                )
            url = target
        raise Unreachable(f"{self.outbound.home} sent us round in circles ({MAX_REDIRECTS} redirects).")

    def _send(self, url: str, fields: dict[str, str]) -> Response:
        origin, target = self._read(url)
        headers = {**self.outbound.headers(origin), **fields, "Host": host_field(origin)}
        fresh = origin not in self._open
        connection: Any = self._open.get(origin) or self._connect(origin)
        if getattr(connection, "asked_for", None):
            target = f"{connection.asked_for}{target}"
            headers |= connection.proxy_fields
        try:
            connection.request("GET", target, headers=headers)
            return Response(connection.getresponse(), url)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.drop(url)
            if fresh:
                raise
            return self._send(url, fields)  # an idle connection may have been closed; that is no failure
        except BaseException:
            self.drop(url)
            raise

    def _read(self, url: str) -> tuple[Origin, str]:
        if self.outbound.allowed is not None:
            return read_url(url)
        split = urlsplit(url)
        target = (split.path or "/") + (f"?{split.query}" if split.query else "")
        return Origin.of(url), quote(target, safe=URL_CHARACTERS)

    def _next(self, url: str, location: str) -> str:
        """Where a redirect leads. What a stranger's server says is escaped, then read as strictly as ever."""
        if self.outbound.allowed is None:
            return urljoin(url, location)
        if "\\" in location or not location.isprintable():
            raise Unreachable(f"{self._read(url)[0]} sent us on to an address that cannot be read.")
        # Headers come as Latin-1; a target that begins with `//` or a scheme is an address of its own.
        return urljoin(url, quote(location.strip(" "), safe=URL_CHARACTERS + "#-._"))

    def _connect(self, origin: Origin) -> Any:
        proxy, asked_for = self.outbound.via(origin)
        host, port = (proxy.hostname or "", proxy.port or 8080) if proxy else (origin.host, origin.port)
        connection: Any
        if origin.scheme == "https":
            connection = http.client.HTTPSConnection(
                host, port, timeout=self.outbound.read_timeout, context=tls()
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=self.outbound.read_timeout)
        if proxy is None:
            connection._create_connection = lambda *_: self.outbound.connect(origin)
        else:
            fields = {}
            if proxy.username:
                pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
                fields["Proxy-Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
            if origin.scheme == "https":
                connection.set_tunnel(asked_for, origin.port, fields)
                if asked_for != origin.host:
                    connection._context = Named(tls(), origin.host)
            else:
                connection.asked_for = origin._replace(host=asked_for)
                connection.proxy_fields = fields
        self._open[origin] = connection
        return connection

    def drop(self, url: str) -> None:
        """Close the connection to the origin of `url`: its state is unknown."""
        if connection := self._open.pop(self.outbound.origin_of(url), None):
            connection.close()

    def close(self) -> None:
        for origin in list(self._open):
            self._open.pop(origin).close()

    def abort(self) -> None:
        """From another thread: wake whoever waits for these connections."""
        for connection in list(self._open.values()):
            sock = connection.sock
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


def proxy_for(origin: Origin) -> Any:
    """The proxy the environment names for this origin, split into its parts, or None."""
    if urllib.request.proxy_bypass(origin.host):
        return None
    named = urllib.request.getproxies().get(origin.scheme)
    return urlsplit(named if "://" in named else f"http://{named}") if named else None


def host_field(origin: Origin) -> str:
    """The Host header for an origin."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return host if origin.port == (443 if origin.scheme == "https" else 80) else f"{host}:{origin.port}"


class Named:
    """A TLS context for one server: its certificate is held against its name, whatever was dialled."""

    def __init__(self, context: ssl.SSLContext, name: str) -> None:
        self.context, self.name = context, name

    def wrap_socket(self, sock: socket.socket, **_given: Any) -> ssl.SSLSocket:
        return self.context.wrap_socket(sock, server_hostname=self.name)
