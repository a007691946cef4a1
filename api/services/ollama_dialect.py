"""Ollama's words and OpenAI's: a request of the one as a request of the other, and the answer back.

Pure translation, no I/O. What an engine is not able to do (pictures, tools, a format) it refuses itself, in
words
that are passed on. `template`, `context` and `keep_alive` have no meaning for a deployment and are let be.
"""

import json
import time
from typing import Any

from api.models.base import utcnow
from api.schemas.base import utc_text
from api.schemas.ollama_api import OllamaAsk, OllamaChatRequest, OllamaGenerateRequest

OPTIONS = {
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "top_k": ("top_k",),
    "min_p": ("min_p",),
    "seed": ("seed",),
    "stop": ("stop",),
    "presence_penalty": ("presence_penalty",),
    "frequency_penalty": ("frequency_penalty",),
    "repeat_penalty": ("repeat_penalty", "repetition_penalty"),  # llama.cpp's name, and everybody else's
    "repeat_last_n": ("repeat_last_n",),
}
_MAGIC = {"/9j/": "jpeg", "iVBOR": "png", "R0lGO": "gif", "UklGR": "webp"}
THINK, THOUGHT = "<think>", "</think>"


def chat_request(body: OllamaChatRequest) -> dict[str, Any]:
    payload = {**_common(body), "messages": _messages(body.messages)}
    if body.tools:
        payload["tools"] = body.tools
    return payload


def generate_request(body: OllamaGenerateRequest) -> tuple[bool, dict[str, Any]]:
    """(as a chat?, payload). A prompt goes through the model's chat template, unless it is `raw`."""
    if body.raw or body.suffix:
        payload = {**_common(body), "prompt": body.prompt or ""}
        if body.suffix:
            payload["suffix"] = body.suffix
        return False, payload
    system = [{"role": "system", "content": body.system}] if body.system else []
    asked = {"role": "user", "content": _content(body.prompt or "", body.images)}
    return True, {**_common(body), "messages": [*system, asked]}


def _common(body: OllamaAsk) -> dict[str, Any]:
    payload: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
    options = body.options or {}
    for name, theirs in OPTIONS.items():
        if options.get(name) is not None:
            payload |= dict.fromkeys(theirs, options[name])
    most = options.get("num_predict")
    if not isinstance(most, int) or most > 0:  # -1, -2 and 0 mean: as long as it takes
        payload |= {"max_tokens": most} if most is not None else {}
    if body.format == "json":
        payload["response_format"] = {"type": "json_object"}
    elif isinstance(body.format, dict):
        schema = {"name": "answer", "schema": body.format}
        payload["response_format"] = {"type": "json_schema", "json_schema": schema}
    if body.think is not None:
        payload["chat_template_kwargs"] = {"enable_thinking": bool(body.think)}
        if isinstance(body.think, str):
            payload["reasoning_effort"] = body.think
    return payload


def _messages(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    calls: list[tuple[str, str]] = []  # (id, name) of calls that wait for their result; Ollama has no ids
    for number, message in enumerate(given):
        content = _content(message.get("content") or "", message.get("images"))
        kept: dict[str, Any] = {"role": message.get("role"), "content": content}
        wanted = message.get("tool_calls")
        if isinstance(wanted, list) and wanted:
            made = [_call_out(call, f"call_{number}_{at}") for at, call in enumerate(wanted)]
            calls += [(call["id"], call["function"]["name"]) for call in made]
            kept["tool_calls"] = made
        if message.get("role") == "tool":
            fits = [call for call in calls if call[1] == message.get("tool_name")] or calls
            if fits:
                calls.remove(fits[0])
                kept["tool_call_id"] = fits[0][0]
        said.append(kept)
    return said


def _call_out(call: Any, id: str) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, dict) else None
    function = function if isinstance(function, dict) else {}
    arguments = json.dumps(function.get("arguments") or {})
    name = str(function.get("name", ""))
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _content(text: Any, images: Any) -> Any:
    if not images or not isinstance(images, list):
        return text
    parts: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
    for image in images:
        kind = next((kind for magic, kind in _MAGIC.items() if str(image).startswith(magic)), "png")
        parts.append({"type": "image_url", "image_url": {"url": f"data:image/{kind};base64,{image}"}})
    return parts


