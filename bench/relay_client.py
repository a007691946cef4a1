"""The client of the relay measurement: `python -m bench.relay_client URL TOKEN MODEL STREAMS TOKENS`.

Opens STREAMS chats at once over raw asyncio protocols and prints `{seconds, streams, tokens, ttft_p50,
ttft_max}`; the clock runs from the first connection to the last `[DONE]`. Tokens are counted afterwards.
"""

import asyncio
import json
import statistics
import sys
import time
from urllib.parse import urlsplit


class Chat(asyncio.Protocol):
    def __init__(self, message: bytes) -> None:
        self.message = message
        self.pieces: list[bytes] = []
        self.tail = b""
        self.first = 0.0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.message)

    def data_received(self, data: bytes) -> None:
        if not self.first and b"tok" in data:
            self.first = time.perf_counter()
        self.pieces.append(data)
        self.tail = (self.tail + data)[-48:] if len(data) < 48 else data[-48:]
        if b"[DONE]" in self.tail and not self.done.done():
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(f"cut: {error}; {b''.join(self.pieces)[:300]!r}"))


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
    counts = {b"".join(chat.pieces).count(b'"tok') for chat in chats}
    if counts != {tokens}:
        raise SystemExit(
            f"tokens per stream: {counts}, expected {tokens}; {b''.join(chats[0].pieces)[:500]!r}"
        )
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
