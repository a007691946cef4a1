"""Starting: what cannot be served says so in one sentence and a code; stopping is at once."""

import shutil
import socket
from pathlib import Path

import pytest

from tests.inference.conftest import MODULES
from tests.inference.engine_process import EngineProcess, free_port


def failure(module: str, model: Path, folder: Path, **options: object) -> dict[str, str]:
    process = EngineProcess(module, model, folder, dict(options)).start()
    assert process.process.wait(timeout=120) == 1, process.output()
    last = process.events()[-1]
    assert last["type"] == "error"
    assert len(last["message"]) > 20
    return last


def test_an_encoder_is_not_a_causal_lm(bert: Path, tmp_path: Path) -> None:
    said = failure(MODULES["transformers"], bert, tmp_path)
    assert said["code"] == "NOT_A_CAUSAL_LM"
    assert "BertModel" in said["message"]


def test_no_weights(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    assert failure(MODULES["transformers"], tmp_path / "model", tmp_path)["code"] == "NOT_A_CAUSAL_LM"


def test_truncated_weights(llama: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(llama, tmp_path / "model"))
    with (broken / "model.safetensors").open("r+b") as file:
        file.truncate(200_000)
    said = failure(MODULES["transformers"], broken, tmp_path)
    assert said["code"] == "BROKEN_MODEL"
    assert "model.safetensors" in said["message"]


def test_unknown_architecture(llama: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(llama, tmp_path / "model"))
    config = (copy / "config.json").read_text().replace('"llama"', '"neverheard"')
    (copy / "config.json").write_text(config.replace("LlamaForCausalLM", "NeverHeardForCausalLM"))
    assert failure(MODULES["transformers"], copy, tmp_path)["code"] == "UNSUPPORTED_ARCHITECTURE"


@pytest.mark.parametrize("cut", [0, 100, 5_000, 200_000])
def test_broken_gguf(llama_gguf: Path, tmp_path: Path, cut: int) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(next(llama_gguf.glob("*.gguf")).read_bytes()[:cut])
    assert failure(MODULES["llamacpp"], broken, tmp_path)["code"] == "BROKEN_MODEL"


@pytest.mark.parametrize("kind", MODULES)
def test_a_taken_port_is_said(kind: str, llama: Path, llama_gguf: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        model = llama if kind == "transformers" else llama_gguf
        process = EngineProcess(MODULES[kind], model, tmp_path, port=port).start()
        assert process.process.wait(timeout=60) == 1
    last = process.events()[-1]
    assert last["code"] == "PORT_IN_USE"
    assert str(port) in last["message"]


@pytest.mark.parametrize("kind", MODULES)
def test_too_large_a_context_says_how_much_memory_it_needs(
    kind: str, llama: Path, llama_gguf: Path, tmp_path: Path
) -> None:
    import re

    from inference.errors import OutOfMemory
    from inference.memory import plan_cache

    config = {
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "hidden_size": 4096,
        "max_position_embeddings": 131072,
    }
    with pytest.raises(OutOfMemory, match=re.compile("GiB")):
        plan_cache(config, weights=2**30, value_bytes=2, free=2**32, context=131072, max_concurrent=1)
    plan = plan_cache(config, weights=2**30, value_bytes=2, free=2**34, context=None, max_concurrent=4)
    assert plan.context == 8192


@pytest.mark.parametrize("kind", MODULES)
def test_sigterm_ends_it(kind: str, llama: Path, llama_gguf: Path, tmp_path: Path) -> None:
    model = llama if kind == "transformers" else llama_gguf
    process = EngineProcess(MODULES[kind], model, tmp_path, port=free_port()).start().wait_ready()
    assert process.stop() == 75
    assert process.events()[-1]["type"] == "stopped"


def test_sigterm_while_loading(llama: Path, tmp_path: Path) -> None:
    process = EngineProcess(MODULES["transformers"], llama, tmp_path).start()
    while process.health() != 503:
        assert process.process.poll() is None
    assert process.stop() == 75


def test_model_without_a_chat_template_still_completes(llama: Path, tmp_path: Path) -> None:
    import openai

    copy = Path(shutil.copytree(llama, tmp_path / "model"))
    (copy / "chat_template.jinja").unlink()
    process = EngineProcess(MODULES["transformers"], copy, tmp_path).start().wait_ready()
    try:
        with pytest.raises(openai.BadRequestError, match="chat template"):
            process.client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "hi"}])
        assert process.client.completions.create(model="tiny", prompt="The", max_tokens=3).choices[0].text
    finally:
        process.stop()
