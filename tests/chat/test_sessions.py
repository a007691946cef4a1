"""Conversations over REST."""

from typing import Any

import httpx
import pytest

from api.extensions import db
from api.models import ChatSession, User
from tests.support.web_process import Web, deploy


def test_a_conversation_from_the_first_question_to_its_end(web: Web) -> None:
    session = web.session(system_prompt="Be brief.", options={"temperature": 0.2, "max_tokens": 50})
    assert web.api("GET", f"/chat/sessions/{session}")["title"] == "New conversation"
    answer = web.api("POST", f"/chat/sessions/{session}/messages", {"content": "count=3 wide"})
    assert answer["content"] == "größe0 日本1 🙂🙂2 "
    assert (answer["status"], answer["finish_reason"]) == ("complete", "stop")
    assert (answer["prompt_tokens"], answer["completion_tokens"]) == (7, 3)
    assert answer["duration_ms"] >= answer["ttft_ms"] >= 0

    web.api("POST", f"/chat/sessions/{session}/messages", {"content": "count=2"})
    payload = web.engine.seen["payload"]
    assert [message["role"] for message in payload["messages"]] == ["system", "user", "assistant", "user"]
    assert payload["messages"][2]["content"] == answer["content"]
    assert (payload["model"], payload["temperature"], payload["max_tokens"]) == ("scripted", 0.2, 50)
    assert "top_p" not in payload

    whole = web.api("GET", f"/chat/sessions/{session}")
    assert whole["title"] == "count=3 wide"
    assert [message["content"] for message in whole["messages"]] == [
        "count=3 wide", answer["content"], "count=2", "word0 word1 ",
    ]  # fmt: skip
    assert web.api("GET", f"/chat/sessions/{session}/messages")["items"] == whole["messages"]


def test_rename_and_forget(web: Web) -> None:
    session = web.session(title="Named")
    web.api("POST", f"/chat/sessions/{session}/messages", {"content": "count=1"})
    assert web.api("GET", f"/chat/sessions/{session}")["title"] == "Named"
    changed = web.api("PATCH", f"/chat/sessions/{session}", {"title": "Other", "options": {"seed": 3}})
    assert (changed["title"], changed["options"]["seed"]) == ("Other", 3)
    listed = web.api("GET", "/chat/sessions?limit=1")
    assert [item["id"] for item in listed["items"]] == [session]
    web.api("DELETE", f"/chat/sessions/{session}")
    assert httpx.get(f"{web.url}/api/v1/chat/sessions/{session}", headers=web.headers).status_code == 404


def test_a_long_first_question_becomes_a_short_title(web: Web) -> None:
    session = web.session()
    web.api(
        "POST", f"/chat/sessions/{session}/messages", {"content": "count=1 " + "lorem ipsum " * 30 + "\nmore"}
    )
    title = web.api("GET", f"/chat/sessions/{session}")["title"]
    assert title.startswith("count=1 lorem")
    assert title.endswith("…")
    assert len(title) <= 60


def test_others_see_nothing(web: Web) -> None:
    session = web.session()
    with web.app.app_context():
        other = User(email="other@localhost", name="", role="admin", password_hash="x")
        db.session.add(other)
        db.session.flush()
        db.session.execute(db.update(ChatSession).where(ChatSession.id == session).values(user_id=other.id))
        db.session.commit()
    with web.client() as client:
        path = f"/api/v1/chat/sessions/{session}"
        assert client.get(path).status_code == 404
        assert client.post(f"{path}/messages", json={"content": "count=1"}).status_code == 404
        assert client.delete(path).status_code == 404
        assert session not in [
            item["id"] for item in client.get("/api/v1/chat/sessions").json()["data"]["items"]
        ]


