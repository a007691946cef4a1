"""The process runtime: which engine, which refusals, and a model that really answers."""

import shutil
import socket
import time
from pathlib import Path

import pytest

from integrations import children
from integrations.errors import NotACausalLM, Unreachable, Unsupported
from integrations.runtimes import RUNTIMES
from integrations.runtimes.process import ProcessOptions
from tests.support import tiny_models

runtime = RUNTIMES["process"]


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def models(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    gguf = tiny_models.gguf(tmp_path_factory.mktemp("gguf"), llama).parent
    return {"transformers": llama, "llamacpp": gguf}


@pytest.mark.parametrize("engine", ["transformers", "llamacpp"])
def test_prepared_and_started_it_answers(engine: str, models: dict[str, Path], tmp_path: Path) -> None:
    launch = runtime.prepare(models[engine], "tiny", ProcessOptions(threads=1), "secret")
    assert launch.engine == engine
    with pytest.raises(Unreachable):
        runtime.ready(launch.endpoint, "secret", "tiny")
    child = children.start(tmp_path / "child", launch.module, {"job_id": "d", **launch.spec}, launch.secrets)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                runtime.ready(launch.endpoint, "secret", "tiny")
                break
            except Unreachable:
                assert child.alive and time.monotonic() < deadline, children.tail_log(tmp_path / "child")
                time.sleep(0.2)
    finally:
        child.stop(5)
    assert children.last_event(tmp_path / "child")["type"] == "stopped"


def test_no_two_launches_share_a_port(models: dict[str, Path]) -> None:
    ports = {runtime.prepare(models["llamacpp"], "n", ProcessOptions(), "k").spec["port"] for _ in range(5)}
    assert len(ports) > 1
    for port in ports:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))


def test_the_wrong_engine_is_refused(models: dict[str, Path]) -> None:
    with pytest.raises(Unsupported, match="llamacpp"):
        runtime.choose_engine(models["llamacpp"], ProcessOptions(engine="transformers"))
    with pytest.raises(Unsupported, match="transformers"):
        runtime.choose_engine(models["transformers"], ProcessOptions(engine="llamacpp"))


def test_what_cannot_speak_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotACausalLM, match="BertModel"):
        runtime.choose_engine(tiny_models.bert(tmp_path / "bert"), ProcessOptions())
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotACausalLM, match="no weights"):
        runtime.choose_engine(tmp_path / "empty", ProcessOptions())


def test_adapter_and_pickle_are_refused(llama: Path, tmp_path: Path) -> None:
    adapter = Path(shutil.copytree(llama, tmp_path / "adapter"))
    (adapter / "adapter_config.json").write_text('{"peft_type": "LORA", "base_model_name_or_path": "x/y"}')
    with pytest.raises(NotACausalLM, match="base model"):
        runtime.choose_engine(adapter, ProcessOptions())
    pickled = Path(shutil.copytree(llama, tmp_path / "pickled"))
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(NotACausalLM, match="pickled"):
        runtime.choose_engine(pickled, ProcessOptions())


def test_options_describe_themselves() -> None:
    schema = runtime.Options.model_json_schema()
    assert schema["properties"]["engine"]["default"] == "auto"
    assert all(field.get("description") for field in schema["properties"].values())
