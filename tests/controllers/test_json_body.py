"""What comes in as JSON: one meaning, and nothing a database or UTF-8 cannot keep."""

import json
from typing import Any

import pytest
from werkzeug.exceptions import BadRequest

from api.controllers.json_body import MAX_DEPTH, RelayedJson, StrictJson

MAX = 2**63 - 1


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "b": [1.5, null, true, "x"]}', "[]", '"x"', "7", f"[{MAX}, {-MAX - 1}]", '"\\ud83e\\udd99"',
        '"a backslash: \\\\u0000"', '"\\\\ud800 as text"', "[" * MAX_DEPTH + "]" * MAX_DEPTH,
        '"' + "[" * 1000 + '"', "[1e300, -1e-400]", json.dumps([{"role": "user"}] * 500), "\ufeff{}",
    ],
)  # fmt: skip
def test_what_is_json_is_read(text: str) -> None:
    assert StrictJson.loads(text.encode()) == json.loads(text.removeprefix("\ufeff"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "not valid"), (b"", "not valid"), (b"\xff\xfe", "not valid"), (b'"\xed\xa0\x80"', "not valid"),
        (("[" * 65 + "]" * 65).encode("utf-16"), "64 levels"), (b"NaN", "NaN"), (b"[Infinity]", "Infinity"),
        (b"-Infinity", "-Infinity"), (b'{"a": 1, "a": 2}', "twice"),
        (b'[{"b": {"a": 1, "\\u0061": 2}}]', "twice"),
        (b"1e999", "double"), (b"[-1e999]", "double"), (b"1" * 400 + b".0", "double"),
        (b"9223372036854775808", "64"),
        (b"-9223372036854775809", "64"), (b"1" * 100_000, "64"),
        (b'"\\ud800"', "surrogate"), (b'"\\uDC00x"', "surrogate"),
        (b'{"\\ud800": 1}', "surrogate"), (b'["a\\u0000b"]', "NUL"), (b'{"\\u0000": 1}', "NUL"),
        (b'{"' + b"k" * 1025 + b'": 1}', "1024"), (b"[" * 65 + b"]" * 65, "64 levels"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "64 levels"), (b"[" * 500_000, "64 levels"),
    ],
)  # fmt: skip
def test_what_is_doubtful_is_refused_with_a_reason(data: bytes, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        StrictJson.loads(data)


def test_other_encodings_of_json_and_odd_texts_for_engines() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        assert StrictJson.loads('{"a": "ü"}'.encode(encoding)) == {"a": "ü"}
    assert RelayedJson.loads(b'["\\ud800", "\\u0000"]') == ["\ud800", "\0"]


def test_a_refusal_does_not_hang_on_a_large_body() -> None:
    rows: list[Any] = [{"text": "x" * 100, "tokens": list(range(100))}] * 5000
    assert StrictJson.loads(json.dumps(rows).encode()) == rows
