"""What a model directory holds, found by parsing small pieces of its files. Nothing is loaded, nothing is
run.

A malformed file gives a warning and fewer facts, never an exception: the library must be able to show, and
the user to delete, whatever has been brought in.
"""

import json
import re
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel

from integrations import gguf_header, safetensors_header

JSON_LIMIT = 4 * 2**20  # bytes of a config file
CARD_LIMIT = 1 * 2**20  # bytes of README.md that are looked at
CAUSAL = re.compile(r"(ForCausalLM|LMHeadModel)$")
CONTEXT_KEYS = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length")


class ModelFacts(BaseModel):
    """Facts of one directory. `weights` in bytes; `context_length` in tokens; None where the files do not
    say."""

    kind: Literal["base", "adapter", "gguf"] = "base"
    format: Literal["safetensors", "gguf", "pytorch"] | None = None
    architecture: str | None = None
    parameters: int | None = None
    dtype: str | None = None
    context_length: int | None = None
    quantization: str | None = None
    license: str | None = None
    base_model: str | None = None
    pipeline_tag: str | None = None
    tags: list[str] = []
    chat_template: bool = False
    weights: int = 0
    gguf_file: str | None = None
    warnings: list[str] = []

    @property
    def is_causal_lm(self) -> bool:
        """Whether it can write text: a decoder with safetensors weights, or any GGUF."""
        return self.format == "gguf" or bool(self.architecture and CAUSAL.search(self.architecture))


def read_facts(directory: Path) -> ModelFacts:
    """Facts of a model directory, or of a single GGUF file."""
    if directory.is_file():
        directory, files = directory.parent, [directory]
    else:
        files = sorted(path for path in directory.rglob("*") if path.is_file() and _visible(path, directory))
    facts = ModelFacts()
    _read_card(directory, facts)
    config = read_json(directory / "config.json", facts.warnings)
    adapter = read_json(directory / "adapter_config.json", facts.warnings)
    of_kind = {
        suffix: [path for path in files if path.suffix == suffix]
        for suffix in (".gguf", ".safetensors", ".bin")
    }
    if adapter:
        facts.kind = "adapter"
        facts.base_model = _text(adapter.get("base_model_name_or_path")) or facts.base_model
        facts.architecture = _text(adapter.get("peft_type"))
    _read_config(config, facts)
    if of_kind[".safetensors"]:
        _read_safetensors(of_kind[".safetensors"], config, facts)
    elif of_kind[".gguf"]:
        _read_gguf(of_kind[".gguf"], directory, facts)
    elif of_kind[".bin"] and (config or adapter):
        facts.format = "pytorch"
        facts.warnings.append(
            "The weights are in PyTorch's pickle format, which is not loaded: it can run code."
        )
    facts.chat_template = facts.chat_template or _has_chat_template(directory)
    return facts


def _visible(path: Path, directory: Path) -> bool:
    """No dot-folders, and no link that leads out of the directory, except from a snapshot of the Hugging Face
    cache to the blobs of the same repository."""
    if any(part.startswith(".") for part in path.relative_to(directory).parts):
        return False
    if not path.is_symlink():
        return True
    real, homes = path.resolve(), [directory.resolve()]
    if homes[0].parent.name == "snapshots":
        homes.append(homes[0].parent.parent / "blobs")
    return any(real.is_relative_to(home) for home in homes)


def read_json(path: Path, warnings: list[str]) -> dict[str, Any]:
    """A JSON object of bounded size, or {} with a warning when there is a file and it is not one."""
    try:
        if not path.is_file():
            return {}
        if path.stat().st_size > JSON_LIMIT:
            raise ValueError("it is too large")
        value = json.loads(path.read_bytes())
        if not isinstance(value, dict):
            raise ValueError("it is not a JSON object")
        return value
    except (OSError, ValueError, RecursionError) as error:
        reason = (
            "it is not valid JSON"
            if isinstance(error, json.JSONDecodeError | UnicodeDecodeError)
            else str(error)
        )
        warnings.append(f"{path.name} could not be read: {reason}.")
        return {}


def _read_config(config: dict[str, Any], facts: ModelFacts) -> None:
    architectures = config.get("architectures")
    if isinstance(architectures, list) and architectures:
        facts.architecture = _text(architectures[0])
    text_config = config.get("text_config")
    for source in (config, text_config if isinstance(text_config, dict) else {}):
        for key in CONTEXT_KEYS:
            value = source.get(key)
            if facts.context_length is None and type(value) is int and 0 < value < 2**40:
                facts.context_length = value
    facts.dtype = _text(config.get("dtype")) or _text(config.get("torch_dtype"))
    quantised = config.get("quantization_config")
    if isinstance(quantised, dict):
        bits = quantised.get("bits") or (4 if quantised.get("load_in_4bit") else None)
        method = _text(quantised.get("quant_method")) or "quantised"
        facts.quantization = f"{method}-{bits}bit" if isinstance(bits, int) else method


