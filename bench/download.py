"""Our downloads beside `hf download` and `aria2c -x8 -s8`: one server, one file, one machine.

    python -m bench.download [--size 1024] [--rounds 5] [--write]

Two cases: as fast as loopback goes, and with every connection limited to 50 MiB/s by the server. The
server is the test suite's stand-in for the Hub in a process of its own (it sends with sendfile, through a
redirect to its CDN port). Clients take turns, so that a busy moment of the machine meets all of them; the
median of each counts. Ours is planning, as the web does it, plus the whole life of the fetching
child: it alone verifies SHA-256 and syncs to disk. Every result is compared with the original afterwards,
outside the measured time.
"""

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from bench.results import machine, write_section
from integrations.sources.huggingface import HuggingFace

ROOT = Path(__file__).parents[1]
MIB = 1 << 20
LIMIT = 50 * MIB
NAME = "model.safetensors"
Client = Callable[[str, Path], None]
Round = tuple[float, float]
"""Wall-clock seconds, and processor seconds of the client."""


def ours(endpoint: str, folder: Path) -> None:
    plan = HuggingFace().plan("bench/model", None, None, None)
    spec = {
        "job_id": "bench",
        "events": str(folder / "events.jsonl"),
        "plan": plan.model_dump(mode="json"),
        "into": str(folder / "into"),
        "options": {},
    }
    (folder / "spec.json").write_text(json.dumps(spec))
    run([sys.executable, "-m", "integrations.sources.fetch", str(folder / "spec.json")], endpoint)


def hf(endpoint: str, folder: Path) -> None:
    program = Path(sys.executable).with_name("hf")
    run([str(program), "download", "bench/model", "--local-dir", str(folder / "into")], endpoint)


def aria2(endpoint: str, folder: Path) -> None:
    address = f"{endpoint}/bench/model/resolve/main/{NAME}"
    run(["aria2c", "-q", "-x8", "-s8", "-d", str(folder / "into"), "-o", NAME, address], endpoint)


CLIENTS: dict[str, Client] = {"modelhub": ours, "hf download": hf, "aria2c -x8 -s8": aria2}


def run(command: list[str], endpoint: str) -> None:
    quiet = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1"}
    environment = {**os.environ, **quiet, "HF_ENDPOINT": endpoint}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def measure(client: Client, endpoint: str, scratch: Path, digest: str) -> Round:
    """From the command to the file. Raises when the file is not the original."""
    folder = scratch / "client"
    folder.mkdir()
    os.sync()  # nobody pays for what the one before left unwritten
    begun, used = time.perf_counter(), cpu_seconds()
    client(endpoint, folder)
    taken = time.perf_counter() - begun, cpu_seconds() - used
    if sha256(folder / "into" / NAME) != digest:
        raise SystemExit("the downloaded file is not the original")
    shutil.rmtree(folder)
    return taken


def cpu_seconds() -> float:
    """Of this process and of the children it waited for; the server is not among them."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def build(root: Path, megabytes: int) -> str:
    """A model of one file of random bytes; returns its hash."""
    folder = root / "bench" / "model"
    folder.mkdir(parents=True)
    with (folder / NAME).open("wb") as file:
        for n in range(megabytes):
            file.write(random.Random(n).randbytes(MIB))
    return sha256(folder / NAME)


def serve(root: Path, rate: int) -> tuple["subprocess.Popen[str]", str]:
    """The stand-in as a process, with its hashes already computed."""
    command = [sys.executable, "-m", "tests.support.hub", str(root), "--rate", str(rate)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    endpoint = process.stdout.readline().strip()
    os.environ["HF_ENDPOINT"] = endpoint
    HuggingFace().plan(
        "bench/model", None, None, None
    )  # the web that plans has been running for a while, too
    return process, endpoint


def compare(root: Path, scratch: Path, rate: int, rounds: int, digest: str) -> dict[str, list[Round]]:
    process, endpoint = serve(root, rate)
    rounds_of: dict[str, list[Round]] = {name: [] for name in CLIENTS}
    try:
        for _ in range(rounds):
            for name, client in CLIENTS.items():
                wall, cpu = measure(client, endpoint, scratch, digest)
                rounds_of[name].append((wall, cpu))
                print(f"  {name:16} {wall:6.2f} s, processor {cpu:5.2f} s", flush=True)
    finally:
        process.terminate()
        process.wait()
    return rounds_of


def table(title: str, size: int, rounds_of: dict[str, list[Round]]) -> list[str]:
    """Ratios are of the medians: a fastest round alone may be luck."""
    mine = statistics.median(wall for wall, _ in rounds_of["modelhub"])
    lines = [
        f"**{title}**",
        "",
        "| client | median | all rounds | processor | MiB/s | modelhub takes |",
        "|---|---|---|---|---|---|",
    ]
    for name, rounds in rounds_of.items():
        median = statistics.median(wall for wall, _ in rounds)
        cpu = statistics.median(cpu for _, cpu in rounds)
        each = ", ".join(f"{wall:.2f}" for wall, _ in rounds)
        ratio = "" if name == "modelhub" else f"{mine / median:.2f} ×"
        lines.append(f"| {name} | {median:.2f} s | {each} | {cpu:.2f} s | {size / median:.0f} | {ratio} |")
    return [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.download", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--size", type=int, default=1024, help="of the file, in MiB")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the result into bench/RESULTS.md")
    options = parser.parse_args()
    if shutil.which("aria2c") is None:
        raise SystemExit("aria2c is missing: apt-get install aria2")
    said = subprocess.run(["aria2c", "--version"], capture_output=True, text=True, check=True).stdout
    aria2_version = re.search(r"\d+\.\d+\.\d+", said)
    with tempfile.TemporaryDirectory(prefix="bench-download-") as temporary:
        root, scratch = Path(temporary, "root"), Path(temporary, "scratch")
        scratch.mkdir()
        digest = build(root, options.size)
        lines = [
            f"{machine()}. {options.size} MiB of random bytes over loopback; huggingface_hub "
            f"{version('huggingface_hub')} without Xet, aria2 {aria2_version[0] if aria2_version else '?'}. "
            "modelhub verifies SHA-256 and syncs to disk, the others do neither.",
            "",
        ]
        cases = [("No limit", 0), ("Every connection limited to 50 MiB/s", LIMIT)]
        for title, rate in cases:
            print(title)
            lines += table(title, options.size, compare(root, scratch, rate, options.rounds, digest))
    print("\n".join(lines))
    if options.write:
        write_section("Download", lines)


if __name__ == "__main__":
    main()
