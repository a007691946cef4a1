"""Model cards: Markdown with a YAML head. Written by strangers, so parsed with limits and never trusted."""

import re
from datetime import date, datetime
from typing import Any

HEAD = re.compile(
    r"\s*---[ \t]*(?:\r\n|\r|\n)(?P<yaml>.*?)(?:\r\n|\r|\n)---[ \t]*(?:\r\n|\r|\n|\Z)", re.DOTALL
)
MAX_CHARACTERS = 2_000_000
MAX_NODES = 20_000
MAX_DEPTH = 20


def parse_card(content: str) -> tuple[str, dict[str, Any]]:
    """Markdown text and metadata; a head that is no YAML mapping, or a bomb, counts as no metadata."""
    import yaml  # the child that only fetches need not know it

    content = content[:MAX_CHARACTERS]
    head = HEAD.match(content)
    if head is None:
        return content, {}
    text = content[head.end() :].lstrip("\r\n")
    try:
        metadata = _plain(yaml.safe_load(head["yaml"]), [0], 0)
    except (yaml.YAMLError, ValueError, RecursionError):
        return text, {}
    return text, metadata if isinstance(metadata, dict) else {}


def _plain(node: Any, count: list[int], depth: int) -> Any:
    """JSON types only. YAML aliases can make a tree of billions out of ten lines: nodes are counted."""
    count[0] += 1
    if count[0] > MAX_NODES or depth > MAX_DEPTH:
        raise ValueError("card metadata is too large")
    if isinstance(node, dict):
        return {str(key): _plain(value, count, depth + 1) for key, value in node.items()}
    if isinstance(node, list | tuple | set):
        return [_plain(value, count, depth + 1) for value in node]
    if isinstance(node, date | datetime):
        return node.isoformat()
    if isinstance(node, float) and node != node:
        return None
    return node if isinstance(node, str | int | float | bool | None) else str(node)
