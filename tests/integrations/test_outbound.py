"""Addresses from users: how they are read, looked up, checked, and sent through a proxy."""

import contextlib
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations.addresses import Origin, allowed_origins, is_public, read_url
from integrations.errors import IntegrationError, InvalidRef, Unreachable, Unsupported
from integrations.http import Outbound, Wire
from tests.support.hostile_urls import Canary, Redirector, own_addresses, try_all

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = "93.184.215.14"
TROUBLE = (IntegrationError, OSError, http.client.HTTPException, ValueError)


class Resolver:
    """Answers each question with the next of its answers, then with the last one for ever; counts them."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, host: str, port: int, *_args: Any, **_options: Any) -> Any:
        self.asked += 1
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            (socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port))
            for a in addresses
        ]


def test_a_name_that_changes_its_mind_is_asked_once(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    canary.hits.clear()
    dialled: list[Any] = []

    def refuse(self: socket.socket, address: Any) -> None:
        dialled.append(address[0])
        raise ConnectionRefusedError

    url = f"http://flips.example:{canary.port}/"
    for later in (["127.0.0.1"], ["::1"], own_addresses()[:1] or ["127.0.0.2"]):
        resolver = Resolver([PUBLIC], later)
        with monkeypatch.context() as patched:
            patched.setattr(socket, "getaddrinfo", resolver)
            patched.setattr(socket.socket, "connect", refuse)
            with pytest.raises(OSError):
                Wire(Outbound.for_address(url, frozenset())).get(url, {})
        assert resolver.asked == 1
    assert set(dialled) == {PUBLIC} and not canary.hits


@pytest.mark.parametrize(
    "answer", [[PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], [PUBLIC, "::1"], [PUBLIC, "::ffff:10.0.0.1"], []]
)
def test_one_private_answer_condemns_a_name(answer: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Resolver(answer))
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("connected"))
    with pytest.raises(Unreachable, match="MODELHUB_OUTBOUND_ORIGINS"):
        Wire(Outbound.for_address("http://mixed.example/", frozenset())).get("http://mixed.example/", {})


def test_an_exception_is_for_one_origin_exactly(canary: Canary, hostile_names: None) -> None:
    canary.hits.clear()
    allowed = frozenset({Origin("http", "10.1.2.3", 80), Origin("https", "lan.example", 443)})
    for url in (
        "http://10.1.2.3:81/", "https://10.1.2.3/", "http://10.1.2.4/", "http://lan.example/",
        "https://lan.example:444/", "https://x.lan.example/", f"http://lan.example:{canary.port}/",
    ):  # fmt: skip
        with pytest.raises(IntegrationError):
            Wire(Outbound.for_address(url, allowed, connect=0.2)).get(url, {})
    assert not canary.hits


def test_exceptions_are_what_an_administrator_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert allowed_origins() == frozenset()
    monkeypatch.setenv("HF_ENDPOINT", "http://10.0.0.7:8080/")
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:11434")
    monkeypatch.setenv("MODELHUB_OIDC_ISSUER", "https://login.lan/realms/x")
    monkeypatch.setenv("MODELHUB_OUTBOUND_ORIGINS", json.dumps(["https://gpu.lan:8443"]))
    assert allowed_origins() == {
        Origin("http", "10.0.0.7", 8080), Origin("http", "127.0.0.1", 11434),
        Origin("https", "login.lan", 443), Origin("https", "gpu.lan", 8443),
    }  # fmt: skip
    monkeypatch.setenv("MODELHUB_OUTBOUND_ORIGINS", "https://gpu.lan")
    with pytest.raises(Unsupported):
        allowed_origins()


class Proxy(http.server.BaseHTTPRequestHandler):
    seen: list[str] = []

    def do_CONNECT(self) -> None:
        self.seen.append(f"CONNECT {self.path}")
        self.send_error(502)

    def do_GET(self) -> None:
        self.seen.append(f"GET {self.path} {self.headers['Host']}")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_address[1]}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    Proxy.seen.clear()
    yield Proxy.seen
    server.shutdown()
    server.server_close()


def test_a_proxy_gets_the_number_that_was_checked(proxy: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    flips = Resolver([PUBLIC], [PUBLIC], ["127.0.0.1"])
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda h, *a, **o: flips(h, a[0]) if h.endswith(".example") else real(h, *a, **o),
    )
    for url in ("http://flips.example/x", "https://flips.example/x"):
        with contextlib.suppress(OSError):
            Wire(Outbound.for_address(url, frozenset())).get(url, {})
    assert proxy == [f"GET http://{PUBLIC}:80/x flips.example", f"CONNECT {PUBLIC}:443"]


def test_a_proxy_is_not_asked_for_what_is_private(
    canary: Canary, urls: list[str], hostile_names: None, proxy: list[str], redirector: Redirector,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def fetch(url: str) -> None:
        Wire(Outbound.for_address(url, frozenset(), connect=0.2)).get(url, {})

    assert try_all(fetch, urls, canary) == len(urls)
    own = Origin.of(redirector.url)
    redirector.to = "http://10.0.0.1/"
    with pytest.raises(Unreachable):
        Wire(Outbound.for_address(redirector.url, frozenset({own}))).get(redirector.url, {})
    assert proxy == [] and redirector.seen == 1
    # A public hub that we reach through the proxy sends us into the private network behind it.
    monkeypatch.setattr(Outbound, "private_home", False)
    rules = Outbound("http://hub.example")
    for url in ("http://10.0.0.1/", "http://169.254.169.254/latest", "http://elsewhere.example/"):
        with pytest.raises(Unreachable):
            Wire(rules).get(url, {})
    assert proxy == []


@pytest.mark.parametrize(
    ("url", "origin", "target"),
    [
        ("http://hub.example", ("http", "hub.example", 80), "/"),
        ("HTTPS://Hub.Example.:8443/a?b#c", ("https", "hub.example", 8443), "/a?b"),
        ("http://93.184.215.14/x", ("http", "93.184.215.14", 80), "/x"),
        ("https://[2606:4700:0::1111]/", ("https", "2606:4700::1111", 443), "/"),
        ("https://xn--e1aybc.example/%C3%BC?q=1", ("https", "xn--e1aybc.example", 443), "/%C3%BC?q=1"),
        ("https://hub.example?q", ("https", "hub.example", 443), "/?q"),
        ("https://my_host.example/a@b", ("https", "my_host.example", 443), "/a@b"),
    ],
)  # fmt: skip
def test_plain_addresses_are_read(url: str, origin: tuple[str, str, int], target: str) -> None:
    assert read_url(url) == (Origin(*origin), target)


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(InvalidRef) as refused:
        read_url("https://someone:hunter2@hub.example/")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "224.0.0.1", "ff0e::1", "240.0.0.1", "255.255.255.255", "192.88.99.1", "64:ff9b::7f00:1",
        "64:ff9b:1::808:808", "2002:7f00:1::", "2002:a9fe:a9fe::1", "::127.0.0.1", "2001::1", "fec0::1",
        "168.63.129.16", "3fff::1", "100::1", "2001:4860::5efe:7f00:1", "2001:4860::200:5efe:a00:1",
        "5f00::1", "::ffff:100.64.0.1",
    ],
)  # fmt: skip
def test_what_only_looks_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8"]
)
def test_what_is_public(address: str) -> None:
    assert is_public(address)
