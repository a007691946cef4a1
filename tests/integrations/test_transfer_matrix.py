"""Twelve faults, at the first, the middle and the last part, over one connection and over four: the right
bytes, few requests, and no credential where it does not belong. Faults that stay end in an honest error."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from integrations.errors import IntegrationError
from tests.support.downloads import WEIGHTS, build_model, content, download, plan_of
from tests.support.hub import TOKEN, Fault, Hub

FAULTS: dict[str, dict[str, Any]] = {
    "cut": {"kind": "cut", "at": 1_500_000},
    "reset": {"kind": "reset", "at": 700_000},
    "stall": {"kind": "stall", "at": 900_000},
    "drip": {"kind": "drip", "at": 100_000, "rate": 2_000},
    "429": {"kind": "status", "status": 429, "retry_after": "0"},
    "503": {"kind": "status", "status": 503, "retry_after": "0"},
    "range ignored": {"kind": "ignore_range"},
    "wrong range": {"kind": "wrong_range"},
    "416": {"kind": "unsatisfiable"},
    "wrong bytes": {"kind": "wrong_bytes"},
    "other content": {"kind": "changed_etag"},
    "another host": {"kind": "redirect"},
}
PLACES = {"first": 0, "middle": 1, "last": 2}
MIDDLE_OF = (2_000_000, 6_000_000, 11_500_000)
NERVOUS = {"stall_timeout": 0.6, "slow_time": 0.6, "attempts": 20}
BUDGET = 24
"""Requests for one file of three parts, one of which met a fault: the parts, twice when it starts again,
what idle connections take over from slow ones, and what a busy machine makes look slow."""
STUBBORN = 4 * 3 + 8
"""Requests when a fault stays and three attempts are made: four connections, and the way to the CDN."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("root") / "org" / "model").parents[1]


@pytest.fixture(scope="module")
def plan(root: Path) -> dict[str, Any]:
    with Hub(root) as hub:
        return plan_of(hub)


@pytest.fixture(scope="module")
def original(root: Path) -> dict[str, str]:
    return content(root / "org" / "model")


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield


def put(hub: Hub, other: Hub, fault: str, place: int, times: int) -> Fault:
    fields = dict(FAULTS[fault])
    if fault == "another host":
        fields["to"] = f"{other.url}/org/model/resolve/main/{WEIGHTS}"
    if fault == "wrong bytes":  # one bit of the file, in whichever answers hold it
        fields |= {"at": MIDDLE_OF[place], "times": times and 3}
    else:
        fields |= {"skip": place, "times": times}
    return hub.fault(**fields, match=WEIGHTS, on="cdn")


def one_case(
    root: Path, plan: dict[str, Any], into: Path, fault: str, place: int, connections: int
) -> tuple[dict[str, str], int, list[str]]:
    """What arrived, how often the file was asked for, and the credentials the other host saw."""
    with Hub(root) as hub, Hub(root) as other:
        met = put(hub, other, fault, place, 1)
        download(hub, into, plan, connections=connections, **NERVOUS)
        asked = len(hub.requests(path=WEIGHTS)) + len(hub.requests("cdn"))
        assert met.used, "the fault never met anybody"
        seen = [entry["authorization"] for entry in [*other.requests(), *hub.requests("cdn")]]
    arrived = content(into)
    shutil.rmtree(into)
    return arrived, asked, [value for value in seen if value]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_part_and_over_any_connections_is_overcome(
    root: Path, plan: dict[str, Any], original: dict[str, str], tmp_path: Path, fault: str
) -> None:
    cases = [(place, connections) for place in PLACES.values() for connections in (1, 4)]
    with ThreadPoolExecutor(len(cases)) as pool:
        running = {
            case: pool.submit(one_case, root, plan, tmp_path / f"{case[0]}-{case[1]}", fault, *case)
            for case in cases
        }
        for case, future in running.items():
            arrived, asked, leaked = future.result()
            assert arrived == original, case
            assert asked <= BUDGET, case
            assert leaked == [], case


def stubborn(root: Path, plan: dict[str, Any], into: Path, fault: str, connections: int) -> tuple[bool, int]:
    """Whether it ended in an error, and how often the file was asked for."""
    with Hub(root) as hub, Hub(root) as other:
        met = put(hub, other, fault, 0, 0)
        met.at = min(met.at, 1000)  # no progress: that would count
        failed = False
        try:
            download(hub, into, plan, connections=connections, **(NERVOUS | {"attempts": 3}))
        except IntegrationError:
            failed = True
        return failed, len(hub.requests(path=WEIGHTS)) + len(hub.requests("cdn"))


@pytest.mark.parametrize("connections", [1, 4])
def test_the_token_stays_with_the_hub_when_it_sends_elsewhere(
    root: Path, plan: dict[str, Any], original: dict[str, str], tmp_path: Path, connections: int
) -> None:
    with Hub(root) as hub, Hub(root) as other:
        for name in (WEIGHTS, "config.json"):
            to = f"{other.url}/org/model/resolve/main/{name}"
            hub.fault("redirect", to=to, match=name, on="hub", times=0)
        download(hub, tmp_path, plan, connections=connections, **NERVOUS)
        assert {entry["authorization"] for entry in hub.requests("hub")} == {f"Bearer {TOKEN}"}
        elsewhere = [*other.requests(), *hub.requests("cdn")]
        assert len(elsewhere) >= 2 and not any(entry["authorization"] for entry in elsewhere)
    assert content(tmp_path) == original


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_stays_is_an_honest_error_or_gone_round(
    root: Path, plan: dict[str, Any], original: dict[str, str], tmp_path: Path, fault: str
) -> None:
    with ThreadPoolExecutor(2) as pool:
        running = {n: pool.submit(stubborn, root, plan, tmp_path / str(n), fault, n) for n in (1, 4)}
        for connections, future in running.items():
            failed, asked = future.result()
            arrived = content(tmp_path / str(connections))
            assert failed == (fault not in ("range ignored", "another host")), connections
            assert asked <= STUBBORN, connections
            assert arrived.get(WEIGHTS) == (None if failed else original[WEIGHTS]), connections
