"""What the download tests share: a small model of large-looking files, and a patient-but-quick way to
fetch it."""

import hashlib
import json
import os
import random
from pathlib import Path
from typing import Any

from integrations.sources.fetch import downloads_of
from integrations.sources.huggingface import HuggingFace
from integrations.transfer import Fetched, Options, Outbound, fetch
from tests.support.hub import Hub

WEIGHTS = "model.safetensors"
QUICK = {
    "base_wait": 0.02,
    "stall_timeout": 1.0,
    "slow_time": 0.8,
    "slow_rate": 200_000,
    "attempts": 5,
    "disk_reserve": 0,
}
"""Options that find trouble within a second instead of half a minute."""


GGUF_HEADER = b"GGUF" + (3).to_bytes(4, "little") + bytes(16)
"""A true header of no tensors: what follows may be anything."""


def weights(size: int, seed: int = 1) -> bytes:
    """Safetensors of exactly `size` bytes: a true header and random numbers."""
    body = size - 128
    header = json.dumps({"w": {"dtype": "U8", "shape": [body], "data_offsets": [0, body]}}).encode()
    return (120).to_bytes(8, "little") + header.ljust(120) + random.Random(seed).randbytes(body)


def build_model(folder: Path, weights_bytes: int = 12_000_000, seed: int = 1) -> Path:
    """Weights of the given size, small files in folders, and an empty one."""
    (folder / "nested" / "deep").mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(weights(weights_bytes, seed))
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Model\n")
    (folder / "nested" / "deep" / "notes with spaces & ünïcode.txt").write_text("notes\n" * 100)
    (folder / "empty.txt").write_bytes(b"")
    return folder


def plan_of(hub: Hub, ref: str = "org/model") -> dict[str, Any]:
    """The plan of everything in a model, as the service would store it. Forgets what the hub logged
    meanwhile."""
    os.environ["HF_ENDPOINT"] = hub.url
    plan = HuggingFace().plan(ref).model_dump(mode="json")
    hub.clear()
    return plan


def download(hub: Hub, into: Path, plan: dict[str, Any] | None = None, **options: Any) -> list[Fetched]:
    """Fetch in this process, quickly annoyed."""
    plan = plan or plan_of(hub)
    chosen = Options(**{**QUICK, **options})
    outbound = Outbound(hub.url, os.environ.get("HF_TOKEN"), connect=2.0, read=chosen.stall_timeout)
    return fetch(downloads_of(plan, hub.url), into, outbound, options=chosen)


def content(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below, our state folder left out."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".transfer" not in path.parts
    }
