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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.support.hub_process import ROOT, free_port
from tests.support.web_process import EMAIL, PASSWORD, start_engine, web_with_engine

CACHE = Path("~/.cache/modelhub-bench").expanduser()
MASTER_KEY = "sk-bench"
Target = tuple[str, str]
"""Base URL and Bearer."""


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
        with running(["nginx", "-p", directory, "-c", str(config)]):
            wait_for(f"http://127.0.0.1:{port}/")
            yield f"http://127.0.0.1:{port}", "none"


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
        with running([*command, "--host", "127.0.0.1", "--num_workers", "1"], environment):
            wait_for(f"http://127.0.0.1:{port}/health/liveliness", 180)
            yield f"http://127.0.0.1:{port}", MASTER_KEY


@contextlib.contextmanager
def modelhub(
    engine: Any, streams: int, tokens: int, profile: str | None
) -> Iterator[tuple[Target, Callable[[], int]]]:
    with web_with_engine(engine=engine) as web:
        signed_in = httpx.post(f"{web.url}/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD})
        token = signed_in.json()["data"]["access_token"]

        def recorded() -> int:
            from api.extensions import db
            from api.models import Completion

            with web.app.app_context():
                good = (Completion.status == "complete") & (Completion.completion_tokens == tokens)
                return int(db.session.scalar(db.select(db.func.count()).where(good)) or 0)

        if profile:
            import psutil

            worker = psutil.Process(web.parts["web"].pid).children()[0].pid
            spy = str(Path(sys.executable).with_name("py-spy"))
            subprocess.Popen(
                [spy, "record", "-p", str(worker), "-o", profile, "-f", "raw", "-d", "25", "-r", "400"]
            )
        yield (web.url, token), recorded


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str] | None = None) -> Iterator[None]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
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


def measure(target: Target, model: str, streams: int, tokens: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.relay_client", *target, model, str(streams), str(tokens)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{target[0]}: {done.stderr.strip().splitlines()[-1]}")
    return dict(json.loads(done.stdout))


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--streams", type=int, default=200)
    options.add_argument("--tokens", type=int, default=100)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--without", nargs="*", default=[], choices=["nginx", "litellm", "direct"])
    options.add_argument("--profile", help="py-spy's raw output of the web process goes here")
    chosen = options.parse_args()
    engine = start_engine("bench.relay_upstream", str(chosen.tokens))
    with contextlib.ExitStack() as stack:
        stack.callback(engine.process.kill)
        targets: dict[str, Target] = {"direct": (engine.endpoint, "none")}
        if "nginx" not in chosen.without:
            targets["nginx"] = stack.enter_context(nginx(engine.endpoint))
        hub = modelhub(engine, chosen.streams, chosen.tokens, chosen.profile)
        targets["modelhub"], recorded = stack.enter_context(hub)
        if "litellm" not in chosen.without:
            targets["litellm"] = stack.enter_context(litellm(engine.endpoint))
        results: dict[str, list[dict[str, float]]] = {
            name: [] for name in targets if name not in chosen.without
        }
        for name in results:
            measure(targets[name], model_of(name), 20, chosen.tokens)  # warm up
        before = recorded()
        for _ in range(chosen.rounds):
            for name, runs in results.items():
                runs.append(measure(targets[name], model_of(name), chosen.streams, chosen.tokens))
        written = recorded() - before
    report(results, written, chosen.streams * chosen.rounds)


def model_of(name: str) -> str:
    return "scripted" if name == "modelhub" else "relay"


def report(results: dict[str, list[dict[str, float]]], written: int, asked: int) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, ", end="")
    print(f"load average {os.getloadavg()[0]:.1f}. {written} of {asked} streams recorded with their usage.\n")
    print("| relay | tokens/s (median) | each round | first token | × nginx | × LiteLLM |")
    print("|---|---|---|---|---|---|")
    rates = {name: [run["tokens"] / run["seconds"] for run in runs] for name, runs in results.items()}
    medians = {name: statistics.median(rate) for name, rate in rates.items()}
    for name, rate in rates.items():
        first = statistics.median(run["ttft_p50"] for run in results[name])
        against = [f"{medians[name] / medians[o]:.2f}" if o in medians else "" for o in ("nginx", "litellm")]
        each = ", ".join(f"{value:,.0f}" for value in rate)
        cells = (name, f"{medians[name]:,.0f}", each, f"{first * 1000:.0f} ms", *against)
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
