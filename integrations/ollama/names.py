"""Names as Ollama reads them: `[host/][namespace/]model[:tag]`, completed the way it completes them.

A host in a name is where the *server* would fetch from. It stands in a network of its own, so a stranger must
not lead it anywhere: only the registries everybody knows, and what an administrator allowed.
"""

import re

from integrations.addresses import allowed_origins
from integrations.errors import InvalidRef

REGISTRIES = frozenset({"registry.ollama.ai", "ollama.com", "hf.co", "huggingface.co"})

_NAMESPACE = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}"
_MODEL = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"
_HOST = r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}(?::[0-9]{1,5})?"
_NAME = re.compile(rf"(?:(?:({_HOST})/)?({_NAMESPACE})/)?({_MODEL})(?::({_MODEL}))?")
LONGEST = 300


def full_name(ref: str, tag: str | None = None) -> str:
    """`llama3.2` → `llama3.2:latest`; `tag` is one given apart. Raises InvalidRef, saying what is wrong."""
    found = _NAME.fullmatch(ref) if len(ref) <= LONGEST else None
    if found is None or ".." in ref:
        raise InvalidRef(
            f"'{_clip(ref)}' is no name of an Ollama model. Write it like 'llama3.2:1b', "
            "'someone/model:tag' or 'hf.co/owner/model:Q4_K_M'."
        )
    host, namespace, model, own = found.groups()
    if tag and (not re.fullmatch(_MODEL, tag) or own not in (None, tag)):
        raise InvalidRef(
            f"'{_clip(tag)}' is no tag of '{_clip(ref)}'. Write the tag into the name: name:tag."
        )
    if host and host not in REGISTRIES and host not in _allowed():
        raise InvalidRef(
            f"'{_clip(host)}' is not a registry that names may lead to. Known are "
            f"{', '.join(sorted(REGISTRIES))}; "
            "an administrator can allow another by its exact origin in MODELHUB_OUTBOUND_ORIGINS.",
            details={"host": host[:300]},
        )
    if host in ("registry.ollama.ai", "ollama.com"):
        host = None  # what Ollama means without a host
    if namespace == "library" and not host:
        namespace = None
    parts = [part for part in (host, namespace, model) if part]
    return f"{'/'.join(parts)}:{own or tag or 'latest'}"


def tag_of(name: str) -> str:
    """The tag of a complete name."""
    return name.rpartition(":")[2]


def _allowed() -> set[str]:
    origins = allowed_origins()
    return {origin.host for origin in origins} | {f"{origin.host}:{origin.port}" for origin in origins}


def _clip(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:81])
    return f"{shown[:80]}…" if len(shown) > 80 else shown
