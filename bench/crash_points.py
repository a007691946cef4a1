"""The fetching program killed in every system call that changes the disk, and then run again; likewise the
worker that takes the model into the library (bench/crash_points_worker.py).

    python -m bench.crash_points [--write]

strace delivers SIGKILL at call number N of one kind, in whichever thread gets there first, N = 1, 2, …
until a run lives. After each death no file may bear its name unless it is right, and the next run brings all.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.crash_points_worker import CALLS as WORKER_CALLS
from bench.crash_points_worker import Point, Worker
from bench.results import machine, write_section
from tests.support.downloads import build_model, content, plan_of
from tests.support.hub import Hub

ROOT = Path(__file__).parents[1]
CALLS = ("write", "pwrite64", "fallocate", "ftruncate", "fsync", "fdatasync", "syncfs", "rename",
         "mkdir", "unlink")  # fmt: skip

WEIGHTS_BYTES = 9_000_000
SMALL_FILES = 12


class Victim:
    """A model on a stand-in hub, and the program that fetches it into a fresh folder each time."""

    def __init__(self, hub: Hub, folder: Path) -> None:
        self.hub, self.folder = hub, folder
        self.plan: dict[str, Any] = plan_of(hub)
        self.original = content(hub.shelf.root / "org" / "model")

    def point(self, call: str, number: int) -> Point:
        """Die at this point, look, and run again."""
        place = self.folder / f"{call}-{number}"
        place.mkdir()
        self._spec(place)
        inject = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                  "-e", f"inject={call}:signal=SIGKILL:when={number}"]  # fmt: skip
        if self._run(place, inject) == 0:
            return Point(call, number, died=False)
        found = content(place / "into") if (place / "into").exists() else {}
        wrong = tuple(path for path, digest in found.items() if self.original.get(path) != digest)
        again = self._run(place, [])
        return Point(call, number, True, wrong, again != 0 or content(place / "into") != self.original)

    def _spec(self, place: Path) -> None:
        spec = {
            "events": str(place / "events.jsonl"),
            "plan": self.plan,
            "into": str(place / "into"),
            "options": {"connections": 2, "disk_reserve": 0},
        }
        (place / "spec.json").write_text(json.dumps(spec))

    def _run(self, place: Path, before: list[str]) -> int:
        command = [*before, sys.executable, "-m", "integrations.sources.fetch", str(place / "spec.json")]
        quiet = {"HF_ENDPOINT": self.hub.url, "PYTHONDONTWRITEBYTECODE": "1"}
        ran = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **quiet}, timeout=120, stderr=subprocess.DEVNULL
        )
        return ran.returncode


def every_point(die: Callable[[str, int], Point], call: str, step: int = 1) -> list[Point]:
    """N = 1, 2, … until the program lives; or only every `step`-th."""
    points = []
    while (point := die(call, 1 + step * len(points))).died:
        points.append(point)
    return points


def build(folder: Path) -> None:
    """One file in parts, and small ones enough for a batch."""
    build_model(folder, weights_bytes=WEIGHTS_BYTES)
    for n in range(SMALL_FILES):
        (folder / "nested" / f"{n:02d}.json").write_text(f'{{"n": {n}}}')


def row(call: str, step: int, points: list[Point]) -> str:
    wrong, lost = sum(bool(p.wrong) for p in points), sum(p.lost for p in points)
    name = f"`{call}`" + (f", one in {step}" if step > 1 else "")
    return f"| {name} | {len(points)} | {wrong} | {lost} |"


def table(die: Callable[[str, int], Point], calls: dict[str, int]) -> tuple[list[str], list[Point]]:
    """The lines of a table, and all points of it."""
    lines = ["| system call | points | promoted wrong | not repaired by the next run |", "|---|---|---|---|"]
    every: list[Point] = []
    with ThreadPoolExecutor(3) as pool:
        running = {call: pool.submit(every_point, die, call, step) for call, step in calls.items()}
        for call, future in running.items():
            every += future.result()
            lines.append(row(call, calls[call], future.result()))
            print(lines[-1], flush=True)
    return lines, every


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.crash_points", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--write", action="store_true", help="put the result into bench/RESULTS.md")
    options = parser.parse_args()
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="bench-crash-") as temporary:
        build(Path(temporary, "root", "org", "model"))
        with Hub(Path(temporary, "root")) as hub:
            fetching, deaths = table(Victim(hub, Path(temporary)).point, dict.fromkeys(CALLS, 1))
            worker, more = table(Worker(hub, Path(temporary)).point, WORKER_CALLS)
    size = f"A model of {WEIGHTS_BYTES:,} bytes and {4 + SMALL_FILES} small files."
    lines = [f"{machine()}. {size}", "", "**The fetching program**", "", *fetching, ""]
    lines += ["**The worker, its children living on**", "", *worker, ""]
    lines += [f"{len(deaths) + len(more)} deaths in {time.perf_counter() - begun:.0f} s."]
    print("\n".join(lines))
    if options.write:
        write_section("Crash points of a download", lines)
    if any(point.wrong or point.lost for point in deaths + more):
        raise SystemExit("a death was not survived")


if __name__ == "__main__":
    main()
