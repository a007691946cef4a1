"""What dies in the middle of an answer: the web server, Redis. Nothing is lost and nothing is said twice."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.extensions import db
from api.models import Job
from api.services import jobs
from tests.support.hub_process import ROOT
from tests.support.web_process import Web, frames, until, web_with_engine


@pytest.fixture
def web() -> Iterator[Web]:
    with web_with_engine(worker=True) as running:
        yield running


def ask_until(web: Web, content: str, text: str) -> tuple[str, str, Iterator[Any], contextlib.ExitStack]:
    """Ask and read until the answer is `text`: session, answer, the rest of the stream, what to close."""
    session = web.session()
    client = contextlib.ExitStack()
    response = client.enter_context(
        client.enter_context(web.client()).stream(
            "POST", f"/api/v1/chat/sessions/{session}/messages", json={"content": content, "stream": True}
        )
    )
    reading = frames(response)
    id, said = "", ""
    while said != text:
        name, _, data = next(reading)
        id = data["assistant"]["id"] if name == "message" else id
        said += data["text"] if name == "delta" else ""
    return session, id, reading, client


RECONCILE = """
from api import create_app
from api.services import generations, jobs
with create_app(serves=False).app_context():
    print(generations.reconcile())
    jobs.reconcile()
"""


def reconcile(web: Web) -> int:
    """What beat has done every few seconds, in its own process; how many answers it handed over."""
    done = subprocess.run(
        [sys.executable, "-c", RECONCILE], cwd=ROOT, env=web.environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


def words(count: int) -> str:
    return "".join(f"word{n} " for n in range(count))


def follow(web: Web, message: str, after: int) -> tuple[str, Any]:
    with (
        web.client() as client,
        client.stream("GET", f"/api/v1/chat/generations/{message}/events?after={after}") as response,
    ):
        got = [frame for frame in frames(response) if frame[0] != "ping"]
    return "".join(data["text"] for name, _, data in got if name == "delta"), got[-1][2]


def test_the_web_server_is_killed_in_the_middle(web: Web) -> None:
    """A worker goes on from the journal; a client that comes back with its offset reads on without a seam."""
    _, message, reading, client = ask_until(web, "count=40 hold=5", words(5))
    web.kill("web")
    with pytest.raises(httpx.TransportError):
        list(reading)
    client.close()
    until(lambda: reconcile(web) == 1)
    assert reconcile(web) == 0, "it is handed over once"
    web.engine.open()
    web.start("web")
    text, done = follow(web, message, len(words(5)))
    assert words(5) + text == done["content"] == words(40)
    assert done["status"] == "complete"
    with web.app.app_context():
        job = db.session.scalars(db.select(Job).where(Job.kind == "generation")).one()
        until(lambda: jobs.shape(jobs.find(job.id)).state == "completed" or db.session.rollback())


def test_worker_and_web_are_both_killed(web: Web) -> None:
    """The job's lease runs out and the next worker goes on where the first one was."""
    _, message, _, client = ask_until(web, "count=12 hold=3", words(3))
    client.close()
    web.kill("web")
    began = web.engine.seen["began"]
    until(lambda: reconcile(web) == 1)
    until(lambda: web.engine.seen["began"] > began)
    web.kill("worker")
    web.engine.open()
    web.start("worker")
    web.start("web")
    until(
        lambda: reconcile(web) or web.api("GET", "/jobs?kind=generation")["items"][0]["state"] == "completed"
    )
    text, done = follow(web, message, 0)
    assert text == done["content"] == words(12)


def test_stop_reaches_the_worker(web: Web) -> None:
    """Stop works when another process than the web server writes."""
    _, message, _, client = ask_until(web, "count=9 hold=3", words(3))
    client.close()
    began = web.engine.seen["began"]
    web.kill("web")
    until(lambda: reconcile(web) == 1)
    until(lambda: web.engine.seen["began"] > began)
    web.start("web")
    stopped = until(
        lambda: (
            (found := web.api("POST", f"/chat/generations/{message}/stop"))["status"] != "generating"
            and found
        )
    )
    assert (stopped["status"], stopped["content"]) == ("stopped", words(3))


@pytest.mark.parametrize("back", ["before the end", "after the end"])
def test_redis_is_killed_in_the_middle(web: Web, back: str) -> None:
    """The writer goes on without its journal, the reader gets the rest from the row or from the journal."""
    session, message, reading, client = ask_until(web, "count=30 hold=4", words(4))
    web.kill("redis")
    if back == "before the end":
        web.start("redis")
    web.engine.open()
    rest = [frame for frame in reading if frame[0] != "ping"]
    assert words(4) + "".join(data["text"] for name, _, data in rest if name == "delta") == words(30)
    assert rest[-1][0] == "done"
    assert rest[-1][2]["status"] == "complete"
    client.close()
    if back == "after the end":
        web.start("redis")
    text, done = follow(web, message, 7)
    assert text == words(30)[7:]
    assert web.api("GET", f"/chat/sessions/{session}")["messages"][-1] == done
    assert (
        web.api("POST", f"/chat/sessions/{session}/messages", {"content": "count=1"})["content"] == "word0 "
    )


def test_a_conversation_while_redis_is_away(web: Web) -> None:
    web.kill("redis")
    session = web.session()
    answer = web.api("POST", f"/chat/sessions/{session}/messages", {"content": "count=5"})
    assert (answer["content"], answer["status"]) == (words(5), "complete")
