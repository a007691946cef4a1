"""The real `ollama` client against `/ollama`, and what its users' programs look at."""

import json
from typing import Any

import httpx
import ollama
import pytest

from api.models import Completion
from tests.support import things
from tests.support.web_process import Web, deploy, until


def client_of(web: Web, token: str | None = None) -> ollama.Client:
    return ollama.Client(
        host=f"{web.url}/ollama", headers={"Authorization": f"Bearer {token or web.token}"}, timeout=60
    )


@pytest.fixture
def client(web: Web) -> ollama.Client:
    return client_of(web)


def ask(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def usage(web: Web, before: int = 0) -> list[Completion]:
    from api.extensions import db

    with web.app.app_context():
        rows = list(db.session.query(Completion).order_by(Completion.id))
        db.session.expunge_all()
        return rows[before:]


def test_it_looks_like_ollama(client: ollama.Client, web: Web) -> None:
    root = httpx.get(f"{web.url}/ollama/")
    assert (root.status_code, root.text) == (200, "Ollama is running")
    assert httpx.head(f"{web.url}/ollama/").status_code == 200
    deploy(web, "sleeping", status="stopped", endpoint=None)
    listed = {model.model: model for model in client.list().models}
    assert "scripted:latest" in listed and "sleeping:latest" not in listed
    assert len(listed["scripted:latest"].digest or "") == 64
    assert "scripted:latest" in {model.model for model in client.ps().models}
    shown = client.show("scripted")
    assert shown.capabilities == ["completion"] and shown.modelinfo and shown.details
    assert client.show("scripted:latest").modified_at == shown.modified_at
    with pytest.raises(
        ollama.ResponseError, match=r"model 'nobody' not found\. These answer now: .*scripted"
    ) as no:
        client.show("nobody")
    assert no.value.status_code == 404
    with pytest.raises(ollama.ResponseError, match="'sleeping' is stopped") as asleep:
        client.chat("sleeping", messages=ask("hi"))
    assert asleep.value.status_code == 503


def test_a_whole_chat_with_its_figures(client: ollama.Client, web: Web) -> None:
    before = len(usage(web))
    answer = client.chat("scripted:latest", messages=ask("count=4 wide"))
    assert answer.message.content == "größe0 日本1 🙂🙂2 naïve3 "
    assert (answer.model, answer.done, answer.done_reason) == ("scripted:latest", True, "stop")
    assert (answer.prompt_eval_count, answer.eval_count) == (7, 4)
    assert answer.total_duration and answer.prompt_eval_duration and answer.eval_duration is not None
    assert answer.total_duration >= answer.prompt_eval_duration + answer.eval_duration
    row = usage(web, before)[-1]
    assert (row.model, row.completion_tokens, row.status) == ("scripted", 4, "complete")


def test_a_streamed_chat(client: ollama.Client) -> None:
    lines = list(client.chat("scripted", messages=ask("count=50"), stream=True))
    assert "".join(line.message.content or "" for line in lines) == "".join(f"word{n} " for n in range(50))
    assert not any(line.done for line in lines[:-1]) and lines[-1].done
    assert lines[-1].eval_count == 50 and lines[-1].created_at


def test_generate_whole_streamed_and_raw(client: ollama.Client, web: Web) -> None:
    answer = client.generate("scripted", prompt="count=3", system="Be brief.")
    assert answer.response == "word0 word1 word2 " and answer.eval_count == 3
    payload = web.engine.seen["payload"]
    assert [message["role"] for message in payload["messages"]] == ["system", "user"]
    pieces = list(client.generate("scripted", prompt="count=3", stream=True))
    assert "".join(piece.response or "" for piece in pieces) == "word0 word1 word2 "
    assert client.generate("scripted", prompt="count=2", raw=True).response == "word0 word1 "
    assert web.engine.seen["payload"]["prompt"] == "count=2"


def test_options_reach_the_engine_by_its_names(client: ollama.Client, web: Web) -> None:
    options = {
        "num_predict": 9, "temperature": 0.5, "top_p": 0.9, "top_k": 40, "stop": ["END"], "seed": 7,
        "repeat_penalty": 1.1, "num_ctx": 4096,
    }  # fmt: skip
    client.chat(
        "scripted", messages=ask("count=1"), options=options, think=False, format="json", keep_alive="5m"
    )
    payload = web.engine.seen["payload"]
    expected = {
        "model": "scripted", "max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "top_k": 40, "stop": ["END"],
        "seed": 7, "repeat_penalty": 1.1, "repetition_penalty": 1.1, "stream": True,
        "chat_template_kwargs": {"enable_thinking": False}, "response_format": {"type": "json_object"},
    }  # fmt: skip
    assert {name: payload.get(name) for name in expected} == expected
    assert "num_ctx" not in payload and "keep_alive" not in payload
    client.generate("scripted", prompt="count=1", options={"num_predict": -1})
    assert "max_tokens" not in web.engine.seen["payload"]


def test_pictures_are_passed_on(client: ollama.Client, web: Web) -> None:
    message = {"role": "user", "content": "count=1", "images": [b"\x89PNG\r\n\x1a\n"]}
    client.chat("scripted", messages=[message])
    text, image = web.engine.seen["payload"]["messages"][0]["content"]
    assert text == {"type": "text", "text": "count=1"}
    assert image["image_url"]["url"].startswith("data:image/png;base64,iVBOR")


def test_asking_nothing_is_looking_whether_it_is_there(client: ollama.Client, web: Web) -> None:
    began = web.engine.seen["began"]
    assert client.generate("scripted").done_reason == "load"
    assert client.chat("scripted").done_reason == "load"
    assert web.engine.seen["began"] == began


def test_the_engines_refusal_comes_in_ollamas_shape(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="exceeds the available context") as refused:
        client.chat("scripted", messages=ask("status=400"))
    assert refused.value.status_code == 400
    with pytest.raises(ollama.ResponseError) as broken:
        client.chat("scripted", messages=ask("status=500"))
    assert broken.value.status_code == 502


@pytest.mark.parametrize("order", ["die=2", "garbage=2", "error=2", "end=2"])
def test_an_engine_that_fails_in_the_middle(client: ollama.Client, web: Web, order: str) -> None:
    before, said = len(usage(web)), []
    with pytest.raises(ollama.ResponseError):
        said.extend(client.chat("scripted", messages=ask(f"count=5 {order}"), stream=True))
    with pytest.raises(ollama.ResponseError) as whole:
        client.chat("scripted", messages=ask(f"count=5 {order}"))
    assert whole.value.status_code == 502
    ended = "cancelled" if "garbage" in order else "failed"  # there it is us who do not go on
    until(lambda: [row.status for row in usage(web, before)] == [ended, ended])


def test_who_is_not_let_in(web: Web) -> None:
    bare = httpx.get(f"{web.url}/ollama/api/tags")
    assert bare.status_code == 401 and list(bare.json()) == ["error"]
    with pytest.raises(ollama.ResponseError) as stranger:
        client_of(web, "wrong").chat("scripted", messages=ask("hi"))
    assert stranger.value.status_code == 401


def test_a_key_for_one_deployment_sees_only_that(web: Web) -> None:
    other = deploy(web, "reserved")
    with web.app.app_context():
        from api.extensions import db
        from api.models import User

        admin = db.session.query(User.id).first()[0]  # type: ignore[index]
        db.session.rollback()
        key = things.api_key(admin, ["chat.use", "all.read"], deployments=[other])
        reader = things.api_key(admin, ["models.read"])
    client = client_of(web, key)
    assert [model.model for model in client.list().models] == ["reserved:latest"]
    assert client.chat("reserved", messages=ask("count=1")).message.content == "word0 "
    with pytest.raises(ollama.ResponseError) as hidden:
        client.chat("scripted", messages=ask("hi"))
    assert hidden.value.status_code == 404
    with pytest.raises(ollama.ResponseError) as forbidden:
        client_of(web, reader).list()
    assert forbidden.value.status_code == 403


def test_what_changes_models_is_refused_in_ollamas_shape(client: ollama.Client, web: Web) -> None:
    acts: list[Any] = [
        lambda: client.pull("x"),
        lambda: list(client.pull("x", stream=True)),
        lambda: client.push("x"),
        lambda: client.create("x", from_="scripted"),
        lambda: client.copy("scripted", "x"),
        lambda: client.delete("scripted"),
    ]
    for act in acts:
        with pytest.raises(ollama.ResponseError, match="not changed through Ollama's API") as refused:
            act()
        assert refused.value.status_code == 403
    for name in ("embed", "embeddings"):
        with pytest.raises(ollama.ResponseError, match="no embeddings") as embed:
            getattr(client, name)("scripted", "text")
        assert embed.value.status_code == 400


def test_whoever_hangs_up_ends_the_answer(web: Web, client: ollama.Client) -> None:
    cut = web.engine.seen["cut"]
    stream = client.chat("scripted", messages=ask("count=500 hold=3"), stream=True)
    next(iter(stream))
    stream.close()  # type: ignore[attr-defined]
    until(lambda: web.engine.seen["cut"] > cut)


def test_curl_as_ollamas_documentation_has_it(web: Web) -> None:
    """`curl -d` calls the body a form; Ollama does not look."""
    body = json.dumps({"model": "scripted", "prompt": "count=2"})
    answer = httpx.post(
        f"{web.url}/ollama/api/generate",
        content=body,
        headers={**web.headers, "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["response"] for line in lines] == ["word0 ", "word1 ", ""] and lines[-1]["done"]
    broken = httpx.post(f"{web.url}/ollama/api/generate", content="{", headers=web.headers)
    assert broken.status_code == 400 and list(broken.json()) == ["error"]
    wrong = httpx.post(f"{web.url}/ollama/api/generate", json={"prompt": "x"}, headers=web.headers)
    assert wrong.status_code == 400 and "model" in wrong.json()["error"]
