"""The engine of the relay measurement: every stream gets one token per round.

`python -m bench.relay_upstream TOKENS` prints its port. It answers any POST with a chat stream of TOKENS
tokens. As in an engine that batches its streams, each token is put into JSON and written by itself.
"""

import asyncio
import json
import sys
from typing import Any

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
HEADER = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "relay"}


def event(choices: list[dict[str, Any]], **more: Any) -> bytes:
    return framed(json.dumps({**HEADER, "choices": choices, **more}))


def token(number: int) -> bytes:
    return event([{"index": 0, "delta": {"content": f"tok{number} "}, "finish_reason": None}])


def framed(text: str) -> bytes:
    data = f"data: {text}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


class Stream(asyncio.Protocol):
    active: set["Stream"] = set()
    tokens = 0
    ends: dict[bool, bytes] = {}
    stepping = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.request, self.at, self.usage = transport, b"", 0, False

    def data_received(self, data: bytes) -> None:
        self.request += data
        head, found, body = self.request.partition(b"\r\n\r\n")
        if not found:
            return
        at = head.lower().find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(body) < length:
            return
        self.request, self.at = b"", 0
        self.usage = b'"include_usage"' in body
        self.transport.write(HEAD)
        Stream.active.add(self)
        if not Stream.stepping:
            Stream.stepping = True
            asyncio.get_running_loop().call_soon(step)

    def connection_lost(self, _error: Exception | None) -> None:
        Stream.active.discard(self)


def step() -> None:
    """One token for everybody, then let the event loop breathe."""
    for stream in list(Stream.active):
        stream.transport.write(token(stream.at))
        stream.at += 1
        if stream.at == Stream.tokens:
            stream.transport.write(Stream.ends[stream.usage])
            Stream.active.discard(stream)
    Stream.stepping = bool(Stream.active)
    if Stream.stepping:
        asyncio.get_running_loop().call_soon(step)


async def main(tokens: int) -> None:
    Stream.tokens = tokens
    finish = event([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    usage = event([], usage={"prompt_tokens": 5, "completion_tokens": tokens, "total_tokens": tokens + 5})
    done = framed("[DONE]") + b"0\r\n\r\n"
    Stream.ends = {False: finish + done, True: finish + usage + done}
    server = await asyncio.get_running_loop().create_server(Stream, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
