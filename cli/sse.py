"""Server-sent events from bytes (WHATWG HTML, "Interpreting an event stream").

httpx's own `iter_lines` also splits at U+2028 and U+0085, which may stand inside JSON text; SSE
splits at CR and LF only.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    name: str
    data: Any
    """The JSON of the `data:` lines."""


def events(chunks: Iterable[bytes]) -> Iterator[Event]:
    """Whole events only: one that the connection cut short is dropped. Comments (heartbeats) are skipped."""
    name: str = "message"
    data: list[bytes] = []
    for line in _lines(chunks):
        if not line:
            if data:
                yield Event(name, json.loads(b"\n".join(data)))
            name, data = "message", []
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            name = value.decode()
        elif field == b"data":
            data.append(value)


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines ended by LF or CRLF, without their end."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r")
