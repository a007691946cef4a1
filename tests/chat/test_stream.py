"""Answers as they are written: by offset, from several places, stopped from elsewhere, without a listener."""

import itertools
import socket
from typing import Any

import httpx

from tests.support.web_process import Web, frames, until


def events(web: Web, message_id: str, after: int = 0, **headers: str) -> list[tuple[str, int, Any]]:
    with (
        web.client() as client,
        client.stream(
            "GET", f"/api/v1/chat/generations/{message_id}/events?after={after}", headers=headers
        ) as response,
    ):
        assert response.status_code == 200
        return [frame for frame in frames(response) if frame[0] != "ping"]


def begin(web: Web, content: str) -> tuple[str, str]:
    """Ask, read the first frame, hang up. The conversation's and the answer's ids."""
    session = web.session()
    with (
        web.client() as client,
        client.stream(
            "POST", f"/api/v1/chat/sessions/{session}/messages", json={"content": content, "stream": True}
        ) as response,
    ):
        event, number, data = next(frames(response))
    assert (event, number) == ("message", 0)
    assert data["user"]["content"] == content
    assert data["assistant"]["status"] == "generating"
    return session, data["assistant"]["id"]


def test_the_stream_of_a_question(web: Web) -> None:
    session = web.session()
    with (
        web.client() as client,
        client.stream(
            "POST",
            f"/api/v1/chat/sessions/{session}/messages",
            json={"content": "count=30 wide", "stream": True},
        ) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        got = [frame for frame in frames(response) if frame[0] != "ping"]
    assert [name for name, _ in itertools.groupby(got, lambda frame: frame[0])] == [
        "message",
        "delta",
        "done",
    ]
    text = ""
    for name, number, data in got:
        if name == "delta":
            text += data["text"]
            assert number == data["offset"] == len(text)
    assert got[-1][2]["content"] == text
    assert web.api("GET", f"/chat/sessions/{session}")["messages"][-1] == got[-1][2]


def test_nobody_listens_and_nothing_is_lost(web: Web) -> None:
    session, message = begin(web, "count=8 hold=3")
    web.engine.open()
    until(lambda: web.api("GET", f"/chat/sessions/{session}")["messages"][-1]["status"] == "complete")
    expected = "".join(f"word{n} " for n in range(8))
    assert web.api("GET", f"/chat/sessions/{session}")["messages"][-1]["content"] == expected
    got = events(web, message)
    assert "".join(data["text"] for name, _, data in got if name == "delta") == expected


def test_attach_at_any_offset_while_it_is_written_and_afterwards(web: Web) -> None:
    """Offsets count characters, also in the middle of what came as one piece, also beyond the BMP."""
    _, message = begin(web, "count=12 wide hold=6")
    expected = "".join(f"{['größe', '日本', '🙂🙂', 'naïve', 'Ωmega'][n % 5]}{n} " for n in range(12))
    with (
        web.client() as client,
        client.stream("GET", f"/api/v1/chat/generations/{message}/events?after=9") as live,
    ):
        reading = frames(live)
        first = next(frame for frame in reading if frame[0] == "delta")
        web.engine.open()
        rest = [frame for frame in reading if frame[0] == "delta"]
    assert "".join(frame[2]["text"] for frame in [first, *rest]) == expected[9:]
    for offset in (0, 1, 7, len(expected) - 1, len(expected), len(expected) + 50):
        got = events(web, message, offset)
        assert "".join(data["text"] for name, _, data in got if name == "delta") == expected[offset:]
        assert got[-1][0] == "done"
    resumed = events(web, message, **{"Last-Event-ID": "13"})
    assert "".join(data["text"] for name, _, data in resumed if name == "delta") == expected[13:]


def test_stop_from_another_connection_keeps_what_is_written(web: Web) -> None:
    session, message = begin(web, "count=9 hold=4")
    partial = "word0 word1 word2 word3 "
    with web.client() as client, client.stream("GET", f"/api/v1/chat/generations/{message}/events") as live:
        reading = frames(live)
        text = ""
        while text != partial:
            name, _, data = next(reading)
            text += data["text"] if name == "delta" else ""
        cut = web.engine.seen["cut"]
        stopped = web.api("POST", f"/chat/generations/{message}/stop")
        assert (stopped["status"], stopped["content"]) == ("stopped", partial)
        last = [frame for frame in reading if frame[0] != "ping"]
    assert [name for name, _, _ in last] == ["done"]
    assert last[0][2] == stopped
    until(lambda: web.engine.seen["cut"] > cut)
    assert web.api("POST", f"/chat/generations/{message}/stop") == stopped
    # The next question is answered, with the stopped answer in its history.
    web.api("POST", f"/chat/sessions/{session}/messages", {"content": "count=1"})
    assert web.engine.seen["payload"]["messages"][1]["content"] == partial


def test_stop_before_the_engine_has_said_anything(web: Web) -> None:
    _, message = begin(web, "count=3 silent")
    stopped = web.api("POST", f"/chat/generations/{message}/stop")
    assert (stopped["status"], stopped["content"]) == ("stopped", "")


def test_one_answer_at_a_time_in_a_conversation(web: Web) -> None:
    session, message = begin(web, "count=3 hold=1")
    path = f"{web.url}/api/v1/chat/sessions/{session}/messages"
    second = httpx.post(path, json={"content": "count=1"}, headers=web.headers)
    assert (second.status_code, second.json()["error"]) == (409, "CONFLICT")
    web.engine.open()
    assert events(web, message)[-1][2]["status"] == "complete"
    assert httpx.post(path, json={"content": "count=1"}, headers=web.headers).status_code == 201


def test_many_readers_of_one_answer(web: Web) -> None:
    """Each waits on a connection of its own to Redis, and none is refused one."""
    _, message = begin(web, "count=6 hold=2")
    readers = [socket.create_connection(("127.0.0.1", web.port)) for _ in range(130)]
    for reader in readers:
        reader.sendall(
            f"GET /api/v1/chat/generations/{message}/events HTTP/1.1\r\nHost: localhost\r\n"
            f"Connection: close\r\nAuthorization: Bearer {web.token}\r\n\r\n".encode()
        )
    for reader in readers:
        while b"word1" not in reader.recv(65536):
            pass
    web.engine.open()
    for reader in readers:
        with reader, reader.makefile("rb") as answer:
            assert b"event: done" in answer.read()


def test_a_failed_answer_says_so_in_the_stream(web: Web) -> None:
    _, message = begin(web, "count=9 pace=0.02 die=2")
    got = events(web, message)
    assert [name for name, _ in itertools.groupby(got, lambda frame: frame[0])] == ["delta", "error", "done"]
    assert got[-2][2]["code"] == "UPSTREAM_UNREACHABLE"
    assert got[-1][2]["status"] == "failed"


def test_a_forgotten_conversation_stops_its_answer(web: Web) -> None:
    session, _ = begin(web, "count=9 hold=2")
    cut = web.engine.seen["cut"]
    web.api("DELETE", f"/chat/sessions/{session}")
    until(lambda: web.engine.seen["cut"] > cut)
