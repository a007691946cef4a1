"""What a repository offers more than once: GGUF by quantisation, safetensors by precision, other formats.

A pure look at a list of files. Each variant is complete in itself: its weights (all parts of a split file)
and the small files every variant needs. One is recommended: for GGUF the one `ollama` and `llama.cpp` take
when nobody says which (Q4_K_M), unless it does not fit this machine's memory.
"""

import re
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel

from integrations.errors import FileNotInRepo
from integrations.sources.base import RemoteFile

QUANT = re.compile(
    r"(?:^|(?<=[-._/ ]))((?:UD-)?(?:I?Q[1-8](?:_[A-Z0-9]+)*|TQ[12]_0|MXFP4(?:_MOE)?|NVFP4|BF16|FP?16|FP?32))"
    r"(?=$|[-._/ ])",
    re.IGNORECASE,
)
SPLIT = re.compile(r"-(\d{5})-of-(\d{5})$")
PRECISION = re.compile(
    r"\.(fp16|bf16|fp32|fp8|fp4|int8|int4|non_ema|ema)(?=$|-\d{5}-of-\d{5}$)", re.IGNORECASE
)
INDEX = re.compile(r"\.safetensors\.index(?:\.(\w+))?\.json$")
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
OTHER = {
    "pytorch": ("PyTorch (pickle)", PICKLES, ("original/",)),
    "tensorflow": ("TensorFlow", (".h5", ".tflite"), ("tf/",)),
    "flax": ("Flax", (".msgpack", ".ot"), ("flax/",)),
    "onnx": ("ONNX", (".onnx", ".onnx_data"), ("onnx/",)),
    "openvino": ("OpenVINO", (), ("openvino/",)),
    "coreml": ("Core ML", (".mlmodel", ".mlpackage"), ("coreml/",)),
    "numpy": ("NumPy", (".npz",), ()),
}
"""Name → title, endings, folders. The same weights once more for other frameworks, some as code that runs."""

PREFERRED = (
    "Q4_K_M", "UD-Q4_K_XL", "Q4_K", "Q4_K_S", "Q4_K_L", "IQ4_XS", "IQ4_NL", "Q4_0", "Q4_1", "MXFP4",
    "MXFP4_MOE", "Q5_K_M", "Q5_K_S", "Q3_K_M", "Q3_K_L", "Q6_K", "Q8_0", "BF16", "F16", "FP16",
)  # fmt: skip
NEEDED_BESIDE = 512 * 1024**2
"""Bytes a running model needs beside its weights, at least: context, buffers. A tenth of the weights more."""


class Variant(BaseModel):
    """One way to have the model. `files` are paths, `size` their bytes (None: the source does not say).

    `bits` is the nominal bits per weight, `safe` is False for pickles, `complete` is False when parts of a
    split file are missing. `reason` says why it is the recommended one.
    """

    name: str
    title: str
    kind: Literal["gguf", "safetensors", "other"]
    files: list[str]
    weights: list[str]
    size: int | None = None
    bits: float | None = None
    safe: bool = True
    complete: bool = True
    recommended: bool = False
    reason: str | None = None


def variants(files: Sequence[RemoteFile], memory: int | None = None) -> list[Variant]:
    """The variants among `files`, the smallest GGUF first, then safetensors, then other formats.

    `memory`: bytes of this machine, for the recommendation. Empty for a repository without weights.
    """
    shared = [file.path for file in files if not _is_weight(file.path)]
    sizes = {file.path: file.size for file in files}
    found = [*_gguf(files, shared), *_safetensors(files, shared), *_others(files, shared)]
    for variant in found:
        known = [sizes[path] for path in variant.files]
        variant.size = sum(size or 0 for size in known) if None not in known else None
    found.sort(key=lambda each: (("gguf", "safetensors", "other").index(each.kind), each.size or 0))
    _recommend(found, memory)
    return found


