"""JSON as it may come in: refused is what two readers could take for different things, or no database keeps.

Every body is read here, whoever asks for it (`request.get_json`): `app.request_class` is
`JsonRequest`.
"""

import json
import math
import re
from typing import Any

from flask import Request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

MAX_DEPTH = 64
MAX_NAME = 1024
"""Characters of a field's name."""
MAX_INTEGER = 2**63
"""What a database column holds."""

_UNFIT = re.compile(r"\\u(0000|[dD][89a-fA-F])")
"""NUL, and halves of a pair: what text in a database, and UTF-8, cannot have. Rare, then looked at well."""


class StrictJson:
    """What a request reads its body with."""

    keeps = True

    @classmethod
    def loads(cls, data: bytes) -> Any:
        try:
            text = data.decode(json.detect_encoding(data)).removeprefix("\ufeff")
            value = _DECODER.decode(text)
            if text.count("[") + text.count("{") > MAX_DEPTH and depth(value) > MAX_DEPTH:
                raise RecursionError
        except RecursionError:
            raise BadRequest(f"The JSON is nested deeper than {MAX_DEPTH} levels.") from None
        except ValueError:
            raise BadRequest("The body is not valid JSON.") from None
        if cls.keeps and "\\u" in text and _UNFIT.search(text):
            _check_text(value)
        return value


class RelayedJson(StrictJson):
    """The same for `/v1` and `/ollama`: no text of it is kept here, and what is odd in one is the
    engine's to judge."""

    keeps = False


class JsonRequest(Request):
    """Flask gives every request the application's own reader; this one keeps the strict one."""

    @property  # type: ignore[override]
    def json_module(self) -> type[StrictJson]:
        return RelayedJson if self.path.startswith(("/v1/", "/ollama/")) else StrictJson

    @json_module.setter
    def json_module(self, _given: Any) -> None:
        pass

    def get_data(self, *args: Any, **options: Any) -> Any:
        """As ever; but a body in chunks that reaches the limit is refused: werkzeug would cut it off."""
        data = super().get_data(*args, **options)
        if self.content_length is None and len(data) >= (self.max_content_length or math.inf):
            raise RequestEntityTooLarge
        return data


def depth(value: Any) -> int:
    """Levels of nesting, at most one more than are allowed."""
    found, level = 0, [value]
    while level and found <= MAX_DEPTH:
        found += 1
        level = [
            item
            for node in level
            if isinstance(node, dict | list)
            for item in (node.values() if isinstance(node, dict) else node)
        ]
    return found


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadRequest("The JSON has the same field twice in one object. Send it once.")
    if found and max(map(len, found)) > MAX_NAME:
        raise BadRequest(f"The JSON has a field whose name is longer than {MAX_NAME} characters.")
    return found


def _integer(text: str) -> int:
    if len(text) > 20 or not -MAX_INTEGER <= (value := int(text)) < MAX_INTEGER:
        raise BadRequest("The JSON has a whole number of more than 64 bits.")
    return value


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise BadRequest("The JSON has a number beyond the range of a double.")
    return value


def _constant(text: str) -> Any:
    raise BadRequest(f"The body is not valid JSON: {text} is no number there.")


def _check_text(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadRequest("A text in the JSON is no valid Unicode: it has half of a surrogate pair.") from None
    if "\\u0000" in text and _has_nul(value):
        raise BadRequest("A text in the JSON has a NUL character. Leave it out.")


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(item) for pair in value.items() for item in pair)
    return isinstance(value, list) and any(map(_has_nul, value))


_DECODER = json.JSONDecoder(
    object_pairs_hook=_fields, parse_constant=_constant, parse_int=_integer, parse_float=_float
)
