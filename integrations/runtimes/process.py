"""A model served by a process on this machine: llama.cpp for GGUF, transformers for safetensors."""

import contextlib
import json
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from integrations.errors import ChildFailed, NotACausalLM, Unreachable, Unsupported
from integrations.intake.code import needs_code
from integrations.model_facts import ModelFacts, read_facts
from integrations.runtimes.base import Launch

ENGINES = {"transformers": "inference.transformers_server", "llamacpp": "inference.llamacpp_server"}
"""Engine to the program that serves with it."""

ENGINE_KEY = "MODELHUB_ENGINE_KEY"
"""The variable an engine reads the key from that its callers must show."""

_HOST = "127.0.0.1"
_HEALTH_SECONDS, _TOKEN_SECONDS = 2.0, 120.0


class ProcessOptions(BaseModel):
    """How a model is served on this machine."""

    model_config = ConfigDict(extra="forbid")

    engine: Literal["auto", "transformers", "llamacpp"] = Field(
        "auto", title="Engine", description="auto: llama.cpp for GGUF, transformers for safetensors."
    )
    threads: int | None = Field(
        None, ge=1, le=1024, title="Threads", description="CPU threads; empty means all cores but one."
    )
    context: int | None = Field(
        None, ge=64, le=4_194_304, title="Context", description="Tokens; empty means what fits the memory."
    )
    max_concurrent: int = Field(
        4, ge=1, le=256, title="Parallel answers", description="Answers at the same time."
    )
    port: int | None = Field(
        None, ge=1024, le=65535, title="Port", description="Loopback port; empty means a free one."
    )


class ProcessRuntime:
    name: ClassVar[str] = "process"
    title: ClassVar[str] = "Process on this machine"
    Options: ClassVar[type[BaseModel]] = ProcessOptions

    def choose_engine(self, directory: Path, options: ProcessOptions) -> str:
        facts = read_facts(directory)
        fitting = _engine_for(facts)
        if fitting == "transformers" and (own := needs_code(directory)):
            raise Unsupported(
                f"This model can only be loaded by running code that comes with it ({own}), which the hub "
                "never does. Choose a model whose architecture transformers has built in, or its GGUF.",
                details={"remote_code": own},
            )
        if options.engine not in ("auto", fitting):
            needs = {"transformers": "safetensors", "llamacpp": "GGUF"}[options.engine]
            raise Unsupported(
                f"The engine '{options.engine}' needs {needs} files, and this model has {facts.format}. "
                f"Choose '{fitting}' or 'auto'."
            )
        return fitting

    def prepare(self, directory: Path, name: str, options: ProcessOptions, api_key: str) -> Launch:
        engine = self.choose_engine(directory, options)
        port = options.port or _free_port()
        spec = {
            "model_path": str(directory),
            "model_name": name,
            "host": _HOST,
            "port": port,
            "threads": options.threads,
            "context": options.context,
            "max_concurrent": options.max_concurrent,
        }
        return Launch(ENGINES[engine], spec, f"http://{_HOST}:{port}", engine, {ENGINE_KEY: api_key})

    def ready(self, endpoint: str, api_key: str, name: str) -> None:
        headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        _ask(f"{endpoint}/health", None, {}, _HEALTH_SECONDS)
        # A chat needs a template, which a base model may lack; a completion works with every causal model.
        body = json.dumps({"model": name, "prompt": "Hello", "max_tokens": 1, "temperature": 0}).encode()
        answer = _ask(f"{endpoint}/v1/completions", body, headers, _TOKEN_SECONDS)
        if not answer.get("choices"):
            raise ChildFailed("The server is up but answered without a token. Read the deployment's log.")


def _engine_for(facts: ModelFacts) -> str:
    if facts.format == "gguf":
        return "llamacpp"
    if facts.kind == "adapter":
        raise NotACausalLM("This is a LoRA adapter, not a whole model. Deploy its base model.")
    if facts.format == "safetensors" and facts.is_causal_lm:
        return "transformers"
    if facts.architecture and not facts.is_causal_lm:
        raise NotACausalLM(
            f"{facts.architecture} does not generate text. Only causal language models (…ForCausalLM) can be "
            "deployed for chat.",
            details={"architecture": facts.architecture},
        )
    held = "pickled PyTorch weights, which can run code" if facts.format == "pytorch" else "no weights"
    raise NotACausalLM(f"This model has {held}. Only safetensors and GGUF files can be deployed.")


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_given: Any) -> None:
        return None


def _ask(url: str, body: bytes | None, headers: dict[str, str], seconds: float) -> dict[str, Any]:
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - always http to loopback
    # Straight to loopback and nowhere else: no proxy of the environment, no redirect from what answers.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())
    try:
        with opener.open(request, timeout=seconds) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        if error.code == 503:
            raise Unreachable("The model is still being loaded.") from None
        if error.code in (401, 403):
            # Not our key, so not our server: ours is about to say that the port is taken.
            raise Unreachable("Another server answers on this port.") from None
        said = error.read(500).decode(errors="replace")
        raise ChildFailed(f"The server refused its first token ({error.code}): {said}") from None
    except (OSError, ValueError) as error:
        raise Unreachable(f"The server does not answer yet: {error}") from None
    return answer if isinstance(answer, dict) else {}
