"""One file: what it really is, and whether it may go near an engine."""

import json
import re
from pathlib import Path
from typing import Any

from integrations import gguf_header, safetensors_header
from integrations.intake import magic, pickles, templates, zips
from integrations.intake.findings import Finding, Verdict, shown
from integrations.intake.second_opinions import second_opinions

JSON_LIMIT = 256 * 2**20
JSON_DEPTH = 200
PICKLES = (
    ".bin",
    ".pt",
    ".pth",
    ".ckpt",
    ".pkl",
    ".pickle",
    ".joblib",
    ".dill",
    ".p",
    ".model",
    ".mar",
    ".data",
)
SCRIPTS = (
    ".sh", ".bash", ".bat", ".cmd", ".ps1", ".vbs", ".js", ".hta", ".desktop", ".lnk", ".reg", ".scr",
    ".command", ".exe", ".dll", ".so", ".dylib", ".jar", ".msi", ".com", ".elf", ".apk", ".deb", ".rpm",
    ".pyc", ".pyd",
)  # fmt: skip
TEXTS = (".json", ".txt", ".md", ".jinja", ".yaml", ".yml", ".py", ".csv", ".tsv", ".jsonl", ".toml", ".cfg")
_OUTSIDE_TEXT = re.compile(rb"\"(?:[^\"\\]|\\.)*+\"|[\[\]{}]", re.DOTALL)
QUIET = (".model", ".spm", ".tiktoken", ".onnx", ".msgpack", ".tflite", ".npy", ".h5", ".spiece", ".dat")
"""Binary formats of the field that no engine here loads and that are not asked about."""


