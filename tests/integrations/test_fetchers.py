"""Nobody leads us into the private network: every fetcher against every trick, and listeners hear nothing."""

import re
from pathlib import Path
from typing import Any

import pytest

from integrations import permitted
from integrations.addresses import Origin, is_public
from integrations.http import Outbound, Wire
from integrations.oidc import Issuer
from integrations.ollama import Server
from integrations.permitted import Permitted
from integrations.providers import PROVIDERS
from integrations.runtimes import RUNTIMES
from integrations.sources import SOURCES
from tests.support.hostile_urls import TROUBLE, Canary, Redirector, own_addresses, try_all

ROOT = Path(__file__).resolve().parents[2]

FETCHERS = {
    "integrations/http.py": "bytes of models, and addresses from users: redirected, direct",
    "integrations/blobs/s3.py": "the object storage an administrator configured; names are hashes",
    "integrations/intake/clamav.py": "the scanner an administrator configured, by its socket or host",
    "integrations/sources/hub_client.py": "the hub's API: redirected, by ref",
    "integrations/sources/hub_errors.py": "names the client's errors, fetches nothing",
    "integrations/sources/huggingface.py": "through hub_client",
    "integrations/sources/url.py": "an address from a user: direct, redirected",
    "integrations/sources/url_fetch.py": "the same address, after it was planned",
    "integrations/sources/xet_gate.py": "the Xet library's way out, by the rules of integrations.http",
    "integrations/transfer/worker.py": "names the errors of integrations.http, which it fetches with",
    "integrations/providers/http.py": "our own engines, by the address the hub gave them: redirected",
    "integrations/runtimes/process.py": "our own engines' health: redirected",
    "integrations/ollama/server.py": "the server an administrator configured, by name of a model: redirected",
    "integrations/oidc.py": "the issuer an administrator configured: redirected",
}
"""Every file of the hub that can open a connection to the outside, and how a stranger could steer it."""

CLIENTS = re.compile(
    r"^\s*(?:import|from) (?:httpx2?|httpcore2?|requests|urllib3|urllib\.request|aiohttp|http\.client"
    r"|huggingface_hub|ollama|docker|authlib|smtplib|ftplib|boto3|websockets?)\b|create_connection\(|\.connect\(",
    re.MULTILINE,
)


def test_every_file_that_can_connect_is_listed() -> None:
    files = [path for folder in ("integrations", "api", "tasks") for path in ROOT.glob(f"{folder}/**/*.py")]
    found = {str(path.relative_to(ROOT)) for path in files if CLIENTS.search(path.read_text())}
    assert found == FETCHERS.keys(), "a new fetcher: hold it against these tests, then list it"


def test_the_corpus_is_large_and_the_canary_sings(canary: Canary, urls: list[str]) -> None:
    assert len(urls) >= 250
    for address in ("127.0.0.1", "::1", *own_addresses()[:1]):
        canary.hits.clear()
        host = f"[{address}]" if ":" in address else address
        url = f"http://{host}:{canary.port}/"
        with pytest.raises(TROUBLE):
            Wire(Outbound.for_address(url, frozenset({Origin("http", address, canary.port)}))).get(url, {})
        assert canary.hits


def test_addresses_from_users(
    canary: Canary, urls: list[str], hostile_names: None, dialled: set[Any]
) -> None:
    def fetch(url: str) -> None:
        Wire(Outbound.for_address(url, frozenset(), connect=0.2)).get(url, {})

    assert try_all(fetch, urls, canary) == len(urls) and not dialled


def test_redirects_from_an_allowed_origin(
    canary: Canary, urls: list[str], hostile_names: None, redirector: Redirector, dialled: set[Any]
) -> None:
    allowed = frozenset({Origin.of(redirector.url)})

    def fetch(url: str) -> int:
        redirector.to = url
        return Wire(Outbound.for_address(redirector.url, allowed, connect=0.2)).get(redirector.url, {}).status

    urls = [url for url in urls if not set("\r\n\0") & set(url)]
    # What is no address of its own is a path at the same server, which sends us round in circles.
    assert try_all(fetch, urls, canary) == len(urls)
    assert dialled == {redirector.server_address}


