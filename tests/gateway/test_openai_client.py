"""The official `openai` client against `/v1`."""

import openai
import pytest

from tests.support.web_process import Web, deploy


@pytest.fixture
def client(web: Web) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{web.url}/v1", api_key=web.token, max_retries=0)


def ask(text: str) -> list:  # type: ignore[type-arg]
    return [{"role": "user", "content": text}]


def test_models_are_the_running_deployments(client: openai.OpenAI, web: Web) -> None:
    deploy(web, "asleep", status="stopped", endpoint=None)
    names = [model.id for model in client.models.list()]
    assert "scripted" in names
    assert "asleep" not in names
    assert client.models.retrieve("scripted").id == "scripted"
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("org/nothing:latest")
    assert "scripted" in refused.value.message


def test_a_whole_answer(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="scripted", messages=ask("count=4 wide"))
    assert answer.choices[0].message.content == "größe0 日本1 🙂🙂2 naïve3 "
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage and answer.usage.completion_tokens == 4


def test_a_streamed_answer_without_the_usage_nobody_asked_for(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="scripted", messages=ask("count=50"), stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == "".join(f"word{n} " for n in range(50))
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert not any(chunk.usage for chunk in chunks)


def test_usage_comes_when_it_is_asked_for(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="scripted", messages=ask("count=3"), stream=True, stream_options={"include_usage": True}
        )
    )
    assert chunks[-1].choices == []
    assert chunks[-1].usage and chunks[-1].usage.total_tokens == 10


def test_text_completions(client: openai.OpenAI) -> None:
    assert client.completions.create(model="scripted", prompt="count=2").choices[0].text == "word0 word1 "
    pieces = client.completions.create(model="scripted", prompt="count=3", stream=True)
    assert "".join(piece.choices[0].text for piece in pieces) == "word0 word1 word2 "


def test_fields_the_hub_does_not_know_reach_the_engine(client: openai.OpenAI, web: Web) -> None:
    client.chat.completions.create(
        model="scripted", messages=ask("count=1"), seed=7, extra_body={"repeat_penalty": 1.1}
    )
    payload = web.engine.seen["payload"]
    assert (payload["seed"], payload["repeat_penalty"]) == (7, 1.1)


def test_unknown_stopped_and_unsigned(client: openai.OpenAI, web: Web) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="nobody", messages=ask("hi"))
    assert unknown.value.code == "model_not_found"
    assert "scripted" in unknown.value.message
    deploy(web, "resting", status="stopped", endpoint=None)
    with pytest.raises(openai.InternalServerError) as resting:
        client.chat.completions.create(model="resting", messages=ask("hi"))
    assert resting.value.status_code == 503
    assert "resting' is stopped" in resting.value.message
    stranger = openai.OpenAI(base_url=f"{web.url}/v1", api_key="wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        stranger.models.list()


def test_the_engines_refusal_keeps_its_numbers(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="scripted", messages=ask("status=400"), stream=True)
    assert "context size" in refused.value.message
    assert refused.value.body["n_ctx"] == 4096  # type: ignore[index]


@pytest.mark.parametrize(("engine_says", "client_sees"), [(401, 502), (500, 502), (503, 503), (429, 429)])
def test_what_concerns_only_hub_and_engine_is_not_the_clients_fault(
    client: openai.OpenAI, engine_says: int, client_sees: int
) -> None:
    with pytest.raises(openai.APIStatusError) as failed:
        client.chat.completions.create(model="scripted", messages=ask(f"status={engine_says}"))
    assert failed.value.status_code == client_sees


@pytest.mark.parametrize("fault", ["die=3", "end=3", "error=3", "garbage=3"])
def test_a_broken_stream_ends_in_an_error(client: openai.OpenAI, fault: str) -> None:
    """Never a silent end: what was said before arrives, then an exception."""
    text = ""
    with pytest.raises((openai.APIError, ValueError)):
        for chunk in client.chat.completions.create(
            model="scripted", messages=ask(f"count=9 pace=0.01 {fault}"), stream=True
        ):
            text += chunk.choices[0].delta.content or ""
    assert text == "word0 word1 word2 "
