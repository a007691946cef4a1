"""Models by the dozen, without torch: a true header, random bytes behind it, and a config that all share."""

import hashlib
import json
import os
import struct
from pathlib import Path

CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "max_position_embeddings": 512}


def light_model(root: Path, ref: str, size: int, shards: int = 1) -> Path:
    """`root/<ref>` with `shards` files of about `size` bytes that no other model has; its folder."""
    folder = root / ref
    folder.mkdir(parents=True)
    _weights(folder / "model.safetensors", size)
    for number in range(1, shards):
        _weights(folder / f"model-{number}.safetensors", size)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "README.md").write_text(f"# {ref}\n")
    return folder


def _weights(path: Path, size: int) -> None:
    body = size // 4 * 4
    header = json.dumps(
        {"weights": {"dtype": "F32", "shape": [body // 4], "data_offsets": [0, body]}}
    ).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.write(os.urandom(body))


def contents(folder: Path) -> dict[str, str]:
    """Path → SHA-256 of every file in `folder`."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