def test_a_refused_question_is_kept_with_the_reason(web: Web) -> None:
    """The engine's words and numbers reach the message; the conversation goes on."""
    session = web.session()
    failed = web.api("POST", f"/chat/sessions/{session}/messages", {"content": "status=400"})
    assert failed["status"] == "failed"
    assert failed["error"]["code"] == "UNSUPPORTED"
    assert "exceeds the available context size" in failed["error"]["message"]
    assert failed["error"]["details"]["n_ctx"] == 4096
    answer = web.api("POST", f"/chat/sessions/{session}/messages", {"content": "count=1"})
    assert answer["content"] == "word0 "
    # The failed exchange is not shown to the engine: many templates refuse two questions in a row.
    assert [message["content"] for message in web.engine.seen["payload"]["messages"]] == ["count=1"]


@pytest.mark.parametrize("fault", ["die=4", "end=4", "error=4", "garbage=4"])
def test_an_engine_that_dies_leaves_the_partial_text_and_an_error(web: Web, fault: str) -> None:
    session = web.session()
    answer = web.api("POST", f"/chat/sessions/{session}/messages", {"content": f"count=9 pace=0.02 {fault}"})
    assert answer["status"] == "failed"
    assert answer["content"] == "word0 word1 word2 word3 "
    assert answer["error"]["code"] == "UPSTREAM_UNREACHABLE"


def test_a_deployment_that_stopped_or_went(web: Web) -> None:
    name = "going"
    deployment = deploy(web, name)
    session = web.api("POST", "/chat/sessions", {"deployment_id": deployment})["id"]
    from api.models import Deployment

    def change(**values: Any) -> httpx.Response:
        with web.app.app_context():
            db.session.execute(db.update(Deployment).where(Deployment.id == deployment).values(**values))
            db.session.commit()
        path = f"{web.url}/api/v1/chat/sessions/{session}/messages"
        return httpx.post(path, json={"content": "count=1"}, headers=web.headers)

    stopped = change(status="stopped", wanted="stopped")
    assert stopped.status_code == 503
    assert "'going' is stopped" in stopped.json()["message"]
    deleted = change(wanted="deleted")
    assert deleted.status_code == 404
    assert "is gone" in deleted.json()["message"]
    assert web.api("GET", f"/chat/sessions/{session}")["messages"] == []


BAD: list[tuple[str, str, Any]] = [
    ("POST", "/chat/sessions", {}),
    ("POST", "/chat/sessions", {"deployment_id": "nothing"}),
    ("POST", "/chat/sessions", {"deployment_id": "x", "surprise": 1}),
    ("POST", "/chat/sessions", {"deployment_id": "scripted", "options": {"temperature": 9}}),
    ("POST", "/chat/sessions/nothing/messages", {"content": "hi"}),
    ("POST", "/chat/sessions/SESSION/messages", {}),
    ("POST", "/chat/sessions/SESSION/messages", {"content": ""}),
    ("POST", "/chat/sessions/SESSION/messages", {"content": " \n\t "}),
    ("POST", "/chat/sessions/SESSION/messages", {"content": "nul \0"}),
    ("POST", "/chat/sessions/SESSION/messages", {"content": "x" * 200_001}),
    ("POST", "/chat/sessions/SESSION/messages", {"content": ["hi"]}),
    ("PATCH", "/chat/sessions/SESSION", {"title": ""}),
    ("PATCH", "/chat/sessions/SESSION", {"title": "nul \0"}),
    ("GET", "/chat/generations/nothing/events", None),
    ("GET", "/chat/generations/nothing/events?after=-1", None),
    ("GET", "/chat/generations/nothing/events?after=x", None),
    ("POST", "/chat/generations/nothing/stop", None),
    ("GET", "/chat/sessions?limit=0", None),
]


@pytest.mark.parametrize(("method", "path", "payload"), BAD, ids=range(len(BAD)))
def test_bad_input(web: Web, method: str, path: str, payload: Any) -> None:
    if "SESSION" in path:
        path = path.replace("SESSION", web.session())
    response = httpx.request(method, f"{web.url}/api/v1{path}", json=payload, headers=web.headers)
    assert 400 <= response.status_code < 500
    assert response.json()["message"]
