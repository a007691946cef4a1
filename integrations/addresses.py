"""Where a request may go: addresses read by one parser, names looked up once, every answer checked.

An address given by a user is read strictly: what two parsers could read differently (credentials,
backslashes, white space, anything beyond ASCII, numbers that only some take for IPv4) is refused, not
interpreted. What remains is connected to as it was read: nothing reads it a second time.
"""

import ipaddress
import json
import os
import re
import socket
from typing import NamedTuple
from urllib.parse import urlsplit

from integrations import permitted
from integrations.errors import InvalidRef, Unreachable, Unsupported

LONGEST = 4096
_URL = re.compile(r"(https?)://([^/?#]*)([/?][^#]*)?(#.*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

INTERNAL_NAMES = ("localhost", "internal", "local", "localdomain", "home.arpa", "in-addr.arpa", "ip6.arpa")
"""What names end in that mean something only inside a network (RFC 6761, RFC 8375, clouds' metadata)."""
NOT_PUBLIC = tuple(
    ipaddress.ip_network(block)
    for block in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
        "168.63.129.16/32",  # Azure's host, from any of its machines
        *("2001::/23", "2001:db8::/32", "3fff::/20"),
    )
)
"""Blocks that are no single machine on the internet (IANA's special-purpose registries); of IPv6 those within
2000::/3, beyond which nothing is public. What Python knows of them differs from version to version."""
NAT64 = ipaddress.ip_network("64:ff9b::/96")
SIXTOFOUR = ipaddress.ip_network("2002::/16")
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


class Origin(NamedTuple):
    """What credentials, and exceptions from the rules, are bound to."""

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


class Place(NamedTuple):
    """One answer of the resolver: what `socket.socket` and `connect` take."""

    family: int
    kind: int
    protocol: int
    address: tuple[str, int]


def read_url(url: str) -> tuple[Origin, str]:
    """An address from a user as its origin and request target. Raises InvalidRef, saying what is wrong."""
    if len(url) > LONGEST:
        raise InvalidRef(f"The address is longer than {LONGEST} characters.")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _wrong(url, "has white space, a backslash or letters beyond ASCII; write those as %XX or xn--…")
    found = _URL.fullmatch(url)
    if found is None:
        raise _wrong(url, "does not begin with http:// or https://")
    scheme, authority, target = found[1].lower(), found[2], found[3] or "/"
    if "@" in authority:
        raise _wrong(url.partition("://")[0], "has a user name or password before its host")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise _wrong(url, "has no host that can be read in one way only")
    port = int(parts[2]) if parts[2] else (443 if scheme == "https" else 80)
    if not 0 < port < 65536:
        raise _wrong(url, "has an impossible port")
    return Origin(scheme, _host(url, parts[1].lower()), port), target if target[0] == "/" else f"/{target}"


def _host(url: str, host: str) -> str:
    """The host as it is looked up; a number only in its one canonical form."""
    try:
        if host[0] == "[":
            return str(ipaddress.IPv6Address(host[1:-1]))
        host = host.removesuffix(".")
        labels = host.split(".")
        if _NUMBER.fullmatch(labels[-1]):
            return str(ipaddress.IPv4Address(host))
    except ValueError:
        raise _wrong(url, "has a number for a host that is no plain IPv4 or IPv6 address") from None
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise _wrong(url, "has no host that can be read in one way only")
    return host


def _wrong(url: str, what: str) -> InvalidRef:
    return InvalidRef(f"The address '{url[:200]}' {what}.")


def is_internal_name(host: str) -> bool:
    name = host.lower().rstrip(".")
    single = "." not in name and ":" not in name
    return single or name.endswith(tuple(f".{end}" for end in INTERNAL_NAMES))


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet's, also where IPv6 only wraps an IPv4 one."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped
        if ip in NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        elif ip in SIXTOFOUR:
            inner = ip.sixtofour
        if inner is not None:
            return is_public(str(inner))
        # ISATAP hides an IPv4 address in the second half.
        if ip not in GLOBAL_UNICAST or (int(ip) >> 32) & 0xFDFFFFFF == 0x5EFE:
            return False
    return not any(ip in network for network in NOT_PUBLIC if network.version == ip.version)


def look_up(host: str, port: int) -> list[Place]:
    """All addresses of a name. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [Place(int(info[0]), int(info[1]), info[2], info[4]) for info in found]  # type: ignore[arg-type]


def look_up_public(host: str, port: int) -> list[Place]:
    """All addresses of a name, if every one of them is public: one that is not condemns the name.

    Raises Unreachable, and OSError when the name has none.
    """
    if is_internal_name(host):
        raise private(host)
    places = look_up(host, port)
    if not places or not all(is_public(place.address[0]) for place in places):
        raise private(host)
    return places


def private(host: str) -> Unreachable:
    return Unreachable(
        f"{host} lies in a private network, where addresses given by users do not lead. An administrator can "
        "allow its exact origin in MODELHUB_OUTBOUND_ORIGINS.",
        details={"host": host},
    )


def allowed_origins() -> frozenset[Origin]:
    """The origins an administrator configured, private or not: asked for at each call."""
    given = [os.environ.get(name, "") for name in ("HF_ENDPOINT", "OLLAMA_HOST", "MODELHUB_OIDC_ISSUER")]
    return frozenset(Origin.of(url.strip()) for url in given if "://" in url) | origins_for_users()


def origins_for_users() -> frozenset[Origin]:
    """Those that were named for users' addresses; the servers the hub itself talks to are not among them."""
    named = [*_listed(), *permitted.now().origins]
    return frozenset(Origin.of(url.strip()) for url in named if "://" in url)


def _listed() -> list[str]:
    text = os.environ.get("MODELHUB_OUTBOUND_ORIGINS", "").strip()
    try:
        value = json.loads(text) if text else []
    except ValueError:
        value = None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Unsupported("MODELHUB_OUTBOUND_ORIGINS is no JSON list of origins.")
    return value
