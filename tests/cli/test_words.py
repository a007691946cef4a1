"""Numbers, names and events: the small parts, each alone."""

import click
import pytest

from cli import places, sizes
from cli.deployments import name_for, option_values
from cli.errors import NotFound, WrongUsage
from cli.naming import SHORTEST_PREFIX, match, one
from cli.sse import Event, events
from cli.text import count, duration, size


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (None, "–"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (999_600, "1.0 MB"),
        (5.4e12, "5.4 TB"),
    ],
)
def test_sizes(number: float | None, words: str) -> None:
    assert size(number) == words


@pytest.mark.parametrize(
    ("number", "words"), [(12, "12"), (7.24e9, "7.2B"), (135e6, "135M"), (1.8e12, "1.8T")]
)
def test_counts(number: float, words: str) -> None:
    assert count(number) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (7300, "2 h 1 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


ITEMS = [
    {"id": "abcd1111", "name": "org/Tiny", "ref": "org/Tiny", "revision": "main"},
    {"id": "abcd2222", "name": "org/Tiny-GGUF", "ref": "org/Tiny-GGUF", "revision": "main"},
    {"id": "ffff3333", "name": "other/tiny", "ref": "other/tiny", "revision": "main"},
]


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("abcd1111", ["abcd1111"]),
        ("ffff", ["ffff3333"]),
        ("abcd", ["abcd1111", "abcd2222"]),
        ("org/Tiny", ["abcd1111"]),
        ("ORG/TINY", ["abcd1111"]),
        ("tiny-gguf", ["abcd2222"]),
        ("tiny", ["abcd1111", "ffff3333"]),
        ("fff", []),
        ("", []),
    ],
)
def test_names(typed: str, ids: list[str]) -> None:
    assert len("ffff") == SHORTEST_PREFIX
    assert [item["id"] for item in match(typed, ITEMS, ("name", "ref"))] == ids


def test_a_wrong_name_gets_a_near_one_and_a_name_of_several_gets_their_ids() -> None:
    with pytest.raises(NotFound, match=r"Did you mean 'org/Tiny'\?"):
        one("org/Tinny", ITEMS, ("name",), "model", "modelhub list")
    with pytest.raises(WrongUsage, match=r"fits 2 models: abcd1111 \(org/Tiny @ main\), ffff3333"):
        one("tiny", ITEMS, ("name",), "model", "modelhub list")


def test_events_end_at_line_feeds_alone() -> None:
    """U+2028 and U+0085 may stand in JSON text; bytes come in any pieces; a torn last event is dropped."""
    text = ': ping\r\n\r\nevent: delta\r\ndata: {"t":"a\u2028b\u0085é"}\r\n\r\n'
    stream = (text + "data: [1,\ndata: 2]\n\nevent: x\ndata: 3\n").encode()
    expected = [Event("delta", {"t": "a\u2028b\u0085é"}), Event("message", [1, 2])]
    assert list(events([stream])) == expected
    assert list(events(bytes([byte]) for byte in stream)) == expected


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("localhost:5000/", "http://localhost:5000"),
        ("https://Hub.Example/models/", "https://hub.example/models"),
        ("http://0.0.0.0:80", "http://127.0.0.1:80"),
        ("http://[::1]:5000", "http://[::1]:5000"),
    ],
)
def test_addresses(typed: str, url: str) -> None:
    assert places.normal(typed) == url


def test_one_hub_has_several_addresses() -> None:
    assert places.same_hub("http://127.0.0.1:5000", "http://localhost:5000")
    assert not places.same_hub("http://127.0.0.1:5000", "http://127.0.0.1:5001")
    assert not places.same_hub("http://127.0.0.1:5000", "http://hub.example:5000")


def test_a_deployments_name_is_one_the_hub_takes() -> None:
    assert name_for({"name": "org/My Model+v2"}) == "My-Model-v2"
    assert name_for({"name": "org/_x"}) == "x"
    assert name_for({"name": "org/日本"}) == "model"


def test_options_are_json_where_they_look_like_it() -> None:
    assert option_values(("threads=4", "engine=llamacpp", "context=null")) == {
        "threads": 4,
        "engine": "llamacpp",
        "context": None,
    }


@pytest.mark.parametrize(
    ("typed", "rate"),
    [("20MB", 20_000_000), ("1.5 MiB/s", 1_572_864), ("500k", 500_000), ("2048", 2048), ("none", 0)],
)
def test_speeds_as_people_type_them(typed: str, rate: int) -> None:
    assert sizes.RATE.convert(typed, None, None) == rate


@pytest.mark.parametrize("typed", ["fast", "-1", "20 furlongs", "", "1e9"])
def test_what_is_no_speed_is_refused(typed: str) -> None:
    with pytest.raises(click.BadParameter, match="is no speed"):
        sizes.RATE.convert(typed, None, None)
