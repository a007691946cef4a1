"""How the two endpoints word their answers: whole objects, chunks of a stream, and usage."""

import time
import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Delta:
    """A piece of an answer. The last one has a `finish_reason` (stop or length), or an `error`."""

    text: str = ""
    finish_reason: str | None = None
    completion_tokens: int = 0
    error: str | None = None


class Shape(ABC):
    """How one endpoint words its answers."""

    prefix, whole_object, chunk_object = "", "", ""

    def __init__(self, model: str, prompt_tokens: int) -> None:
        self.id = f"{self.prefix}-{uuid.uuid4().hex}"
        self.created = int(time.time())
        self.model = model
        self.prompt_tokens = prompt_tokens

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}

    def _chunk(self, choice: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        choices = [{"index": 0, **choice, "logprobs": None, "finish_reason": finish_reason}]
        return self._head(self.chunk_object) | {"choices": choices}

    def _usage(self, last: Delta) -> dict[str, int]:
        total = self.prompt_tokens + last.completion_tokens
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": last.completion_tokens,
            "total_tokens": total,
        }

    def usage_event(self, last: Delta) -> dict[str, Any]:
        return self._head(self.chunk_object) | {"choices": [], "usage": self._usage(last)}

    def opening(self) -> list[dict[str, Any]]:
        return []

    @abstractmethod
    def delta(self, text: str) -> dict[str, Any]:
        """The chunk that carries a piece of the answer."""

    @abstractmethod
    def ending(self, reason: str) -> dict[str, Any]:
        """The chunk that says why the answer ended."""

    @abstractmethod
    def _whole_choice(self, text: str) -> dict[str, Any]:
        """The answer as the one choice of a reply that is not streamed."""

    def whole(self, text: str, last: Delta) -> dict[str, Any]:
        choice = {
            "index": 0,
            **self._whole_choice(text),
            "logprobs": None,
            "finish_reason": last.finish_reason,
        }
        return self._head(self.whole_object) | {"choices": [choice], "usage": self._usage(last)}


class ChatAnswer(Shape):
    prefix, whole_object, chunk_object = "chatcmpl", "chat.completion", "chat.completion.chunk"

    def opening(self) -> list[dict[str, Any]]:
        return [self._chunk({"delta": {"role": "assistant", "content": ""}})]

    def delta(self, text: str) -> dict[str, Any]:
        return self._chunk({"delta": {"content": text}})

    def ending(self, reason: str) -> dict[str, Any]:
        return self._chunk({"delta": {}}, reason)

    def _whole_choice(self, text: str) -> dict[str, Any]:
        return {"message": {"role": "assistant", "content": text}}


class TextAnswer(Shape):
    prefix, whole_object, chunk_object = "cmpl", "text_completion", "text_completion"

    def delta(self, text: str) -> dict[str, Any]:
        return self._chunk({"text": text})

    def ending(self, reason: str) -> dict[str, Any]:
        return self._chunk({"text": ""}, reason)

    def _whole_choice(self, text: str) -> dict[str, Any]:
        return {"text": text}
