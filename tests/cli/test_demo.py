"""`make demo`: the built-in model is made, deployed and right, with its own hub and with one that runs."""

import json

import pytest

from cli.demo import QUESTIONS, missing_phrases
from tests.cli.conftest import Terminal


def test_an_answer_is_judged_by_what_it_says() -> None:
    assert missing_phrases("Type  Modelhub\nPULL now.", ["modelhub pull"]) == []
    assert missing_phrases("Type modelhub.", ["modelhub pull", "type"]) == ["modelhub pull"]
    questions = json.loads(QUESTIONS.read_text(encoding="utf-8"))
    assert len(questions) == 3
    assert all(item["question"] and item["expect"] for item in questions)


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(1200)
def test_the_demonstration(terminal: Terminal) -> None:
    """Once from nothing, once more with the model there, and once on a hub that runs already."""
    first = terminal.run("demo", "--json", timeout=900)
    assert first.code == 0, first.out + first.err
    steps = [line["step"] for line in first.lines]
    assert steps == ["hub", "model", "deployment", "question", "question", "question", "end"]
    assert first.lines[0]["password"], "a first start tells the password, here too"
    assert first.lines[-1]["right"] == 3
    assert terminal.run("list").code == 4, "its hub is stopped"

    again = terminal.run("demo", timeout=300)
    assert again.code == 0, again.out + again.err
    assert "3 of 3 answers right" in again.out

    started = terminal.run("up", "-d", "--port", "0", "--json")
    assert started.code == 0, started.err
    try:
        here = terminal.run("demo", "--json", timeout=300)
        assert here.code == 0, here.out + here.err
        assert here.lines[0]["url"] == started.json["url"]
        assert terminal.run("list").code == 0, "a hub that ran before runs on"
    finally:
        terminal.run("down")