def test_the_url_source(
    canary: Canary, urls: list[str], hostile_names: None, redirector: Redirector, dialled: set[Any]
) -> None:
    permitted.say(Permitted(origins=(redirector.url,)))
    source = SOURCES["url"]

    def direct(url: str) -> None:
        source.plan(url, None, None, None)

    def redirected(url: str) -> None:
        redirector.to = url
        source.plan(f"{redirector.url}/x.gguf", None, None, None)

    try:
        assert try_all(direct, urls, canary) == len(urls) and not dialled
        urls = [url for url in urls if not set("\r\n\0") & set(url)]
        assert try_all(redirected, urls, canary) == len(urls)
        assert dialled == {redirector.server_address}
    finally:
        permitted.say(Permitted())


def test_redirects_of_a_public_hub_when_bytes_are_fetched(
    canary: Canary,
    urls: list[str],
    hostile_names: None,
    redirector: Redirector,
    monkeypatch: pytest.MonkeyPatch,
    dialled: set[Any],
) -> None:
    monkeypatch.setattr(Outbound, "private_home", False)  # this machine plays a public hub

    def fetch(url: str) -> None:
        redirector.to = url
        Wire(Outbound(redirector.url, "secret", connect=0.2)).get(f"{redirector.url}/x", {})

    urls = [url for url in urls if not set("\r\n\0") & set(url)]
    assert try_all(fetch, urls, canary) == len(urls)
    # A number the C library takes for a public address may be dialled: a public hub may name any of those.
    assert all(is_public(place[0]) for place in dialled - {redirector.server_address})


def test_redirects_of_a_public_hub_when_its_api_is_asked(
    canary: Canary,
    urls: list[str],
    hostile_names: None,
    redirector: Redirector,
    monkeypatch: pytest.MonkeyPatch,
    dialled: set[Any],
) -> None:
    monkeypatch.setattr(Outbound, "private_home", False)  # this machine plays a public hub
    monkeypatch.setenv("HF_ENDPOINT", redirector.url)

    def fetch(url: str) -> None:
        redirector.to = url
        SOURCES["huggingface"].card("acme/model")

    urls = [url for url in urls if not set("\r\n\0") & set(url)]
    assert try_all(fetch, urls, canary) == len(urls)
    assert redirector.seen
    assert dialled == {redirector.server_address}


def test_a_ref_is_never_an_address(
    canary: Canary,
    urls: list[str],
    redirector: Redirector,
    dialled: set[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", redirector.url)
    source = SOURCES["huggingface"]
    for ask in (source.card, source.listing, lambda url: source.listing("acme/model", url or " ")):
        assert try_all(ask, urls, canary) == len(urls)
    assert not dialled


def test_engines_send_nobody_on(
    canary: Canary, urls: list[str], hostile_names: None, redirector: Redirector, dialled: set[Any]
) -> None:
    def health(url: str) -> None:
        redirector.to = url
        RUNTIMES["process"].ready(redirector.url, "key", "name")

    def relay(url: str) -> None:
        redirector.to = url
        reply = PROVIDERS["openai_compatible"].open(
            redirector.url, "key", "/v1/completions", b"{}", lambda: None
        )
        reply.read()
        assert reply.status == 307

    urls = [url for url in urls if not set("\r\n\0") & set(url)]
    assert try_all(health, urls, canary) == len(urls)
    assert try_all(relay, urls, canary) == 0
    assert dialled == {redirector.server_address}


def test_the_ollama_server_sends_nobody_on(
    canary: Canary, urls: list[str], hostile_names: None, redirector: Redirector, dialled: set[Any]
) -> None:
    def look(url: str) -> None:
        redirector.to = url
        with Server(redirector.url) as server:
            server.models()

    urls = [url for url in urls if not set("\r\n\0") & set(url)]
    assert try_all(look, urls, canary) == len(urls)
    assert dialled == {redirector.server_address}


def test_the_issuer_sends_nobody_on(
    canary: Canary, urls: list[str], hostile_names: None, redirector: Redirector, dialled: set[Any]
) -> None:
    def discover(url: str) -> None:
        redirector.to = url
        Issuer(redirector.url, "hub", "secret", "openid")._discover()

    urls = [url for url in urls if not set("\r\n\0") & set(url)]
    assert try_all(discover, urls, canary) == len(urls)
    assert dialled == {redirector.server_address}


def test_the_client_of_the_hubs_api_dials_by_our_rules() -> None:
    """It is put in by a private name of the library's: an update that moves it is noticed here."""
    from integrations.sources.hub_client import CheckedNetwork, ImpatientClient

    with ImpatientClient() as client:
        assert isinstance(client._transport._pool._network_backend, CheckedNetwork)  # type: ignore[attr-defined]
