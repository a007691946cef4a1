"""Downloads while parts of the hub are killed: `kill -9` of worker, child, web, Redis and beat, at random.

    python -m bench.chaos_download [--kills 200] [--seed N] [--write]

A whole hub fetches models of random bytes from the test suite's stand-in for the Hugging Face Hub, some with
files in common, while every second or so somebody is killed. Afterwards nobody is killed any more, what was
accepted must end, and one sweep is made. Then everything is counted: downloads that did not arrive (lost),
models, versions or jobs too many (doubled), files whose SHA-256 is not the original's (wrong), folders,
files, promises and processes that belong to nothing (orphans). Exit code 1 unless all of these are 0.

The supervisor waits up to 30 s before it restarts what crashed again and again; here at most one, so that
kills come closer than in life.
"""

import argparse
import contextlib
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.results import machine, write_section
from tests.support.hub import Hub as StandIn
from tests.support.hub_process import Hub, start_hub
from tests.support.light_models import contents, light_model

RATE = 1_500_000
"""Bytes per second of each connection: downloads last long enough to be hit."""
UNDER_WAY = 7
"""Downloads that are kept unfinished: four run, the others wait."""
VICTIMS = {
    "worker": ("tasks.worker",),
    "web": ("gunicorn",),
    "redis": ("valkey-server", "redis-server"),
    "beat": ("tasks.beat",),
}
IMPATIENT = """
import runpy, sys, supervisor.supervision as s
s.LONGEST_DELAY = 1.0
sys.argv = ["supervisor"]
runpy.run_module("supervisor", run_name="__main__")
"""


