"""Issuers to sign in at: the `oidc-provider-mock` program, and one that says what a test wants it to."""

import base64
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.support.hub_process import free_port


@dataclass
class Provider:
    """A running `oidc-provider-mock`."""

    url: str
    process: subprocess.Popen[bytes]

    def person(self, sub: str, **claims: Any) -> None:
        """Make or change somebody there."""
        httpx.put(f"{self.url}/users/{sub}", json=claims).raise_for_status()

    def client(self, redirect_uri: str) -> tuple[str, str]:
        """Register a client: id and secret. Others stay welcome, unless it was started with `strict`."""
        body = {"redirect_uris": [redirect_uri]}
        made = httpx.post(f"{self.url}/oauth2/clients", json=body).raise_for_status().json()
        return made["client_id"], made["client_secret"]

    def approve(self, address: str, sub: str) -> str:
        """What the browser does on the issuer's page; where it is sent afterwards."""
        answer = httpx.post(address, data={"sub": sub})
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]


@contextlib.contextmanager
def provider(*, strict: bool = False) -> Iterator[Provider]:
    port = free_port()
    words = ["--require-registration", "true"] if strict else []
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), *words],
        env={"PATH": os.environ["PATH"], "NO_COLOR": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{url}/.well-known/openid-configuration").raise_for_status()
                break
            assert process.poll() is None and time.monotonic() < deadline, "oidc-provider-mock did not start"
            time.sleep(0.05)
        yield Provider(url, process)
    finally:
        process.terminate()
        process.wait(10)


@dataclass
class Forger:
    """An issuer whose every answer can be replaced. `seen` are the requests it got."""

    port: int = field(default_factory=free_port)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    published: list[dict[str, Any]] | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "one"})
    id_token: str | None = None
    userinfo: dict[str, Any] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    token_answer: tuple[int, str] | None = None
    challenge: str = ""
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked(self, path: str) -> int:
        return sum(one == path for one, _ in self.seen)

    def document(self) -> dict[str, Any]:
        ends = {name: f"{self.url}/{path}" for name, path in (
            ("authorization_endpoint", "authorize"), ("token_endpoint", "token"),
            ("userinfo_endpoint", "userinfo"), ("jwks_uri", "jwks"),
        )}  # fmt: skip
        return {"issuer": self.url, **ends, **self.discovery}

    def keys(self) -> dict[str, Any]:
        return {"keys": self.published if self.published is not None else [self.key.as_dict(private=False)]}

    def token(self, sent: dict[str, str]) -> tuple[int, str]:
        if self.token_answer:
            return self.token_answer
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != self.challenge:  # RFC 7636 §4.6
            return 400, json.dumps({"error": "invalid_grant"})
        now = int(time.time())
        claims = {"iss": self.url, "aud": "hub", "sub": "s", "iat": now, "exp": now + 300, **self.claims}
        claims = {name: value for name, value in claims.items() if value is not None}
        signed = self.id_token or jwt.encode(self.header, claims, self.key)
        body = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 300, "id_token": signed}
        return 200, json.dumps(body)


@contextlib.contextmanager
def forger() -> Iterator[Forger]:
    issuer = Forger()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            issuer.seen.append((path, dict(self.headers)))
            bodies = {
                "/.well-known/openid-configuration": issuer.document,
                "/jwks": issuer.keys,
                "/userinfo": lambda: issuer.userinfo,
            }
            self._say(200, json.dumps(bodies[path]()))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            sent = {name: values[0] for name, values in parse_qs(body).items()}
            issuer.seen.append((self.path, sent | {"authorization": self.headers.get("Authorization", "")}))
            self._say(*issuer.token(sent))

        def _say(self, status: int, body: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", issuer.port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
