"""Pull and create: the two that take long, as the lines of their streams."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from integrations import gguf_header
from tests.support.ollama_server.store import (
    ADAPTER,
    DETAILS,
    LICENSE,
    MODEL,
    PARAMS,
    SYSTEM,
    TEMPLATE,
    Layer,
    full_name,
)

if TYPE_CHECKING:
    from tests.support.ollama_server import OllamaServer

STEPS = 20
Line = dict[str, Any]


class Refusal(Exception):
    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


class NoSpace(OSError):
    """In Go's words."""


def room_for(ollama: "OllamaServer", size: int, path: Path) -> None:
    room = ollama.trouble.room
    if room is not None and ollama.store.used() + size > room:
        raise NoSpace(f"write {path}: no space left on device")


def pull(ollama: "OllamaServer", name: str, cut: Callable[[], None]) -> Iterator[Line]:
    yield {"status": "pulling manifest"}
    if ollama.trouble.registry_away:
        address = f"https://registry.ollama.ai/v2/library/{name.replace(':', '/manifests/')}"
        raise Refusal(
            500, f'pull model manifest: Get "{address}": dial tcp: lookup registry.ollama.ai: no such host'
        )
    found = ollama.registry.get(name)
    if found is None:
        raise Refusal(500, "pull model manifest: file does not exist")
    seen = 0
    for layer in found.layers:
        for line in _fetched(ollama, layer):
            seen += line.pop("step", 0)
            yield line
            if ollama.trouble.dies_at is not None and seen >= ollama.trouble.dies_at:
                cut()
    yield {"status": "verifying sha256 digest"}
    yield {"status": "writing manifest"}
    layers = [(layer.kind, layer.digest) for layer in found.layers]
    ollama.store.add(name, layers, found.details, found.info)
    yield {"status": "success"}


def _fetched(ollama: "OllamaServer", layer: Layer) -> Iterator[Line]:
    """One layer on its way; a zero is left out, as Go's `omitempty` does."""
    store, digest, total = ollama.store, layer.digest, len(layer.content)
    said = {"status": f"pulling {digest[7:19]}", "digest": digest, "total": total}
    if store.path(digest).exists():
        yield {**said, "completed": total}
        return
    partial = store.partial(digest)
    if not ollama.trouble.keeps_partials:
        partial.unlink(missing_ok=True)
    done = partial.stat().st_size if partial.exists() else 0
    yield {**said, **({"completed": done} if done else {})}
    step = max(1, -(-total // STEPS))
    with partial.open("ab") as file:
        while done < total:
            piece = layer.content[done : done + step]
            room_for(ollama, len(piece), partial)
            file.write(piece)
            file.flush()
            done += len(piece)
            time.sleep(ollama.trouble.pace)
            yield {**said, "completed": done, "step": len(piece)}
    partial.rename(store.path(digest))


def create(ollama: "OllamaServer", name: str, body: dict[str, Any]) -> Iterator[Line]:
    store, trouble = ollama.store, ollama.trouble
    files, adapters, base = body.get("files"), body.get("adapters"), body.get("from")
    if trouble.old:
        raise Refusal(400, "path or modelfile are required")
    if adapters and trouble.newest:
        raise Refusal(400, "LoRA adapters are no longer supported")
    for digest in [*(files or {}).values(), *(adapters or {}).values()]:
        if not store.path(digest).exists():
            raise Refusal(400, f"blob not found (digest {digest}): file does not exist")
    layers: list[tuple[str, str]]
    details, info = dict(DETAILS), {"general.architecture": "llama"}
    if base:
        if full_name(base) not in store.models:
            raise Refusal(500, "pull model manifest: file does not exist")
        found = store.models[full_name(base)]
        layers = [(layer["mediaType"], layer["digest"]) for layer in found["layers"]]
        details, info = {**found["details"], "parent_model": full_name(base)}, found["info"]
    elif files:
        layers, details, info = _made(ollama, files)
        yield {"status": "parsing GGUF" if details["format"] == "gguf" else "converting model"}
    else:
        raise Refusal(400, "neither 'from' or 'files' was specified")
    for digest in (adapters or {}).values():
        layers.append((ADAPTER, digest))
    for line, layer in _words(ollama, body):
        yield line
        layers = [(kind, digest) for kind, digest in layers if kind != layer[0]] + [layer]
    for _, digest in layers:
        yield {"status": f"using existing layer {digest}"}
    yield {"status": "writing manifest"}
    store.add(name, layers, details, info)
    ollama.loaded.pop(name, None)
    yield {"status": "success"}


def _made(ollama: "OllamaServer", files: dict[str, str]) -> tuple[list[tuple[str, str]], Line, Line]:
    paths = {name: ollama.store.path(digest) for name, digest in files.items()}
    if any(name.endswith(".safetensors") for name in files):
        if ollama.trouble.newest:
            raise Refusal(503, "MLX runtime is not available on this system")
        blobs = [(MODEL, digest) for name, digest in files.items() if name.endswith(".safetensors")]
        return blobs, {**DETAILS, "format": "safetensors"}, {"general.architecture": "llama"}
    for path in paths.values():
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise Refusal(400, "unknown type")
    header = gguf_header.read_header(next(iter(paths.values())))
    family = str(header.metadata.get("general.architecture", "llama"))
    quantization = gguf_header.FILE_TYPES.get(header.metadata.get("general.file_type", -1), "unknown")
    details = {**DETAILS, "family": family, "families": [family], "quantization_level": quantization}
    info = {**header.metadata, "general.parameter_count": header.parameters}
    return [(MODEL, digest) for digest in files.values()], details, info


def _words(ollama: "OllamaServer", body: dict[str, Any]) -> Iterator[tuple[Line, tuple[str, str]]]:
    license = body.get("license")
    texts = {
        TEMPLATE: body.get("template"),
        SYSTEM: body.get("system"),
        LICENSE: "\n".join(license) if isinstance(license, list) else license,
        PARAMS: json.dumps(body["parameters"]) if body.get("parameters") else None,
    }
    for kind, text in texts.items():
        if text:
            digest = ollama.store.put(text.encode())
            yield {"status": f"creating new layer {digest}"}, (kind, digest)
