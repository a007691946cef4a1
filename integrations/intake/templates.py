"""Chat templates are small programs in Jinja. Engines run them in a sandbox; what tries to leave it is
told."""

import re
from typing import Any

LIMIT = 1 << 20
REACHING = re.compile(
    r"__[a-z]\w*__|\|\s*attr\b|\battr\s*\(|\.mro\b|\bself\._|\blipsum\b|\bcycler\b|\bjoiner\b|\burl_for\b"
    r"|\bget_flashed_messages\b|{%-?\s*(?:include|import|from|extends)\b|\\x5f\\x5f|\bgetattr\b|\beval\b"
)


def objection(template: str) -> str | None:
    """What is wrong with a template, as the rest of a sentence about it."""
    if len(template) > LIMIT:
        return f"is larger than {LIMIT:,} characters"
    if found := REACHING.search(template):
        return f"reaches for {found[0].strip()!r}, which no chat template needs"
    return None


def templates_of(config: Any) -> list[str]:
    """The templates in a tokenizer's configuration: one, or several by name."""
    if not isinstance(config, dict):
        return []
    value = config.get("chat_template")
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [each for each in value.values() if isinstance(each, str)]
    if isinstance(value, list):
        named = [each.get("template") for each in value if isinstance(each, dict)]
        return [each for each in named if isinstance(each, str)]
    return []
