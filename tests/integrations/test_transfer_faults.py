"""Whatever the network and the server do: the right bytes, or a clear error and nothing under its name."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from integrations.errors import (
    AccessDenied,
    FileNotInRepo,
    GatedModel,
    IntegrityError,
    Throttled,
    Unreachable,
)
from tests.support.downloads import WEIGHTS, build_model, content, download, plan_of
from tests.support.hub import Hub

MB = 1_000_000
PLACES = {"first": 0, "middle": 1, "last": 2}  # the weights come in three parts
PASSING = {
    "cut at once": {"kind": "cut", "at": 0},
    "cut": {"kind": "cut", "at": 1_500_000},
    "cut thrice": {"kind": "cut", "at": 300_000, "times": 3},
    "reset": {"kind": "reset", "at": 700_000},
    "stall": {"kind": "stall", "at": 900_000},
    "stall before the first byte": {"kind": "stall", "at": 0},
    "drip": {"kind": "drip", "at": 100_000, "rate": 2_000},
    "busy": {"kind": "status", "status": 429, "retry_after": "0"},
    "unavailable": {"kind": "status", "status": 503, "retry_after": "0", "times": 2},
    "broken": {"kind": "status", "status": 500, "times": 2},
    "bad gateway": {"kind": "status", "status": 502},
    "range ignored": {"kind": "ignore_range"},
    "wrong range": {"kind": "wrong_range"},
    "unsatisfiable": {"kind": "unsatisfiable"},
    "oversize": {"kind": "oversize"},
    "endless": {"kind": "endless"},
    "encoded": {"kind": "gzip"},
    "other content": {"kind": "changed_etag"},
}
NERVOUS = {"stall_timeout": 0.4, "slow_time": 0.4, "attempts": 20}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    root = tmp_path_factory.mktemp("root")
    build_model(root / "org" / "model")
    build_model(root / "gated" / "model", weights_bytes=1000)
    with Hub(root) as hub:
        yield hub


@pytest.fixture
def hub(served: Hub) -> Hub:
    served.clear()
    return served


def source(hub: Hub) -> dict[str, str]:
    return content(hub.shelf.root / "org" / "model")


def test_brings_every_file_and_nothing_else(hub: Hub, tmp_path: Path) -> None:
    fetched = download(hub, tmp_path)
    assert content(tmp_path) == source(hub)
    assert {file.path: file.sha256 for file in fetched} == source(hub)
    assert hub.bytes_sent() == sum(file.size for file in fetched), "no byte twice"
    assert {entry.name for entry in (tmp_path / ".transfer").iterdir()} == {"journal", "lock"}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fault", PASSING)
def test_passing_trouble_is_overcome(hub: Hub, tmp_path: Path, fault: str, place: str) -> None:
    plan = plan_of(hub)
    put = hub.fault(**PASSING[fault], match=WEIGHTS, on="cdn", skip=PLACES[place])
    download(hub, tmp_path, plan, connections=2, **NERVOUS)
    assert put.used >= 1
    assert content(tmp_path) == source(hub)
    assert len(hub.requests("cdn", "blobs")) < 30


@pytest.mark.parametrize("fault", PASSING)
def test_trouble_with_small_files_is_overcome(hub: Hub, tmp_path: Path, fault: str) -> None:
    plan = plan_of(hub)
    for name in ("config.json", "*ünïcode.txt"):
        hub.fault(**{**PASSING[fault], "at": PASSING[fault].get("at") and 7}, match=name, on="hub")
    download(hub, tmp_path, plan, **NERVOUS)
    assert content(tmp_path) == source(hub)


def test_wrong_bytes_of_the_right_size_are_fetched_again(hub: Hub, tmp_path: Path) -> None:
    plan = plan_of(hub)
    hub.fault("wrong_bytes", match=WEIGHTS, at=5 * MB, times=3)
    hub.fault("wrong_bytes", match="config.json", at=3)
    download(hub, tmp_path, plan)
    assert content(tmp_path) == source(hub)


@pytest.mark.parametrize(("name", "at"), [(WEIGHTS, 0), (WEIGHTS, 11_999_999), ("config.json", 3)])
def test_bytes_that_stay_wrong_never_get_a_name(hub: Hub, tmp_path: Path, name: str, at: int) -> None:
    plan = plan_of(hub)
    hub.fault("wrong_bytes", match=name, at=at, times=0)
    with pytest.raises(IntegrityError, match="thrown away") as caught:
        download(hub, tmp_path, plan)
    assert caught.value.details["file"] == name
    assert caught.value.details["expected"] != caught.value.details["found"]
    assert name not in content(tmp_path)
    hub.clear()
    download(hub, tmp_path, plan)
    assert content(tmp_path) == source(hub), "and a later attempt is not poisoned"


def test_a_server_without_ranges_is_good_enough(hub: Hub, tmp_path: Path) -> None:
    plan = plan_of(hub)
    hub.fault("ignore_range", on="cdn", times=0)
    download(hub, tmp_path, plan, connections=4)
    assert content(tmp_path) == source(hub)


def test_content_that_keeps_changing_is_an_error(hub: Hub, tmp_path: Path) -> None:
    plan = plan_of(hub)
    hub.fault("changed_etag", match=WEIGHTS, on="cdn", times=0)
    with pytest.raises(IntegrityError, match="keeps changing"):
        download(hub, tmp_path, plan, connections=1)
    assert WEIGHTS not in content(tmp_path)


def test_a_signed_address_that_ran_out_is_asked_for_again(hub: Hub, tmp_path: Path) -> None:
    plan = plan_of(hub)
    hub.fault("cut", match=WEIGHTS, on="cdn", at=1 * MB, skip=1)
    original, hub_begin = hub.generation, hub.begin

    def expire_after_two(**fields: object) -> dict[str, object]:
        entry = hub_begin(**fields)
        if fields["server"] == "cdn" and hub.generation == original and len(hub.requests("cdn")) == 3:
            hub.expire()
        return entry

    hub.begin = expire_after_two  # type: ignore[method-assign]
    try:
        download(hub, tmp_path, plan, connections=1)
    finally:
        hub.begin = hub_begin  # type: ignore[method-assign]
    assert content(tmp_path) == source(hub)
    assert [entry["status"] for entry in hub.requests("cdn")].count(403) == 1
    assert len(hub.requests("hub", WEIGHTS)) == 2


def test_a_hub_that_stays_busy_is_an_error_that_says_so(hub: Hub, tmp_path: Path) -> None:
    plan = plan_of(hub)
    hub.fault("status", status=429, retry_after="0", match=WEIGHTS, times=0)
    with pytest.raises(Throttled, match="kept"):
        download(hub, tmp_path, plan, attempts=3)
    assert len(hub.requests(path=WEIGHTS)) <= 24


def test_a_wait_beyond_patience_is_told_at_once(hub: Hub, tmp_path: Path) -> None:
    plan = plan_of(hub)
    hub.fault("status", status=503, retry_after="86400", match=WEIGHTS, times=0)
    with pytest.raises(Throttled, match="86400 seconds"):
        download(hub, tmp_path, plan)


@pytest.mark.parametrize("kind", ["stall", "cut", "wrong_range", "unsatisfiable", "gzip"])
def test_trouble_that_stays_ends_with_what_to_do(hub: Hub, tmp_path: Path, kind: str) -> None:
    plan = plan_of(hub)
    hub.fault(kind, match=WEIGHTS, on="cdn", times=0)
    with pytest.raises(Unreachable, match="resume when"):
        download(hub, tmp_path, plan, attempts=2, stall_timeout=0.5)
    assert WEIGHTS not in content(tmp_path)


def test_a_gated_file_says_where_to_accept_the_licence(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_ok")
    plan = plan_of(hub, "gated/model")
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(GatedModel, match="licence"):
        download(hub, tmp_path, plan)


def test_a_file_that_is_gone_is_no_reason_to_retry(hub: Hub, tmp_path: Path) -> None:
    plan = plan_of(hub)
    plan["files"][0]["path"] = "gone.json"
    with pytest.raises(FileNotInRepo, match="anew"):
        download(hub, tmp_path, plan)
    assert len(hub.requests("hub", "gone.json")) == 1


def test_nobody_home(hub: Hub, tmp_path: Path) -> None:
    plan = plan_of(hub)
    with Hub(hub.shelf.root) as gone:
        pass
    with pytest.raises(Unreachable, match="resume when"):
        download(gone, tmp_path, plan, attempts=2)


def test_a_redirect_in_circles_ends(hub: Hub, tmp_path: Path) -> None:
    plan = plan_of(hub)
    hub.fault("redirect", to=f"{hub.url}/org/model/resolve/main/{WEIGHTS}", match=WEIGHTS, on="hub", times=0)
    with pytest.raises((Unreachable, AccessDenied), match="circles"):
        download(hub, tmp_path, plan)
