"""Whoever answers chats: one file per dialect, one registry line each."""

from typing import Protocol

from integrations.providers.http import Idle, Reply
from integrations.providers.openai_compatible import ChatStream, OpenAICompatible
from integrations.registry import Registry


class Provider(Protocol):
    """Opens one streamed or whole completion."""

    name: str

    def open(self, endpoint: str, api_key: str | None, path: str, body: bytes, idle: Idle) -> Reply: ...

    def stream(
        self, endpoint: str, api_key: str | None, payload: dict[str, object], idle: Idle
    ) -> ChatStream: ...


PROVIDERS: Registry[Provider] = Registry("chat provider", openai_compatible=OpenAICompatible())

__all__ = ["PROVIDERS", "Idle", "Provider", "Reply"]
