"""The one outbound HTTP client for bytes: plain `http.client`, with rules about where things may go.

- A token goes to the home origin (scheme, host and port) and nowhere else, whoever redirects us where.
- A redirect never leads from https to http, and never from a public hub into a private network: the address
  is resolved once, checked, and connected to.
- TLS is verified against certifi or `SSL_CERT_FILE`; `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are honoured.
"""

import base64
import contextlib
import http.client
import ipaddress
import os
import socket
import ssl
import urllib.request
from functools import cache, cached_property
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urljoin, urlsplit

from integrations.errors import AccessDenied, Unreachable, Unsupported

USER_AGENT = "modelhub/0.1"
MAX_REDIRECTS = 5
URL_CHARACTERS = "%/:=&?~+!$,;'@()*[]"
"""What a redirect may contain as it is; the rest (spaces, accents) is escaped."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Origin(NamedTuple):
    """What credentials are bound to."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> "Origin":
        """Raises Unsupported for anything but an http address."""
        try:
            split = urlsplit(url)
            port = split.port
        except ValueError:
            split, port = urlsplit(""), None
        if split.scheme not in ("http", "https") or not split.hostname:
            raise Unsupported(f"'{url[:200]}' is no web address that can be fetched.")
        return cls(split.scheme, split.hostname, port or (443 if split.scheme == "https" else 80))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class Outbound:
    """The rules for one transfer: its home (the hub's base address), its token, its patience in seconds."""

    def __init__(
        self, home: str, token: str | None = None, *, connect: float = 10.0, read: float = 30.0
    ) -> None:
        self.home = Origin.of(home)
        self.token = token
        self.connect_timeout = connect
        self.read_timeout = read

    def headers(self, origin: Origin) -> dict[str, str]:
        fields = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
        if self.token and origin == self.home:
            fields["Authorization"] = f"Bearer {self.token}"
        return fields

    @cached_property
    def private_home(self) -> bool:
        """Whether the hub itself lies in a private network; then its redirects may too."""
        try:
            found = socket.getaddrinfo(self.home.host, self.home.port, type=socket.SOCK_STREAM)
        except OSError:
            return False
        return any(not is_public(str(info[4][0])) for info in found)

    def connect(self, address: tuple[str, int], timeout: Any = None, source: Any = None) -> socket.socket:
        """Resolve once, check, and connect to exactly that address."""
        host, port = address
        trouble: OSError = OSError(f"{host} has no address")
        for family, kind, protocol, _, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            if (host, port) != self.home[1:] and not is_public(str(place[0])) and not self.private_home:
                raise Unreachable(
                    f"{self.home} sent us on to {host}, which lies in a private network. That was refused.",
                    details={"host": host},
                )
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


def is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return ip.is_global


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
            target = urljoin(url, response.header("Location") or "")
            if not response.drain():
                self.drop(url)
            if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
                raise AccessDenied(
                    f"{Origin.of(url)} sent us on to an unencrypted address. That was refused."
                )
            url = target
        raise Unreachable(f"{self.outbound.home} sent us round in circles ({MAX_REDIRECTS} redirects).")

    def _send(self, url: str, fields: dict[str, str]) -> Response:
        origin, split = Origin.of(url), urlsplit(url)
        target = quote((split.path or "/") + (f"?{split.query}" if split.query else ""), safe=URL_CHARACTERS)
        headers = {**self.outbound.headers(origin), **fields}
        fresh = origin not in self._open
        connection: Any = self._open.get(origin) or self._connect(origin)
        if getattr(connection, "absolute_targets", False):
            target = f"{origin}{target}"
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

    def _connect(self, origin: Origin) -> Any:
        proxy = proxy_for(origin)
        host, port = (proxy.hostname or "", proxy.port or 8080) if proxy else (origin.host, origin.port)
        connection: Any
        if origin.scheme == "https":
            connection = http.client.HTTPSConnection(
                host, port, timeout=self.outbound.read_timeout, context=tls()
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=self.outbound.read_timeout)
        if proxy is None:
            connection._create_connection = self.outbound.connect
        else:
            fields = {}
            if proxy.username:
                pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
                fields["Proxy-Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
            if origin.scheme == "https":
                connection.set_tunnel(origin.host, origin.port, fields)
            else:
                connection.absolute_targets, connection.proxy_fields = True, fields
        self._open[origin] = connection
        return connection

    def drop(self, url: str) -> None:
        """Close the connection to the origin of `url`: its state is unknown."""
        if connection := self._open.pop(Origin.of(url), None):
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
