"""The header of a safetensors file, read and never trusted: names, types and shapes of tensors, not their
data.

Format: https://github.com/huggingface/safetensors — eight bytes of length, a JSON object, then the data.
"""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

HEADER_LIMIT = 100 * 1000 * 1000  # bytes, the reference implementation's own limit
BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F4": 4, "F6_E2M3": 6,
    "F6_E3M2": 6, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64,
    "U64": 64, "F64": 64, "C64": 64,
}  # fmt: skip


class BadHeader(ValueError):
    """The file is not what it says; the message says why, for a person."""


class Tensor(NamedTuple):
    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int

    @property
    def numel(self) -> int:
        return math.prod(self.shape)


def read_header(path: Path) -> list[Tensor]:
    """The tensors of a file. `BadHeader` if malformed, oversized, overlapping or truncated."""
    size = path.stat().st_size
    with path.open("rb") as file:
        prefix = file.read(8)
        length = int.from_bytes(prefix, "little")
        if len(prefix) < 8 or length > size - 8:
            raise BadHeader(f"{path.name} is shorter than its header says")
        if length > HEADER_LIMIT:
            raise BadHeader(f"{path.name} has a header of {length} bytes; at most {HEADER_LIMIT} are read")
        raw = file.read(length)
    tensors = [_tensor(name, entry, path.name) for name, entry in _entries(raw, path.name)]
    _check_layout(tensors, size - 8 - length, path.name)
    return tensors


def _entries(raw: bytes, name: str) -> list[tuple[str, Any]]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise BadHeader(f"{name} names a tensor twice")
        return dict(pairs)

    try:
        header = json.loads(raw, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        if isinstance(error, BadHeader):
            raise
        raise BadHeader(f"{name} has a header that is not JSON") from None
    if not isinstance(header, dict):
        raise BadHeader(f"{name} has a header that is not a JSON object")
    return [(key, value) for key, value in header.items() if key != "__metadata__"]


def _tensor(key: str, entry: Any, name: str) -> Tensor:
    try:
        dtype, shape, (start, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        numbers = [*shape, start, end]
        if dtype not in BITS or any(type(number) is not int or not 0 <= number < 2**63 for number in numbers):
            raise TypeError
    except (TypeError, KeyError, ValueError):
        raise BadHeader(f"{name} describes the tensor {key[:80]!r} wrongly") from None
    tensor = Tensor(key, dtype, tuple(shape), start, end)
    if end < start or -(-tensor.numel * BITS[dtype] // 8) != end - start:
        raise BadHeader(f"{name} gives the tensor {key[:80]!r} a size that its shape does not have")
    return tensor


def _check_layout(tensors: list[Tensor], data_size: int, name: str) -> None:
    """The data are exactly the tensors, one after another: no hole, no overlap, nothing hidden at the end."""
    at = 0
    for tensor in sorted(tensors, key=lambda tensor: (tensor.start, tensor.end)):
        if tensor.start != at:
            raise BadHeader(f"{name} has tensors that overlap or leave holes, at {tensor.name[:80]!r}")
        at = tensor.end
    if at != data_size:
        raise BadHeader(
            f"{name} holds {data_size} bytes of data and its tensors take {at}: it is cut off or padded"
        )


def main_dtype(tensors: list[Tensor]) -> str | None:
    """The type most numbers have."""
    weight: Counter[str] = Counter()
    for tensor in tensors:
        weight[tensor.dtype] += tensor.numel
    return weight.most_common(1)[0][0] if weight else None