@dataclass
class Chaos:
    """One run: what was asked for, whom it hit, and what was found afterwards."""

    hub: Hub
    source: StandIn
    shelf: Path
    dice: random.Random
    asked: dict[str, str] = field(default_factory=dict)  # download → ref
    kills: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def run(self, kills: int) -> None:
        while sum(self.kills.values()) < kills:
            self._keep_busy()
            time.sleep(self.dice.uniform(0.2, 1.4))
            self._strike()
        self.source.rate = 0
        self._settle()

    # — asking —

    def _call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Ask until somebody answers: a web server that was killed is back in a moment."""
        deadline = time.monotonic() + 120
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = self.hub.request(method, f"/api/v1{path}", json=body)
                if answer.status_code < 500:
                    return answer
            if time.monotonic() > deadline:
                raise SystemExit(f"{method} {path} was not answered\n{self.hub.tail()}")
            time.sleep(0.2)

    def _downloads(self) -> list[dict[str, Any]]:
        found, after = [], ""
        while True:
            page = self._call("GET", f"/downloads?limit=200&after={after}").json()["data"]
            found += page["items"]
            if not (after := page["next"] or ""):
                return found

    def _keep_busy(self) -> None:
        unfinished = sum(item["status"] in ("pending", "downloading", "held") for item in self._downloads())
        for _ in range(UNDER_WAY - unfinished):
            ref = f"chaos/model-{len(self.asked):04}"
            folder = light_model(
                self.shelf, ref, self.dice.randint(300_000, 6_000_000), self.dice.choice((1, 1, 3))
            )
            if self.asked and self.dice.random() < 0.3:  # a file that an earlier model has too
                earlier = self.shelf / self.dice.choice(list(self.asked.values()))
                shutil.copy(earlier / "model.safetensors", folder / "shared.safetensors")
            answer = self._call("POST", "/downloads", {"ref": ref})
            said = answer.json()
            # An answer that was lost with its web server is asked for again: then it is on its way already.
            id = said["data"]["id"] if answer.is_success else said["details"]["download_id"]
            self.asked[id] = ref

    # — killing —

    def _strike(self) -> None:
        who = self.dice.choice(("worker", "child", "child", "web", "redis", "beat"))
        victims = self._children() if who == "child" else self._parts(who)
        if not victims:
            return  # it is not back yet, or nothing is being fetched
        chosen = [self.dice.choice(victims)] if who in ("child", "web") else victims
        for process in chosen:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.kills[who] += 1

    def _parts(self, who: str) -> list[psutil.Process]:
        return [process for word in VICTIMS[who] for process in self.hub.parts(word)]

    def _children(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = " ".join(process.info["cmdline"] or ())
            if str(self.hub.home) in words and "integrations.sources" in words:
                found.append(process)
        return found

    # — counting —

    def _settle(self) -> None:
        """Until everything has ended, or nothing has moved for a minute."""
        moved, last = time.monotonic(), ""
        while time.monotonic() - moved < 60:
            items = self._downloads()
            if all(item["status"] in ("completed", "failed", "cancelled") for item in items):
                return
            now = str([(item["id"], item["status"], item["bytes_done"]) for item in items])
            if now != last:
                moved, last = time.monotonic(), now
            time.sleep(0.5)

    def count(self) -> None:
        self._count_downloads()
        self._count_bytes()
        self._count_orphans()

    def _count_downloads(self) -> None:
        items = self._downloads()
        for item in items:
            if item["status"] != "completed":
                self._fault("lost", f"{item['ref']} is {item['status']}: {item['error']}")
        for id in set(self.asked) - {item["id"] for item in items}:
            self._fault("lost", f"{self.asked[id]} was accepted and is not known any more")
        for ref, times in Counter(item["ref"] for item in items).items():
            if times > 1:
                self._fault("doubled", f"{ref} has {times} downloads")

    def _count_bytes(self) -> None:
        for item in self._downloads():
            if item["status"] != "completed":
                continue
            model = self._call("GET", f"/models/{item['model_id']}").json()["data"]
            here, there = contents(Path(model["path"])), contents(self.shelf / item["ref"])
            said = {file["path"]: file["sha256"] for file in model["files"]}
            if not here == there == said:
                self._fault("wrong", f"{item['ref']} is not what was served")

    def _count_orphans(self) -> None:
        from api import create_app
        from api.config import Settings

        app = create_app(Settings(MODELHUB_HOME=self.hub.home, _env_file=None), serves=False)  # type: ignore[call-arg]
        with app.app_context():
            for what, text in leftovers(self.hub.home):
                self._fault(what, text)
        for process in self._children():
            self._fault("orphans", f"process {process.pid} still fetches")

    def _fault(self, what: str, text: str) -> None:
        self.found[what] += 1
        self.notes.append(f"{what}: {text}")


def leftovers(home: Path) -> list[tuple[str, str]]:
    """After one sweep: rows without files, files without rows, and rows there should be one of."""
    from sqlalchemy import func, select

    from api.extensions import db
    from api.models import Blob, BlobRef, HubModel, Job, ModelVersion, Reservation
    from api.services import disk, housekeeping, store

    disk.reconcile()
    housekeeping.sweep(age=0)
    found = [
        ("orphans", f"{path.relative_to(home)} belongs to nothing")
        for folder in ("incoming", "uploads", "run/children")
        for path in (home / folder).iterdir()
    ]
    versions = set(db.session.scalars(select(ModelVersion.path)))
    shelved = {path.name for path in (home / "models").iterdir()}
    found += [("orphans", f"models/{name} has no row") for name in shelved - versions]
    found += [("lost", f"models/{name} is not there") for name in versions - shelved]
    blobs, refs = (
        set(db.session.scalars(select(Blob.sha256))),
        set(db.session.scalars(select(BlobRef.sha256))),
    )
    lying = {sha256 for sha256, _ in store.blobs()}
    found += [
        ("orphans", f"blob {sha256[:12]} is referred to by nothing") for sha256 in (blobs | lying) - refs
    ]
    found += [("lost", f"blob {sha256[:12]} is not there") for sha256 in refs - (blobs & lying)]
    drafts = [path for path in (home / "models").rglob(".*") if path.is_file()]
    drafts += [path for path in (home / "blobs").rglob(".*") if path.is_file()]
    found += [("orphans", f"{path.relative_to(home)} is a draft") for path in drafts]
    found += [
        ("orphans", f"{row.holder} is still promised room") for row in db.session.scalars(select(Reservation))
    ]
    for table, per in ((ModelVersion, ModelVersion.model_id), (HubModel, HubModel.ref), (Job, Job.object_id)):
        twice = select(per, func.count()).select_from(table).group_by(per).having(func.count() > 1)
        found += [
            ("doubled", f"{table.__tablename__}: {key} {many} times")
            for key, many in db.session.execute(twice)
        ]
    db.session.remove()
    db.engine.dispose()
    return found


def chaos(kills: int, seed: int, scratch: Path) -> tuple[Chaos, list[str]]:
    """A run in `scratch`; what it found, and the lines of its record."""
    shelf = scratch / "shelf"
    shelf.mkdir()
    with StandIn(shelf, rate=RATE) as source:
        environment = {"HF_ENDPOINT": source.url, "MODELHUB_DOWNLOAD_CONNECTIONS": "2"}
        hub = start_hub(scratch / "home", environment, inside=(sys.executable, "-c", IMPATIENT))
        run = Chaos(hub, source, shelf, random.Random(seed))
        begun = time.monotonic()
        try:
            run.run(kills)
            run.count()
        finally:
            hub.stop()
        taken = time.monotonic() - begun
        for process in run._children():
            run._fault("orphans", f"process {process.pid} outlived the hub")
        files = [path for path in shelf.rglob("*") if path.is_file()]
        served, size = source.bytes_sent(), sum(path.stat().st_size for path in files)
    told = ", ".join(f"{count} {who}" for who, count in sorted(run.kills.items()))
    row = [
        sum(run.kills.values()),
        len(run.asked),
        *(run.found[each] for each in ("lost", "doubled", "wrong", "orphans")),
    ]
    return run, [
        f"{machine()}. Seed {seed}; killed: {told}. {size / 1e6:.0f} MB were wanted, {served / 1e6:.0f} MB "
        f"served, in {taken:.0f} s.",
        "",
        "| `kill -9` | downloads | lost | doubled | wrong bytes | orphans after one sweep |",
        "|---|---|---|---|---|---|",
        "| " + " | ".join(map(str, row)) + " |",
        *(f"\n- {note}" for note in run.notes[:20]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--write", action="store_true", help="put the record into bench/RESULTS.md")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chaos-") as scratch:
        run, lines = chaos(chosen.kills, chosen.seed, Path(scratch))
        log = run.hub.tail(200) if run.notes else ""
    print("\n".join(lines))
    print(log)
    if chosen.write:
        write_section("Downloads while parts are killed", lines)
    sys.exit(1 if run.notes else 0)


if __name__ == "__main__":
    main()
