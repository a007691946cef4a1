"""The client of the relay measurement: `python -m bench.relay_client URL TOKEN MODEL STREAMS TOKENS`.

Opens STREAMS chats at once over raw asyncio protocols, reads every token out of its JSON as it comes, and
prints `{seconds, streams, tokens, ttft_p50, ttft_max}`; the clock runs from the first connection to the last
`[DONE]`.
"""

import asyncio
import json
import statistics
import sys
import time
from urllib.parse import urlsplit

from integrations.providers.framing import Chunked
from integrations.providers.sse import data_of, split_events, whole_events


class Chat(asyncio.Protocol):
    def __init__(self, message: bytes) -> None:
        self.message = message
        self.head, self.held = b"", b""
        self.body: Chunked | None = None
        self.tokens: list[str] = []
        self.first = 0.0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self.message)

    def data_received(self, data: bytes) -> None:
        if self.body is None:
            self.head += data
            head, found, data = self.head.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 200 " not in head[:16]:
                self.connection_lost(ConnectionError(repr(self.head[:500])))
                return
            self.body = Chunked()
        events, self.held = whole_events(self.held, self.body.feed(data))
        for event in split_events(events):
            self.take(data_of(event))

    def take(self, data: bytes) -> None:
        if data == b"[DONE]":
            if not self.done.done():
                self.done.set_result(None)
            return
        choices = json.loads(data)["choices"] if data else []
        if choices and (token := choices[0]["delta"].get("content")):
            self.first = self.first or time.perf_counter()
            self.tokens.append(token)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(f"cut after {len(self.tokens)} tokens: {error}"))


async def main(url: str, token: str, model: str, streams: int, tokens: int) -> None:
    place = urlsplit(url)
    body = json.dumps(
        {"model": model, "stream": True, "messages": [{"role": "user", "content": "Say a hundred tokens."}]}
    ).encode()
    message = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    opened = [
        loop.create_connection(lambda: Chat(message), place.hostname, place.port) for _ in range(streams)
    ]
    chats = [protocol for _, protocol in await asyncio.gather(*opened)]
    await asyncio.wait_for(asyncio.gather(*(chat.done for chat in chats)), 300)
    seconds = time.perf_counter() - began
    expected = [f"tok{number} " for number in range(tokens)]
    if any(chat.tokens != expected for chat in chats):
        raise SystemExit("a stream does not say what the engine said")
    waits = [chat.first - began for chat in chats]
    print(
        json.dumps(
            {
                "seconds": seconds,
                "streams": streams,
                "tokens": streams * tokens,
                "ttft_p50": statistics.median(waits),
                "ttft_max": max(waits),
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4], *map(int, sys.argv[4:6])))
