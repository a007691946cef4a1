"""What an Ollama server says when it cannot, in our words: what happened, and what to do about it."""

from integrations.errors import (
    AccessDenied,
    IntegrationError,
    NotFound,
    OutOfSpace,
    Unreachable,
    Unsupported,
)

_DISK = ("no space left on device", "disk quota exceeded", "not enough space on the disk")
_REGISTRY = (
    "no such host", "dial tcp", "i/o timeout", "tls:", "max retries exceeded", "connection reset",
    "network is unreachable", "unexpected eof",
)  # fmt: skip


def refusal(url: str, what: str, said: str, status: int) -> IntegrationError:
    """The server's refusal as one of ours. `what` was asked for; `status` is -1 for an error in a stream."""
    said = said.strip()[:1000] or f"status {status}"
    words, details = said.lower(), {"host": url, "said": said}
    if any(sign in words for sign in _DISK):
        return OutOfSpace(
            f"The Ollama server at {url} has no room left on its disk. Delete models there "
            f"(`modelhub ollama rm NAME`) or give it more room, then resume. It says: {said}",
            details=details,
        )
    if (status in (404, 405) and "model" not in words) or "path or modelfile are required" in words:
        return Unsupported(
            f"The Ollama server at {url} is too old for this ({what}): it does not know the request. Update "
            "Ollama there.",
            details=details,
        )
    if status == 412 or "newer version of ollama" in words:
        return Unsupported(f"The Ollama server at {url} is too old for this model: {said}", details=details)
    if "pull model manifest: file does not exist" in words:
        return NotFound(
            f"Ollama's library has no such model ({what}). https://ollama.com/library shows what it has.",
            details=details,
        )
    if status == 404:
        return NotFound(
            f"The Ollama server at {url} has no such model ({what}). `modelhub ollama list` shows "
            "what it holds.",
            details=details,
        )
    if "adapters are no longer supported" in words:
        return Unsupported(
            f"The Ollama server at {url} takes no adapters any more. Merge the adapter into its base "
            "model and "
            f"create from that. It says: {said}",
            details=details,
        )
    if "mlx" in words or "unknown type" in words or "unsupported architecture" in words:
        return Unsupported(
            f"The Ollama server at {url} cannot make a model of these files. Bring the model in as "
            "GGUF and create "
            f"from that. It says: {said}",
            details=details,
        )
    if any(sign in words for sign in _REGISTRY):
        return Unreachable(
            f"The Ollama server at {url} could not reach where the model comes from. What has come "
            "stays there; "
            f"try again. It says: {said}",
            details=details,
        )
    if 300 <= status < 400:
        return Unreachable(
            f"What answers at {url} sends us on elsewhere. Set OLLAMA_HOST to where Ollama really is.",
            details={"host": url},
        )
    if status in (401, 403):
        return AccessDenied(f"The Ollama server at {url} does not let the hub in: {said}", details=details)
    kind = Unreachable if status >= 500 or status == 429 else Unsupported
    return kind(f"The Ollama server at {url} refuses this ({what}): {said}", details=details)


def absent(url: str) -> Unreachable:
    return Unreachable(
        f"No Ollama server answers at {url}. Start it there (`ollama serve`), or set OLLAMA_HOST to "
        "where it runs.",
        details={"host": url},
    )


def slow(url: str, seconds: float) -> Unreachable:
    return Unreachable(
        f"The Ollama server at {url} has not answered for {seconds:g} seconds. It may be loading a "
        "model or its "
        "disk may be slow; try again in a moment.",
        details={"host": url},
    )


def broken(url: str) -> Unreachable:
    return Unreachable(
        f"The Ollama server at {url} broke off in the middle. It may have been restarted; what has "
        "come stays there.",
        details={"host": url},
    )


def stranger(url: str) -> Unreachable:
    return Unreachable(
        f"What answers at {url} does not speak as Ollama does. Set OLLAMA_HOST to where Ollama runs.",
        details={"host": url},
    )