class Thoughts:
    """Splits what a model thinks aloud (`<think>…</think>` at its beginning) from what it answers."""

    def __init__(self) -> None:
        self._held = ""
        self._state = "start"

    def take(self, text: str) -> tuple[str, str]:
        """(thinking, answer) that can be told now."""
        self._held += text
        if self._state == "start":
            begun = self._held.lstrip()
            if THINK.startswith(begun[: len(THINK)]) and len(begun) < len(THINK):
                return "", ""
            self._state = "thinking" if begun.startswith(THINK) else "said"
            if self._state == "thinking":
                self._held = begun[len(THINK) :].lstrip("\n")
        if self._state == "thinking":
            thought, found, rest = self._held.partition(THOUGHT)
            if found:
                self._state, self._held = "after", ""
                return thought, self.take(rest)[1]
            keep = next((n for n in range(len(THOUGHT) - 1, 0, -1) if thought.endswith(THOUGHT[:n])), 0)
            cut = len(thought) - keep
            self._held = thought[cut:]
            return thought[:cut], ""
        said, self._held = self._held, ""
        if self._state == "after":
            said = said.lstrip("\n")  # what stands between the thoughts and the answer
            self._state = "said" if said else "after"
        return "", said

    def rest(self) -> tuple[str, str]:
        """What was held back when it ends."""
        held, self._held = self._held, ""
        return (held, "") if self._state == "thinking" else ("", held)


class Spoken:
    """One answer on its way: takes OpenAI's chunks, gives Ollama's lines, and the last one with the "
    "figures."""

    def __init__(self, model: str, *, generate: bool) -> None:
        self.model, self._generate = model, generate
        self._thoughts = Thoughts()
        self._began = time.monotonic_ns()
        self._first: int | None = None
        self._reason = "stop"
        self._usage: dict[str, Any] = {}
        self._calls: dict[int, dict[str, str]] = {}

    def take(self, chunk: dict[str, Any]) -> dict[str, Any] | None:
        """The line for one chunk; None when it says nothing a client wants to see."""
        if isinstance(chunk.get("usage"), dict):
            self._usage = chunk["usage"]
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            return None
        choice = choices[0]
        self._reason = choice.get("finish_reason") or self._reason
        delta = choice.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        for call in delta.get("tool_calls") or []:
            self._gather(call)
        thinking, said = self._thoughts.take(str(delta.get("content") or choice.get("text") or ""))
        thinking = str(delta.get("reasoning_content") or delta.get("reasoning") or "") + thinking
        return self._line(said, thinking) if said or thinking else None

    def last(self) -> list[dict[str, Any]]:
        """What is still held, tool calls, and the line that says how it ended."""
        thinking, said = self._thoughts.rest()
        lines = [self._line(said, thinking)] if said or thinking else []
        if calls := [_call_in(self._calls[at]) for at in sorted(self._calls)]:
            lines.append(self._line("", "", calls))
        now = time.monotonic_ns()
        first = self._first or now
        reason = "length" if self._reason == "length" else "stop"
        figures = {
            "total_duration": now - self._began,
            "load_duration": 0,
            "prompt_eval_count": self._usage.get("prompt_tokens"),
            "prompt_eval_duration": first - self._began,
            "eval_count": self._usage.get("completion_tokens"),
            "eval_duration": now - first,
        }
        told = {name: value for name, value in figures.items() if value is not None}
        return [*lines, {**self._empty(), "done": True, "done_reason": reason, **told}]

    def whole(self, lines: list[dict[str, Any]]) -> dict[str, Any]:
        """All lines as the one answer a client gets that wants no stream."""
        last = lines[-1]
        if self._generate:
            said, thought = (
                "".join(line.get(name) or "" for line in lines) for name in ("response", "thinking")
            )
            return {**last, "response": said, **({"thinking": thought} if thought else {})}
        messages = [line["message"] for line in lines]
        message: dict[str, Any] = {"role": "assistant", "content": "".join(m["content"] for m in messages)}
        if thought := "".join(m.get("thinking") or "" for m in messages):
            message["thinking"] = thought
        if calls := [call for m in messages for call in m.get("tool_calls") or []]:
            message["tool_calls"] = calls
        return {**last, "message": message}

    def loaded(self) -> dict[str, Any]:
        """The answer to nothing asked: the model is there."""
        return {**self._empty(), "done": True, "done_reason": "load"}

    def _empty(self) -> dict[str, Any]:
        return {**self._line("", ""), "done": True}

    def _line(self, said: str, thinking: str, calls: list[Any] | None = None) -> dict[str, Any]:
        if said or thinking or calls:
            self._first = self._first or time.monotonic_ns()
        head = {"model": self.model, "created_at": utc_text(utcnow())}
        more: dict[str, Any] = {"thinking": thinking} if thinking else {}
        if self._generate:
            return {**head, "response": said, **more, "done": False}
        if calls:
            more["tool_calls"] = calls
        return {**head, "message": {"role": "assistant", "content": said, **more}, "done": False}

    def _gather(self, call: Any) -> None:
        if not isinstance(call, dict):
            return
        at = call.get("index")
        held = self._calls.setdefault(
            at if isinstance(at, int) else len(self._calls), {"name": "", "arguments": ""}
        )
        function = call.get("function")
        for name in held:
            if isinstance(function, dict) and isinstance(function.get(name), str):
                held[name] += function[name]


def _call_in(call: dict[str, str]) -> dict[str, Any]:
    try:
        arguments = json.loads(call["arguments"] or "{}")
    except ValueError:
        arguments = {}
    return {"function": {"name": call["name"], "arguments": arguments if isinstance(arguments, dict) else {}}}
