"""Where the token goes, whom we follow, and how we get out: TLS, proxies, redirects."""

import datetime
import http.server
import ipaddress
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations import http as outbound
from integrations.errors import AccessDenied, Unreachable, Unsupported
from integrations.http import Origin, Outbound, is_public
from tests.support.downloads import WEIGHTS, build_model, content, download, plan_of
from tests.support.hub import Hub

CANARY = "hf_ok"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    build_model(root / "private" / "model", weights_bytes=2_000_000)
    build_model(root / "org" / "model", weights_bytes=2_000_000)
    return root


@pytest.fixture
def hub(root: Path) -> Iterator[Hub]:
    with Hub(root) as running:
        yield running


def test_the_token_opens_the_hub_and_never_reaches_the_cdn(
    hub: Hub, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", CANARY)
    plan = plan_of(hub, "private/model")
    download(hub, tmp_path, plan)
    assert content(tmp_path) == content(root / "private" / "model")
    assert {entry["authorization"] for entry in hub.requests("hub")} == {f"Bearer {CANARY}"}
    assert {entry["authorization"] for entry in hub.requests("cdn")} == {None}
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or CANARY.encode() not in path.read_bytes()


def test_the_token_follows_no_redirect_to_another_port(
    hub: Hub, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", CANARY)
    plan = plan_of(hub)
    with Hub(root) as other:
        hub.fault(
            "redirect", to=f"{other.url}/org/model/resolve/main/config.json", match="config.json", on="hub"
        )
        download(hub, tmp_path, plan)
        assert [entry["authorization"] for entry in other.requests()] == [None]
    assert content(tmp_path) == content(root / "org" / "model")


def test_a_redirect_with_spaces_and_accents_is_followed(hub: Hub, root: Path, tmp_path: Path) -> None:
    plan = plan_of(hub)
    address = f"{hub.url}/org/model/resolve/main/config.json?note=a%20b\u00e9"
    hub.fault(
        "redirect", to=address.replace("%20", " ").encode().decode("latin-1"), match="config.json", on="hub"
    )
    download(hub, tmp_path, plan)
    assert content(tmp_path) == content(root / "org" / "model")


def test_a_public_hub_leads_nobody_into_a_private_network(hub: Hub, tmp_path: Path) -> None:
    rules = Outbound("https://huggingface.co", "secret")
    rules.__dict__["private_home"] = (
        False  # what its public address says; there is no name service to ask here
    )
    wire = outbound.Wire(rules)
    with pytest.raises(Unreachable, match="private network"):
        wire.get(f"{hub.url}/api/models", {})
    assert hub.requests() == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.17.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:169.254.169.254", False),
    ],
)
def test_what_counts_as_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "url", ["", "file:///etc/passwd", "ftp://x/y", "//x", "http://", "javascript:1", "http://x:bad/"]
)
def test_only_web_addresses_are_fetched(url: str) -> None:
    with pytest.raises(Unsupported):
        Origin.of(url)


def test_an_origin_is_scheme_host_and_port() -> None:
    home = Origin.of("https://hub.example/x")
    assert home == Origin.of("https://HUB.example:443/y")
    assert home != Origin.of("http://hub.example/x")
    assert home != Origin.of("https://hub.example:8443/x")
    assert home != Origin.of("https://hub.example.evil/x")
    assert home != Origin.of("https://hub.example@evil/x")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(secret)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def secure(root: Path, certificate: tuple[Path, Path]) -> Iterator[Hub]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with Hub(root, tls=context) as running:
        outbound.tls.cache_clear()
        yield running
    outbound.tls.cache_clear()


def plan_without_tls(root: Path) -> dict[str, Any]:
    with Hub(root) as plain:
        return plan_of(plain)


def test_tls_with_an_authority_of_ones_own(
    secure: Hub, root: Path, tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    secure.fault("cut", match=WEIGHTS, on="cdn", at=100_000)
    download(secure, tmp_path, plan_without_tls(root))
    assert content(tmp_path) == content(root / "org" / "model")


def test_a_certificate_nobody_vouches_for_is_refused(secure: Hub, root: Path, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="SSL_CERT_FILE"):
        download(secure, tmp_path, plan_without_tls(root))
    assert secure.requests() == []


def test_https_is_never_left_for_http(
    secure: Hub, root: Path, tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    plan = plan_without_tls(root)
    with Hub(root) as plain:
        secure.fault("redirect", to=f"{plain.url}/org/model/resolve/main/{WEIGHTS}", match=WEIGHTS, on="hub")
        with pytest.raises(AccessDenied, match="unencrypted"):
            download(secure, tmp_path, plan)
        assert plain.requests() == []


class ForwardProxy(http.server.BaseHTTPRequestHandler):
    """GET with absolute targets, passed on by urllib; remembers what came."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str | None]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Proxy-Authorization")))
        wanted = {k: v for k, v in self.headers.items() if k in ("Range", "If-Range", "Accept-Encoding")}
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), KeepRedirects())
        answer = opener.open(urllib.request.Request(self.path, headers=wanted))
        body = answer.read()
        self.send_response(answer.status)
        for name in ("Content-Range", "ETag", "Location"):
            if value := answer.headers.get(name):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class KeepRedirects(urllib.request.HTTPErrorProcessor):
    def http_response(self, request: Any, response: Any) -> Any:
        return response


def test_a_proxy_of_the_environment_is_used(
    hub: Hub, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(hub)
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), ForwardProxy)
    threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
    monkeypatch.setenv("http_proxy", f"http://someone:pass%20word@127.0.0.1:{proxy.server_address[1]}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    try:
        download(hub, tmp_path, plan)
    finally:
        proxy.shutdown()
        proxy.server_close()
    assert content(tmp_path) == content(root / "org" / "model")
    assert len(ForwardProxy.seen) == len(hub.requests())
    assert {credentials for _, credentials in ForwardProxy.seen} == {"Basic c29tZW9uZTpwYXNzIHdvcmQ="}
