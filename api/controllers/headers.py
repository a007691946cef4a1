"""What browsers are told about us, and which of their requests are ours at all.

The door is the outermost WSGI layer, outside Socket.IO too: it refuses a Host that is not this hub's (a page
whose name was made to point here, DNS rebinding), plain requests where https is demanded, and changes at
`/api/v1/auth` from pages of another origin. What passes gets its headers on the way out.
"""

import ipaddress
import re
import socket
import uuid
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from flask import Flask, Response, g, redirect, request
from flask_cors import CORS
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix

from api.config import Settings
from api.errors import AppError, Forbidden, problem_response
from api.extensions import settings

HSTS_SECONDS = 365 * 24 * 3600
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
AUTH = "/api/v1/auth/"
"""Where a cookie counts: nothing changes there for a page of another origin."""
SOCKETS = "/socket.io/"
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?)\.?(:[0-9]{1,5})?", re.ASCII)

_UNUSED = "camera microphone geolocation payment usb serial hid midi browsing-topics"
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")

PERMISSIONS = ", ".join(f"{feature}=()" for feature in _UNUSED.split())
DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For answers that are no page: nothing in them is ever to be loaded or run."""


def register(app: Flask) -> None:
    """Put the door around `app` and headers on its answers. Called once the sockets are bound to it."""
    with app.app_context():
        chosen = settings()
    _allow_origins(app, [exact_origin(origin) for origin in chosen.cors_origins])
    app.before_request(_name_request)
    app.after_request(partial(_harden, hsts=chosen.secure_cookies))
    app.wsgi_app = Door(app, app.wsgi_app, chosen)  # type: ignore[method-assign]
    if hops := chosen.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_port=0, x_prefix=0
        )


class Door:
    """WSGI: what is not for us goes no further."""

    def __init__(self, app: Flask, inner: WSGIApplication, chosen: Settings) -> None:
        self.app, self.inner = app, inner
        self.public_url = chosen.public_url
        self.https_only = chosen.https_only
        self.hosts = own_hosts(chosen)
        self.origins = allowed_origins(chosen)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["modelhub.origins"] = self.origins
        if environ.get("PATH_INFO") != "/healthz":
            answer = self._refusal(environ)
            if answer is not None:
                with self.app.request_context(environ):
                    _name_request()
                    made = problem_response(answer) if isinstance(answer, Exception) else answer()
                    return self.app.process_response(made)(environ, start_response)
        return self.inner(environ, start_response)

    def _refusal(self, environ: WSGIEnvironment) -> Exception | Callable[[], Any] | None:
        said = environ.get("HTTP_HOST")
        host = host_of(said) if said else None
        if host is None and (said or environ.get("SERVER_PROTOCOL") != "HTTP/1.0"):
            return BadRequest("The Host header is missing or is no host's name.")
        if host is not None and not self._is_ours(host):
            return BadRequest(
                f"This hub does not answer to the name '{host[:100]}'. If it is one of its names, add it to "
                "MODELHUB_ALLOWED_HOSTS and start the hub again."
            )
        if environ["PATH_INFO"].startswith(SOCKETS) and not _is_handshake(environ):
            return BadRequest(
                "Only WebSockets are spoken here, and this is no WebSocket handshake of version 13."
            )
        target = environ.get("RAW_URI", "/")
        if not target.startswith(("/", "*")) and urlsplit(target).netloc.lower() != (said or "").lower():
            return BadRequest("The address asked for and the Host header name different hosts.")
        if self.https_only and environ["wsgi.url_scheme"] != "https" and not _never_left(environ, host):
            return self._insist(environ)
        origin = environ.get("HTTP_ORIGIN")
        if (
            origin is not None
            and environ["REQUEST_METHOD"] not in SAFE
            and environ["PATH_INFO"].startswith(AUTH)
            and not self._may_come_from(origin, environ)
        ):
            return Forbidden(
                "This page may not sign anybody in or out here: its origin is not this hub's. Behind a "
                "proxy, set MODELHUB_PUBLIC_URL or MODELHUB_TRUSTED_PROXIES."
            )
        return None

    def _is_ours(self, host: str) -> bool:
        # No name server makes a number point elsewhere, and `*.localhost` is always this machine.
        return host in self.hosts or host.endswith(".localhost") or _is_number(host)

    def _may_come_from(self, origin: str, environ: WSGIEnvironment) -> bool:
        return origin in self.origins or origin == own_origin(environ)

    def _insist(self, environ: WSGIEnvironment) -> AppError | Callable[[], Any]:
        """On to https; but what carries credentials is refused, so that its sender notices."""
        where = self.public_url if self.public_url and self.public_url.startswith("https://") else None
        carries = {"HTTP_AUTHORIZATION", "HTTP_X_API_KEY", "HTTP_COOKIE"} & environ.keys()
        if where is None or carries or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return Forbidden(
                f"This hub takes requests over https only: use {where or 'its https address'}. What this "
                "request carried went over the network in the clear; replace any password or key in it."
            )
        query = environ.get("QUERY_STRING")
        return lambda: redirect(f"{where}{request.path}{f'?{query}' if query else ''}", code=308)


def origin_allowed(origin: str | None, environ: dict[str, Any]) -> bool:
    """Whether a page of this origin may open a socket here; for Socket.IO's `cors_allowed_origins`."""
    return bool(origin) and (origin == own_origin(environ) or origin in environ.get("modelhub.origins", ()))


def allowed_origins(chosen: Settings) -> frozenset[str]:
    """The origins besides the hub's own that may call it."""
    given = {exact_origin(origin) for origin in chosen.cors_origins}
    if chosen.public_url:
        public = urlsplit(chosen.public_url)
        given.add(exact_origin(f"{public.scheme}://{public.netloc}"))
    return frozenset(given)


