"""How fast does `/v1/chat/completions` relay? `python -m bench.relay` measures, in one run and in turns,

    direct    the client at the engine itself          nginx     a plain reverse proxy, buffering off
    modelhub  the real hub: authenticated, recorded    litellm   the LiteLLM proxy with a master key

200 streams at once, 100 tokens each, all from `bench.relay_upstream`. LiteLLM lives in an environment of its
own (`~/.cache/modelhub-bench/litellm`, made on first use); nginx must be on PATH. Each relay is one process.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.results import machine, write_section
from tests.support.hub_process import ROOT, free_port
from tests.support.web_process import EMAIL, PASSWORD, start_engine, web_with_engine

CACHE = Path("~/.cache/modelhub-bench").expanduser()
MASTER_KEY = "sk-bench"


@dataclass(frozen=True)
class Target:
    """Where to ask, as whom, for which model, and the process (with its children) that does the work."""

    url: str
    token: str
    model: str
    process: psutil.Process

    def processor(self) -> float:
        """Seconds of CPU used so far."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(times.user + times.system for times in (member.cpu_times() for member in family))


@contextlib.contextmanager
def nginx(engine: str) -> Iterator[Target]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="mh-nginx-") as directory:
        config = Path(directory, "nginx.conf")
        config.write_text(
            f"worker_processes 1; daemon off; pid {directory}/pid; error_log {directory}/error.log;\n"
            "events { worker_connections 2048; }\n"
            f"http {{ access_log off; client_body_temp_path {directory}; proxy_temp_path {directory};\n"
            f"  fastcgi_temp_path {directory}; uwsgi_temp_path {directory}; scgi_temp_path {directory};\n"
            f"  upstream engine {{ server {engine.removeprefix('http://')}; keepalive 256; }}\n"
            f"  server {{ listen 127.0.0.1:{port} backlog=2048; location / {{ proxy_pass http://engine;\n"
            '    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; } } }\n'
        )
        with running(["nginx", "-p", directory, "-c", str(config)]) as process:
            wait_for(f"http://127.0.0.1:{port}/")
            yield Target(f"http://127.0.0.1:{port}", "none", "relay", process)


@contextlib.contextmanager
def litellm(engine: str) -> Iterator[Target]:
    venv = CACHE / "litellm"
    if not (venv / "bin" / "litellm").exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(venv / "bin" / "pip"), "install", "-q", "litellm[proxy]"], check=True)
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="mh-litellm-") as directory:
        config = Path(directory, "config.json")  # JSON is YAML
        model = {"model": "openai/relay", "api_base": f"{engine}/v1", "api_key": "none"}
        settings = {"master_key": MASTER_KEY}
        entry = {"model_name": "relay", "litellm_params": model}
        config.write_text(json.dumps({"model_list": [entry], "general_settings": settings}))
        environment = {"PATH": os.environ["PATH"], "HOME": directory, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        command = [str(venv / "bin" / "litellm"), "--config", str(config), "--port", str(port)]
        with running([*command, "--host", "127.0.0.1", "--num_workers", "1"], environment) as process:
            wait_for(f"http://127.0.0.1:{port}/health/liveliness", 180)
            yield Target(f"http://127.0.0.1:{port}", MASTER_KEY, "relay", process)


@contextlib.contextmanager
def modelhub(engine: Any, tokens: int) -> Iterator[tuple[Target, Callable[[], int]]]:
    """The hub, and how many complete answers it has recorded with their usage."""
    with web_with_engine(engine=engine) as web:
        signed_in = httpx.post(f"{web.url}/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD})
        token = signed_in.json()["data"]["access_token"]

        def recorded() -> int:
            from api.extensions import db
            from api.models import Completion

            with web.app.app_context():
                good = (Completion.status == "complete") & (Completion.completion_tokens == tokens)
                return int(db.session.scalar(db.select(db.func.count()).where(good)) or 0)

        yield Target(web.url, token, "scripted", psutil.Process(web.parts["web"].pid)), recorded


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str] | None = None) -> Iterator[psutil.Process]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(url: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(url, timeout=5)
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"{url} does not answer")
        time.sleep(0.2)


