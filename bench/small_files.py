"""A model of thousands of small files: our downloads beside `hf download`, in turns, from one server.

    python -m bench.small_files [--files 5000] [--rounds 3] [--write]

The server is the test suite's stand-in for the Hub in a process of its own. Ours is planning, as the web does
it, plus the whole life of the fetching child: it alone verifies every file and has all of them synced to disk
when it says it is done. Every result is compared with the original afterwards, outside the measured time.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from bench import download
from bench.results import machine, write_section
from tests.support.downloads import content

CLIENTS = {name: download.CLIENTS[name] for name in ("modelhub", "hf download")}


def build(root: Path, count: int) -> Path:
    """Files of 200 bytes to 30 KB in folders of a hundred."""
    folder = root / "bench" / "model"
    chance = random.Random(1)
    for n in range(count):
        file = folder / f"part-{n // 100:03d}" / f"file-{n:05d}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(chance.randbytes(chance.randint(200, 30_000)))
    return folder


def measure(name: str, endpoint: str, original: dict[str, str]) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="bench-small-") as folder:
        os.sync()
        begun, used = time.perf_counter(), download.cpu_seconds()
        CLIENTS[name](endpoint, Path(folder))
        taken = time.perf_counter() - begun, download.cpu_seconds() - used
        found = content(Path(folder, "into"))
    if {path: digest for path, digest in found.items() if not path.startswith(".cache")} != original:
        raise SystemExit(f"{name} did not bring the original")
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.small_files", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put the result into bench/RESULTS.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-small-") as temporary:
        root = Path(temporary)
        original = content(build(root, options.files))
        command = [sys.executable, "-m", "tests.support.hub", str(root), "--frozen"]
        server = subprocess.Popen(command, cwd=download.ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            endpoint = server.stdout.readline().strip()
            os.environ["HF_ENDPOINT"] = endpoint
            download.HuggingFace().plan("bench/model", None, None, None)  # the server computes its hashes
            rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in CLIENTS}
            for _ in range(options.rounds):
                for name, taken in rounds.items():
                    taken.append(measure(name, endpoint, original))
                    print(f"  {name:12} {taken[-1][0]:6.2f} s, processor {taken[-1][1]:5.2f} s", flush=True)
        finally:
            server.terminate()
            server.wait()
    median = {name: statistics.median(wall for wall, _ in taken) for name, taken in rounds.items()}
    lines = [
        f"{machine()}. {options.files:,} files of 200 bytes to 30 KB over loopback; huggingface_hub "
        f"{version('huggingface_hub')}. modelhub verifies every file and syncs it, the other does neither.",
        "",
        "| client | median | all rounds | processor | files/s | × hf download |",
        "|---|---|---|---|---|---|",
    ]
    for name, taken in rounds.items():
        each = ", ".join(f"{wall:.2f}" for wall, _ in taken)
        cpu = statistics.median(used for _, used in taken)
        lines.append(
            f"| {name} | {median[name]:.2f} s | {each} | {cpu:.2f} s | {options.files / median[name]:.0f} "
            f"| {median['hf download'] / median[name]:.2f} |"
        )
    print("\n".join(lines))
    if options.write:
        write_section("Small files", [*lines, ""])


if __name__ == "__main__":
    main()