def find(found: Sequence[Variant], name: str) -> Variant:
    """The variant called `name`, whatever its case. Raises FileNotInRepo with the names there are."""
    wanted = name.casefold()
    exact = [each for each in found if each.name.casefold() == wanted]
    ends = [each for each in found if each.name.casefold().endswith(wanted)]
    if len(fitting := exact or ends) == 1:
        return fitting[0]
    names = ", ".join(each.name for each in (fitting or found)[:30]) or "none"
    trouble = "has several variants" if fitting else "has no variant"
    raise FileNotInRepo(
        f"This model {trouble} '{name[:80]}'. Choose one of: {names}.",
        details={"variants": [each.name for each in found][:200]},
    )


def recommended(found: Sequence[Variant]) -> Variant | None:
    return next((each for each in found if each.recommended), None)


def fits(size: int | None, memory: int | None) -> bool | None:
    """Whether weights of `size` bytes can run in `memory` bytes; None when one is not known."""
    return None if size is None or memory is None else size * 1.1 + NEEDED_BESIDE <= memory


def _gguf(files: Sequence[RemoteFile], shared: list[str]) -> list[Variant]:
    groups: dict[tuple[str, str], list[str]] = {}
    for file in files:
        if file.path.lower().endswith(".gguf") and not _is_projector(file.path):
            groups.setdefault(_gguf_key(file.path), []).append(file.path)
    beside = shared + _projector(files)
    alone = len({base for base, _ in groups}) == 1
    found = []
    for (base, quant), weights in groups.items():
        name = quant if alone and quant else "-".join(part for part in (base, quant) if part)
        found.append(
            Variant(
                name=name,
                title=name,
                kind="gguf",
                files=sorted(weights + beside),
                weights=sorted(weights),
                bits=_bits(quant),
                complete=_is_whole(weights),
            )
        )
    return found


def _gguf_key(path: str) -> tuple[str, str]:
    """(name without its quantisation, quantisation) of a GGUF file; the folder may say what it does not."""
    folder, _, name = path.rpartition("/")
    stem = SPLIT.sub("", name[: -len(".gguf")])
    if matches := list(QUANT.finditer(stem)):
        last = matches[-1]
        base = (stem[: last.start()] + stem[last.end() :]).strip("-._ ")
        return base.casefold(), last[1].upper()
    if matches := list(QUANT.finditer(folder)):
        return stem.casefold(), matches[-1][1].upper()
    return stem.casefold(), ""


def _is_whole(weights: list[str]) -> bool:
    splits = [SPLIT.search(path.rsplit(".", 1)[0]) for path in weights]
    parts = {int(split[1]) for split in splits if split}
    totals = {int(split[2]) for split in splits if split}
    return not totals or (len(totals) == 1 and parts == set(range(1, max(totals) + 1)))


def _is_projector(path: str) -> bool:
    return path.rsplit("/", 1)[-1].lower().startswith("mmproj")


def _projector(files: Sequence[RemoteFile]) -> list[str]:
    """The eyes of a model that sees: one file, in 16 bits where there are several."""
    found = [file.path for file in files if _is_projector(file.path) and file.path.lower().endswith(".gguf")]
    found.sort(key=lambda path: (not re.search(r"(?<!b)f16", path, re.IGNORECASE), path))
    return found[:1]


def _bits(quant: str) -> float | None:
    if number := re.match(r"(?:UD-)?I?T?Q(\d)", quant):
        return float(number[1])
    return {"MXFP4": 4.0, "MXFP4_MOE": 4.0, "NVFP4": 4.0}.get(quant) or (
        16.0 if quant.endswith("16") else 32.0 if quant.endswith("32") else None
    )


def _safetensors(files: Sequence[RemoteFile], shared: list[str]) -> list[Variant]:
    groups: dict[str, list[str]] = {}
    for file in files:
        if file.path.endswith(".safetensors"):
            groups.setdefault(_precision(file.path), []).append(file.path)
    found = []
    for precision, weights in groups.items():
        index = [file.path for file in files if _index_of(file.path) == precision]
        name = f"safetensors-{precision}" if precision else "safetensors"
        found.append(
            Variant(
                name=name,
                title=f"safetensors ({precision})" if precision else "safetensors",
                kind="safetensors",
                files=sorted(weights + index + shared),
                weights=sorted(weights),
                bits=next((float(bits) for bits in ("32", "16", "8", "4") if precision.endswith(bits)), None),
                complete=_shards_are_whole(weights),
            )
        )
    return found


