"""From tokens to text as it may be sent: whole characters, never a stop string or the start of one."""

from typing import Any

HELD_TOKENS_MAX = 16
"""Tokens that end in half a character are held; a model that never ends one must not hold the answer for
ever."""


class Detokenizer:
    """Text of a growing token list. Decodes a short window before and with the new tokens and takes the
    difference, because a token's text can depend on its neighbours (spaces in SentencePiece, bytes of one
    character)."""

    def __init__(self, tokenizer: Any, prompt: list[int]) -> None:
        self._tokenizer = tokenizer
        self._tokens = prompt[-6:]  # context enough for any tokenizer's spacing rules
        self._window = 0
        self._sent = len(self._tokens)

    def _decode(self, tokens: list[int]) -> str:
        return self._tokenizer.decode(tokens, skip_special_tokens=True)

    def push(self, tokens: list[int], *, last: bool = False) -> str:
        """Add tokens; the text that is now whole ('' while a character is incomplete)."""
        self._tokens += tokens
        if self._sent == len(self._tokens):
            return ""
        before = self._decode(self._tokens[self._window : self._sent])
        text = self._decode(self._tokens[self._window :])
        held = len(self._tokens) - self._sent
        if text.endswith("\N{REPLACEMENT CHARACTER}") and not last and held < HELD_TOKENS_MAX:
            return ""
        self._window, self._sent = self._sent, len(self._tokens)
        return text[len(before) :]


class StopStrings:
    """Passes text on, up to the first stop string; keeps back what could be the beginning of one."""

    def __init__(self, stops: list[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.stopped = False

    def push(self, text: str, *, last: bool = False) -> str:
        if self.stopped or not self._stops:
            return "" if self.stopped else text
        self._held += text
        found = [at for at in (self._held.find(stop) for stop in self._stops) if at >= 0]
        if found:
            self.stopped = True
            return self._held[: min(found)]
        keep = 0 if last else max(_overlap(self._held, stop) for stop in self._stops)
        ready, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return ready


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that is a beginning of `stop`."""
    return next(
        (size for size in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:size])), 0
    )