def judge(path: Path) -> Verdict:
    """What `path` is. It must be a regular file. Never raises for what is in it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(magic.HEAD)
    kind, detail = magic.sniff(head, size)
    suffix = path.suffix.lower()
    if suffix == ".safetensors" or kind == "safetensors":
        return _tensors(path, suffix, kind)
    if suffix == ".gguf" or kind == "gguf":
        return _gguf(path, suffix)
    if kind == "zip":
        return _seconded(zips.look_into(path, size), path)
    if kind == "pickle" or (suffix in PICKLES and kind in ("text", "binary") and _old_pickle(path, head)):
        return _pickle(path, size, suffix)
    if kind == "numpy":
        return _numpy(head)
    if kind == "hdf5":
        return _hdf5(path)
    if (
        kind == "program"
        or suffix in SCRIPTS
        or (kind == "text" and head.startswith(b"#!") and suffix != ".py")
    ):
        return Verdict("program", True, [Finding("format", "dangerous", f"It is {detail or 'a script'}.")])
    if kind == "archive":
        said = f"It is a {detail} archive: what is in it is not looked at. Unpack it and bring in its files."
        return Verdict("archive", True, [Finding("format", "unknown", said)])
    if kind == "binary" and suffix in TEXTS:
        said = f"It is called {suffix} and holds something else than text."
        return Verdict("binary", True, [Finding("format", "suspicious", said)])
    if kind == "text":
        return _text(path, size, suffix)
    if kind == "binary" and suffix not in QUIET:
        return Verdict("binary", False, [], ["is of a format the hub does not know; no engine is given it"])
    return Verdict(kind, False, [])


def _old_pickle(path: Path, head: bytes) -> bool:
    return pickles.is_pickle(head) or path.suffix.lower() in (".pkl", ".pickle", ".joblib", ".dill")


def _tensors(path: Path, suffix: str, kind: str) -> Verdict:
    try:
        safetensors_header.read_header(path)
    except (safetensors_header.BadHeader, OSError, ValueError, RecursionError, MemoryError) as error:
        if suffix != ".safetensors":
            return Verdict(
                "binary", False, [], ["is of a format the hub does not know; no engine is given it"]
            )
        said = f"It is not sound safetensors: {shown(str(error)) or type(error).__name__}."
        return Verdict("safetensors", True, [Finding("format", "dangerous", said)])
    return Verdict("safetensors", False, [])


def _gguf(path: Path, suffix: str) -> Verdict:
    try:
        header = gguf_header.read_header(path)
        gguf_header.check_bounds(header, path)
    except (gguf_header.BadHeader, OSError, ValueError, OverflowError, MemoryError) as error:
        said = f"It is not sound GGUF: {shown(str(error)) or type(error).__name__}."
        return Verdict("gguf", True, [Finding("format", "dangerous", said)])
    found = [
        f"has a chat template that {wrong}"
        for key, value in header.metadata.items()
        if key.startswith("tokenizer.chat_template") and isinstance(value, str)
        if (wrong := templates.objection(value))
    ]
    return Verdict("gguf", False, [], found)


def _pickle(path: Path, size: int, suffix: str) -> Verdict:
    with path.open("rb") as file:
        findings = pickles.look(file, size)
    if suffix in TEXTS:
        said = f"It is called {suffix} and is a pickle."
        findings.insert(0, Finding("format", "dangerous", said))
    return _seconded(Verdict("pickle", True, findings), path)


def _seconded(verdict: Verdict, path: Path) -> Verdict:
    """With what two other scanners say; and when nobody says anything, that."""
    findings = list(verdict.findings)
    if verdict.kind == "pickle":
        if not findings:
            findings.append(
                Finding("pickle", "none", "It is a pickle, and only rebuilds numbers as far as one can see.")
            )
        findings += second_opinions(path)
    elif not findings:
        findings.append(
            Finding("format", "unknown", "It is a zip archive. Unpack it and bring in its files.")
        )
    return verdict._replace(findings=findings)


def _numpy(head: bytes) -> Verdict:
    header = head[8:300]
    if b"'O'" in header or b"|O" in header:
        said = "It is a numpy array of objects, which are loaded as pickles."
        return Verdict("numpy", True, [Finding("pickle", "suspicious", said)])
    return Verdict("numpy", False, [])


def _hdf5(path: Path) -> Verdict:
    overlap = b""
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            if b'"Lambda"' in overlap + piece:
                said = "It is a Keras model with a Lambda layer: code that runs on loading."
                return Verdict("hdf5", True, [Finding("format", "dangerous", said)])
            overlap = piece[-16:]
    return Verdict("hdf5", False, [], ["is in Keras' HDF5 format, which no engine here loads"])


def _text(path: Path, size: int, suffix: str) -> Verdict:
    if suffix == ".json":
        return _json(path, size)
    if suffix == ".jinja":
        text = path.open(encoding="utf-8", errors="replace").read(templates.LIMIT + 1)
        wrong = templates.objection(text)
        return Verdict("template", False, [], [f"is a chat template that {wrong}"] if wrong else [])
    return Verdict("text", False, [])


def _json(path: Path, size: int) -> Verdict:
    if size > JSON_LIMIT:
        said = f"It is JSON of {size:,} bytes; at most {JSON_LIMIT:,} are read."
        return Verdict("json", True, [Finding("format", "suspicious", said)])
    data = path.read_bytes()
    if _depth(data) > JSON_DEPTH:
        said = f"It is JSON nested more than {JSON_DEPTH} deep, which no model needs."
        return Verdict("json", True, [Finding("format", "dangerous", said)])
    try:
        value: Any = json.loads(data)
    except MemoryError:
        return Verdict(
            "json", True, [Finding("format", "unknown", "It is JSON that takes too much memory to read.")]
        )
    except (ValueError, RecursionError):
        return Verdict("json", False, [], ["is called .json and is not JSON"])
    found = [wrong for each in templates.templates_of(value) if (wrong := templates.objection(each))]
    return Verdict("json", False, [], [f"has a chat template that {wrong}" for wrong in found])


def _depth(data: bytes) -> int:
    """How deep brackets are nested, at most; those in texts are not counted."""
    if data.count(b"[") + data.count(b"{") <= JSON_DEPTH:
        return 0
    deepest = depth = 0
    for piece in _OUTSIDE_TEXT.finditer(data):
        if piece[0] in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
            if deepest > JSON_DEPTH:
                return deepest
        elif piece[0] in (b"]", b"}"):
            depth -= 1
    return deepest