def measure(target: Target, streams: int, tokens: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.relay_client", target.url, target.token, target.model]
    before = target.processor()
    done = subprocess.run([*command, str(streams), str(tokens)], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{target.url}: {done.stderr.strip().splitlines()[-1]}")
    return {**json.loads(done.stdout), "processor": target.processor() - before}


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--streams", type=int, default=200)
    options.add_argument("--tokens", type=int, default=100)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--without", nargs="*", default=[], choices=["nginx", "litellm", "direct"])
    options.add_argument("--write", action="store_true", help="put the result into bench/RESULTS.md")
    chosen = options.parse_args()
    where = machine()
    engine = start_engine("bench.relay_upstream", str(chosen.tokens))
    with contextlib.ExitStack() as stack:
        stack.callback(engine.process.kill)
        targets: dict[str, Target] = {}
        if "direct" not in chosen.without:
            process = psutil.Process(engine.process.pid)
            targets["direct"] = Target(engine.endpoint, "none", "relay", process)
        if "nginx" not in chosen.without:
            targets["nginx"] = stack.enter_context(nginx(engine.endpoint))
        targets["modelhub"], recorded = stack.enter_context(modelhub(engine, chosen.tokens))
        if "litellm" not in chosen.without:
            targets["litellm"] = stack.enter_context(litellm(engine.endpoint))
        for target in targets.values():
            measure(target, 20, chosen.tokens)  # warm up
        results: dict[str, list[dict[str, float]]] = {name: [] for name in targets}
        before = recorded()
        for _ in range(chosen.rounds):
            for name, target in targets.items():
                results[name].append(measure(target, chosen.streams, chosen.tokens))
        written = recorded() - before
    lines = [
        f"{where}. {chosen.streams} streams at once, {chosen.tokens} tokens each; {versions(targets)}. "
        f"The hub recorded {written} of {chosen.streams * chosen.rounds} streams with their usage.",
        "",
        *table(results),
    ]
    print("\n".join(lines))
    if chosen.write:
        write_section("Relay", lines)


def versions(targets: dict[str, Target]) -> str:
    said = []
    if "nginx" in targets:
        done = subprocess.run(["nginx", "-v"], capture_output=True, text=True)
        said.append(done.stderr.strip().rpartition(": ")[2])
    if "litellm" in targets:
        code = "import importlib.metadata as m; print(m.version('litellm'))"
        done = subprocess.run([str(CACHE / "litellm/bin/python"), "-c", code], capture_output=True, text=True)
        said.append(f"LiteLLM {done.stdout.strip()}")
    return ", ".join(said) or "nobody else"


def table(results: dict[str, list[dict[str, float]]]) -> list[str]:
    lines = [
        "| relay | tokens/s (median) | all rounds | first token | CPU per stream | × nginx | × LiteLLM |",
        "|---|---|---|---|---|---|---|",
    ]
    rates = {name: [run["tokens"] / run["seconds"] for run in runs] for name, runs in results.items()}
    medians = {name: statistics.median(rate) for name, rate in rates.items()}
    for name, runs in results.items():
        first = statistics.median(run["ttft_p50"] for run in runs)
        used = statistics.median(run["processor"] / run["streams"] for run in runs)
        against = [f"{medians[name] / medians[o]:.2f}" if o in medians else "" for o in ("nginx", "litellm")]
        each = ", ".join(f"{value:,.0f}" for value in rates[name])
        figures = (f"{medians[name]:,.0f}", each, f"{first * 1000:.0f} ms", f"{used * 1000:.2f} ms", *against)
        lines.append(f"| {' | '.join((name, *figures))} |")
    return lines


if __name__ == "__main__":
    main()
