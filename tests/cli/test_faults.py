"""What the command line does when the hub misbehaves, disappears, or is somebody else."""

import os
import socket
import subprocess

import pytest

from tests.cli.conftest import Terminal
from tests.cli.standin import Asked, Reply, Standin, data, problem, sse

TEXT = "Zwei\u2028Zeilen, and a smile 🙂."
DEPLOYMENT = {
    "id": "d" * 26,
    "name": "tiny",
    "model_id": "m" * 26,
    "model_name": "org/tiny",
    "status": "running",
    "version": 1,
}


def message(status: str = "generating", **more: object) -> dict:
    return {"id": "a1", "role": "assistant", "content": "", "status": status, "error": None, **more}


@pytest.fixture
def talking(terminal: Terminal, standin: Standin) -> Standin:
    """A hub with one running deployment; the test says how it answers."""
    terminal.is_local(standin.url, "mhl_mine")
    standin.on("GET", "deployments", data({"items": [DEPLOYMENT], "next": None}))
    standin.on("POST", "chat/sessions", data({"id": "s1"}, status=201))
    standin.on("DELETE", "chat/sessions/s1", data({}))
    return standin


def delta(start: int, end: int) -> tuple[str, dict]:
    return "delta", {"message_id": "a1", "offset": end, "text": TEXT[start:end]}


def begun() -> tuple[str, dict]:
    return "message", {"user": {"id": "q1"}, "assistant": message()}


def test_a_cut_answer_goes_on_where_it_stopped(terminal: Terminal, talking: Standin) -> None:
    talking.on("POST", "chat/sessions/s1/messages", sse(begun(), delta(0, 5), cut=True))

    def attach(asked: Asked) -> Reply:
        after = int(asked.query.get("after", 0))
        if after == 5:
            return sse(delta(5, 9), cut=True)
        return sse(delta(after, len(TEXT)), ("done", message("complete", content=TEXT)))

    talking.on("GET", "chat/generations/a1/events", attach)
    done = terminal.run("run", "tiny", "Hello", "--json")
    assert done.code == 0, done.err
    pieces = [line["text"] for line in done.lines if line["type"] == "delta"]
    assert "".join(pieces) == TEXT
    assert done.lines[-1]["message"]["content"] == TEXT
    assert talking.paths()[-1] == "DELETE chat/sessions/s1"


def test_a_failed_answer_is_an_error_with_its_reason(terminal: Terminal, talking: Standin) -> None:
    failed = message("failed", error={"code": "UPSTREAM_UNREACHABLE", "message": "The engine is gone."})
    talking.on("POST", "chat/sessions/s1/messages", sse(begun(), ("done", failed)))
    done = terminal.run("run", "tiny", "Hello", "--json")
    assert done.code == 1
    assert done.problem["error"] == "UPSTREAM_UNREACHABLE"
    assert done.problem["message"] == "The engine is gone."


def test_a_question_is_put_again_when_the_hub_brings_the_engine_back(
    terminal: Terminal, talking: Standin
) -> None:
    gone = ("error", {"code": "UPSTREAM_UNREACHABLE", "message": "The engine cannot be reached."})
    whole = (begun(), delta(0, len(TEXT)), ("done", message("complete", content=TEXT)))
    answers = [sse(begun(), gone), sse(*whole)]
    states = ["running", "deploying", "deploying", "running"]
    talking.on("POST", "chat/sessions/s1/messages", lambda _: answers.pop(0))
    path = f"deployments/{DEPLOYMENT['id']}"
    found = [data({**DEPLOYMENT, "status": status, "version": 1 + n}) for n, status in enumerate(states)]
    talking.on("GET", path, lambda _: found.pop(0))
    done = terminal.run("run", "tiny", "Hello", "--json")
    assert done.code == 0, done.err
    assert "".join(line["text"] for line in done.lines[:-1]) == TEXT
    assert talking.paths().count("POST chat/sessions/s1/messages") == 2


def test_an_engine_that_is_stopped_is_not_waited_for(terminal: Terminal, talking: Standin) -> None:
    talking.on("POST", "chat/sessions/s1/messages", problem(503, "UNAVAILABLE", "'tiny' is stopped."))
    talking.on("GET", f"deployments/{DEPLOYMENT['id']}", data({**DEPLOYMENT, "status": "stopped"}))
    done = terminal.run("run", "tiny", "Hello")
    assert (done.code, done.err) == (1, "Error: 'tiny' is stopped.\n")


def test_escape_sequences_of_a_model_do_not_reach_a_terminal() -> None:
    from cli.text import safe

    assert safe("a\x1b[2Jb\x1b]0;title\x07c\x1b]52;c;Zm9v\x1b\\d\x9be\x00\tf\n\x1b") == "abcde\tf\n"


def test_nobody_there(terminal: Terminal) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    done = terminal.run("list", "--hub", url)
    assert done.code == 4
    todo = "Start it with `make up` or `modelhub up`, or name another with --hub URL."
    assert done.err == f"Error: No hub answers at {url}. {todo}\n"