def _precision(path: str) -> str:
    stem = path.rsplit("/", 1)[-1].removesuffix(".safetensors")
    if stem.lower().startswith("consolidated"):
        return "consolidated"
    found = PRECISION.search(stem)
    return found[1].lower() if found else ""


def _index_of(path: str) -> str | None:
    """Of which precision this file is the index; None when it is none."""
    found = INDEX.search(path)
    if found is None:
        return None
    return "consolidated" if path.rsplit("/", 1)[-1].startswith("consolidated") else (found[1] or "").lower()


def _shards_are_whole(weights: list[str]) -> bool:
    groups: dict[str, list[str]] = {}
    for path in weights:
        stem = path.removesuffix(".safetensors")
        groups.setdefault(SPLIT.sub("", stem), []).append(path)
    return all(_is_whole(group) for group in groups.values())


def _others(files: Sequence[RemoteFile], shared: list[str]) -> list[Variant]:
    found = []
    for name, (title, *_) in OTHER.items():
        if weights := [file.path for file in files if _other(file.path) == name]:
            pickled = any(path.lower().endswith(PICKLES) for path in weights)
            found.append(
                Variant(
                    name=name,
                    title=title,
                    kind="other",
                    files=sorted(weights + shared),
                    weights=sorted(weights),
                    safe=not pickled,
                )
            )
    return found


def _other(path: str) -> str | None:
    """The other framework this file belongs to, if any."""
    lower = path.lower()
    for name, (_, endings, folders) in OTHER.items():
        if lower.startswith(folders):
            return name
        if endings and lower.endswith(endings) and not lower.endswith("training_args.bin"):
            return name
    return None


def _is_weight(path: str) -> bool:
    """Whether the file belongs to one variant only. Leftovers of training come with none."""
    lower = path.lower()
    if lower.endswith((".gguf", ".safetensors", "training_args.bin", ".imatrix", "imatrix.dat")):
        return True
    return _index_of(path) is not None or _other(path) is not None


def _recommend(found: list[Variant], memory: int | None) -> None:
    """Mark one. Safetensors before GGUF where a repository has both: it is what can be trained as well."""
    whole = [each for each in found if each.complete]
    plain = [each for each in whole if each.kind == "safetensors"]
    if plain:
        chosen = next((each for each in plain if each.name == "safetensors"), plain[0])
        chosen.recommended, chosen.reason = True, "Runs here, can be trained further, and holds no code."
    elif ggufs := [each for each in whole if each.kind == "gguf"]:
        chosen, reason = _best(ggufs, memory)
        chosen.recommended, chosen.reason = True, reason
    elif whole:
        whole[0].recommended, whole[0].reason = True, "There is no other format."


def _rank(variant: Variant, order: dict[str, int]) -> float:
    """Lower is preferred; what nobody listed by its distance from four and a half bits."""
    known = order.get(_gguf_key(variant.weights[0])[1])
    return known if known is not None else len(order) + abs((variant.bits or 99.0) - 4.5)


def _best(ggufs: list[Variant], memory: int | None) -> tuple[Variant, str]:
    order = {name: place for place, name in enumerate(PREFERRED)}
    rank = {id(each): _rank(each, order) for each in ggufs}
    common = min(ggufs, key=lambda each: (rank[id(each)], -(each.size or 0)))
    if len(ggufs) == 1:
        return common, "It is the only one."
    if fits(common.size, memory) is not False:
        return common, "The usual middle between quality and size."
    small = [each for each in ggufs if fits(each.size, memory)]
    if small:
        best = max(small, key=lambda each: each.size or 0)
        return best, f"The largest that fits this machine's memory; {common.name} does not."
    return min(
        ggufs, key=lambda each: each.size or 0
    ), "The smallest; even that needs more memory than is here."
