"""Transfers with one bit flipped on the way, at a random place of a random file: how many go unnoticed.

    python -m bench.corrupt [--count 1000] [--seed 1] [--write]

Half of them are flipped once: the right bytes must be fetched again, as the log of the server shows. Half are
flipped every time: nothing may get the name.
"""

import argparse
import random
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.results import machine, write_section
from integrations.errors import IntegrityError
from tests.support.downloads import content, download, plan_of
from tests.support.hub import Hub

SIZES = {
    "large.safetensors": 9_000_000,
    "tokenizer.json": 1_200_000,
    "vocab.txt": 300_000,
    "config.json": 700,
}
"""Parts, blocks, and twice one piece. A large file comes over one connection, so that its first answers hold
every byte of it once."""
ONCE = {"large.safetensors": 2, "tokenizer.json": 1, "vocab.txt": 1, "config.json": 1}


@dataclass
class Outcome:
    """`refused`: an error, and nothing under the name. `repaired`: fetched again, and right."""

    path: str
    stays: bool
    refused: bool
    repaired: bool
    promoted_wrong: bool

    @property
    def detected(self) -> bool:
        return (self.refused if self.stays else self.repaired) and not self.promoted_wrong


def build(root: Path) -> Path:
    folder = root / "bench" / "model"
    folder.mkdir(parents=True)
    for name, size in SIZES.items():
        (folder / name).write_bytes(random.Random(name).randbytes(size))
    return folder


def corrupt(root: Path, plan: dict[str, Any], original: dict[str, str], into: Path, seed: int) -> Outcome:
    """One transfer of one file."""
    chance = random.Random(seed)
    path, stays = chance.choice(list(SIZES)), bool(seed % 2)
    only = {**plan, "files": [file for file in plan["files"] if file["path"] == path]}
    refused = False
    with Hub(root) as hub:
        times = 0 if stays else ONCE[path]
        where = "cdn" if only["files"][0].get("sha256") else "hub"
        hub.fault("wrong_bytes", match=path, on=where, times=times, at=chance.randrange(SIZES[path]))
        try:
            download(hub, into, only, connections=1, stall_timeout=30.0, slow_time=30.0)
        except IntegrityError:
            refused = True
        while any("ended" not in entry for entry in hub.requests()):
            time.sleep(0.005)
        sent = hub.bytes_sent()
    found = content(into)
    shutil.rmtree(into)
    right = found == {path: original[path]}
    return Outcome(
        path, stays, refused and not found, right and sent >= 2 * SIZES[path], bool(found) and not right
    )


def run(count: int, seed: int, threads: int = 4) -> list[Outcome]:
    with tempfile.TemporaryDirectory(prefix="bench-corrupt-") as temporary:
        root = Path(temporary, "root")
        original = content(build(root))
        with Hub(root) as hub:
            plan = plan_of(hub, "bench/model")
        with ThreadPoolExecutor(threads) as pool:
            places = [Path(temporary, f"into-{n}") for n in range(count)]
            each = [
                pool.submit(corrupt, root, plan, original, place, seed * 1_000_000 + n)
                for n, place in enumerate(places)
            ]
            return [one.result() for one in each]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.corrupt", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the result into bench/RESULTS.md")
    options = parser.parse_args()
    begun = time.perf_counter()
    outcomes = run(options.count, options.seed)
    lines = [
        f"{machine()}. One bit flipped in each of {len(outcomes)} transfers (seed {options.seed}); "
        f"{time.perf_counter() - begun:.0f} s.",
        "",
        "| file | transfers | flipped once: fetched again | flipped always: refused | promoted wrong |",
        "|---|---|---|---|---|",
    ]
    for path in SIZES:
        of = [outcome for outcome in outcomes if outcome.path == path]
        once, always = [o for o in of if not o.stays], [o for o in of if o.stays]
        lines.append(
            f"| {path}, {SIZES[path]:,} bytes | {len(of)} | {sum(o.detected for o in once)} of {len(once)} "
            f"| {sum(o.detected for o in always)} of {len(always)} | {sum(o.promoted_wrong for o in of)} |"
        )
    detected = sum(outcome.detected for outcome in outcomes)
    lines += ["", f"Detected: {detected} of {len(outcomes)}."]
    print("\n".join(lines))
    if options.write:
        write_section("Corrupted transfers", lines)
    if detected < len(outcomes):
        raise SystemExit("a corrupted transfer went unnoticed")


if __name__ == "__main__":
    main()
