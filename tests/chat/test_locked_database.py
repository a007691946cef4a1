"""A request that waits for a locked database delays no other: not a read, and not a token."""

import json
import sqlite3
import threading

import httpx

from tests.support.web_process import Web


def test_only_the_writer_waits(web: Web) -> None:
    deployment = web.deployment("scripted")
    lock = sqlite3.connect(web.home / "modelhub.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    answers: list[int] = []
    ended = threading.Event()

    def write() -> None:
        response = httpx.post(
            f"{web.url}/api/v1/chat/sessions",
            json={"deployment_id": deployment},
            headers=web.headers,
            timeout=60,
        )
        answers.append(response.status_code)
        ended.set()

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        with web.client() as client:
            for _ in range(10):
                assert client.get("/healthz").status_code == 200
                assert client.get("/api/v1/chat/sessions").status_code == 200
                assert client.get("/v1/models").status_code == 200
                ended.wait(0.05)
            streamed = {
                "model": "scripted",
                "stream": True,
                "messages": [{"role": "user", "content": "count=20"}],
            }
            with client.stream("POST", "/v1/chat/completions", json=streamed) as response:
                for line in response.iter_lines():
                    chunk = json.loads(line[6:]) if line.startswith("data: {") else {"choices": []}
                    if chunk["choices"] and chunk["choices"][0]["finish_reason"]:
                        break  # every token is here; only the end waits for its record
        assert not answers, "nobody could write while the database was locked"
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    for writer in writers:
        writer.join()
    assert answers == [201, 201, 201]
