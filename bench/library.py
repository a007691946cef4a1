"""What a large library costs: lists, filters and searches over HTTP with 200 models and with 20,000.

`python -m bench.library [--rounds N] [--database URL] [--write]`. Two whole hubs, the same questions to both
in turns, so that a busy moment of the machine meets both alike. The models are rows: no list looks at a file.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import create_engine, insert, text

from api.config import Settings
from api.models import HubModel, ModelTag, ModelVersion
from api.models.base import new_id, utcnow
from bench import results
from tests.support.hub_process import EMAIL, PASSWORD, Hub, start_hub

SIZES = (200, 20_000)
MANY_FILES, EVERY = 5_000, 100
"""One model in 100 has 5,000 files."""

QUESTIONS = {
    "newest": "",
    "from the middle on": "after={middle}",
    "by name": "sort=name",
    "largest first": "sort=-size",
    "one kind": "kind=gguf",
    "one tag": "tag=common",
    "one quantisation, by size": "quantization=Q4_K_M&sort=size",
    "a word in most names": "q=llama",
    "a word in 20 names": "q=needle",
    "a word in no name": "q=nowhere-to-be-found",
    "a word and a kind, by name": "q=instruct&kind=base&sort=name",
}


def fill(url: str, count: int) -> str:
    """Make `count` models; the id of the one in the middle."""
    engine, chance, owner = create_engine(url), random.Random(count), ""
    ids = []
    with engine.begin() as connection:
        owner = connection.execute(text("SELECT id FROM users LIMIT 1")).scalar_one()
        large = 0
        for start in range(0, count, 500):
            models, versions, tags = [], [], []
            for number in range(start, min(start + 500, count)):
                row = model(number, count, chance, owner)
                large += len(row["files"]) == MANY_FILES
                ids.append(row["id"])
                models.append(row)
                facts = ("kind", "revision", "commit", "size", "path", "files", "quantization", "created_at")
                versions.append(
                    {name: row[name] for name in facts} | {"id": row["id"], "model_id": row["id"]}
                )
                tags += [{"model_id": row["id"], "tag": tag} for tag in row["tags"]]
                time.sleep(0.0001)  # ids grow with time
            connection.execute(insert(HubModel), models)
            connection.execute(insert(ModelVersion), versions)
            connection.execute(insert(ModelTag), tags)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()
    return sorted(ids)[count // 2]


def model(number: int, count: int, chance: random.Random, owner: str) -> dict[str, Any]:
    id = new_id()
    family = chance.choice(["Llama", "Llama", "Llama", "Mistral", "Qwen", "Gemma"])
    rare = "-needle" if number % max(1, count // 20) == 0 else ""
    name = f"org{number % 97}/{family}-{chance.choice((1, 3, 8, 70))}B-instruct{rare}-{number:05}"
    files = MANY_FILES if number % EVERY == EVERY // 2 else chance.choice((3, 9, 14, 40))
    tags = ["common", f"tag-{number % 50}", chance.choice(["text-generation", "conversational"])]
    quantization = chance.choice((None, "Q4_K_M", "Q8_0"))
    now = utcnow()
    return {
        "id": id,
        "name": name,
        "words": "\n".join([name.lower(), *tags]),
        "source": "upload",
        "ref": name,
        "revision": "main",
        "commit": f"{chance.getrandbits(160):040x}",
        "size": chance.randrange(10**6, 10**11),
        "path": id,
        "kind": "gguf" if quantization else "base",
        "quantization": quantization,
        "architecture": f"{family}ForCausalLM",
        "tags": tags,
        "files": [
            {
                "path": f"folder/model-{n:05}.safetensors",
                "size": n * 1000,
                "sha256": f"{chance.getrandbits(256):064x}",
            }
            for n in range(files)
        ],
        "file_count": files,
        "active_version_id": id,
        "user_id": owner,
        "visibility": chance.choice(("private", "public")),
        "created_at": now,
        "updated_at": now,
    }


class Asker:
    """One person with one kept connection."""

    def __init__(self, hub: Hub, middle: str) -> None:
        self.client = httpx.Client(base_url=hub.url, timeout=60, trust_env=False)
        answer = self.client.post("/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD}).json()
        self.client.headers["Authorization"] = f"Bearer {answer['data']['access_token']}"
        self.middle = middle

    def ask(self, question: str) -> float:
        """Milliseconds from question to whole answer."""
        query = question.replace("{middle}", self.middle)
        start = time.perf_counter()
        answer = self.client.get(f"/api/v1/models?limit=50&{query}")
        took = time.perf_counter() - start
        assert answer.status_code == 200, answer.text
        return took * 1000


def measure(hubs: list[tuple[Hub, str]], rounds: int) -> dict[str, list[list[float]]]:
    """Question → for each hub the milliseconds of every round."""
    askers = [Asker(hub, middle) for hub, middle in hubs]
    for question in QUESTIONS.values():
        for asker in askers * 5:
            asker.ask(question)
    took: dict[str, list[list[float]]] = {name: [[] for _ in askers] for name in QUESTIONS}
    for number in range(rounds):
        for name, question in QUESTIONS.items():
            turn = range(len(askers)) if number % 2 else reversed(range(len(askers)))
            for index in turn:
                took[name][index].append(askers[index].ask(question))
    return took


def p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


def rows(took: dict[str, list[list[float]]]) -> list[str]:
    small, large = (f"{size:,}" for size in SIZES)
    lines = [
        f"| question | p50, {small} | p50, {large} | p99, {small} | p99, {large} | p99 × |",
        "|---|---|---|---|---|---|",
    ]
    everything = dict(took)
    everything["all of them"] = [[v for value in took.values() for v in value[index]] for index in (0, 1)]
    for name, (few, many) in everything.items():
        lines.append(
            f"| {name} | {statistics.median(few):.1f} ms | {statistics.median(many):.1f} ms "
            f"| {p99(few):.1f} ms | {p99(many):.1f} ms | {p99(many) / p99(few):.2f} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--database", action="append", help="One for each hub, small first; else SQLite.")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    machine, hubs = results.machine(), list[tuple[Hub, str]]()
    with tempfile.TemporaryDirectory() as directory:
        try:
            for index, size in enumerate(SIZES):
                database = arguments.database[index] if arguments.database else ""
                environment = {"MODELHUB_RATE_LIMIT": "1000000/minute", "DATABASE_URL": database}
                hub = start_hub(Path(directory) / str(size), environment)
                settings = Settings(MODELHUB_HOME=hub.home, DATABASE_URL=database or None, _env_file=None)
                hubs.append((hub, fill(settings.sqlalchemy_url, size)))
            lines = rows(measure(hubs, arguments.rounds))
        finally:
            for hub, _ in hubs:
                hub.stop()
    kind = "PostgreSQL" if arguments.database else "SQLite"
    print("\n".join(lines))
    if arguments.write:
        many = f"one model in {EVERY} has {MANY_FILES:,} files"
        said = f"{machine}. {kind}; pages of 50, {many}; {arguments.rounds} rounds."
        results.write_section(f"Library, {kind}", [said, "", *lines])


if __name__ == "__main__":
    os.environ.pop("DATABASE_URL", None)
    main()
