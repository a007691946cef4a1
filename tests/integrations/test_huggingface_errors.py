"""Whatever the client or the network throws, what comes out is ours and says what to do."""

import inspect
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import errors as hub_errors

from integrations.errors import AccessDenied, IntegrationError, InvalidRef, NotFound, Throttled, Unreachable
from integrations.sources import hub_client
from integrations.sources.base import SearchQuery
from integrations.sources.hub_errors import KNOWN, translate
from integrations.sources.huggingface import HuggingFace
from tests.support.downloads import build_model
from tests.support.hub import Hub

source = HuggingFace()
PUBLIC = [
    error
    for _, error in inspect.getmembers(hub_errors, inspect.isclass)
    if issubclass(error, Exception) and error.__module__ == hub_errors.__name__
]
ADVICE = (
    "set", "check", "try", "use", "open", "wait", "make", "give", "look", "write", "change", "see", "unset",
    "not supported",
)  # fmt: skip


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    build_model(tmp_path / "org" / "model", weights_bytes=1000)
    with Hub(tmp_path) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


def make(error: type[Exception]) -> Exception:
    """An instance as the client would raise it; its own constructor where it has one of its own."""
    made = error.__new__(error)
    Exception.__init__(made, "what the client said")
    if issubclass(error, hub_errors.HfHubHTTPError):
        made.response = httpx2.Response(418, request=httpx2.Request("GET", "http://hub.example"))
    return made


@pytest.mark.parametrize("error", PUBLIC, ids=lambda error: error.__name__)
def test_every_public_error_of_the_client_is_known(error: type[Exception]) -> None:
    assert any(issubclass(error, known) for known, _ in KNOWN), "add it to hub_errors.KNOWN"
    told = translate(make(error), where="https://hub.example", ref="org/model", revision="v1", path="x.json")
    assert isinstance(told, IntegrationError)
    assert type(told) is not IntegrationError
    assert any(word in str(told).lower() for word in ADVICE), str(told)
    assert "what the client said" not in str(told)


def test_the_list_is_not_empty() -> None:
    assert len(PUBLIC) > 30


def test_an_error_nobody_heard_of_is_still_ours() -> None:
    told = translate(RuntimeError("boom"), where="https://hub.example")
    assert isinstance(told, Unreachable)
    assert "HF_ENDPOINT" in str(told)


def test_throttled(hub: Hub) -> None:
    hub.fault("status", status=429, retry_after="7", match="/api/models")
    with pytest.raises(Throttled, match="7 seconds"):
        source.search(SearchQuery(text="x"))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_hub_in_trouble(hub: Hub, status: int) -> None:
    hub.fault("status", status=status, retry_after="3600", match="/api/models*", times=0)
    for ask in (lambda: source.search(SearchQuery()), lambda: source.plan("org/model", None, None, None)):
        with pytest.raises(Unreachable, match=str(status)):
            ask()
    assert len(hub.requests()) == 4, "one second chance each"


def test_a_moment_of_trouble_is_overcome(hub: Hub) -> None:
    hub.fault("status", status=502, match="/api/models*")
    assert source.listing("org/model", None).files


def test_a_token_that_is_not_accepted(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    hub.fault("status", status=403, match="/api/models*")
    with pytest.raises(AccessDenied, match="HF_TOKEN") as caught:
        source.search(SearchQuery())
    assert "hf_wrong" not in str(caught.value) + str(caught.value.details)


def test_nobody_home(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("HF_ENDPOINT", address)
    for ask in (
        lambda: source.search(SearchQuery()),
        lambda: source.listing("org/model", None),
        lambda: source.revisions("org/model"),
        lambda: source.card("org/model", None),
    ):
        with pytest.raises(Unreachable, match=address):
            ask()


def test_a_hub_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_client, "TIMEOUT", httpx2.Timeout(0.3))
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        with pytest.raises(Unreachable, match="in time"):
            source.search(SearchQuery())


@pytest.mark.parametrize("kind", ["cut", "reset", "gzip"])
def test_answers_that_make_no_sense(hub: Hub, kind: str) -> None:
    hub.fault("redirect", to=f"{hub.url}/org/model/resolve/main/README.md", match="/api/models*", times=0)
    hub.fault(kind, match="README.md", times=0)
    with pytest.raises(Unreachable, match="HF_ENDPOINT"):
        source.search(SearchQuery())


def test_an_endpoint_that_is_no_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.fault("redirect", to=f"{hub.url}/org/model/resolve/main/config.json", match="/api/models*", times=0)
    with pytest.raises(Unreachable, match="makes no sense"):
        source.listing("org/model", None)


@pytest.mark.parametrize("endpoint", ["nonsense", "ftp://x", "http://", "file:///etc/passwd"])
def test_an_endpoint_that_is_no_address(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(InvalidRef, match="HF_ENDPOINT"):
        source.search(SearchQuery())


def test_endpoint_and_token_are_read_at_call_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one" / "a" / "m").mkdir(parents=True)
    (tmp_path / "two" / "b" / "m").mkdir(parents=True)
    with Hub(tmp_path / "one") as one, Hub(tmp_path / "two") as two:
        for running, name, token in ((one, "a/m", "hf_one"), (two, "b/m", "hf_two"), (one, "a/m", "")):
            monkeypatch.setenv("HF_ENDPOINT", running.url + "/")
            monkeypatch.setenv("HF_TOKEN", token)
            assert [item.ref for item in source.search(SearchQuery()).items] == [name]
            assert running.requests()[-1]["authorization"] == (f"Bearer {token}" if token else None)
        assert {entry["path"] for entry in one.requests() + two.requests()} == {"/api/models"}, "no call home"


@pytest.mark.parametrize(
    ("token", "reason", "says", "page"),
    [
        ("", "no_token", "accept their licence", "/gated/model"),
        ("hf_bad", "token_refused", "wrong or was revoked", "/settings/tokens"),
        ("hf_expired", "token_refused", "has expired", "/settings/tokens"),
        ("hf_new", "not_accepted", "has not accepted the licence", "/gated/model"),
        ("hf_waiting", "pending", "have not answered yet", "/gated/model"),
        ("hf_rejected", "rejected", "did not give this account access", "/gated/model"),
        ("hf_fine", "token_scope", "lacks one permission", "/settings/tokens"),
    ],
)
def test_each_way_to_be_kept_out_has_its_sentence_and_its_link(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str, reason: str, says: str, page: str
) -> None:
    build_model(tmp_path / "gated" / "model", weights_bytes=1000)
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(AccessDenied, match=says) as caught:
        source.plan("gated/model", None, None, None)
    assert caught.value.details["reason"] == reason
    assert caught.value.details["url"] == f"{hub.url}{page}"
    assert f"{hub.url}{page}" in str(caught.value) or reason == "rejected"
    assert not token or token not in str(caught.value)


def test_what_is_private_and_what_is_not_there_look_alike(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_model(tmp_path / "private" / "model", weights_bytes=1000)
    for token, reason in (("", "no_token"), ("hf_other", "no_access")):
        monkeypatch.setenv("HF_TOKEN", token)
        told = set()
        for ref in ("private/model", "org/none"):
            with pytest.raises(NotFound) as caught:
                source.listing(ref, None)
            assert caught.value.details["reason"] == reason
            assert caught.value.details["url"] == f"{hub.url}/settings/tokens"
            told.add(str(caught.value).replace(ref, "REF"))
        assert len(told) == 1
