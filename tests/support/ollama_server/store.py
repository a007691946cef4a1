"""What the server keeps: blobs by digest, partial ones beside them, and a manifest for every name."""

import hashlib
import json
import random
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MODEL = "application/vnd.ollama.image.model"
ADAPTER = "application/vnd.ollama.image.adapter"
PROJECTOR = "application/vnd.ollama.image.projector"
TEMPLATE = "application/vnd.ollama.image.template"
SYSTEM = "application/vnd.ollama.image.system"
PARAMS = "application/vnd.ollama.image.params"
LICENSE = "application/vnd.ollama.image.license"

DETAILS: dict[str, Any] = {
    "parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"],
    "parameter_size": "1.2B", "quantization_level": "Q8_0",
}  # fmt: skip
MODEL_INFO: dict[str, Any] = {
    "general.architecture": "llama", "general.basename": "Tiny", "general.file_type": 7,
    "general.parameter_count": 1_235_814_432, "llama.context_length": 131_072, "llama.embedding_length": 2048,
}  # fmt: skip


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def full_name(name: str) -> str:
    """A name as the server completes it: `:latest` when it has no tag."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


@dataclass(frozen=True)
class Layer:
    kind: str
    content: bytes

    @property
    def digest(self) -> str:
        return digest_of(self.content)


@dataclass(frozen=True)
class Published:
    """A model as the registry has it, largest layer first as there."""

    layers: tuple[Layer, ...]
    details: dict[str, Any] = field(default_factory=lambda: dict(DETAILS))
    info: dict[str, Any] = field(default_factory=lambda: dict(MODEL_INFO))


def library_model(size: int, seed: object = 0, **changes: Any) -> Published:
    """A model of about `size` bytes: weights, template, licence, parameters."""
    weights = b"GGUF" + struct.pack("<IQQ", 3, 0, 0) + random.Random(str(seed)).randbytes(max(0, size - 24))
    params = json.dumps({"stop": ["<|eot_id|>"], "temperature": 0.6}).encode()
    layers = (
        Layer(MODEL, weights),
        Layer(TEMPLATE, b"{{ if .System }}{{ .System }}{{ end }}{{ .Prompt }}"),
        Layer(LICENSE, b"Apache License\n                           Version 2.0, January 2004\n"),
        Layer(PARAMS, params),
    )
    return Published(layers, **changes)


class Store:
    def __init__(self, home: Path) -> None:
        self.blobs = home / "models" / "blobs"
        self.blobs.mkdir(parents=True, exist_ok=True)
        self._file = home / "models" / "manifests.json"
        self.models: dict[str, dict[str, Any]] = (
            json.loads(self._file.read_text()) if self._file.exists() else {}
        )

    def path(self, digest: str) -> Path:
        return self.blobs / digest.replace(":", "-")

    def partial(self, digest: str) -> Path:
        return self.blobs / f"{digest.replace(':', '-')}-partial"

    def used(self) -> int:
        return sum(path.stat().st_size for path in self.blobs.iterdir())

    def put(self, content: bytes) -> str:
        digest = digest_of(content)
        self.path(digest).write_bytes(content)
        return digest

    def add(
        self, name: str, layers: list[tuple[str, str]], details: dict[str, Any], info: dict[str, Any]
    ) -> None:
        """Write a manifest for blobs that are here: `(kind, digest)`."""
        listed = [
            {"mediaType": kind, "digest": digest, "size": self.path(digest).stat().st_size}
            for kind, digest in layers
        ]
        manifest = {"schemaVersion": 2, "layers": listed}
        self.models[name] = {
            "layers": listed,
            "digest": hashlib.sha256(json.dumps(manifest).encode()).hexdigest(),
            "details": details,
            "info": info,
            "modified_at": datetime.now(UTC).isoformat(),
        }
        self.save()

    def save(self) -> None:
        draft = self._file.with_suffix(".draft")
        draft.write_text(json.dumps(self.models))
        draft.replace(self._file)

    def size(self, name: str) -> int:
        return sum(layer["size"] for layer in self.models[name]["layers"])

    def text(self, name: str, kind: str) -> str:
        found = [layer["digest"] for layer in self.models[name]["layers"] if layer["mediaType"] == kind]
        return "\n".join(self.path(digest).read_text() for digest in found)

    def remove(self, name: str) -> None:
        """The name, and the blobs nobody else refers to."""
        gone = self.models.pop(name)
        kept = {layer["digest"] for model in self.models.values() for layer in model["layers"]}
        for layer in gone["layers"]:
            if layer["digest"] not in kept:
                self.path(layer["digest"]).unlink(missing_ok=True)
        self.save()
