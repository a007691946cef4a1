"""Secrets do not go into logs, error texts or rows: known ones by value, unknown ones by their shape.

Standard library only: the supervisor, the hub's parts and every child import this.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

HIDDEN = "[redacted]"

SECRET_NAMES = re.compile(
    r"password|passwd|passphrase|secret|authorization|api_?key|credential|cookie|(?:private|engine)_?key"
    r"|token(?!s$|s_|iz)",
    re.I,
)
"""A field whose name has this in it holds a secret. (`max_tokens` counts, `tokenizer` is none.)"""

LEAST_VALUE = 6
"""Known values shorter than this are left: they would hide half of every text."""

_NAME = r"(?:password|passwd|passphrase|token|secret|api[_-]?key|authorization|cookie)"
_QUOTED = r"""\\?"(?:[^"\\]|\\[^"])*(?:\\?"|$)|'[^']*(?:'|$)"""
_PLAIN = r"""(?!\\?["'\[{]|Bearer\b|Basic\b)[^\s&;,)\]}"'<>]+"""

_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    # scheme://user:password@host
    (re.compile(r"\b([a-zA-Z][\w+.-]{1,20}://[^\s/:@\"']*):[^\s/@\"']+@"), rf"\1:{HIDDEN}@"),
    # ours, Hugging Face's, GitHub's, Slack's; OpenAI's and their like; Google's and Amazon's
    (re.compile(r"(?<![A-Za-z0-9])(mh[lri]?_)[\w-]{12,}"), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"(?<![A-Za-z0-9])(hf_|api_org_|gh[pousr]_|github_pat_|xox[a-z]-|[spr]k-|AIza|AKIA|ASIA)"
            r"(?=[\w-]*\d)[\w-]{12,}"
        ),
        rf"\1{HIDDEN}",
    ),
    # a JWT, whole or cut short; what is sealed with Fernet
    (re.compile(r"\beyJ[\w-]{6,}(?:\.[\w-]*){0,4}"), HIDDEN),
    (re.compile(r"\bgAAAA[\w-]{20,}=*"), HIDDEN),
    # Authorization: Bearer x, Basic x; a word of prose after them is left alone
    (re.compile(r"\b(Bearer)[ \t]+(?=\S*\d|\S{20})[\w.~+/=-]{8,}", re.I), rf"\1 {HIDDEN}"),
    (re.compile(r"\b((?i:Basic))[ \t]+(?=\S*[\d=]|\S*[a-z][A-Z])[\w+/=-]{6,}"), rf"\1 {HIDDEN}"),
    # password=x, "api_key": "x", token='x', ?access_token=x; not `password: prose`
    (
        re.compile(rf"({_NAME}(?:[\"']?\s*=\s*|\\?[\"']\s*:\s*|:(?=[^\s/])))(?:{_QUOTED}|{_PLAIN})", re.I),
        rf"\1{HIDDEN}",
    ),
)


class _Known:
    """Secrets that are hidden wherever they appear."""

    def __init__(self) -> None:
        self.values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, *values: str | None) -> None:
        self.values |= {value for value in values if value and len(value) >= LEAST_VALUE}
        longest_first = sorted(self.values, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if self.values else None

    def hide(self, text: str) -> str:
        return self._pattern.sub(HIDDEN, text) if self._pattern else text


_in_logs, _in_answers = _Known(), _Known()


def learn(*secrets: str | None, answers: bool = False) -> None:
    """From now on these values are hidden in this process' logs, whatever they look like.

    `answers`: in what is shown to users too. Only for what no user has chosen: an answer in which a guess is
    hidden says that it was right.
    """
    _in_logs.add(*secrets)
    if answers:
        _in_answers.add(*secrets)


def learn_environment(variables: Mapping[str, str]) -> None:
    """Learn what the names of variables mark as secret, and the passwords inside addresses."""
    for name, value in variables.items():
        if names_secret(name) or name.lower().endswith("_key"):
            learn(value)
        elif "://" in value:
            learn(*passwords_in(value))


def passwords_in(address: str | None) -> tuple[str, ...]:
    """The password of `scheme://user:password@host`, as it is written and as it is meant."""
    try:
        password = urlsplit(address or "").password
    except ValueError:
        return ()
    return (password, unquote(password)) if password else ()


def names_secret(name: str) -> bool:
    """Whether a field of this name holds a secret."""
    return SECRET_NAMES.search(name) is not None


def redact(text: str) -> str:
    """The text as it may be logged."""
    return _hide_shapes(_in_logs.hide(text))


def redact_all(value: Any) -> Any:
    """The same for every text within lists and mappings, and for what a field's name calls secret."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if isinstance(key, str) and names_secret(key) and item else redact_all(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact_all(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(repr(value))


def presentable(value: Any) -> Any:
    """An error's words or details as a user may see them, and a row may keep them."""
    if isinstance(value, str):
        return _hide_shapes(_in_answers.hide(value))
    if isinstance(value, Mapping):
        return {key: presentable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [presentable(item) for item in value]
    return value


def _hide_shapes(text: str) -> str:
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text
