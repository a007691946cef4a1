"""How much memory a deployment takes, decided by parsing before anything is loaded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from inference.errors import OutOfMemory

PAGE_SIZE = 32
"""Tokens in a page of the KV cache. Small pages waste little and let short shared prefixes be found."""
BATCH_TOKENS = 512
"""Tokens processed in one step. With the cache it fixes the attention mask: 512 × 9,000 floats are 18 MB."""
DEFAULT_CONTEXT = 8192
"""Context of a deployment that asks for none, in tokens, where the model allows it."""
CACHE_SHARE = 0.25
"""Share of the memory left after the weights that the KV cache may take by default."""
SLACK = 300 * 2**20
"""Bytes for the program itself and for activations."""


@dataclass(frozen=True)
class CachePlan:
    """Sizes of the KV cache: `pages` of `page_size` tokens, shared by up to `max_concurrent` answers."""

    context: int
    pages: int
    max_concurrent: int
    page_size: int = PAGE_SIZE
    max_batch_tokens: int = BATCH_TOKENS

    @property
    def whole_contexts(self) -> int:
        """How many answers can have a whole context each, for an engine that divides its cache evenly."""
        return max(1, min(self.max_concurrent, self.pages * self.page_size // self.context))


def available_bytes() -> int:
    """Memory a new process may take: the machine's, or less where a control group limits it."""
    free = psutil.virtual_memory().available
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text())
        return min(free, max(0, limit - int((group / "memory.current").read_text())))
    except (OSError, ValueError):  # no control group, or no limit ("max")
        return free


def bytes_per_token(config: dict[str, Any], value_bytes: int) -> int:
    """KV cache of one token over all layers."""
    heads = config.get("num_attention_heads") or 1
    head_dim = config.get("head_dim") or (config.get("hidden_size") or 0) // heads
    kv_heads = config.get("num_key_value_heads") or heads
    return 2 * (config.get("num_hidden_layers") or 0) * kv_heads * head_dim * value_bytes


def plan_cache(
    config: dict[str, Any],
    *,
    weights: int,
    value_bytes: int,
    free: int,
    context: int | None,
    max_concurrent: int,
) -> CachePlan:
    """Sizes that fit. `weights` and `free` in bytes. `OutOfMemory` says what was needed."""
    per_token = max(1, bytes_per_token(config, value_bytes))
    trained = int(config.get("max_position_embeddings") or DEFAULT_CONTEXT)
    left = free - weights - SLACK
    wanted = min(context or DEFAULT_CONTEXT, trained)
    if context is None:  # nobody asked for this length, so it may shrink to fit
        wanted = max(min(wanted, left // 2 // per_token), min(wanted, 256))
    needed = wanted * per_token
    if left < needed:
        raise OutOfMemory(
            f"This model needs about {_gib(weights + needed + SLACK)} of memory ({_gib(weights)} weights, "
            f"{_gib(needed)} for a context of {wanted} tokens) and {_gib(free)} are free. Choose a smaller "
            "or quantised model, a smaller context, or stop another deployment.",
            details={"needed_bytes": weights + needed + SLACK, "free_bytes": free, "context": wanted},
        )
    affordable = max(wanted, int(left * CACHE_SHARE) // per_token)
    tokens = min(wanted * max_concurrent, affordable)
    pages = -(-tokens // PAGE_SIZE) + max_concurrent + 2  # every answer may leave its last page half empty
    return CachePlan(context=wanted, pages=pages, max_concurrent=max_concurrent)


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
