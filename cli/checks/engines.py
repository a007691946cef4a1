"""What models run on: engines, torch, GPU, Docker, Ollama. Nothing heavy is imported to find out."""

import os
import shutil
import subprocess
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from cli.checks import Check, Surroundings


def inference(_: Surroundings) -> Check:
    found = [name for name in ("transformers", "xllamacpp") if find_spec(name)]
    missing = {"transformers": "safetensors", "xllamacpp": "GGUF"}
    absent = [f"{name} ({missing[name]} models)" for name in missing if name not in found]
    if not found:
        return Check("Inference", "fail", "no engine is installed", "`make up` installs both engines.")
    have = ", ".join(f"{name} {metadata.version(name)}" for name in found)
    if absent:
        return Check(
            "Inference", "warn", f"{have}; without {', '.join(absent)}", "`make up` installs what is missing."
        )
    return Check("Inference", "ok", have)


def torch(_: Surroundings) -> Check:
    if not find_spec("torch"):
        return Check("torch", "warn", "not installed", "Training needs it: `make up` installs it.")
    return Check("torch", "ok", metadata.version("torch"))


def gpu(_: Surroundings) -> Check:
    tool = shutil.which("nvidia-smi")
    if not tool:
        advice = "Small and quantised models run well on the CPU. For a GPU, install NVIDIA's driver."
        return Check("GPU", "warn", "no NVIDIA driver found", advice)
    query = [tool, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(query, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        return Check(
            "GPU", "warn", f"nvidia-smi does not answer ({error})", "Restart the machine or its driver."
        )
    if found.returncode:
        reason = (found.stdout + found.stderr).strip().splitlines()[0]
        return Check("GPU", "warn", f"nvidia-smi: {reason}", "Install or restart NVIDIA's driver.")
    return Check("GPU", "ok", "; ".join(line.strip() for line in found.stdout.splitlines() if line.strip()))


def docker(around: Surroundings) -> Check:
    """SDK and engine. Our top-level `docker/` folder makes `import docker` work without the SDK."""
    spec = find_spec("docker")
    if spec is None or spec.origin is None:  # no __init__.py: a namespace, not the SDK
        advice = "Only container deployments need it: `make up` installs it."
        return Check("Docker", "warn", "the Python SDK is not installed", advice)
    sdk = f"SDK {metadata.version('docker')}"
    host = around.variables.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    problem = _ping_engine(host)
    if problem is None:
        return Check("Docker", "ok", f"{sdk}, engine at {host}")
    return Check("Docker", "warn", f"{sdk}; {problem}", "Only containers need an engine: start Docker.")


def _ping_engine(host: str) -> str | None:
    """None when the engine answers, else why not."""
    import httpx

    scheme, _, rest = host.partition("://")
    transport, url = None, f"http://{rest}/_ping"
    if scheme == "unix":
        if not Path(rest).exists():
            return f"{rest} is not there"
        if not os.access(rest, os.R_OK | os.W_OK):
            return f"this user may not use {rest}"
        transport, url = httpx.HTTPTransport(uds=rest), "http://docker/_ping"
    elif scheme not in ("tcp", "http", "https") or os.environ.get("DOCKER_TLS_VERIFY"):
        return f"the engine at {host} cannot be asked from here"
    try:
        with httpx.Client(transport=transport, timeout=5, trust_env=False) as client:
            answer = client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"no engine answers at {host} ({error})"
    return None if answer.status_code == 200 else f"what answers at {host} is not Docker"


def ollama(around: Surroundings) -> Check:
    import httpx

    url = ollama_url(around.variables.get("OLLAMA_HOST", ""))
    try:
        answer = httpx.get(f"{url}/api/version", timeout=3, trust_env=False)
        version = answer.json()["version"]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        advice = "Only models that Ollama keeps need it: start it, or set OLLAMA_HOST to where it runs."
        return Check("Ollama", "warn", f"does not answer at {url}", advice)
    return Check("Ollama", "ok", f"{version} at {url}")


def ollama_url(host: str) -> str:
    """OLLAMA_HOST as Ollama reads it: scheme and port may be missing, 0.0.0.0 means this machine."""
    parts = urlsplit(host if "://" in host else f"http://{host or '127.0.0.1'}")
    default = 443 if parts.scheme == "https" else 80 if "://" in host else 11434
    name = parts.hostname or "127.0.0.1"
    name = "127.0.0.1" if name in ("0.0.0.0", "::") else name  # noqa: S104 - compared, not bound
    name = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{name}:{parts.port or default}{parts.path.rstrip('/')}"
