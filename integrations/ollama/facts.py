"""What an Ollama server says about its models, as the library wants to know it."""

import re
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from integrations.ollama.names import tag_of

LARGEST_INT = 2**31 - 1

_LICENSES = (
    (r"apache license.{0,200}version 2\.0", "apache-2.0"),
    (r"\bmit license\b", "mit"),
    (r"llama (\d(?:\.\d)?) community license", r"llama\1"),
    (r"gemma terms of use", "gemma"),
    (r"gnu affero general public license", "agpl-3.0"),
    (r"creative commons attribution-noncommercial", "cc-by-nc-4.0"),
)


class Held(BaseModel):
    """A model the server holds. `digest` is its manifest's, 64 hexadecimal digits; `size` in bytes."""

    name: str
    digest: str = ""
    size: int = 0
    modified_at: datetime | None = None
    family: str | None = None
    parameter_size: str | None = None
    quantization: str | None = None


class Loaded(BaseModel):
    """A model in the server's memory. Sizes in bytes."""

    name: str
    size: int = 0
    size_vram: int = 0
    context_length: int | None = None
    expires_at: datetime | None = None


class Shown(BaseModel):
    """What `show` tells. `context_length` in tokens; `license` is the whole text."""

    name: str
    format: str | None = None
    family: str | None = None
    parameter_size: str | None = None
    quantization: str | None = None
    parent: str | None = None
    parameters: int | None = None
    context_length: int | None = None
    capabilities: list[str] = []
    license: str = ""
    template: str = ""
    settings: str = ""
    modelfile: str = ""
    modified_at: datetime | None = None


def read_shown(name: str, answer: Any) -> Shown:
    """The client's `ShowResponse` as ours; what is missing or odd there is missing here."""
    details, info = answer.details, dict(answer.modelinfo or {})
    architecture = info.get("general.architecture")
    return Shown(
        name=name,
        format=_text(details and details.format),
        family=_text(details and details.family),
        parameter_size=_text(details and details.parameter_size),
        quantization=_text(details and details.quantization_level),
        parent=_text(details and details.parent_model),
        parameters=_count(info.get("general.parameter_count"), 2**63 - 1),
        context_length=_count(info.get(f"{architecture}.context_length"), LARGEST_INT),
        capabilities=[str(each) for each in answer.capabilities or []],
        license=answer.license or "",
        template=answer.template or "",
        settings=answer.parameters or "",
        modelfile=answer.modelfile or "",
        modified_at=answer.modified_at,
    )


def version_facts(held: Held, shown: Shown) -> dict[str, Any]:
    """The columns of a library version for a model the server keeps."""
    chat = "chat" if "completion" in shown.capabilities else None
    return {
        "kind": "gguf",
        "revision": tag_of(held.name),
        "commit": held.digest.removeprefix("sha256:")[:64],
        "size": held.size,
        "architecture": shown.family,
        "parameters": shown.parameters,
        "context_length": shown.context_length,
        "quantization": (shown.quantization or held.quantization or "")[:50] or None,
        "license": license_name(shown.license),
        "tags": [tag for tag in ("ollama", chat) if tag],
        "files": [],
        "warnings": [],
    }


def license_name(text: str) -> str | None:
    """The short name of a licence's text; its first line when we do not know it."""
    head = " ".join(text[:2000].lower().split())
    for pattern, name in _LICENSES:
        if found := re.search(pattern, head):
            return found.expand(name)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return first[:100] or None


def _text(value: Any) -> str | None:
    return str(value)[:200] if value else None


def _count(value: Any, most: int) -> int | None:
    return value if isinstance(value, int) and 0 < value <= most else None
