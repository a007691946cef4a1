"""An engine that says what it is told to: the inference servers' HTTP contract, scripted by the question.

Run as `python -m tests.support.upstream`; it prints its port. Words in the last user message steer it:

    count=N      say N words: `word0 word1 …`           pace=S     wait S seconds before each
    hold=N       wait after N words for `POST /_open`   die=N      cut the connection after N words
    status=N     refuse with that status                end=N      end after N words, without an end mark
    garbage=N    send what is not JSON after N words    error=N    report an error after N words
    wide         words beyond ASCII                     silent     do not even answer before `POST /_open`

A last message from the assistant is continued: what it already holds is not said again.
`GET /_seen` tells how many requests began, ended and were hung up on, and the last payload.
"""

import asyncio
import json
import sys
from typing import Any

WIDE = ["größe", "日本", "🙂🙂", "naïve", "Ωmega"]


class Engine:
    def __init__(self, api_key: str) -> None:
        self.api_key = api_key
        self.gate = asyncio.Event()
        self.seen: dict[str, Any] = {"began": 0, "ended": 0, "cut": 0, "payload": None}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        fields = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(fields.get("content-length", 0)))
        if path == "/health":
            return await _json(writer, 200, {"status": "ok"})
        if path == "/_open":
            self.gate.set()
            return await _json(writer, 200, {})
        if path == "/_close":
            self.gate.clear()
            return await _json(writer, 200, {})
        if path == "/_seen":
            return await _json(writer, 200, self.seen)
        if fields.get("authorization") != f"Bearer {self.api_key}":
            return await _json(writer, 401, _error("invalid api key", "authentication_error"))
        if path == "/v1/models":
            return await _json(
                writer, 200, {"object": "list", "data": [{"id": "scripted", "object": "model"}]}
            )
        if method == "POST" and path in ("/v1/chat/completions", "/v1/completions"):
            return await self._complete(reader, writer, json.loads(body), chat="chat" in path)
        return await _json(writer, 404, _error(f"no {path}", "not_found_error"))

    async def _complete(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, payload: dict[str, Any], chat: bool
    ) -> bool:
        self.seen["began"] += 1
        self.seen["payload"] = payload
        script = Script(payload, chat)
        if "status" in script.orders:
            status = int(script.orders["status"])
            details = {"n_prompt_tokens": 9000, "n_ctx": 4096} if status == 400 else {}
            text = "the request exceeds the available context size" if status == 400 else "scripted refusal"
            return await _json(writer, status, _error(text, "scripted_error", **details))
        # A client that hangs up ends the generation, as with a real engine.
        watch = asyncio.ensure_future(reader.read(1))
        answer = asyncio.ensure_future(self._answer(writer, payload, script, chat))
        await asyncio.wait({watch, answer}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            self.seen["cut"] += 1
            raise ConnectionError
        # Nothing may be lost of a next request, so this connection ends here when a byte was waited for.
        watch.cancel()
        self.seen["ended"] += 1
        answer.result()
        return False

    async def _answer(
        self, writer: asyncio.StreamWriter, payload: dict[str, Any], script: "Script", chat: bool
    ) -> None:
        if "silent" in script.orders:
            await self.gate.wait()
        if not payload.get("stream"):
            words = [word async for word in script.words(self.gate)]
            await _json(writer, 200, script.whole("".join(words)))
            return
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        if chat:
            _event(writer, script.chunk({"role": "assistant", "content": ""}))
        said = 0
        async for word in script.words(self.gate):
            _event(writer, script.chunk({"content": word}))
            await writer.drain()
            said += 1
            if said == script.number("garbage"):
                _chunk(writer, b"data: {not json\n\n")
            if said == script.number("error"):
                _event(writer, _error("scripted failure in the middle", "server_error"))
                break
            if said == script.number("die"):
                writer.transport.abort()
                raise ConnectionError
            if said == script.number("end"):
                break
        else:
            _event(writer, script.chunk({}, "length" if "cap" in script.orders else "stop"))
            if (payload.get("stream_options") or {}).get("include_usage"):
                _event(writer, {**script.chunk({}), "choices": [], "usage": script.usage()})
            _chunk(writer, b"data: [DONE]\n\n")
        writer.write(b"0\r\n\r\n")
        await writer.drain()


class Script:
    """What one request makes the engine do."""

    def __init__(self, payload: dict[str, Any], chat: bool) -> None:
        messages = payload["messages"] if chat else [{"role": "user", "content": payload["prompt"]}]
        asked = str([m.get("content") for m in messages if m.get("role") == "user"][-1:])[2:-2]
        self.chat = chat
        self.model = payload.get("model")
        self.orders = dict(item.partition("=")[::2] for item in asked.split())
        self.prefix = messages[-1]["content"] if messages[-1].get("role") == "assistant" else ""
        self.spoken = 0

    def number(self, name: str) -> int:
        return int(self.orders.get(name, -1))

    def text(self) -> list[str]:
        kind = WIDE if "wide" in self.orders else ["word"]
        return [f"{kind[n % len(kind)]}{n} " for n in range(int(self.orders.get("count", 5)))]

    async def words(self, gate: asyncio.Event) -> Any:
        words, held = self.text(), self.number("hold")
        whole, at = "".join(words), len(self.prefix)
        if not whole.startswith(self.prefix):
            yield f"<the prefix is not mine: {self.prefix[-40:]!r}>"
            return
        position = 0
        for index, word in enumerate(words):
            position += len(word)
            if position <= at:
                continue
            if index == held:
                await gate.wait()
            if pace := float(self.orders.get("pace", 0)):
                await asyncio.sleep(pace)
            self.spoken += 1
            yield word[max(0, at - (position - len(word))) :]

    def usage(self) -> dict[str, int]:
        return {"prompt_tokens": 7, "completion_tokens": self.spoken, "total_tokens": 7 + self.spoken}

    def chunk(self, delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": 0, "finish_reason": reason}
        choice |= {"delta": delta} if self.chat else {"text": delta.get("content", "")}
        kind = "chat.completion.chunk" if self.chat else "text_completion"
        return {"id": "scripted-1", "object": kind, "created": 1, "model": self.model, "choices": [choice]}

    def whole(self, text: str) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
        choice |= {"message": {"role": "assistant", "content": text}} if self.chat else {"text": text}
        kind = "chat.completion" if self.chat else "text_completion"
        head = {"id": "scripted-1", "object": kind, "created": 1, "model": self.model}
        return {**head, "choices": [choice], "usage": self.usage()}


def _error(message: str, kind: str, **details: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, **details}}


def _event(writer: asyncio.StreamWriter, value: dict[str, Any]) -> None:
    _chunk(writer, b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n")


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


async def _json(writer: asyncio.StreamWriter, status: int, value: dict[str, Any]) -> bool:
    body = json.dumps(value).encode()
    writer.write(
        b"HTTP/1.1 %d Scripted\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (status, len(body), body)
    )
    await writer.drain()
    return True


async def main(api_key: str) -> None:
    server = await asyncio.start_server(Engine(api_key).serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "scripted-key"))
