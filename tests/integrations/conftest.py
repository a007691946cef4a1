"""Listeners in the private network, names that lead there, and what was dialled."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.hostile_urls import Canary, Redirector, hostile_urls


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    listening = Canary()
    yield listening
    listening.close()


@pytest.fixture
def urls(canary: Canary) -> list[str]:
    canary.hits.clear()
    return hostile_urls(canary.port)


@pytest.fixture
def hostile_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name there is points at this machine; numbers are read as generously as the C library does."""
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        try:
            return real(host, port, *args, **{**options, "flags": socket.AI_NUMERICHOST})
        except (OSError, UnicodeError):
            return [
                *real("127.0.0.1", port, type=socket.SOCK_STREAM),
                *real("::1", port, type=socket.SOCK_STREAM),
            ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)  # what waits to try again may do so at once


@pytest.fixture
def redirector() -> Iterator[Redirector]:
    with Redirector() as server:
        yield server
        server.shutdown()


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> set[Any]:
    """The ports and addresses that were connected to, or tried."""
    seen: set[Any] = set()
    connect = socket.socket.connect

    def noted(self: socket.socket, address: Any) -> None:
        seen.add(address[:2] if isinstance(address, tuple) else address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noted)
    return seen