def _read_safetensors(files: list[Path], config: dict[str, Any], facts: ModelFacts) -> None:
    facts.format = "safetensors"
    facts.weights = sum(path.stat().st_size for path in files)
    tensors: list[safetensors_header.Tensor] = []
    for path in files:
        try:
            tensors += safetensors_header.read_header(path)
        except (OSError, safetensors_header.BadHeader) as error:
            facts.warnings.append(f"{error}.")
    if tensors:
        facts.dtype = facts.dtype or safetensors_header.main_dtype(tensors)
        packing = _packing(config)
        facts.parameters = sum(tensor.numel * packing.get(tensor.dtype, 1) for tensor in tensors)


def _packing(config: dict[str, Any]) -> dict[str, int]:
    """How many weights one stored number holds, for the usual quantised formats."""
    quantised = config.get("quantization_config")
    if not isinstance(quantised, dict):
        return {}
    bits = quantised.get("bits")
    if isinstance(bits, int) and bits in (2, 4, 8):  # GPTQ and AWQ pack into 32-bit integers
        return {"I32": 32 // bits}
    return {"U8": 2} if quantised.get("load_in_4bit") or quantised.get("_load_in_4bit") else {}


def _read_gguf(files: list[Path], directory: Path, facts: ModelFacts) -> None:
    """Of several files the first: the parts of a split model are named in order, and the first one has the
    metadata."""
    facts.kind, facts.format = "gguf", "gguf"
    facts.gguf_file = str(files[0].relative_to(directory))
    parts = _parts_of(files[0], files)
    facts.weights = sum(path.stat().st_size for path in parts)
    try:
        headers = [gguf_header.read_header(path) for path in parts]
    except (OSError, gguf_header.BadHeader) as error:
        facts.warnings.append(f"{error}.")
        return
    metadata = headers[0].metadata
    facts.architecture = _text(metadata.get("general.architecture"))
    context = metadata.get(f"{facts.architecture}.context_length")
    facts.context_length = context if type(context) is int else None
    facts.quantization = gguf_header.quantisation(metadata)
    facts.dtype = facts.quantization
    facts.license = facts.license or _text(metadata.get("general.license"))
    facts.chat_template = bool(metadata.get("tokenizer.chat_template"))
    facts.parameters = sum(header.parameters for header in headers)


def _parts_of(first: Path, files: list[Path]) -> list[Path]:
    split = re.fullmatch(r"(.+)-00001-of-(\d{5})\.gguf", first.name)
    if not split:
        return [first]
    pattern = re.compile(re.escape(split[1]) + r"-\d{5}-of-" + split[2] + r"\.gguf")
    return [path for path in files if path.parent == first.parent and pattern.fullmatch(path.name)]


def _read_card(directory: Path, facts: ModelFacts) -> None:
    metadata = front_matter(directory / "README.md", facts.warnings)
    base = metadata.get("base_model")
    facts.license = _text(metadata.get("license"))
    facts.base_model = _text(base[0] if isinstance(base, list) and base else base)
    facts.pipeline_tag = _text(metadata.get("pipeline_tag"))
    tags = metadata.get("tags")
    facts.tags = [tag[:100] for tag in tags if isinstance(tag, str)][:100] if isinstance(tags, list) else []


def front_matter(path: Path, warnings: list[str]) -> dict[str, Any]:
    """The YAML block at the head of a README, or {}."""
    try:
        with path.open("rb") as file:
            text = file.read(CARD_LIMIT).decode(errors="replace")
    except OSError:
        return {}
    found = re.match(r"\A﻿?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", text, re.DOTALL)
    if not found:
        return {}
    try:
        value = yaml.safe_load(found[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        warnings.append("The head of README.md is not valid YAML.")
        return {}
    return value if isinstance(value, dict) else {}


def _has_chat_template(directory: Path) -> bool:
    if (directory / "chat_template.jinja").is_file() or (directory / "chat_template.json").is_file():
        return True
    return bool(read_json(directory / "tokenizer_config.json", []).get("chat_template"))


def _text(value: Any) -> str | None:
    return value[:200] if isinstance(value, str) and value else None
