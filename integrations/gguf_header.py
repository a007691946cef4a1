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


class BadHeader(ValueError):
    """The file is not what it says; the message says why, for a person."""


class Header(NamedTuple):
    """`metadata` without long arrays; `parameters` is the number of weights."""

    metadata: dict[str, Any]
    parameters: int
    tensors: int


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
        parameters = sum(_tensor_size(reader, path.name) for _ in range(tensors))
    return Header(metadata, parameters, tensors)


def _tensor_size(reader: _Reader, name: str) -> int:
    reader.string()
    dimensions = reader.number("I")
    if dimensions > 8:
        raise BadHeader(f"{name} has a tensor of {dimensions} dimensions")
    shape = [reader.number("Q") for _ in range(dimensions)]
    reader.take(4 + 8)  # type and offset
    size = math.prod(shape)
    if size >= 2**48:
        raise BadHeader(f"{name} has a tensor of {size} numbers")
    return size


def quantisation(metadata: dict[str, Any]) -> str | None:
    return FILE_TYPES.get(metadata.get("general.file_type", -1))
