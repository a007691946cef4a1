"""Chat, generate and embed, by a model that repeats what it is told."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any


def answer(name: str, body: dict[str, Any], *, chat: bool) -> Iterator[dict[str, Any]]:
    began = time.monotonic_ns()
    said = [message.get("content") or "" for message in body.get("messages") or []]
    asked = (said[-1] if said else "") if chat else (body.get("prompt") or "")
    head = {"model": name, "created_at": datetime.now(UTC).isoformat()}

    def spoken(text: str) -> dict[str, Any]:
        return {"message": {"role": "assistant", "content": text}} if chat else {"response": text}

    if not asked:
        reason = "unload" if body.get("keep_alive") == 0 else "load"
        yield {**head, **spoken(""), "done": True, "done_reason": reason}
        return
    most = (body.get("options") or {}).get("num_predict", -1)
    words = [f"{word} " for word in asked.split()]
    cut = words if most < 0 else words[:most]
    if body.get("stream") is not False:
        for word in cut:
            yield {**head, **spoken(word), "done": False}
    took = time.monotonic_ns() - began
    yield {
        **head,
        **spoken("" if body.get("stream") is not False else "".join(cut)),
        "done": True,
        "done_reason": "length" if len(cut) < len(words) else "stop",
        "total_duration": took,
        "load_duration": 1,
        "prompt_eval_count": len(words),
        "prompt_eval_duration": 1,
        "eval_count": len(cut),
        "eval_duration": took,
    }


def embed(name: str, body: dict[str, Any]) -> dict[str, Any]:
    texts = body.get("input") or []
    texts = [texts] if isinstance(texts, str) else texts
    rows = [[float(len(text)), 1.0] for text in texts]
    return {"model": name, "embeddings": rows, "total_duration": 1, "load_duration": 1,
            "prompt_eval_count": len(rows)}  # fmt: skip
