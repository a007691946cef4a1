"""What no well-behaved client sends, over real sockets to the real web process: broken, split, slow, endless.

Never a 5xx, never a stack trace, and the server answers others all the while. MODELHUB_FUZZ=10000 mutates
that many requests instead of a few hundred.
"""

import contextlib
import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import simple_websocket

from tests.support.web_process import Web, web_with_engine

MUTATIONS = int(os.environ.get("MODELHUB_FUZZ", "400"))
CLIENT_TIMEOUT = 2
MAX_BODY = 200_000
HOST = b"Host: localhost\r\n"


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with web_with_engine() as running:
        running.kill("web")
        running.environment |= {
            "MODELHUB_CLIENT_TIMEOUT": str(CLIENT_TIMEOUT),
            "MODELHUB_MAX_BODY": str(MAX_BODY),
            "MODELHUB_RATE_LIMIT_ANONYMOUS": "",
            "MODELHUB_RATE_LIMIT_SIGN_IN": "",
        }
        running.start("web")
        yield running
        assert "Traceback" not in running.log("web")


def connect(web: Web) -> socket.socket:
    return socket.create_connection(("127.0.0.1", web.port), timeout=30)


def heard(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    parts = []
    with contextlib.suppress(ConnectionError, TimeoutError):
        while data := connection.recv(65536):
            parts.append(data)
    return b"".join(parts)


def asked(web: Web, raw: bytes) -> bytes:
    """What the server says to these bytes and nothing more."""
    with connect(web) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
        return heard(connection)


def statuses(answer: bytes) -> list[int]:
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:] if part[:3].isdigit()]


def is_well(web: Web) -> bool:
    return httpx.get(f"{web.url}/healthz", timeout=30).status_code == 200


def post(*headers: bytes, body: bytes = b"", path: bytes = b"/api/v1/auth/login") -> bytes:
    lines = b"".join(header + b"\r\n" for header in (b"Content-Type: application/json", *headers))
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + lines + b"\r\n" + body


