"""Ollama's words and OpenAI's: what no scripted engine says, told by hand."""

import pytest

from api.schemas.ollama_api import OllamaChatRequest, OllamaGenerateRequest
from api.services.ollama_dialect import Spoken, Thoughts, chat_request, generate_request


@pytest.mark.parametrize(
    ("pieces", "thinking", "said"),
    [
        (["Hello", " you"], "", "Hello you"),
        (["<think>", "so", "</think>", "\n\nYes"], "so", "Yes"),
        (["<", "thi", "nk>\nso ", "be", " it</th", "ink>\n", "Yes"], "so be it", "Yes"),
        (["  <think>a</think>b"], "a", "b"),
        (["<thing>"], "", "<thing>"),
        (["<"], "", "<"),
        (["<think>never", " ends</thin"], "never ends</thin", ""),
        (["no <think> inside</think>"], "", "no <think> inside</think>"),
    ],
)
def test_thoughts_are_split_from_the_answer(pieces: list[str], thinking: str, said: str) -> None:
    thoughts = Thoughts()
    told = [thoughts.take(piece) for piece in pieces] + [thoughts.rest()]
    assert ("".join(each[0] for each in told), "".join(each[1] for each in told)) == (thinking, said)


def chunk(delta: dict[str, object], reason: str | None = None) -> dict[str, object]:
    return {"choices": [{"delta": delta, "finish_reason": reason}]}


def test_tool_calls_are_gathered_and_told_whole() -> None:
    spoken = Spoken("m", generate=False)
    assert spoken.take(chunk({"reasoning_content": "hm"}))["message"]["thinking"] == "hm"  # type: ignore[index]
    first = {"index": 0, "id": "a", "function": {"name": "weather", "arguments": '{"ci'}}
    assert spoken.take(chunk({"tool_calls": [first]})) is None
    assert (
        spoken.take(chunk({"tool_calls": [{"index": 0, "function": {"arguments": 'ty": "Bern"}'}}]})) is None
    )
    spoken.take(chunk({}, "tool_calls"))
    called, last = spoken.last()
    call = {"function": {"name": "weather", "arguments": {"city": "Bern"}}}
    assert called["message"]["tool_calls"] == [call] and last["done_reason"] == "stop"
    assert spoken.whole([called, last])["message"] == {
        "role": "assistant",
        "content": "",
        "tool_calls": [call],
    }


def test_results_of_tools_find_their_calls() -> None:
    call = {"function": {"name": "weather", "arguments": {"city": "Bern"}}}
    messages = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "tool_calls": [call, {"function": {"name": "time"}}]},
        {"role": "tool", "tool_name": "time", "content": "noon"},
        {"role": "tool", "tool_name": "weather", "content": "rain"},
    ]
    said = chat_request(OllamaChatRequest(model="m", messages=messages, tools=[{"type": "function"}]))
    calls = said["messages"][1]["tool_calls"]
    assert calls[0]["function"] == {"name": "weather", "arguments": '{"city": "Bern"}'}
    assert [m["tool_call_id"] for m in said["messages"][2:]] == [calls[1]["id"], calls[0]["id"]]
    assert said["tools"] == [{"type": "function"}]


def test_a_schema_and_a_level_of_thinking() -> None:
    schema = {"type": "object"}
    body = OllamaGenerateRequest(model="m", prompt="x", format=schema, think="high", template="ignored")
    as_chat, payload = generate_request(body)
    assert as_chat and payload["response_format"]["json_schema"]["schema"] == schema
    assert payload["reasoning_effort"] == "high" and payload["chat_template_kwargs"] == {
        "enable_thinking": True
    }
    assert "template" not in payload


def test_an_answer_that_was_cut_says_length() -> None:
    spoken = Spoken("m", generate=True)
    assert spoken.take(chunk({"content": "Hi"}))["response"] == "Hi"  # type: ignore[index]
    spoken.take(chunk({}, "length"))
    assert spoken.take({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}) is None
    (last,) = spoken.last()
    assert (last["done_reason"], last["prompt_eval_count"], last["eval_count"]) == ("length", 3, 1)
