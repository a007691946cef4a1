"""`python -m inference.transformers_server SPEC.json`: serves a safetensors model in the OpenAI dialect.

The port is bound first (a taken one is known at once), then the model is examined by parsing alone, and only
a model that can be served costs the seconds of importing torch.
"""

import os
import threading
import time
from pathlib import Path
from typing import Any

from inference.errors import BrokenModel, OutOfMemory, UnsupportedArchitecture
from inference.serving import EngineSpec, as_port_error, end_at_once, end_on_stop
from integrations.child_events import EventWriter
from integrations.errors import IntegrationError, NotACausalLM
from integrations.model_facts import ModelFacts, read_facts, read_json


def examine(spec: EngineSpec) -> ModelFacts:
    """Facts of a model this engine can serve; raises `NotACausalLM` or `BrokenModel` with what to do."""
    if not spec.model_path.is_dir():
        raise BrokenModel(f"There is no model directory at {spec.model_path}.")
    facts = read_facts(spec.model_path)
    broken = [
        warning for warning in facts.warnings if "safetensors" in warning or warning.startswith("config.json")
    ]
    if broken:
        raise BrokenModel(
            f"The model's files are damaged: {broken[0]} Delete the model and download it again."
        )
    if facts.kind == "adapter":
        raise NotACausalLM("This is a LoRA adapter, not a whole model. Deploy its base model.")
    if facts.format != "safetensors":
        found = {
            "gguf": "GGUF files; choose the llama.cpp engine",
            "pytorch": "pickled PyTorch weights, which can run code",
        }
        what = found.get(facts.format or "", "no weights at all")
        raise NotACausalLM(f"This engine serves safetensors weights, and the model has {what}.")
    if not facts.is_causal_lm:
        kind = (
            f"a {facts.architecture}"
            if facts.architecture
            else "a model whose config.json names no architecture"
        )
        raise NotACausalLM(
            f"Only text-generating models (…ForCausalLM) can be deployed for chat, and this is {kind}.",
            details={"architecture": facts.architecture},
        )
    return facts


def load(spec: EngineSpec, facts: ModelFacts, engine: Any) -> None:
    """Import, load and start: the slow part."""
    import torch
    from transformers import AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    from inference.memory import available_bytes, plan_cache
    from inference.prompts import Prompts
    from inference.transformers_engine import load_model

    disable_progress_bar()  # it would fill the deployment's log
    torch.set_num_threads(spec.threads)
    dtype = choose_dtype(facts)
    config = read_json(spec.model_path / "config.json", [])
    text_config = config.get("text_config") if isinstance(config.get("text_config"), dict) else {}
    plan = plan_cache(
        config | (text_config or {}),
        weights=(facts.parameters or 0) * dtype.itemsize,
        value_bytes=dtype.itemsize,
        free=available_bytes(),
        context=spec.context,
        max_concurrent=spec.max_concurrent,
    )
    tokenizer = AutoTokenizer.from_pretrained(spec.model_path, trust_remote_code=False, local_files_only=True)
    model = load_model(spec.model_path, dtype)
    ends = end_tokens(model.generation_config.eos_token_id, tokenizer.eos_token_id)
    engine.start(model, Prompts(tokenizer), ends, plan)


def choose_dtype(facts: ModelFacts) -> Any:
    """The checkpoint's own type; on a CPU half precision becomes what the CPU multiplies natively: bfloat16
    took 0.7 of the CPU time of float32 for four streams, 0.56 for a long prompt, and half the memory."""
    import torch

    own = (facts.dtype or "").removeprefix("torch.").lower()
    if own not in ("bfloat16", "bf16", "float16", "f16"):
        return torch.float32
    if torch.cuda.is_available():
        return torch.bfloat16 if own.startswith("b") else torch.float16
    return torch.bfloat16 if native_bfloat16() else torch.float32


def native_bfloat16() -> bool:
    """Whether this processor has instructions for bfloat16 products, as Linux names them on x86 and ARM."""
    try:
        words = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return False
    return not words.isdisjoint({"avx512_bf16", "amx_bf16", "bf16"})


def end_tokens(*ids: Any) -> set[int]:
    """Every token that ends an answer, from the generation settings and the tokenizer."""
    flat = [token for group in ids for token in (group if isinstance(group, list) else [group])]
    return {token for token in flat if isinstance(token, int) and token >= 0}


def sampling_defaults(spec: EngineSpec) -> Any:
    """The model's own generation settings, for what a request leaves open; a model that says nothing samples
    at 1."""
    from inference.sampling import SamplingParams

    settings = read_json(spec.model_path / "generation_config.json", [])
    greedy = settings.get("do_sample") is False
    numbers = {
        name: settings[name]
        for name in ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")
        if isinstance(settings.get(name), int | float) and not isinstance(settings[name], bool)
    }
    return SamplingParams(**{**numbers, "temperature": 0.0} if greedy else numbers)


def explain(error: Exception) -> IntegrationError:
    """What loading died of, in our words."""
    if isinstance(error, IntegrationError):
        return error
    text = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
    if (
        isinstance(error, MemoryError)
        or "out of memory" in text.lower()
        or "can't allocate memory" in text.lower()
    ):
        return OutOfMemory(
            f"The memory ran out while loading the model: {text} Choose a smaller model or context."
        )
    if (
        "does not recognize this architecture" in text
        or "Unrecognized" in text
        or "trust_remote_code" in text
    ):
        return UnsupportedArchitecture(
            "This engine does not know the model's architecture and never runs code that comes with a model: "
            + text
        )
    return BrokenModel(f"The model could not be loaded: {type(error).__name__}: {text}")


def main(spec: dict[str, Any], events: EventWriter, stop: threading.Event) -> dict[str, Any]:
    end_on_stop(events, stop)
    began = time.monotonic()
    settings = EngineSpec.read(spec)
    facts = examine(settings)
    os.environ.update(
        HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", OMP_NUM_THREADS=str(settings.threads)
    )

    from inference.openai_http import Server
    from inference.pending import PendingEngine

    engine = PendingEngine(settings.model_name)
    try:
        server = Server((settings.host, settings.port), engine, settings.api_key)
    except OSError as error:
        raise as_port_error(error, settings.host, settings.port) from None
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    events.emit(
        "log", line=f"loading {settings.model_name} ({facts.architecture}) with {settings.threads} threads"
    )
    try:
        from inference.transformers_engine import TransformersEngine

        loaded = TransformersEngine(settings.model_name, sampling_defaults(settings))
        load(settings, facts, loaded)
    except Exception as error:
        import traceback

        traceback.print_exc()
        raise explain(error) from error
    server.engine = loaded
    events.emit("log", line=f"ready after {time.monotonic() - began:.1f} s, context {loaded.context} tokens")
    while loaded.status == "ok":
        time.sleep(0.5)
    raise explain(loaded.failure or RuntimeError("the generation loop ended"))


if __name__ == "__main__":
    end_at_once(main)