def own_origin(environ: WSGIEnvironment) -> str:
    """The origin this request was sent to, as a browser writes it."""
    scheme, host = environ["wsgi.url_scheme"], environ.get("HTTP_HOST", "").lower()
    return f"{scheme}://{host.removesuffix(':443' if scheme == 'https' else ':80')}"


def exact_origin(text: str) -> str:
    """`scheme://host[:port]` as a browser writes it. `ValueError` for a pattern, a path or `null`."""
    split = urlsplit(text.strip())
    host = host_of(split.netloc)
    if split.scheme not in ("http", "https") or host is None or split.path.strip("/") or split.query:
        raise ValueError(
            f"'{text[:100]}' is no origin. Write it as https://host or https://host:port, without a path and "
            "without wildcards (MODELHUB_CORS_ORIGINS, MODELHUB_PUBLIC_URL)."
        )
    netloc = split.netloc.lower().removesuffix(":443" if split.scheme == "https" else ":80")
    return f"{split.scheme}://{netloc}"


@lru_cache(maxsize=1024)
def host_of(header: str) -> str | None:
    """The host of a Host header, lower case and without its port; None when it is none."""
    if len(header) > 300 or not (found := _HOST.fullmatch(header.lower())):
        return None
    return found[1].strip("[]")


def own_hosts(chosen: Settings) -> frozenset[str]:
    """The names this hub answers to. No name server is asked: it may be slow, and is not ours to believe."""
    machine = socket.gethostname().lower()
    names = {"localhost", machine, machine.partition(".")[0], f"{machine.partition('.')[0]}.local"}
    names |= _names_in_hosts_file(machine)
    names.add(chosen.host.lower().strip("[]"))
    if chosen.public_url:
        names.add((urlsplit(chosen.public_url).hostname or "").lower())
    names |= {host_of(name) or name.lower() for name in chosen.allowed_hosts}
    return frozenset(names - {""})


def _names_in_hosts_file(machine: str) -> set[str]:
    """The other names on this machine's own line, such as its full one."""
    try:
        lines = Path("/etc/hosts").read_text(errors="replace").lower().splitlines()
    except OSError:
        return set()
    found = (line.partition("#")[0].split()[1:] for line in lines)
    return {name for names in found if machine in names for name in names}


@lru_cache(maxsize=1024)
def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_handshake(environ: WSGIEnvironment) -> bool:
    """A whole one: the libraries behind Socket.IO raise where half of it is missing."""
    names = [name.strip().lower() for name in environ.get("HTTP_CONNECTION", "").split(",")]
    return (
        environ["REQUEST_METHOD"] == "GET"
        and "upgrade" in names
        and environ.get("HTTP_UPGRADE", "").lower() == "websocket"
        and environ.get("HTTP_SEC_WEBSOCKET_VERSION") == "13"
        and bool(_KEY.fullmatch(environ.get("HTTP_SEC_WEBSOCKET_KEY", "")))
    )


def _never_left(environ: WSGIEnvironment, host: str | None) -> bool:
    """From this machine to itself, past every proxy: `modelhub` and the supervisor ask this way."""
    forwarded = {"HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_FORWARDED", "HTTP_VIA"}
    return (
        _is_loopback(environ.get("REMOTE_ADDR", ""))
        and (host is None or host == "localhost" or _is_loopback(host))
        and not forwarded & environ.keys()
    )


def _is_loopback(host: str) -> bool:
    return _is_number(host) and ipaddress.ip_address(host).is_loopback


def _allow_origins(app: Flask, origins: list[str]) -> None:
    if not origins:
        return
    CORS(
        app,
        resources={r"/(api|v1|hf|ollama)/.*": {}},
        # Patterns that match themselves: plain brackets, as of IPv6, would be read as a pattern.
        origins=[re.compile(re.escape(origin) + r"\Z") for origin in origins],
        supports_credentials=True,
        always_send=False,
        allow_headers=["Authorization", "Content-Type", "X-API-Key", "X-Request-ID", "Last-Event-ID"],
        expose_headers=[
            "X-Request-ID", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"
        ],
        max_age=600,
    )  # fmt: skip


def _name_request() -> None:
    given = request.headers.get("X-Request-ID", "")
    usable = given.isascii() and given.isprintable() and 0 < len(given) <= 64
    g.request_id = given if usable else uuid.uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


@lru_cache(maxsize=256)
def page_policy(scheme: str, host: str) -> str:
    """The Content-Security-Policy of our pages, under the address they were asked for."""
    # Older Safari does not count a WebSocket to the page's own host as 'self'.
    live = f" {'wss' if scheme == 'https' else 'ws'}://{host}" if host_of(host) else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",  # Ant Design writes its styles at run time
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            f"connect-src 'self'{live}",
            "manifest-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _harden(response: Response, hsts: bool) -> Response:
    headers = response.headers
    headers["X-Request-ID"] = g.get("request_id", "")
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", PERMISSIONS)
    page = response.mimetype in ("text/html", "text/javascript", "image/svg+xml")
    policy = page_policy(request.scheme, request.environ.get("HTTP_HOST", "")) if page else DATA_POLICY
    headers.setdefault("Content-Security-Policy", policy)
    if hsts or request.is_secure:
        headers.setdefault("Strict-Transport-Security", f"max-age={HSTS_SECONDS}")
    if request.path.startswith(("/api/v1/", "/v1/")):
        headers.setdefault("Cache-Control", "no-store")
        response.vary.add("Origin")
    return response
