"""`python -m inference.llamacpp_server SPEC.json`: serves a GGUF model with llama.cpp's own HTTP server.

The server is the one in the `xllamacpp` wheel; this program examines the file, sizes the context to the
memory, and turns what llama.cpp only logs into an error a person can act on.
"""

import threading
import time
from pathlib import Path
from typing import Any

from inference.errors import BrokenModel, EngineError
from inference.memory import CachePlan, available_bytes, plan_cache
from inference.serving import EngineSpec, check_port_free, end_at_once, end_on_stop
from integrations.child_events import EventWriter
from integrations.errors import Unsupported
from integrations.gguf_header import BadHeader, read_header
from integrations.model_facts import ModelFacts, read_facts

CACHE_VALUE_BYTES = 2  # llama.cpp keeps its KV cache in float16
PROMPT_CACHE_MIB = 256  # of earlier prompts; llama.cpp's own default of 8 GiB is a machine's whole memory


def examine(spec: EngineSpec) -> tuple[Path, ModelFacts]:
    """The GGUF file to serve and its facts; raises `BrokenModel` or `Unsupported` with what to do."""
    if not spec.model_path.exists():
        raise BrokenModel(f"There is no model at {spec.model_path}.")
    facts = read_facts(spec.model_path)
    if facts.format != "gguf" or not facts.gguf_file:
        raise Unsupported("This engine serves GGUF files, and the model has none. Choose another engine.")
    folder = spec.model_path if spec.model_path.is_dir() else spec.model_path.parent
    if facts.architecture is None:
        why = facts.warnings[0] if facts.warnings else "It names no architecture."
        raise BrokenModel(f"The GGUF file is damaged: {why} Delete the model and download it again.")
    return folder / facts.gguf_file, facts


def plan(spec: EngineSpec, file: Path, facts: ModelFacts) -> CachePlan:
    """Context and parallel slots that fit the memory. The shapes stand in the header under the architecture's
    name."""
    try:
        metadata = read_header(file).metadata
    except BadHeader as error:
        raise BrokenModel(f"The GGUF file is damaged: {error}. Download it again.") from None

    def shape(name: str) -> int | None:
        value = metadata.get(f"{facts.architecture}.{name}")
        value = max(value, default=None) if isinstance(value, list) else value
        return value if type(value) is int and value > 0 else None

    config = {
        "num_hidden_layers": shape("block_count"),
        "num_attention_heads": shape("attention.head_count"),
        "num_key_value_heads": shape("attention.head_count_kv"),
        "hidden_size": shape("embedding_length"),
        "head_dim": shape("attention.key_length"),
        "max_position_embeddings": shape("context_length"),
    }
    return plan_cache(
        config,
        weights=facts.weights,
        value_bytes=CACHE_VALUE_BYTES,
        free=available_bytes(),
        context=spec.context,
        max_concurrent=spec.max_concurrent,
    )


def parameters(spec: EngineSpec, file: Path, sizes: CachePlan) -> Any:
    """llama.cpp's settings for this deployment."""
    import xllamacpp

    slots = sizes.whole_contexts
    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.model_alias = {spec.model_name}
    params.hostnames, params.port, params.api_keys = [spec.host], spec.port, [spec.api_key]
    params.n_parallel, params.n_ctx = slots, sizes.context * slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = spec.threads
    params.n_threads_http = 2 * spec.max_concurrent + 8  # a stream keeps one; health and metrics need theirs
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.ui = params.endpoint_slots = params.endpoint_props = False
    params.endpoint_metrics = params.use_jinja = True
    # Thinking stays in the text, as the other engine gives it; whoever shows it tells it apart.
    params.reasoning_format = xllamacpp.common_reasoning_format.COMMON_REASONING_FORMAT_NONE
    return params


def main(spec: dict[str, Any], events: EventWriter, stop: threading.Event) -> dict[str, Any]:
    end_on_stop(events, stop)
    began = time.monotonic()
    settings = EngineSpec.read(spec)
    file, facts = examine(settings)
    sizes = plan(settings, file, facts)
    check_port_free(settings.host, settings.port)
    events.emit("log", line=f"loading {settings.model_name} ({facts.architecture} {facts.quantization})")

    import xllamacpp

    try:
        server = xllamacpp.Server(parameters(settings, file, sizes))
    except RuntimeError as error:
        check_port_free(settings.host, settings.port)  # taken since we looked
        raise BrokenModel(
            "llama.cpp could not load this GGUF file: it is damaged, or of an architecture this version of "
            "llama.cpp does not know. The log says which.",
            details={"architecture": facts.architecture, "said": str(error)},
        ) from error
    events.emit(
        "log",
        line=f"ready after {time.monotonic() - began:.1f} s at {server.listening_address}, "
        f"context {sizes.context} tokens, {sizes.whole_contexts} parallel",
    )
    while _listens(settings):
        time.sleep(2)
    raise EngineError("llama.cpp stopped listening. The log says why.")


def _listens(settings: EngineSpec) -> bool:
    """Whether llama.cpp still holds its port. Its server runs on threads of its own that cannot be asked."""
    import socket

    try:
        with socket.create_connection((settings.host, settings.port), timeout=5):
            return True
    except TimeoutError:
        return True  # too busy to accept is not dead
    except OSError:
        return False


if __name__ == "__main__":
    end_at_once(main)
