"""The same answers over Socket.IO."""

import queue
from collections.abc import Iterator
from typing import Any

import pytest
import socketio

from tests.support.web_process import Web


class Client:
    """One connection to `/chat`; events are kept in order."""

    def __init__(self, web: Web, token: str | None = None) -> None:
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.io = socketio.Client()
        self.io.on("event", self.events.put, namespace="/chat")
        auth = {"token": web.token if token is None else token}
        self.io.connect(web.url, namespaces=["/chat"], transports=["websocket"], auth=auth)

    def call(self, event: str, **data: Any) -> dict[str, Any]:
        return dict(self.io.call(event, data, namespace="/chat", timeout=20))

    def until_done(self) -> tuple[str, dict[str, Any]]:
        text = ""
        while True:
            event = self.events.get(timeout=20)
            if event["type"] == "done":
                return text, event["data"]
            text += event["data"]["text"]
            last = event["seq"]
            assert last == event["data"]["offset"]


@pytest.fixture
def connect(web: Web) -> Iterator[Any]:
    clients: list[Client] = []

    def new(token: str | None = None) -> Client:
        clients.append(Client(web, token))
        return clients[-1]

    yield new
    for client in clients:
        client.io.disconnect()


def test_ask_and_follow(web: Web, connect: Any) -> None:
    client = connect()
    said = client.call("send", session_id=web.session(), content="count=20")
    assert said["ok"]
    assert said["user"]["content"] == "count=20"
    text, message = client.until_done()
    assert text == message["content"] == "".join(f"word{n} " for n in range(20))
    assert message["id"] == said["assistant"]["id"]


def test_a_second_client_replays_from_its_offset_and_stops(web: Web, connect: Any) -> None:
    first = connect()
    said = first.call("send", session_id=web.session(), content="count=9 hold=4")
    id = said["assistant"]["id"]
    text = ""
    while text != "word0 word1 word2 word3 ":
        text += first.events.get(timeout=20)["data"]["text"]
    second = connect()
    joined = second.call("subscribe", id=id, after=12)
    assert (joined["ok"], joined["snapshot"]["status"], joined["seq"]) == (True, "generating", 12)
    stopped = second.call("stop", id=id)
    assert stopped["message"]["status"] == "stopped"
    replayed, message = second.until_done()
    assert replayed == "word2 word3 "
    assert message["content"] == text
    assert first.until_done()[1] == message


def test_snapshot_of_all_conversations(web: Web, connect: Any) -> None:
    session = web.session(title="Listed")
    listed = connect().call("subscribe", id="*")
    assert session in [item["id"] for item in listed["snapshot"]]


def test_refusals(web: Web, connect: Any) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        connect("wrong")
    client = connect()
    for event, data in [
        ("send", {"session_id": "nothing", "content": "hi"}),
        ("send", {"session_id": "nothing"}),
        ("send", {"content": ["x"]}),
        ("subscribe", {"id": "nothing"}),
        ("subscribe", {"id": "x", "after": -1}),
        ("stop", {"id": "nothing"}),
    ]:
        answer = client.call(event, **data)
        assert answer["ok"] is False
        assert answer["error"]["code"] in ("NOT_FOUND", "VALIDATION_FAILED")
