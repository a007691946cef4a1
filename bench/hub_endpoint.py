"""The hub's `/hf` sending a large file, beside nginx sending the same file.

    python -m bench.hub_endpoint [--size 1024] [--rounds 3] [--write]

One and eight streams as fast as loopback goes, in turns. Meanwhile another process sends tiny requests, 20 a
second at most: `/hf/api/whoami-v2` with an API key to the hub, a file of 100 bytes to nginx. Last, one client
that reads 20 MiB/s. Clients read with `recv_into` and throw the bytes away; every stream's length is checked.
`processor` is that of the server's processes for each GiB it sent. nginx (`apt-get install nginx`) has one
worker and sendfile; the hub its one gevent worker. It authenticates every request, and looks at the key
again once a second.
"""

import argparse
import contextlib
import json
import multiprocessing
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from bench.results import machine, write_section
from tests.support.hub_process import free_port, start_hub

MIB = 1 << 20
SLOW = 20 * MIB
GAP = 0.05
NAME = "model.safetensors"
REF = "bench/model"
TITLE = "The hub as a Hub: sending files"


@dataclass(frozen=True)
class Server:
    """Where the file and something tiny lie, what is sent along, and the processes that do the work."""

    name: str
    file: str
    tiny: str
    token: str
    processes: list[psutil.Process]

    def processor(self) -> float:
        """Seconds of CPU so far."""
        return sum(times.user + times.system for times in (each.cpu_times() for each in self.processes))


@dataclass
class Figures:
    """Of one situation: MiB/s of each round, CPU seconds for each GiB, and seconds of each tiny request."""

    speed: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    tiny: list[float] = field(default_factory=list)


def build(root: Path, megabytes: int) -> int:
    """A model of one file, of one tensor that is mostly a hole; returns the file's bytes."""
    folder = root / REF
    folder.mkdir(parents=True)
    length = megabytes * MIB
    tensors = {"weight": {"dtype": "U8", "shape": [length], "data_offsets": [0, length]}}
    head = json.dumps(tensors).encode()
    with (folder / NAME).open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        file.truncate(8 + len(head) + length)
    (folder / "config.json").write_text('{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}')
    (folder / "tiny").write_bytes(b"x" * 100)
    return 8 + len(head) + length


@contextlib.contextmanager
def ours(root: Path, scratch: Path) -> Iterator[tuple[Server, Path]]:
    """A whole hub that has brought the model, and where the file lies."""
    command = [sys.executable, "-m", "tests.support.hub", str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as upstream:
        assert upstream.stdout
        hub = start_hub(scratch / "home", {"HF_ENDPOINT": upstream.stdout.readline().split()[-1]})
        try:
            begun = hub.post("/downloads", {"ref": REF, "include": [NAME, "config.json"]})
            over = ("completed", "failed")
            done = hub.until(f"/downloads/{begun['id']}", lambda d: d["status"] in over, 600)
            if done["status"] != "completed":
                raise SystemExit(f"the model did not arrive: {done['error']}")
            upstream.terminate()
            key = hub.post("/api-keys", {"name": "bench", "scopes": ["models.read"]})["key"]
            model = hub.get(f"/models/{done['model_id']}")
            address = f"{hub.url}/hf/{REF}/resolve/main/{NAME}"
            tiny = f"{hub.url}/hf/api/whoami-v2"
            yield Server("modelhub", address, tiny, key, hub.parts("gunicorn")), Path(model["path"])
        finally:
            upstream.terminate()
            hub.stop()


@contextlib.contextmanager
def nginx(folder: Path, tiny: Path, scratch: Path) -> Iterator[Server]:
    port, directory = free_port(), scratch / "nginx"
    directory.mkdir()
    places = " ".join(f"{n}_temp_path {directory};" for n in ("proxy", "fastcgi", "uwsgi", "scgi"))
    config = directory / "nginx.conf"
    config.write_text(
        f"user root; worker_processes 1; daemon off; pid {directory}/pid; error_log {directory}/error.log;\n"
        "events { worker_connections 256; }\n"
        f"http {{ access_log off; sendfile on; client_body_temp_path {directory}; {places}\n"
        f"  server {{ listen 127.0.0.1:{port}; location / {{ root {folder}; }}\n"
        f"    location = /tiny {{ alias {tiny}; }} }} }}\n"
    )
    process = subprocess.Popen(["nginx", "-p", str(directory), "-c", str(config)])
    try:
        url = f"http://127.0.0.1:{port}"
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            if process.poll() is not None:
                raise SystemExit((directory / "error.log").read_text())
            time.sleep(0.05)
        parent = psutil.Process(process.pid)
        yield Server("nginx", f"{url}/{NAME}", f"{url}/tiny", "none", [parent, *parent.children()])
    finally:
        process.terminate()
        process.wait()


def connect(address: str, token: str) -> tuple[socket.socket, bytes, int]:
    """An answered request: its connection, what of the body came with the head, and the body's bytes."""
    where = urlsplit(address)
    stream = socket.create_connection((where.hostname or "", where.port or 80), 60)
    fields = f"Host: {where.netloc}\r\nAuthorization: Bearer {token}\r\nConnection: close"
    stream.sendall(f"GET {where.path} HTTP/1.1\r\n{fields}\r\n\r\n".encode())
    said = b""
    while b"\r\n\r\n" not in said:
        piece = stream.recv(65536)
        if not piece:
            raise SystemExit(f"{address} hung up: {said[:200]!r}")
        said += piece
    head, _, body = said.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"{address}: {said[:400]!r}")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return stream, body, int(lengths[0].split(b":")[1])