BROKEN = {
    "two lengths": post(b"Content-Length: 2", b"Content-Length: 7", body=b"{}"),
    "two equal lengths": post(b"Content-Length: 2", b"Content-Length: 2", body=b"{}"),
    "lengths in a list": post(b"Content-Length: 2, 2", body=b"{}"),
    "length and chunks": post(b"Content-Length: 2", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunks and length": post(b"Transfer-Encoding: chunked", b"Content-Length: 6", body=b"0\r\n\r\nG"),
    "signed length": post(b"Content-Length: +2", body=b"{}"),
    "negative length": post(b"Content-Length: -1", body=b"{}"),
    "length in words": post(b"Content-Length: two", body=b"{}"),
    "length with underscores": post(b"Content-Length: 1_0", body=b"{}        "),
    "length of another script": post("Content-Length: \u0662".encode(), body=b"{}"),
    "huge length": post(b"Content-Length: " + b"9" * 5000),
    "unknown coding": post(b"Transfer-Encoding: rot13", body=b"{}"),
    "coding twice": post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n"),
    "chunked not last": post(b"Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n"),
    "coding with a tab": post(b"Transfer-Encoding:\tchunke\x0bd", body=b"0\r\n\r\n"),
    "bad chunk size": post(b"Transfer-Encoding: chunked", body=b"zz\r\n{}\r\n0\r\n\r\n"),
    "negative chunk": post(b"Transfer-Encoding: chunked", body=b"-2\r\n{}\r\n0\r\n\r\n"),
    "chunk without its end": post(b"Transfer-Encoding: chunked", body=b"2\r\n{}XX0\r\n\r\n"),
    "endless chunk size": post(b"Transfer-Encoding: chunked", body=b"0" * 100_000),
    "chunk size of 2^64": post(b"Transfer-Encoding: chunked", body=b"FFFFFFFFFFFFFFFFF\r\n{}"),
    "chunk extension with CR": post(b"Transfer-Encoding: chunked", body=b"2;a\rb\r\n{}\r\n0\r\n\r\n"),
    "trailer that routes": post(b"Transfer-Encoding: chunked", body=b"2\r\n{}\r\n0\r\nHost: evil\r\n\r\n"),
    "chunks cut off": post(b"Transfer-Encoding: chunked", body=b"2\r\n{"),
    "body cut off": post(b"Content-Length: 100", body=b"{"),
    "NUL in a header": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: a\0b\r\n\r\n",
    "NUL in the path": b"GET /api/v1/\0 HTTP/1.1\r\n" + HOST + b"\r\n",
    "line feed alone": b"GET / HTTP/1.1\n" + HOST + b"\n",
    "CR alone": b"GET / HTTP/1.1\r" + HOST + b"\r\n",
    "folded header": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: a\r\n b\r\n\r\n",
    "space before the colon": b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
    "header without a colon": b"GET / HTTP/1.1\r\n" + HOST + b"nothing\r\n\r\n",
    "header without a name": b"GET / HTTP/1.1\r\n" + HOST + b": x\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "bad host": b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "host of bytes": b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
    "absolute form elsewhere": b"GET http://evil.example/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "absolute form, no host": b"GET http:/// HTTP/1.1\r\n" + HOST + b"\r\n",
    "authority form": b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "giant header": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n",
    "endless headers": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: a\r\n" * 10_000 + b"\r\n",
    "giant line": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "bytes in the line": b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
    "version of the future": b"GET / HTTP/3.0\r\n" + HOST + b"\r\n",
    "HTTP/2 out of the blue": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "small method": b"get / HTTP/1.1\r\n" + HOST + b"\r\n",
    "TLS to a plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200,
    "unknown expectation": post(b"Expect: the-unexpected", b"Content-Length: 2", body=b"{}"),
    "deep JSON": post(b"Content-Length: 60000", body=b"[" * 60_000),
    "wrong UTF-8": post(b"Content-Length: 4", body=b'"\xff\xfe"'),
    "too large": post(b"Content-Length: 300000", body=b" " * 300_000, path=b"/v1/chat/completions"),
    "too large for a stranger": post(b"Content-Length: 70000", body=b" " * 70_000),
    "a path of its own": b"GET / HTTP/1.1\r\n" + HOST + b"SCRIPT_NAME: /x\r\nPATH_INFO: /y\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_refused_in_words(web: Web, name: str) -> None:
    answer = asked(web, BROKEN[name])
    got = statuses(answer)
    refused = name != "a path of its own"
    assert got or name == "TLS to a plain port"  # that never was a line; it is closed without a word
    assert all(400 <= status < 500 if refused else status == 200 for status in got), answer[:500]
    assert b"Traceback" not in answer and b'File "' not in answer
    if name not in ("wrong UTF-8", "deep JSON", "too large") and b"Connection: close" in answer:
        assert len(got) == 1, "a second request was seen where there was one"


def test_a_smuggled_request_is_never_answered(web: Web) -> None:
    inside = b"GET /api/v1/openapi.json HTTP/1.1\r\n" + HOST + b"\r\n"
    for headers, body in (
        ((b"Content-Length: 4", b"Transfer-Encoding: chunked"), b"0\r\n\r\n" + inside),
        ((b"Transfer-Encoding: chunked", b"Transfer-Encoding: x"), b"0\r\n\r\n" + inside),
        ((b"Transfer-Encoding: chunked",), b"2\r\n{}\r\nzz\r\n\r\n" + inside),
        ((b"Content-Length: 0", b"Content-Length: 44"), inside),
    ):
        answer = asked(web, post(*headers, body=body))
        assert b'"openapi"' not in answer and len(statuses(answer)) == 1


def test_the_same_body_counts_the_same_in_pieces(web: Web) -> None:
    authorization = b"Authorization: Bearer " + web.token.encode()
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    chunked = (b"Transfer-Encoding: chunked", authorization)
    answer = asked(web, post(*chunked, body=piece * 4 + b"0\r\n\r\n", path=b"/v1/chat/completions"))
    assert statuses(answer) == [413] and f"At most {MAX_BODY} bytes".encode() in answer


def test_a_large_body_that_is_refused_hears_why(web: Web) -> None:
    body = b" " * (MAX_BODY + 100_000)
    for _ in range(10):
        answer = httpx.post(f"{web.url}/v1/chat/completions", content=body, headers=web.headers, timeout=30)
        assert answer.status_code in (413, 415)


def test_mutations_break_nothing(web: Web) -> None:
    seeds = [
        *BROKEN.values(),
        b"GET /api/v1/models?limit=5&after=x HTTP/1.1\r\n" + HOST + b"Authorization: Bearer x\r\n\r\n",
        post(b"Content-Length: 47", body=b'{"email": "admin@localhost", "password": "wrong"}'),
        b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: eHh4eHh4eHh4eHh4eHh4eA==\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"\r\n" + b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    ]  # fmt: skip
    chance = random.Random(20)
    words = [
        b"\r\n",
        b"\0",
        b"\xff",
        b":",
        b" ",
        b"%00",
        b"chunked",
        b"Content-Length: ",
        b"\n",
        b"-1",
        b"{",
        b"Host: ",
    ]

    def mutated() -> bytes:
        data = bytearray(chance.choice(seeds)[:4000])
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(data) + 1)
            match chance.randrange(5):
                case 0:
                    data[at:at] = chance.choice(words)
                case 1:
                    del data[at : at + chance.randint(1, 20)]
                case 2:
                    data[at : at + 1] = bytes([chance.randrange(256)])
                case 3:
                    data[at:at] = data[at : at + chance.randint(1, 200)]
                case _:
                    del data[at:]
            data = data or bytearray(b"\r\n")
        return bytes(data)

    todo = [mutated() for _ in range(MUTATIONS)]
    wrong: list[tuple[bytes, bytes]] = []

    def work() -> None:
        while todo:
            with contextlib.suppress(IndexError):
                raw = todo.pop()
                answer = asked(web, raw)
                if any(status >= 500 for status in statuses(answer)) or b"Traceback" in answer:
                    wrong.append((raw, answer[:300]))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:3]
    assert is_well(web)


