"""What every engine promises, asked through the official OpenAI client."""

import json
import re
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

from tests.inference.engine_process import KEY, EngineProcess

HELLO: list[Any] = [{"role": "user", "content": "hello"}]


def greedy(engine: EngineProcess, messages: list[Any] = HELLO, **options: Any) -> Any:
    return engine.client.chat.completions.create(
        model="tiny", messages=messages, temperature=0, **{"max_tokens": 24, **options}
    )


def test_whole_answer(engine: EngineProcess) -> None:
    answer = greedy(engine)
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 24
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 24
    assert answer.model == "tiny"


def test_stream_is_the_same_text_in_pieces(engine: EngineProcess) -> None:
    whole = greedy(engine)
    chunks = list(greedy(engine, stream=True, stream_options={"include_usage": True}))
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces) == whole.choices[0].message.content
    assert len([piece for piece in pieces if piece]) > 5
    assert chunks[-1].usage.completion_tokens == 24
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "length"


def test_eight_at_a_time_agree_with_one_alone(engine: EngineProcess) -> None:
    questions = [[{"role": "user", "content": f"question number {n}"}] for n in range(8)]
    alone = [greedy(engine, question).choices[0].message.content for question in questions]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda q: greedy(engine, q).choices[0].message.content, questions))
    assert together == alone
    assert len(set(alone)) > 1


def test_sampling_with_a_seed_repeats_and_without_varies(engine: EngineProcess) -> None:
    def sample(seed: int | None) -> str:
        answer = engine.client.chat.completions.create(
            model="tiny", messages=HELLO, temperature=1.5, max_tokens=24, seed=seed
        )
        return answer.choices[0].message.content or ""

    assert sample(7) == sample(7)
    assert len({sample(n) for n in (1, 2, 3)}) > 1


def test_stop_string_ends_the_answer_before_it(engine: EngineProcess) -> None:
    whole = greedy(engine).choices[0].message.content
    found = re.search("[a-z]{2}", whole[3:])  # random weights also write bytes that are no text
    assert found, whole
    stop = found[0]
    answer = greedy(engine, stop=[stop])
    assert answer.choices[0].message.content == whole[: whole.index(stop)]
    assert answer.choices[0].finish_reason == "stop"
    pieces = [c.choices[0].delta.content or "" for c in greedy(engine, stop=stop, stream=True) if c.choices]
    assert "".join(pieces) == whole[: whole.index(stop)]


def test_last_assistant_message_is_continued(engine: EngineProcess) -> None:
    whole = greedy(engine)
    text = whole.choices[0].message.content
    begun = [*HELLO, {"role": "assistant", "content": "The quick brown"}]
    chunks = list(greedy(engine, begun, stream=True, stream_options={"include_usage": True}))
    rest = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert not rest.startswith("The quick")
    assert chunks[-1].usage.prompt_tokens > whole.usage.prompt_tokens
    assert rest != text


def test_plain_completion(engine: EngineProcess) -> None:
    answer = engine.client.completions.create(model="tiny", prompt="The quick", max_tokens=5, temperature=0)
    assert answer.choices[0].text
    assert answer.usage and answer.usage.completion_tokens == 5
    streamed = engine.client.completions.create(
        model="tiny", prompt="The quick", max_tokens=5, temperature=0, stream=True
    )
    assert "".join(c.choices[0].text for c in streamed if c.choices) == answer.choices[0].text


def test_too_long_a_prompt_is_refused_with_numbers(engine: EngineProcess) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        greedy(engine, [{"role": "user", "content": "The quick brown fox. " * 300}])
    assert "512" in str(caught.value)


def test_answer_ends_at_the_context(engine: EngineProcess) -> None:
    prompt = "The quick brown fox jumps over the lazy dog; " * 9
    answer = greedy(engine, [{"role": "user", "content": prompt}], max_tokens=4000)
    assert answer.choices[0].finish_reason in ("length", "stop")
    assert answer.usage.total_tokens <= 512


@pytest.mark.parametrize("key", [None, "wrong"])
def test_key_is_required(engine: EngineProcess, key: str | None) -> None:
    request = urllib.request.Request(
        f"{engine.url}/v1/chat/completions", b"{}", {"Content-Type": "application/json"}
    )
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    assert caught.value.code == 401
    assert json.load(caught.value)["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"{not json",
        b"[]",
        b"{}",
        b'{"messages": 3}',
        b'{"messages": [{"role": "user"}], "max_tokens": "many"}',
    ],
)
def test_malformed_bodies_are_the_clients_fault(engine: EngineProcess, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{engine.url}/v1/chat/completions", body, headers)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    assert caught.value.code == 400, caught.value.read()
    assert json.load(caught.value)["error"]["message"]


def test_models_lists_the_name(engine: EngineProcess) -> None:
    assert [model.id for model in engine.client.models.list()] == ["tiny"]


def test_a_client_that_goes_away_frees_the_engine(engine: EngineProcess) -> None:
    stream = greedy(engine, stream=True, max_tokens=450)
    next(iter(stream))
    stream.close()
    name = (
        "modelhub_engine_requests_running"
        if "transformers" in engine.module
        else "llamacpp:requests_processing"
    )
    deadline = time.monotonic() + 10
    while engine.metric(name) > 0:
        assert time.monotonic() < deadline, "the generation goes on without its client"
        time.sleep(0.05)


def test_text_in_any_script_survives(engine: EngineProcess) -> None:
    text = "¡Grüße, 世界! 🦙🦙 नमस्ते"
    answer = greedy(engine, [{"role": "user", "content": text}])
    assert answer.usage.prompt_tokens > 10