def read(address: str, token: str, rate: int = 0, most: int = 0) -> int:
    """Read it all, or about `most` bytes of it at `rate` bytes a second; returns the bytes."""
    stream, body, length = connect(address, token)
    buffer, count, begun = bytearray(MIB), len(body), time.monotonic()
    with stream:
        while piece := stream.recv_into(buffer):
            count += piece
            if most and count >= most:
                return count
            if rate:
                time.sleep(max(0.0, begun + count / rate - time.monotonic()))
    if count != length:
        raise SystemExit(f"{address} sent {count} of {length} bytes")
    return count


def ask(address: str, token: str, stop: Any, answers: Any) -> None:
    """In a process of its own: tiny requests until told to stop; sends the seconds each took."""
    taken = []
    while not stop.is_set():
        begun = time.perf_counter()
        read(address, token)
        taken.append(time.perf_counter() - begun)
        time.sleep(GAP)
    answers.put(taken)


@contextlib.contextmanager
def asking(server: Server, into: list[float]) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    stop, answers = context.Event(), context.Queue()
    process = context.Process(target=ask, args=(server.tiny, server.token, stop, answers))
    process.start()
    time.sleep(1)  # it imports
    try:
        yield
    finally:
        stop.set()
        into += answers.get(timeout=60)
        process.join()


def stream(server: Server, count: int, figures: Figures) -> None:
    """`count` streams at once, and tiny requests meanwhile."""
    got: list[int] = []
    threads = [
        threading.Thread(target=lambda: got.append(read(server.file, server.token))) for _ in range(count)
    ]
    with asking(server, figures.tiny):
        used, begun = server.processor(), time.perf_counter()
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        seconds = time.perf_counter() - begun
        used = server.processor() - used
    if len(got) != count:
        raise SystemExit(f"{server.name}: {count - len(got)} of {count} streams broke off")
    figures.speed.append(sum(got) / MIB / seconds)
    figures.processor.append(used / (sum(got) / 1024 / MIB))


def slowly(server: Server, figures: Figures) -> None:
    with asking(server, figures.tiny):
        begun = time.perf_counter()
        count = read(server.file, server.token, SLOW, most=5 * SLOW)
        figures.speed.append(count / MIB / (time.perf_counter() - begun))


def idle(server: Server, figures: Figures) -> None:
    with asking(server, figures.tiny):
        time.sleep(3)


def row(server: str, situation: str, figures: Figures) -> str:
    speed = f"{statistics.median(figures.speed):,.0f} MiB/s" if figures.speed else ""
    used = f"{statistics.median(figures.processor):.2f} s" if figures.processor else ""
    taken = sorted(figures.tiny)
    middle, late = taken[len(taken) // 2], taken[min(len(taken) - 1, int(len(taken) * 0.99))]
    return (
        f"| {situation} | {server} | {speed} | {used} | {middle * 1000:.1f} ms | {late * 1000:.1f} ms "
        f"| {taken[-1] * 1000:.1f} ms | {len(taken)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--size", type=int, default=1024, help="MiB of the file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="into bench/RESULTS.md")
    chosen = parser.parse_args()
    machine_said = machine()
    situations = {
        "nothing else": idle,
        "one stream": lambda server, figures: stream(server, 1, figures),
        "eight streams": lambda server, figures: stream(server, 8, figures),
        "one slow client": slowly,
    }
    measured: dict[tuple[str, str], Figures] = {}
    with tempfile.TemporaryDirectory(prefix="mh-hub-endpoint-") as name, contextlib.ExitStack() as stack:
        scratch = Path(name)
        scratch.chmod(0o755)
        build(scratch / "shelf", chosen.size)
        hub, lies_in = stack.enter_context(ours(scratch / "shelf", scratch))
        beside = stack.enter_context(nginx(lies_in, scratch / "shelf" / REF / "tiny", scratch))
        for _ in range(chosen.rounds):
            for situation, act in situations.items():
                for server in (hub, beside):
                    act(server, measured.setdefault((situation, server.name), Figures()))
    table = [
        "| meanwhile | server | sent | processor for each GiB | tiny request, median | p99 | longest | of |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(row(server, situation, figures) for (situation, server), figures in measured.items()),
    ]
    lines = [f"{machine_said}. {chosen.size} MiB over loopback, {chosen.rounds} rounds.", "", *table]
    print("\n".join(lines))
    if chosen.write:
        write_section(TITLE, lines)


if __name__ == "__main__":
    main()
