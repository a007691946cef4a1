"""One question, one streamed answer; a cut stream is taken up again where it stopped."""

import time
from collections.abc import Iterator
from typing import Any

from cli.deployments import comes_back
from cli.errors import CliError, HubUnreachable
from cli.hub import Hub
from cli.sse import Event
from cli.waiting import PATIENCE_SECONDS

Message = dict[str, Any]

ENGINE_GONE = frozenset({"UPSTREAM_UNREACHABLE", "UNAVAILABLE"})
"""What the hub says of a deployment whose process is not there (any more, or not yet)."""


def open_session(
    hub: Hub,
    deployment: dict[str, Any],
    system: str | None,
    options: dict[str, Any],
    title: str | None = None,
) -> dict[str, Any]:
    body: dict[str, Any] = {"deployment_id": deployment["id"], "options": options}
    if system:
        body["system_prompt"] = system
    if title:
        body["title"] = title
    return dict(hub.post("chat/sessions", body))


class Answer:
    """The answer to one question, being written. Iterate for its pieces; then `message` holds the whole."""

    def __init__(self, hub: Hub, deployment: dict[str, Any], session_id: str, question: str) -> None:
        self._hub = hub
        self._deployment = deployment
        self._session = session_id
        self._question = question
        self._received = 0
        self.message: Message | None = None
        """The assistant's message: as begun from the first event on, complete at the end."""

    def __iter__(self) -> Iterator[str]:
        """Pieces of text. `CliError` when the generation failed.

        An engine that ended is started again by the hub within seconds; then the question is put once more.
        """
        try:
            yield from self._asked()
        except CliError as error:
            if self._received or error.code not in ENGINE_GONE or not comes_back(self._hub, self._deployment):
                raise
            self.message = None
            yield from self._asked()

    def _asked(self) -> Iterator[str]:
        path = f"chat/sessions/{self._session}/messages"
        body = {"content": self._question, "stream": True}
        try:
            with self._hub.stream("POST", path, body=body) as events:
                yield from self._pieces(events)
        except HubUnreachable:
            if self.message is None:
                raise
        lost = time.monotonic()
        while self.message is None or self.message["status"] == "generating":
            before = self._received
            yield from self._again()
            if self._received > before:
                lost = time.monotonic()
            elif time.monotonic() - lost > PATIENCE_SECONDS:
                raise HubUnreachable(
                    f"The answer from {self._hub.url} broke off and does not come back. Try again."
                )
        if self.message["status"] == "failed":
            error = self.message.get("error") or {}
            raise CliError(
                error.get("message") or "The answer failed.", code=error.get("code", "GENERATION_FAILED")
            )

    def stop(self) -> None:
        """Ask the hub to stop writing; the text so far stays in the history."""
        if self.message and self.message["status"] == "generating":
            self.message = dict(self._hub.post(f"chat/generations/{self.message['id']}/stop")) or self.message

    def _again(self) -> Iterator[str]:
        if self.message is None:
            raise HubUnreachable(f"The hub at {self._hub.url} ended the stream before it began. Try again.")
        path = f"chat/generations/{self.message['id']}/events"
        try:
            with self._hub.stream("GET", path, params={"after": self._received}) as events:
                yield from self._pieces(events)
        except HubUnreachable:
            pass
        if self.message["status"] == "generating":
            time.sleep(0.5)

    def _pieces(self, events: Iterator[Event]) -> Iterator[str]:
        for event in events:
            if event.name == "message":
                self.message = event.data["assistant"]
            elif event.name == "delta":
                self._received = event.data["offset"]
                yield event.data["text"]
            elif event.name == "done":
                self.message = event.data
                return
            elif event.name == "error":
                raise CliError(event.data["message"], code=event.data.get("code", "GENERATION_FAILED"))


def figures(message: Message) -> str:
    """`52 tokens, 96.1 tokens/s, first after 0.1 s, 0.6 s in all`."""
    parts = []
    total, first = message.get("duration_ms"), message.get("ttft_ms")
    if tokens := message.get("completion_tokens"):
        parts.append(f"{tokens} tokens")
        if total and total > (first or 0):
            parts.append(f"{tokens * 1000 / (total - (first or 0)):.1f} tokens/s")
    if first is not None:
        parts.append(f"first after {first / 1000:.2f} s")
    if total is not None:
        parts.append(f"{total / 1000:.1f} s in all")
    return ", ".join(parts)
