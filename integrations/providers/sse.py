"""Server-sent events out of bytes (WHATWG HTML, "Interpreting an event stream"), as engines send them."""

from collections.abc import Iterable, Iterator

LONGEST_EVENT = 8 * 1024**2


def whole_events(held: bytes, data: bytes) -> tuple[bytes, bytes]:
    """`(events, rest)`: the part up to the last blank line, and what is not a whole event yet."""
    data = held + data if held else data
    end = data.rfind(b"\n\n") + 2
    if end == 1:
        end = data.rfind(b"\r\n\r\n") + 4
        if end == 3:
            if len(data) > LONGEST_EVENT:
                raise ValueError("an event of its stream does not end")
            return b"", data
    if end == len(data):
        return data, b""
    return data[:end], data[end:]


def split_events(block: bytes) -> list[bytes]:
    """The single events of a block of whole ones, without their blank lines."""
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    return [event for event in block.split(b"\n\n") if event]


def event_at(block: bytes, at: int) -> tuple[int, int]:
    """Begin and end (behind its blank line) of the event around byte `at` of a block of whole ones."""
    blank = b"\r\n\r\n" if b"\r\n\r\n" in block else b"\n\n"
    begin = block.rfind(blank, 0, at)
    end = block.find(blank, at)
    return (begin + len(blank) if begin >= 0 else 0), (end + len(blank) if end >= 0 else len(block))


def data_of(event: bytes) -> bytes:
    """The `data:` lines of one event, joined; empty for a comment."""
    if event.startswith(b"data: ") and b"\n" not in event:
        return event[6:]
    lines = [line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(lines)


def blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Whole events only, all that are at hand at once; a cut-off last event is dropped."""
    held = b""
    for piece in pieces:
        block, held = whole_events(held, piece)
        if block:
            yield block
