"""An inference server as the hub runs it: a child process with a spec file, on a free loopback port."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openai import OpenAI

ROOT = Path(__file__).resolve().parents[2]
KEY = "engine-key"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class EngineProcess:
    """`module` serving `model` from `folder`. Its events and output lie there as well."""

    module: str
    model: Path
    folder: Path
    options: dict[str, Any] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    def start(self) -> "EngineProcess":
        self.folder.mkdir(parents=True, exist_ok=True)
        spec = {
            "job_id": "test",
            "events": str(self.folder / "events.jsonl"),
            "model_path": str(self.model),
            "model_name": "tiny",
            "port": self.port,
            "threads": 1,
            **self.options,
        }
        (self.folder / "spec.json").write_text(json.dumps(spec))
        with (self.folder / "output.log").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.module, str(self.folder / "spec.json")],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT), "MODELHUB_ENGINE_KEY": KEY},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return self

    def wait_ready(self, seconds: float = 120) -> "EngineProcess":
        deadline = time.monotonic() + seconds
        while self.health() != 200:
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.1)
        return self

    def health(self) -> int:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "events.jsonl").read_text().splitlines()]

    def output(self) -> str:
        return (self.folder / "output.log").read_text(errors="replace")

    def stop(self) -> int:
        """End it as the hub does; its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=10)

    def metric(self, name: str) -> float:
        request = urllib.request.Request(f"{self.url}/metrics", headers={"Authorization": f"Bearer {KEY}"})
        with urllib.request.urlopen(request, timeout=5) as response:
            lines = response.read().decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(name))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> OpenAI:
        return OpenAI(base_url=f"{self.url}/v1", api_key=KEY, max_retries=0, timeout=60)
