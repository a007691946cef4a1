"""What the relay does around the bytes: cancel, record, survive an engine that restarts, refuse bad input."""

import json
import socket
import threading
from typing import Any

import httpx
import pytest

from api.extensions import db
from api.models import Completion
from tests.support.web_process import Web, deploy, start_engine, until

CHAT = "/v1/chat/completions"


def body(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "scripted", "messages": [{"role": "user", "content": text}], **fields}


def records(web: Web, model: str) -> list[Completion]:
    with web.app.app_context():
        return list(
            db.session.scalars(db.select(Completion).where(Completion.model == model).order_by(Completion.id))
        )


def raw(web: Web, payload: dict[str, Any]) -> socket.socket:
    """A request whose answer is left to be read from the socket."""
    data = json.dumps(payload).encode()
    connection = socket.create_connection(("127.0.0.1", web.port))
    connection.sendall(
        f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {web.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode()
        + data
    )
    return connection


@pytest.mark.parametrize("words", ["count=9 hold=2", "count=9 silent"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_hangs_up_cancels_the_generation(web: Web, words: str, stream: bool) -> None:
    """Whether it hung up between tokens, before the first one, or while a whole answer was being made."""
    name = f"cancel-{stream}-{words[8:]}".replace(" ", "").replace("=", "")
    deploy(web, name)
    before = web.engine.seen
    connection = raw(web, body(words, stream=stream) | {"model": name})
    until(lambda: web.engine.seen["began"] > before["began"])
    connection.close()
    until(lambda: web.engine.seen["cut"] > before["cut"])
    assert [row.status for row in until(lambda: records(web, name))] == ["cancelled"]


def test_every_answer_is_recorded_once_it_has_ended(web: Web) -> None:
    """The record is written before the client sees the end."""
    deploy(web, "recorded")
    with web.client() as client:
        with client.stream(
            "POST", CHAT, json=body("count=20", stream=True) | {"model": "recorded"}
        ) as answer:
            lines = list(answer.iter_lines())
        assert lines[-2:] == ["data: [DONE]", ""]
        row = records(web, "recorded")[-1]
        assert (row.status, row.finish_reason, row.stream) == ("complete", "stop", True)
        assert (row.prompt_tokens, row.completion_tokens) == (7, 20)
        assert row.ttft_ms is not None
        assert row.duration_ms >= row.ttft_ms
        client.post(CHAT, json=body("count=3") | {"model": "recorded"})
        client.post(CHAT, json=body("status=400") | {"model": "recorded"})
        client.post(CHAT, json=body("status=500") | {"model": "recorded"})
    rows = records(web, "recorded")
    assert [(row.status, row.completion_tokens, row.stream) for row in rows[1:]] == [
        ("complete", 3, False),
        ("failed", None, False),
        ("failed", None, False),
    ]


def test_many_streams_at_once_keep_their_words_apart(web: Web) -> None:
    deploy(web, "crowd")
    answers: dict[int, str] = {}

    def ask(count: int) -> None:
        with (
            web.client() as client,
            client.stream(
                "POST", CHAT, json=body(f"count={count} pace=0.005", stream=True) | {"model": "crowd"}
            ) as answer,
        ):
            chunks = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: {")]
            answers[count] = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)

    threads = [threading.Thread(target=ask, args=(count,)) for count in range(1, 41)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {count: "".join(f"word{n} " for n in range(count)) for count in range(1, 41)}
    assert sorted(row.completion_tokens or 0 for row in records(web, "crowd")) == list(range(1, 41))


def test_an_engine_that_is_gone_or_comes_back(web: Web) -> None:
    """A kept connection to a dead engine is not mistaken for an answer; a new engine is found soon."""
    from api.models import Deployment

    first = start_engine()
    deploy(web, "moving", endpoint=first.endpoint)
    with web.client() as client:
        asked = body("count=1") | {"model": "moving"}
        assert client.post(CHAT, json=asked).status_code == 200
        first.process.kill()
        first.process.wait()
        gone = client.post(CHAT, json=asked)
        assert gone.status_code == 502
        assert "cannot be reached" in gone.json()["error"]["message"]
        second = start_engine()
        with web.app.app_context():
            db.session.execute(
                db.update(Deployment).where(Deployment.name == "moving").values(endpoint=second.endpoint)
            )
            db.session.commit()
        until(lambda: client.post(CHAT, json=asked).status_code == 200)
        second.process.kill()
        second.process.wait()


BAD: list[Any] = [
    {},
    [],
    None,
    "text",
    {"model": "scripted"},
    {"model": "scripted", "messages": []},
    {"model": "scripted", "messages": "hi"},
    {"model": "scripted", "messages": ["hi"]},
    {"model": ["scripted"], "messages": [{"role": "user", "content": "x"}]},
    {"model": "", "messages": [{"role": "user", "content": "x"}]},
    {"model": "x" * 10_000, "messages": [{"role": "user", "content": "x"}]},
    {"model": "nul\0nul", "messages": [{"role": "user", "content": "x"}]},
    {"model": "half \ud83d", "messages": [{"role": "user", "content": "x"}]},
    {"model": "../../etc", "messages": [{"role": "user", "content": "x"}]},
    {"model": "scripted", "messages": [{"role": "user", "content": "x"}], "stream": "yes"},
]


@pytest.mark.parametrize("payload", BAD, ids=range(len(BAD)))
def test_bad_input_is_refused_in_openais_shape(web: Web, payload: Any) -> None:
    response = httpx.post(
        f"{web.url}{CHAT}",
        content=json.dumps(payload),
        headers=web.headers | {"Content-Type": "application/json"},
    )
    assert 400 <= response.status_code < 500
    assert response.json()["error"]["message"]


ODD: list[dict[str, Any]] = [
    {"stream": True, "stream_options": 5},
    {"stream": True, "stream_options": {"include_usage": "perhaps"}},
    {"stream": None},
    {"messages": [{"role": "user", "content": "half a pair \ud83d count=1"}]},
    {"messages": [{"role": "user", "content": "nul \0 count=1"}]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]},
    {"messages": [{}]},
]


@pytest.mark.parametrize("fields", ODD, ids=range(len(ODD)))
def test_odd_input_is_the_engines_to_judge(web: Web, fields: dict[str, Any]) -> None:
    response = httpx.post(
        f"{web.url}{CHAT}",
        content=json.dumps(body("count=1") | fields, indent=1),
        headers=web.headers | {"Content-Type": "application/json"},
    )
    assert response.status_code == 200


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_usage_is_asked_for_in_any_encoding_json_may_come_in(web: Web, encoding: str) -> None:
    text = json.dumps(body("count=2", stream=True), ensure_ascii=False) + " \n"
    headers = web.headers | {"Content-Type": "application/json"}
    answer = httpx.post(f"{web.url}{CHAT}", content=text.encode(encoding), headers=headers)
    assert answer.status_code == 200
    assert web.engine.seen["payload"]["stream_options"] == {"include_usage": True}
    assert answer.text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("content", "type", "status"),
    [(b"{", "application/json", 400), (b"\xff\xfe", "application/json", 400), (b"a=b", "text/plain", 415)],
)
def test_what_is_not_json(web: Web, content: bytes, type: str, status: int) -> None:
    response = httpx.post(f"{web.url}{CHAT}", content=content, headers=web.headers | {"Content-Type": type})
    assert response.status_code == status
    assert response.json()["error"]["message"]
