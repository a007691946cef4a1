"""The fetching program killed in every system call that changes the disk, and then run again.

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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.results import machine, write_section
from tests.support.downloads import build_model, content, plan_of
from tests.support.hub import Hub

ROOT = Path(__file__).parents[1]
CALLS = ("write", "pwrite64", "fallocate", "fsync", "fdatasync", "syncfs", "rename", "mkdir", "unlink")

WEIGHTS_BYTES = 9_000_000


@dataclass(frozen=True)
class Point:
    """One death: `wrong` names what was promoted wrongly, `lost` whether the next run failed to repair."""

    call: str
    number: int
    died: bool
    wrong: tuple[str, ...] = ()
    lost: bool = False


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


def every_point(victim: Victim, call: str) -> list[Point]:
    """N = 1, 2, … until the program lives."""
    points = []
    while (point := victim.point(call, len(points) + 1)).died:
        points.append(point)
    return points


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.crash_points", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--write", action="store_true", help="put the result into bench/RESULTS.md")
    options = parser.parse_args()
    lines = [f"{machine()}. A model of {WEIGHTS_BYTES:,} bytes and four small files.", ""]
    lines += ["| system call | points | promoted wrong | not repaired by the next run |", "|---|---|---|---|"]
    every: list[Point] = []
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="bench-crash-") as temporary:
        build_model(Path(temporary, "root", "org", "model"), weights_bytes=WEIGHTS_BYTES)
        with Hub(Path(temporary, "root")) as hub:
            victim = Victim(hub, Path(temporary))
            for call in CALLS:
                points = every_point(victim, call)
                every += points
                wrong, lost = sum(bool(p.wrong) for p in points), sum(p.lost for p in points)
                lines.append(f"| `{call}` | {len(points)} | {wrong} | {lost} |")
                print(lines[-1], flush=True)
    lines += ["", f"{len(every)} deaths in {time.perf_counter() - begun:.0f} s."]
    print("\n".join(lines))
    if options.write:
        write_section("Crash points of a download", lines)
    if any(point.wrong or point.lost for point in every):
        raise SystemExit("a death was not survived")


if __name__ == "__main__":
    main()