@pytest.mark.parametrize("address", ["http://[::1", "ftp://x", "http://a b", "http://127.0.0.1:99999", "://"])
def test_not_an_address(terminal: Terminal, address: str) -> None:
    done = terminal.run("list", "--hub", address)
    assert done.code in (2, 4), done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(raw=b"<html>502 Bad Gateway</html>", status=502), "starting, stopping or broken"),
        (Reply(raw=b"<html>AirPlay</html>", status=403), "is not a ModelHub"),
        (Reply(raw=b"<html>hello</html>"), "is not a ModelHub"),
        (Reply(["not", "an", "envelope"]), "is not a ModelHub"),
        (Reply(raw=b'{"success": tr', cut=True), "broke off"),
    ],
)
def test_strange_answers(terminal: Terminal, standin: Standin, reply: Reply, words: str) -> None:
    standin.on("GET", "models", reply)
    done = terminal.run("list", "--hub", standin.url)
    assert done.code == 4
    assert words in done.err
    assert len(done.err.splitlines()) == 1


def test_the_hubs_own_words_are_said(terminal: Terminal, standin: Standin) -> None:
    standin.on(
        "POST", "downloads", problem(422, "INVALID_REF", "'../x' is not a ref. Give one like org/name.")
    )
    done = terminal.run("pull", "../x", "--hub", standin.url)
    assert (done.code, done.out) == (1, "")
    assert done.err == "Error: '../x' is not a ref. Give one like org/name.\n"


def test_refused_fields_are_named(terminal: Terminal, standin: Standin) -> None:
    details = {"errors": [{"loc": ["body", "name"], "msg": "String too long", "type": "x"}]}
    body = {
        "success": False,
        "message": "Some fields are wrong.",
        "error": "VALIDATION_FAILED",
        "details": details,
    }
    standin.on("GET", "search", Reply(body, 422))
    done = terminal.run("search", "x", "--hub", standin.url)
    assert done.err == "Error: Some fields are wrong. (name: String too long)\n"


def test_options_may_stand_before_the_command(terminal: Terminal, standin: Standin) -> None:
    standin.on("GET", "models", data({"items": [], "next": None}))
    assert terminal.run("--hub", standin.url, "--json", "list").json == {"items": []}


def test_a_list_of_many_pages_is_whole(terminal: Terminal, standin: Standin) -> None:
    def page(asked: Asked) -> Reply:
        number = int(asked.query.get("after", 0))
        job = {"id": f"{number:026}", "kind": "download", "state": "completed"}
        return data({"items": [job], "next": str(number + 1) if number < 4 else None})

    standin.on("GET", "jobs", page)
    found = terminal.run("jobs", "--json", "--hub", standin.url).json["items"]
    assert [int(job["id"]) for job in found] == [0, 1, 2, 3, 4]


def test_the_tab_key_knows_the_names(terminal: Terminal, standin: Standin) -> None:
    standin.on("GET", "deployments", data({"items": [DEPLOYMENT], "next": None}))
    typed = {"_MODELHUB_COMPLETE": "bash_complete", "COMP_WORDS": "modelhub stop t", "COMP_CWORD": "2"}
    assert terminal.run(MODELHUB_URL=standin.url, **typed).out == "plain,tiny\n"
    assert terminal.run(MODELHUB_URL="http://127.0.0.1:1", **typed).out.strip() == ""


def test_too_many_requests_are_tried_again(terminal: Terminal, standin: Standin) -> None:
    replies = [problem(429, "RATE_LIMITED", headers={"Retry-After": "0"}), data({"items": [], "next": None})]
    standin.on("GET", "models", lambda _: replies.pop(0))
    assert terminal.run("list", "--hub", standin.url).code == 0
    assert standin.paths() == ["GET models"] * 2


def test_watching_a_pull_outlasts_a_hub_that_restarts(terminal: Terminal, standin: Standin) -> None:
    def download(status: str, done: int, version: int) -> dict:
        more = {"speed": 10.0, "eta": 5.0, "message": "", "error": None, "model_id": "m1"}
        return {
            "id": "x1",
            "ref": "org/m",
            "status": status,
            "bytes_done": done,
            "bytes_total": 100,
            **more,
        } | {"version": version}

    replies = [
        data(download("downloading", 10, 1)),
        Reply(raw=b"", cut=True),
        Reply(raw=b"Bad Gateway", status=502),
        data(download("completed", 100, 2)),
    ]
    standin.on("POST", "downloads", data(download("pending", 0, 0), status=202))
    standin.on("GET", "downloads/x1", lambda _: replies.pop(0))
    done = terminal.run("pull", "org/m", "--json", "--hub", standin.url)
    assert done.code == 0, done.err
    assert [line["status"] for line in done.lines][-1] == "completed"


@pytest.mark.parametrize("status", ["paused", "cancelled", "failed"])
def test_a_pull_that_does_not_arrive_fails(terminal: Terminal, standin: Standin, status: str) -> None:
    found = {"id": "x1", "ref": "org/m", "status": status, "bytes_done": 1, "bytes_total": 100, "version": 1}
    found |= {"message": "", "error": {"code": "CHECKSUM_MISMATCH", "message": "Wrong bytes.", "details": {}}}
    standin.on("POST", "downloads", data({**found, "status": "pending"}))
    standin.on("GET", "downloads/x1", data(found))
    done = terminal.run("pull", "org/m", "--hub", standin.url)
    assert done.code == 1
    assert {"paused": "modelhub resume x1", "cancelled": "cancelled", "failed": "Wrong bytes."}[
        status
    ] in done.err


def test_a_pipe_that_closed_is_quiet(terminal: Terminal, standin: Standin) -> None:
    standin.on("GET", "deployments", data({"items": [], "next": None}))
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        terminal.argv("ps", "--json", "--hub", standin.url),
        env=terminal.environment,
        stdout=writing,
        stderr=subprocess.PIPE,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")
