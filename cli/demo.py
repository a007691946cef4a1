"""The demonstration: from nothing to three right answers, each step told with its time."""

import json
import time
from pathlib import Path
from typing import Any

from cli import chat, console, deployments, downloads, naming, own_hub, text
from cli.hub import Hub

REF = f"{downloads.STARTER_PREFIX}starter"
QUESTIONS = own_hub.ROOT / "training" / "corpus" / "demo.json"


class Steps:
    """Says what happens, one numbered line a step, or JSON lines."""

    def __init__(self, as_json: bool) -> None:
        self.json = as_json
        self._number = 0
        self._began = self._step_began = time.monotonic()

    def begin(self) -> None:
        self._step_began = time.monotonic()

    def done(self, step: str, words: str, **facts: Any) -> None:
        seconds = round(time.monotonic() - self._step_began, 3)
        self._number += 1
        if self.json:
            console.line({"step": step, "seconds": seconds, "message": words, **facts})
            return
        out = console.stdout()
        out.print(f"[bold cyan]{self._number}[/bold cyan]  ", end="")
        out.print(text.safe(words), markup=False, end="")
        out.print(f"  [dim]{text.duration(seconds)}[/dim]")

    @property
    def total(self) -> float:
        return time.monotonic() - self._began


def own(steps: Steps, home: Path) -> own_hub.Started:
    """A hub for the demonstration alone, on a free port."""
    steps.begin()
    started = own_hub.start(home, MODELHUB_PORT=0)
    email, password = started.sign_in or (None, None)
    facts = {"url": started.url, "email": email, "password": password} if password else {"url": started.url}
    steps.done("hub", f"Started a hub at {started.url} with its data in {home}", **facts)
    if password and not steps.json:
        console.say(f"   First start: sign in to the console as {email} with {password} (shown this once)")
    return started


def show(hub: Hub, steps: Steps) -> bool:
    """All of it on a hub that runs; whether every answer was right."""
    deployment = _deployed(hub, _model(hub, steps), steps)
    questions = json.loads(QUESTIONS.read_text(encoding="utf-8"))
    right = sum(_ask(hub, deployment, item["question"], item["expect"], steps) for item in questions)
    words = f"{right} of {len(questions)} answers right, {text.duration(steps.total)} in all."
    if steps.json:
        console.line(
            {"step": "end", "seconds": round(steps.total, 3), "right": right, "asked": len(questions)}
        )
    else:
        console.say(f"\n{words}", "bold green" if right == len(questions) else "bold red")
    return right == len(questions)


def _model(hub: Hub, steps: Steps) -> naming.Found:
    steps.begin()
    have = [item for item in naming.models(hub) if item["source"] == "starter" and item["ref"] == REF]
    if have:
        steps.done("model", f"{REF} is in the library: {_size(have[0])}", model=have[0], reused=True)
        return have[0]
    download = downloads.start(hub, REF, "starter", None, [], [])
    done = downloads.follow(hub, download, as_json=False)
    model = dict(hub.get(f"models/{done['model_id']}"))
    steps.done("model", f"Made {REF} on this machine: {_size(model)}", model=model, reused=False)
    return model


def _size(model: naming.Found) -> str:
    return f"{text.count(model['parameters'])} parameters, {text.size(model['size'])}"


def _deployed(hub: Hub, model: naming.Found, steps: Steps) -> naming.Found:
    steps.begin()
    own = [item for item in naming.deployments(hub) if item["model_id"] == model["id"]]
    running = [item for item in own if item["status"] == "running"]
    if running:
        steps.done(
            "deployment", f"{running[0]['name']} is already running", deployment=running[0], reused=True
        )
        return running[0]
    begun = own[0] if own else deployments.create(hub, model, None, "process", {})
    ready = deployments.ready(hub, begun, quiet=steps.json)
    steps.done(
        "deployment", f"Deployed it as {ready['name']} ({ready['engine']})", deployment=ready, reused=False
    )
    return ready


def _ask(hub: Hub, deployment: naming.Found, question: str, expected: list[str], steps: Steps) -> bool:
    """One question in a conversation of its own, at temperature 0 so that it can be repeated."""
    session = chat.open_session(hub, deployment, None, {"temperature": 0}, "modelhub demo")
    try:
        steps.begin()
        answer = chat.Answer(hub, deployment, session["id"], question)
        words = _spoken(answer, question, steps)
        missing = missing_phrases(words, expected)
        facts = {"question": question, "answer": words, "missing": missing, "message_record": answer.message}
        said = (
            f"Right: {chat.figures(answer.message or {})}" if not missing else f"Wrong: not said: {missing}"
        )
        steps.done("question", said, right=not missing, **facts)
        return not missing
    finally:
        hub.delete(f"chat/sessions/{session['id']}")


def _spoken(answer: chat.Answer, question: str, steps: Steps) -> str:
    """The whole answer; for a person, printed as it comes."""
    if steps.json:
        return "".join(answer)
    out, pieces = console.stdout(), []
    console.say(f"\n   {question}", "bold")
    out.print("   ", end="")
    for piece in answer:
        pieces.append(piece)
        out.print(text.safe(piece).replace("\n", "\n   "), end="", markup=False)
        out.file.flush()
    out.print()
    return "".join(pieces)


def missing_phrases(answer: str, expected: list[str]) -> list[str]:
    """Those not said; letter case and spacing do not matter."""
    said = " ".join(answer.casefold().split())
    return [phrase for phrase in expected if " ".join(phrase.casefold().split()) not in said]
