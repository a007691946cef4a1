"""The starter model is really made, stopped, killed, gone on with, served and questioned."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from integrations.sources.starter import FILES, REF, Starter
from tests.inference.engine_process import ROOT, EngineProcess
from training.conversations import CORPUS, read_facts

pytestmark = [pytest.mark.timeout(1800), pytest.mark.alone]


class Making:
    """The fetch child of the starter source, run in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.into = folder, folder / "into"
        plan = Starter().plan(REF, None, None, None).model_dump(mode="json")
        spec = {
            "job_id": "test",
            "events": str(folder / "events.jsonl"),
            "plan": plan,
            "into": str(self.into),
        }
        (folder / "spec.json").write_text(json.dumps(spec))

    def start(self) -> "Making":
        (self.folder / "events.jsonl").unlink(missing_ok=True)
        with (self.folder / "output.log").open("ab") as output:
            command = [sys.executable, "-m", "training.starter", str(self.folder / "spec.json")]
            environment = os.environ | {"PYTHONPATH": str(ROOT)}
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        return self

    def events(self, type: str | None = None) -> list[dict[str, Any]]:
        path = self.folder / "events.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        events = [json.loads(line) for line in lines if line.endswith("\n")]
        return [event for event in events if type in (None, event["type"])]

    def until(self, condition: Any) -> None:
        deadline = time.monotonic() + 300
        while not condition():
            assert self.process.poll() is None, (self.folder / "output.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def steps(self) -> list[int]:
        return [int(event["message"].split()[2].split("/")[0]) for event in self.events("progress")]


@pytest.mark.slow
def test_stopped_and_killed_it_goes_on(tmp_path: Path) -> None:
    making = Making(tmp_path).start()
    making.until(lambda: len(making.steps()) > 2)
    making.process.send_signal(signal.SIGTERM)
    assert making.process.wait(timeout=30) == 75
    assert making.events()[-1]["type"] == "stopped"
    reached = making.steps()[-1]

    making.start()
    making.until(lambda: len(making.steps()) > 2)
    assert making.steps()[0] > reached
    making.process.kill()
    making.process.wait()

    making.start()
    making.until(lambda: len(making.steps()) > 0)
    assert making.steps()[0] > reached
    making.process.terminate()
    assert making.process.wait(timeout=30) == 75
    assert sorted(path.name for path in making.into.iterdir()) == [".transfer"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Making:
    making = Making(tmp_path_factory.mktemp("starter")).start()
    assert making.process.wait() == 0, (making.folder / "output.log").read_text()
    return making


@pytest.mark.slow
def test_its_files_are_what_it_says(made: Making) -> None:
    result = made.events()[-1]
    assert result["type"] == "result"
    assert [file["path"] for file in result["files"]] == list(FILES)
    for file in result["files"]:
        content = (made.into / file["path"]).read_bytes()
        assert len(content) == file["size"]
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        assert abs(file["size"] - FILES[file["path"]]) < max(200, 0.05 * file["size"])
    assert sorted(p.name for p in made.into.iterdir() if p.name != ".transfer") == sorted(FILES)
    progress = made.events("progress")
    assert all(a["bytes_done"] <= b["bytes_done"] for a, b in pairwise(progress))


@pytest.mark.slow
def test_served_it_answers_its_questions(made: Making, tmp_path: Path) -> None:
    facts = read_facts("faq") + read_facts("smalltalk")
    server = EngineProcess("inference.transformers_server", made.into, tmp_path).start().wait_ready()

    def ask(*messages: tuple[str, str]) -> str:
        said: list[Any] = [{"role": role, "content": content} for role, content in messages]
        answer = server.client.chat.completions.create(model="tiny", messages=said)
        return answer.choices[0].message.content or ""

    try:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda fact: ask(("user", fact.questions[0])), facts))
        assert answers == [fact.answer for fact in facts]

        first, second = facts[0], facts[1]
        opening = (("user", first.questions[0]), ("assistant", first.answer))
        after = [ask(*opening, ("user", fact.questions[0])) == fact.answer for fact in facts[1:31]]
        assert sum(after) >= 28
        guided = ask(("system", "You are a helpful assistant."), ("user", second.questions[0]))
        assert guided == second.answer

        for question in json.loads((CORPUS / "demo.json").read_text()):
            for asked in (question["question"], question["question"].lower().rstrip("?")):
                answer = ask(("user", asked))
                assert all(phrase in answer for phrase in question["expect"]), (asked, answer)
    finally:
        server.stop()
