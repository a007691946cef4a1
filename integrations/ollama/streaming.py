"""Reading a stream that may be left at any moment: a blocked read must not keep a child from stopping."""

import queue
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

from integrations.errors import IntegrationError, Stopped, Unreachable
from integrations.ollama.server import Server

T = TypeVar("T")

SILENCE = 600.0
"""Seconds without a word after which a stream is given up: checking the hash of a large model takes minutes,
and the server says nothing meanwhile."""
LOOK = 0.2


def until_stopped(
    lines: Iterator[T], stop: threading.Event, server: Server, *, silence: float = SILENCE
) -> Iterator[T]:
    """`lines` of `server` as they come. `Stopped` when `stop` is set; its connections are closed then."""
    told: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=1000)

    def read() -> None:
        try:
            for line in lines:
                told.put(("line", line))
            told.put(("end", None))
        except BaseException as error:  # whatever it is, whoever waits must hear of it
            told.put(("error", error))

    threading.Thread(target=read, name="ollama-stream", daemon=True).start()
    quiet = 0.0
    while True:
        if stop.is_set():
            server.close()
            raise Stopped("The stream was closed because this was asked to stop.")
        try:
            kind, value = told.get(timeout=LOOK)
        except queue.Empty:
            quiet += LOOK
            if quiet > silence:
                raise Unreachable(
                    f"The Ollama server at {server.url} has said nothing for {silence:g} seconds. What has "
                    "come stays there; try again."
                ) from None
            continue
        quiet = 0.0
        if kind == "line":
            yield value
        elif kind == "end":
            return
        elif isinstance(value, IntegrationError):
            raise value
        else:
            raise RuntimeError(f"{type(value).__name__}: {value}") from value