def test_two_hundred_slow_clients_hold_nobody_up(web: Web) -> None:
    began = time.monotonic()
    slow = [connect(web) for _ in range(200)]
    for number, connection in enumerate(slow):
        connection.sendall(
            (b"GET / HTTP/1.1\r\nX-A: " + b"a" * (number % 50))  # a header that never ends
            if number % 2
            else post(
                b"Content-Length: 1000",
                b"Authorization: Bearer " + web.token.encode(),
                path=b"/v1/completions",
            )
        )
    answered = 0
    while time.monotonic() - began < CLIENT_TIMEOUT / 2:
        assert is_well(web)
        answered += 1
        for connection in slow[1::2]:
            connection.sendall(b"b")  # a byte now and then does not buy a header more time
    assert answered > 5
    for connection in slow:
        assert all(status < 500 for status in statuses(heard(connection)))
        connection.close()
    assert is_well(web)


def spoken(client: simple_websocket.Client, seconds: float) -> str | None:
    """The next message that is no ping; pings are answered."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        message = client.receive(timeout=left)
        if message != "2":
            return message
        client.send("3")
    return None


def test_who_stalls_or_idles_is_let_go_and_who_goes_on_or_listens_is_not(web: Web) -> None:
    authorization = b"Authorization: Bearer " + web.token.encode()
    head = post(b"Content-Length: 6", b"Connection: close", authorization, path=b"/v1/completions")
    question = {"role": "user", "content": "count=3 hold=1"}
    body = {"model": "scripted", "stream": True, "messages": [question]}
    live = simple_websocket.Client(f"ws://127.0.0.1:{web.port}/socket.io/?EIO=4&transport=websocket")
    assert spoken(live, 30).startswith("0{")
    live.send('40/downloads,{"token":"' + web.token + '"}')
    assert spoken(live, 30).startswith("40/downloads")
    with contextlib.ExitStack() as stack:
        stalled, steady, idle = (stack.enter_context(connect(web)) for _ in range(3))
        client = stack.enter_context(web.client())
        stream = stack.enter_context(client.stream("POST", "/v1/chat/completions", json=body))
        assert stream.status_code == 200
        idle.sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        stalled.sendall(head + b"{")
        steady.sendall(head)
        for at in range(6):  # together longer than the patience for one part
            time.sleep(CLIENT_TIMEOUT / 4)
            steady.sendall(b'{"a":1}'[at : at + 1])
        assert statuses(heard(steady)) == [400]
        assert set(statuses(heard(stalled))) <= {400}
        assert statuses(heard(idle)) == [200]  # heard until we closed it
        assert spoken(live, CLIENT_TIMEOUT) is None
        web.engine.open()
        assert b"[DONE]" in b"".join(stream.iter_raw())
    live.send('42/downloads,1["subscribe",{"id":"*"}]')
    assert spoken(live, 30).startswith("43/downloads,1")
    live.close()


def test_a_socket_from_another_site_is_refused(web: Web) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    key = b"Sec-WebSocket-Key: eHh4eHh4eHh4eHh4eHh4eA==\r\n"
    line = b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
    assert statuses(asked(web, line + b"Host: evil.example\r\n" + upgrade + key + b"\r\n")) == [400]
    for origin, status in ((b"http://evil.example", 400), (b"null", 400), (b"http://localhost", 101)):
        asks = (
            line + HOST + upgrade + key + b"Origin: " + origin + b"\r\nX-Forwarded-Host: evil.example\r\n\r\n"
        )
        assert statuses(asked(web, asks)) == [status], origin


def test_the_log_has_no_traceback_and_no_secret(web: Web) -> None:
    log = Path(web.home / "web.log").read_text(errors="replace")
    assert "Traceback" not in log and web.token not in log
