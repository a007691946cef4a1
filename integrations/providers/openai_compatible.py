"""The OpenAI dialect: our own engines, llama.cpp, vLLM, and most others.

`open` relays (status and bytes as they are), `stream` reads: text, finish reason and usage, with every
refusal in the words of `integrations.errors`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from integrations.errors import AccessDenied, IntegrationError, NotFound, Throttled, Unreachable, Unsupported
from integrations.providers.http import Address, Idle, Reply, request
from integrations.providers.sse import blocks, data_of, split_events

CHAT = "/v1/chat/completions"
COMPLETIONS = "/v1/completions"


@dataclass(frozen=True)
class Piece:
    """What one wake-up brought: text, and at the end why it ended and what it cost."""

    text: str = ""
    finish_reason: str | None = None
    usage: dict[str, int] | None = None


class OpenAICompatible:
    name = "openai_compatible"

    def open(self, endpoint: str, api_key: str | None, path: str, body: bytes, idle: Idle) -> Reply:
        """Send a JSON `body`; the reply may have any status. `Unreachable` when there is none."""
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
        if api_key:
            headers["Authorization"] = f"Bearer {api_key}"
        return request(Address.parse(endpoint), "POST", path, headers, body, idle)

    def stream(self, endpoint: str, api_key: str | None, payload: dict[str, Any], idle: Idle) -> "ChatStream":
        """Open a streamed chat; raises what the engine refuses."""
        payload = {**payload, "stream": True, "stream_options": {"include_usage": True}}
        reply = self.open(endpoint, api_key, CHAT, json.dumps(payload).encode(), idle)
        if reply.status != 200:
            raise refusal(reply.status, reply.read())
        return ChatStream(reply)


class ChatStream:
    """Iterate for `Piece`s. Ends only after the engine said that it was done."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._finished = False

    def close(self) -> None:
        self._reply.close()

    def __iter__(self) -> Iterator[Piece]:
        try:
            for block in blocks(self._reply.pieces()):
                piece, error = self._piece(block)
                if piece:
                    yield piece  # what was said before an error is kept
                if error:
                    raise error
        except ValueError as error:
            raise self._broken(str(error)) from None
        finally:
            self._reply.close()
        if not self._finished:
            raise self._broken("its stream ends without an end")

    def _piece(self, block: bytes) -> tuple[Piece | None, IntegrationError | None]:
        text, reason, usage = [], None, None
        error: IntegrationError | None = None
        for event in split_events(block):
            data = data_of(event)
            if not data:
                continue
            if data == b"[DONE]":
                self._finished = True
                continue
            try:
                more, why, cost = self._read(data)
            except IntegrationError as problem:
                error = problem
                break
            text.append(more)
            reason, usage = why or reason, cost or usage
        self._finished = self._finished or reason is not None
        said = "".join(text)
        return (Piece(said, reason, usage) if said or reason or usage else None), error

    def _read(self, data: bytes) -> tuple[str, str | None, dict[str, int] | None]:
        try:
            chunk = json.loads(data)
        except ValueError:
            raise self._broken("it sends what is not JSON") from None
        if not isinstance(chunk, dict):
            raise self._broken("it sends what is not a chunk of a chat")
        if chunk.get("error"):
            message, details = _said(chunk)
            raise Unreachable(f"The engine gave up: {message}", details=details)
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        delta = choice.get("delta")
        content = delta.get("content") if isinstance(delta, dict) else None
        reason = choice.get("finish_reason")
        return (
            content if isinstance(content, str) else "",
            reason[:50] if isinstance(reason, str) else None,
            usage_of(chunk),
        )

    def _broken(self, why: str) -> Unreachable:
        return Unreachable(
            f"The engine at {self._reply.address} broke off in the middle of its answer ({why}). "
            "See the deployment's log, then ask again."
        )


def usage_of(answer: dict[str, Any]) -> dict[str, int] | None:
    """`{prompt_tokens, completion_tokens}` of a chunk or a whole answer, when it says."""
    usage = answer.get("usage")
    if not isinstance(usage, dict):
        return None
    counts = {name: usage.get(name) for name in ("prompt_tokens", "completion_tokens")}
    return {name: count for name, count in counts.items() if isinstance(count, int)}


def refusal(status: int, body: bytes) -> IntegrationError:
    """An engine's error answer as one of ours."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = {}
    message, details = _said(answer if isinstance(answer, dict) else {})
    details["upstream_status"] = status
    if status in (401, 403):
        return AccessDenied(f"The engine refuses the hub's own key: {message}", details=details)
    if status == 404:
        return NotFound(f"The engine does not know this: {message}", details=details)
    if status in (429, 503):
        return Throttled(f"The engine has no room just now: {message}", details=details)
    if 400 <= status < 500:
        return Unsupported(f"The engine refuses this request: {message}", details=details)
    return Unreachable(f"The engine failed with status {status}: {message}", details=details)


def _said(answer: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The message and the details of an OpenAI error, however loosely it is shaped."""
    error = answer.get("error")
    if isinstance(error, str):
        return error[:2000], {}
    if not isinstance(error, dict):
        error = answer
    message = error.get("message") or error.get("detail") or "it gives no reason."
    # Engines add numbers of their own here: llama.cpp says n_prompt_tokens and n_ctx.
    details = {
        str(name)[:50]: value
        for name, value in error.items()
        if name != "message" and isinstance(value, int | float | str) and len(str(value)) < 200
    }
    return str(message)[:2000], details
