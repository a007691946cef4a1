"""On a terminal: the conversation, Ctrl-C, questions before deleting, bars."""

import threading
from collections.abc import Callable, Iterator

import pytest

from tests.cli.conftest import Terminal
from tests.cli.screen import Screen
from tests.cli.standin import Asked, Reply, Standin, data, frame
from tests.cli.test_faults import DEPLOYMENT, message

Opens = Callable[..., Screen]


@pytest.fixture
def opens(terminal: Terminal, standin: Standin) -> Iterator[Opens]:
    """Run a command on a terminal of its own, against the stand-in."""
    terminal.is_local(standin.url, "mhl_mine")
    screens: list[Screen] = []

    def open_screen(*words: str) -> Screen:
        screens.append(Screen(terminal.argv(*words), terminal.environment))
        return screens[-1]

    yield open_screen
    for screen in screens:
        screen.close()


class Speaker:
    """Answers a question with itself; one with "long" goes on until it is stopped."""

    def __init__(self, standin: Standin) -> None:
        self.sessions = 0
        self.stopped = threading.Event()
        self.questions: list[tuple[str, str]] = []
        standin.on("GET", "deployments", data({"items": [DEPLOYMENT], "next": None}))
        standin.on("POST", "chat/sessions", self.open)
        standin.on("POST", "chat/generations/a1/stop", self.stop)
        for number in range(1, 4):
            standin.on("POST", f"chat/sessions/s{number}/messages", self.answer)

    def open(self, _: Asked) -> Reply:
        self.sessions += 1
        return data({"id": f"s{self.sessions}"}, status=201)

    def stop(self, _: Asked) -> Reply:
        self.stopped.set()
        return data(message("stopped"))

    def answer(self, asked: Asked) -> Reply:
        self.questions.append((asked.path.split("/")[2], asked.body["content"]))
        return Reply(stream=self.words(asked.body["content"]))

    def words(self, question: str) -> Iterator[bytes]:
        text = f"You said: {question}"
        yield frame("message", {"user": {"id": "q1"}, "assistant": message()})
        yield frame("delta", {"message_id": "a1", "offset": len(text), "text": text})
        if "long" in question:
            self.stopped.wait(60)
        yield frame("done", message("complete", content=text))


def test_a_conversation(opens: Opens, standin: Standin) -> None:
    speaker = Speaker(standin)
    screen = opens("run", "tiny")
    screen.see(">>> ")
    screen.type("Hello\n")
    screen.see("You said: Hello\n>>> ")
    screen.type('"""one\n')
    screen.see("... ")
    screen.type('two"""\n')
    screen.see("You said: one\ntwo\n>>> ")
    screen.type("/clear\n")
    screen.see(">>> ")
    screen.type("/help\n")
    screen.see("/bye")
    screen.see(">>> ")
    screen.type("Again\n")
    screen.see("You said: Again\n>>> ")
    screen.type("/bye\n")
    assert screen.end() == 0
    assert speaker.questions == [("s1", "Hello"), ("s1", "one\ntwo"), ("s2", "Again")]
    assert not any(path.startswith("DELETE") for path in standin.paths()), "a conversation is kept"


def test_ctrl_c_stops_the_answer_and_not_the_conversation(opens: Opens, standin: Standin) -> None:
    speaker = Speaker(standin)
    screen = opens("run", "tiny")
    screen.see(">>> ")
    screen.type("long story\n")
    screen.see("You said: long story")
    screen.interrupt()
    screen.see("Stopped.")
    assert speaker.stopped.is_set()
    screen.see(">>> ")
    screen.interrupt_until("/bye leaves.")
    screen.see(">>> ")
    screen.type("\x04")
    assert screen.end() == 0


def test_ctrl_c_stops_a_single_answer(opens: Opens, standin: Standin) -> None:
    speaker = Speaker(standin)
    screen = opens("run", "tiny", "long", "story")
    screen.see("You said: long story")
    screen.interrupt()
    assert screen.end() == 130
    assert speaker.stopped.is_set()


def download(status: str, done: int, version: int) -> dict:
    return {
        "id": "x1",
        "ref": "org/m",
        "status": status,
        "bytes_done": done,
        "bytes_total": 2_000_000,
        "speed": 1e6,
        "eta": 1.0,
        "message": "",
        "error": None,
        "version": version,
    }


def test_ctrl_c_leaves_a_download_to_the_hub(opens: Opens, standin: Standin) -> None:
    standin.on("POST", "downloads", data(download("pending", 0, 1), status=202))
    standin.on("GET", "downloads/x1", data(download("downloading", 500_000, 2)))
    screen = opens("pull", "org/m")
    screen.see("25 %  500 kB/2.0 MB  1.0 MB/s  1.0 s left")
    screen.interrupt()
    screen.see("the hub goes on with org/m")
    screen.see("modelhub pause x1")
    assert screen.end() == 130
    assert not any(path.endswith(("pause", "cancel")) for path in standin.paths())


@pytest.mark.parametrize(("typed", "deleted"), [("y", 1), ("n", 0), ("", 0)])
def test_deleting_asks_first(opens: Opens, standin: Standin, typed: str, deleted: int) -> None:
    standin.on("GET", "deployments", data({"items": [DEPLOYMENT], "next": None}))
    standin.on("GET", "models", data({"items": [], "next": None}))
    standin.on("DELETE", f"deployments/{DEPLOYMENT['id']}", data({}))
    screen = opens("rm", "tiny")
    screen.see("Delete the deployment tiny (it is running)? [y/N]")
    screen.type(f"{typed}\n")
    assert screen.end() == 0
    assert sum(path.startswith("DELETE") for path in standin.paths()) == deleted


def test_the_password_is_asked_for_and_not_shown(opens: Opens, standin: Standin) -> None:
    user = {"id": "u", "email": "me@localhost", "name": "", "role": "admin"}
    answer = data(
        {"access_token": "a", "expires_in": 900, "user": user},
        headers={"Set-Cookie": "mh_refresh=r; HttpOnly; Path=/api/v1/auth"},
    )
    standin.on("POST", "auth/login", answer)
    screen = opens("login", standin.url)
    screen.see("E-mail: ")
    screen.type("me@localhost\n")
    screen.see("Password: ")
    screen.type("open sesame\n")
    screen.see("Signed in")
    assert screen.end() == 0
    assert standin.asked[-1].body == {"email": "me@localhost", "password": "open sesame"}
    assert "sesame" not in screen.seen
