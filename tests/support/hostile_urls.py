"""Addresses that want to get into the private network, and listeners there that count who comes."""

import contextlib
import http.client
import http.server
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psutil

from integrations.errors import IntegrationError

TROUBLE = (IntegrationError, OSError, http.client.HTTPException, ValueError)


def own_addresses() -> list[str]:
    """This machine's addresses beside loopback: those of its bridges and cards."""
    found = [a.address for card in psutil.net_if_addrs().values() for a in card if a.family == socket.AF_INET]
    return [address for address in found if not address.startswith("127.")]


class Canary:
    """Listens on every address of this machine, IPv4 and IPv6; `hits` is who connected."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        self._listener = socket.create_server(
            ("::", 0), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512
        )
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, address = self._listener.accept()
                self.hits.append(address[0])
                connection.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


def numbers(address: str) -> Iterator[str]:
    """One IPv4 address as some parser somewhere reads it."""
    a, b, c, d = map(int, address.split("."))
    whole = int(ipaddress.IPv4Address(address))
    yield from (
        address,
        f"{address}.",
        f"{a}.{b}.{c * 256 + d}",
        f"{a}.{(b << 16) + (c << 8) + d}",
        str(whole),
    )
    yield from (hex(whole), hex(whole).upper(), f"0{whole:o}", f"{whole + 2**32}", f"{hex(a)}.{b}.{c}.{d}")
    yield from (".".join(map(hex, (a, b, c, d))), ".".join(f"0{x:o}" for x in (a, b, c, d)))
    yield from (".".join(f"{x:03d}" for x in (a, b, c, d)), f"0000{a}.{b}.{c}.{d}", f"0x{a:08x}.{b}.{c}.{d}")
    yield address.replace(".", "%2e")
    yield "".join(f"%{ord(letter):02x}" for letter in address)
    yield address.replace(".", "\u3002")
    yield address.replace(".", "\uff0e")
    yield "".join(chr(0xFF10 + int(x)) if x.isdigit() else x for x in address)
    yield "".join(chr(0x2460 + int(x) - 1) if x in "123456789" else x for x in address)
    high, low = f"{a:02x}{b:02x}", f"{c:02x}{d:02x}"
    for wrapped in (
        f"::ffff:{address}", f"::ffff:{high}:{low}", f"0:0:0:0:0:ffff:{high}:{low}", f"::{address}",
        f"64:ff9b::{high}:{low}", f"64:ff9b:1::{high}:{low}", f"2002:{high}:{low}::1", f"2001::{high}:{low}",
        f"2001:4860::5efe:{high}:{low}", f"2001:4860::200:5efe:{high}:{low}", f"::ffff:0:{high}:{low}",
    ):  # fmt: skip
        yield f"[{wrapped}]"


NAMES = (
    "localhost", "LOCALHOST", "localhost.", "lo%63alhost", "app.localhost", "localhost.localdomain",
    "ip6-localhost", "metadata.google.internal", "metadata", "instance-data",
    "kubernetes.default.svc.cluster.local", "host.docker.internal", "gateway.docker.internal",
    "printer.local", "router.home.arpa", "127.0.0.1.nip.example", "public.example", "xn--e1aybc.example",
    "l\u043ecalhost", "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3", "a.b.c.d.example",
    "localhost\u00ad",
)  # fmt: skip

SHAPES = (
    "http://{h}:{p}", "https://{h}:{p}/", "HTTP://{h}:{p}/", "http://{h}:{p}?x", "http://{h}:{p}#x",
    "http://public.example@{h}:{p}/", "http://public.example:80@{h}:{p}/", "http://{h}:{p}@public.example/",
    "http://public.example:pass@{h}:{p}/", "http://@{h}:{p}/", "http://:@{h}:{p}/",
    "http://public.example#@{h}:{p}/", "http://public.example?@{h}:{p}/",
    "http://public.example\\@{h}:{p}/", "http://{h}:{p}\\@public.example/",
    "http://public.example\\.{h}:{p}/", "http:\\\\{h}:{p}\\", "http:/{h}:{p}/", "http:{h}:{p}/",
    "//{h}:{p}/", "///{h}:{p}/", "http:///{h}:{p}/", "http://{h}:{p}%2f@public.example/",
    "http://{h}:{p}%00.public.example/", "http://{h}%09:{p}/", "http://{h}%20:{p}/", "http:// {h}:{p}/",
    " http://{h}:{p}/", "http://{h}:{p}/ HTTP/1.1\r\nX: y", "ht\ntp://{h}:{p}/", "http://{h}\t:{p}/",
    "http://{h}\n:{p}/", "http://{h}:{p}\r\n/", "http://\x00{h}:{p}/", "http://{h};x:{p}/",
    "http://{h}:0{p}/", "http://{h}:{p}x/", "http://{h}:+{p}/", "http://{h}: {p}/", "http://{h}:99999/",
    "http://{h}:0/", "http://{h}:-1/", "http://{h}::{p}/", "http://[{h}]:{p}/", "http://[::{h}%25lo]:{p}/",
    "http://[::1%lo]:{p}/", "http://[::1%25lo]:{p}/", "http://[::1]{h}:{p}/",
    "http://[fe80::1%25eth0]:{p}/", "http://[v1.{h}]:{p}/", "http://{h}:{p}:80/",
    "http://{h},public.example:{p}/", "http://public.example,{h}:{p}/", "http://{h}&@public.example:{p}/",
    "http://*.{h}:{p}/", "http://${{h}}:{p}/", "gopher://{h}:{p}/_GET", "dict://{h}:{p}/x",
    "ftp://{h}:{p}/", "file:///etc/passwd", "file://{h}:{p}/etc/passwd", "ldap://{h}:{p}/",
    "jar:http://{h}:{p}!/", "data:text/plain,x", "javascript:fetch('//{h}:{p}')", "ws://{h}:{p}/",
    "unix://{h}/x", "http+unix://{h}:{p}/", "blob:http://{h}:{p}/", "view-source:http://{h}:{p}/",
    "url:http://{h}:{p}/", "http\u003a\u2215\u2215{h}:{p}/", "http://{h}\u2024{p}/", "http://{h}\uff1a{p}/",
    "http://{h}\uff0f:{p}/", "http://{h}\u200b:{p}/", "http://\u202e{h}:{p}/",
    "http://" + "a." * 200 + "{h}:{p}/", "http://{h}:{p}/" + "a" * 5000, "", "http://", "http://:{p}/",
    "http://.:{p}/", "http://..{h}:{p}/", "http://-{h}:{p}/",
)  # fmt: skip

SPECIAL = (
    "0.0.0.0", "0", "00", "127.1", "127.0.1", "127.127.127.127", "127.0.0.0", "[::]", "[::1]",
    "[0:0:0:0:0:0:0:1]", "[::0001]", "[fd00::1]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[fd00:ec2::254]",
    "[2001:db8::1]", "[100::1]", "169.254.169.254", "169.254.170.2", "100.100.100.200", "100.64.0.1",
    "168.63.129.16", "192.0.0.192", "198.18.0.1", "192.88.99.1", "192.168.0.1", "172.16.0.1", "10.0.0.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "203.0.113.1", "[3fff::1]",
)  # fmt: skip


def hostile_urls(port: int) -> list[str]:
    """All of them, each once, aimed at `port` of this machine where they aim at it at all."""
    hosts = [*NAMES, *SPECIAL]
    for address in ("127.0.0.1", *own_addresses()[:1]):
        hosts += numbers(address)
    plain = [f"http://{host}:{port}/" for host in hosts]
    shaped = [
        shape.replace("{h}", host).replace("{p}", str(port))
        for shape in SHAPES
        for host in ("127.0.0.1", "localhost")
    ]
    return list(dict.fromkeys(plain + shaped))


class Redirector(http.server.ThreadingHTTPServer):
    """A server that sends everybody on to `to`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.to, self.seen = "", 0
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen += 1  # type: ignore[attr-defined]
        self.send_response_only(307 if self.command == "POST" else 302)
        self._headers_buffer.append(b"Location: " + self.server.to.encode() + b"\r\n")  # type: ignore[attr-defined]
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass


def try_all(fetch: Callable[[str], Any], urls: list[str], canary: Canary) -> int:
    """Fetch each; how many were refused. None may reach the canary."""
    refused = 0
    for url in urls:
        with contextlib.suppress(*TROUBLE):
            fetch(url)
            continue
        refused += 1
        assert not canary.hits, url
    assert not canary.hits
    return refused
