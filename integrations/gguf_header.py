"""The header of a GGUF file, read and never trusted: metadata and tensor shapes, not weights.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little-endian).
"""

import math
import struct
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

HEADER_LIMIT = 256 * 2**20  # bytes read at most; vocabularies and templates of today take up to 20 MB
STRING_LIMIT = 16 * 2**20
COUNT_LIMIT = 100_000  # metadata entries or tensors
KEEP_ARRAY = 16  # longer arrays (vocabularies) are skipped, not kept

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9

FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19:
    "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26:
    "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0",
    37: "TQ2_0", 38: "MXFP4_MOE",
}  # fmt: skip

BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16:
    (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30:
    (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip
"""Type of a tensor → (numbers in a block, bytes of a block), as ggml lays them out."""


class BadHeader(ValueError):
    """The file is not what it says; the message says why, for a person."""


class Extent(NamedTuple):
    """Where a tensor's data lie: `offset` bytes after the beginning of all data; `size` in numbers."""

    name: str
    type: int
    size: int
    offset: int


class Header(NamedTuple):
    """`metadata` without long arrays; `parameters` is the number of weights; `end` of the header in bytes."""

    metadata: dict[str, Any]
    parameters: int
    tensors: int
    extents: list[Extent] = []
    end: int = 0


class _Reader:
    """Reads little-endian values and refuses to go beyond the header limit or the end of the file."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._left = HEADER_LIMIT

    def take(self, count: int) -> bytes:
        self._left -= count
        if self._left < 0:
            raise BadHeader(f"{self._name} has a header of more than {HEADER_LIMIT} bytes")
        data = self._file.read(count)
        if len(data) != count:
            raise BadHeader(f"{self._name} ends in the middle of its header")
        return data

    def number(self, code: str) -> Any:
        return struct.unpack("<" + code, self.take(struct.calcsize(code)))[0]

    def string(self) -> str:
        length = self.number("Q")
        if length > STRING_LIMIT:
            raise BadHeader(f"{self._name} has a text of {length} bytes in its header")
        return self.take(length).decode(errors="replace")

    def value(self, kind: int) -> Any:
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            return self._array()
        if kind not in SCALARS:
            raise BadHeader(f"{self._name} uses the unknown value type {kind}")
        return self.number(SCALARS[kind])

    def _array(self) -> list[Any] | None:
        kind, count = self.number("I"), self.number("Q")
        if kind in SCALARS:
            code = SCALARS[kind]
            data = self.take(count * struct.calcsize(code))
            return list(struct.unpack(f"<{count}{code}", data)) if count <= KEEP_ARRAY else None
        if kind != STRING:
            raise BadHeader(f"{self._name} nests arrays or uses the unknown value type {kind}")
        kept = []
        for index in range(count):  # ends by itself: every text takes at least eight bytes of the limit
            text = self.string()
            if index < KEEP_ARRAY:
                kept.append(text)
        return kept if count <= KEEP_ARRAY else None


def read_header(path: Path) -> Header:
    """Metadata and size of a GGUF file. Raises `BadHeader` for anything malformed, oversized or cut off."""
    with path.open("rb") as file:
        reader = _Reader(file, path.name)
        if reader.take(4) != b"GGUF":
            raise BadHeader(f"{path.name} is not a GGUF file")
        version = reader.number("I")
        if version not in (2, 3):
            raise BadHeader(f"{path.name} is GGUF version {version}; versions 2 and 3 are read")
        tensors, entries = reader.number("Q"), reader.number("Q")
        if max(tensors, entries) > COUNT_LIMIT:
            raise BadHeader(f"{path.name} claims {tensors} tensors and {entries} metadata entries")
        metadata: dict[str, Any] = {}
        for _ in range(entries):
            key = reader.string()
            metadata[key] = reader.value(reader.number("I"))
        extents = [_extent(reader, path.name) for _ in range(tensors)]
        end = file.tell()
    return Header(metadata, sum(extent.size for extent in extents), tensors, extents, end)


def _extent(reader: _Reader, name: str) -> Extent:
    tensor = reader.string()
    dimensions = reader.number("I")
    if dimensions > 8:
        raise BadHeader(f"{name} has a tensor of {dimensions} dimensions")
    shape = [reader.number("Q") for _ in range(dimensions)]
    kind, offset = reader.number("I"), reader.number("Q")
    size = math.prod(shape)
    if size >= 2**48:
        raise BadHeader(f"{name} has a tensor of {size} numbers")
    return Extent(tensor, kind, size, offset)


def check_bounds(header: Header, path: Path) -> None:
    """Every tensor lies inside the file, where its alignment puts it. Raises `BadHeader`: an engine that
    believes such a header reads or writes beyond its memory."""
    alignment = header.metadata.get("general.alignment", 32)
    if type(alignment) is not int or not 0 < alignment <= 2**16 or alignment & (alignment - 1):
        raise BadHeader(f"{path.name} asks for an alignment that does not exist")
    start = -(-header.end // alignment) * alignment
    room = path.stat().st_size - start
    for extent in header.extents:
        block, taken = BLOCKS.get(extent.type, (1, 0))
        length = -(-extent.size // block) * taken
        if extent.offset % alignment or extent.offset + length > max(room, 0):
            raise BadHeader(f"{path.name} puts the tensor {extent.name[:80]!r} outside the file")


def quantisation(metadata: dict[str, Any]) -> str | None:
    return FILE_TYPES.get(metadata.get("general.file_type", -1))
