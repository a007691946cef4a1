"""Facts are parsed, never loaded; hostile and broken files give warnings, not exceptions."""

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest

from integrations import gguf_header, safetensors_header
from integrations.model_facts import read_facts
from tests.support import tiny_models


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def llama_gguf(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.gguf(tmp_path_factory.mktemp("gguf"), llama)


def safetensors(path: Path, header: Any, data: bytes = b"", length: int | None = None) -> Path:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(raw) if length is None else length) + raw + data)
    return path


def tensor(start: int, end: int, shape: list[Any] | None = None, dtype: str = "F32") -> dict[str, Any]:
    return {
        "dtype": dtype,
        "shape": [(end - start) // 4] if shape is None else shape,
        "data_offsets": [start, end],
    }


def test_llama(llama: Path) -> None:
    import torch
    from safetensors.torch import load_file

    facts = read_facts(llama)
    weights: dict[str, torch.Tensor] = load_file(llama / "model.safetensors")
    assert facts.parameters == sum(value.numel() for value in weights.values())
    assert (facts.kind, facts.format, facts.architecture) == ("base", "safetensors", "LlamaForCausalLM")
    assert (facts.dtype, facts.context_length, facts.license) == ("float32", 512, "mit")
    assert facts.is_causal_lm
    assert facts.chat_template
    assert facts.warnings == []


def test_gguf_agrees_with_its_source(llama: Path, llama_gguf: Path) -> None:
    facts = read_facts(llama_gguf.parent)
    assert facts.parameters == read_facts(llama).parameters
    assert (facts.kind, facts.format, facts.architecture) == ("gguf", "gguf", "llama")
    assert (facts.quantization, facts.context_length) == ("F16", 512)
    assert facts.chat_template
    assert read_facts(llama_gguf).architecture == "llama"


def test_encoder_is_no_causal_lm(tmp_path: Path) -> None:
    assert not read_facts(tiny_models.bert(tmp_path)).is_causal_lm


def test_adapter(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(
        '{"peft_type": "LORA", "base_model_name_or_path": "org/base"}'
    )
    safetensors(tmp_path / "adapter_model.safetensors", {"a": tensor(0, 8)}, bytes(8))
    facts = read_facts(tmp_path)
    assert (facts.kind, facts.base_model, facts.parameters) == ("adapter", "org/base", 2)


def test_quantised_parameters_are_unpacked(tmp_path: Path) -> None:
    config = {"architectures": ["XForCausalLM"], "quantization_config": {"quant_method": "gptq", "bits": 4}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    safetensors(tmp_path / "model.safetensors", {"a.qweight": tensor(0, 40, dtype="I32")}, bytes(40))
    facts = read_facts(tmp_path)
    assert (facts.parameters, facts.quantization) == (80, "gptq-4bit")


def test_pickles_are_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"architectures": ["XForCausalLM"]}')
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04cos\nsystem\n")
    facts = read_facts(tmp_path)
    assert facts.format == "pytorch"
    assert facts.warnings


@pytest.mark.parametrize(
    ("header", "data", "length"),
    [
        ({"a": tensor(0, 8)}, b"", None),  # cut off
        ({"a": tensor(0, 8)}, bytes(12), None),  # something hidden at the end
        ({"a": tensor(0, 8), "b": tensor(4, 12)}, bytes(12), None),  # overlap
        ({"a": tensor(0, 4), "b": tensor(8, 12)}, bytes(12), None),  # hole
        ({"a": tensor(0, 8, [3])}, bytes(8), None),  # shape and size disagree
        ({"a": tensor(0, 8, [-2])}, bytes(8), None),
        ({"a": tensor(0, 8, [2**62, 2**62])}, bytes(8), None),
        ({"a": tensor(0, 8, [True, 2])}, bytes(8), None),
        ({"a": tensor(0, 8, dtype="PICKLE")}, bytes(8), None),
        ({"a": {"dtype": "F32", "shape": None, "data_offsets": [0, 8]}}, bytes(8), None),
        ({"a": 1}, b"", None),
        ({"a": tensor(8, 0)}, bytes(8), None),
        ([1, 2], b"", None),
        (b"{", b"", None),
        (b"[" * 100_000, b"", None),
        (b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
         bytes(4), None),
        (b"{}", b"", 2**63),
        (b"{}", b"", 200_000_000),
        (b"\xff\xfe", b"", None),
    ],
)  # fmt: skip
def test_hostile_safetensors(tmp_path: Path, header: Any, data: bytes, length: int | None) -> None:
    path = safetensors(tmp_path / "model.safetensors", header, data, length)
    with pytest.raises(safetensors_header.BadHeader):
        safetensors_header.read_header(path)
    facts = read_facts(tmp_path)
    assert facts.warnings
    assert facts.parameters is None


def test_a_header_larger_than_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with path.open("wb") as file:
        file.write(struct.pack("<Q", 200_000_000))
        file.truncate(300_000_000)  # sparse
    with pytest.raises(safetensors_header.BadHeader, match="200000000"):
        safetensors_header.read_header(path)


def string(text: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"GGML" + bytes(20),
        b"GGUF" + struct.pack("<IQQ", 1, 0, 0),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1),  # ends early
        b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0),  # tensors without end
        b"GGUF" + struct.pack("<IQQ", 3, 0, 2**60),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**60),  # a text without end
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + string(b"k") + struct.pack("<IIQ", 9, 4, 2**60),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + string(b"k") + struct.pack("<IIQ", 9, 9, 1),  # nested
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + string(b"k") + struct.pack("<I", 77),
        b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + string(b"t") + struct.pack("<I", 2**31),
        b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + string(b"t") + struct.pack("<IQQIQ", 2, 2**40, 2**40, 0, 0),
    ],
)
def test_hostile_gguf(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(body)
    with pytest.raises(gguf_header.BadHeader):
        gguf_header.read_header(path)
    facts = read_facts(tmp_path)
    assert facts.kind == "gguf"
    assert facts.warnings
    assert facts.architecture is None


@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"[]",
        b"{",
        b'{"architectures": "x"}',
        b'{"architectures": [3], "max_position_embeddings": "many"}',
        b"\xff",
    ],
)
def test_odd_configs(tmp_path: Path, config: bytes) -> None:
    (tmp_path / "config.json").write_bytes(config)
    facts = read_facts(tmp_path)
    assert facts.architecture is None
    assert facts.context_length is None


@pytest.mark.parametrize(
    "head",
    [
        "license: [",
        "license: {a: b}",
        "- a",
        "tags: 3",
        "tags: [1, {}]",
        "a: &a [x]\nlicense: *b",
        "!!python/name:os.system x",
    ],
)
def test_odd_cards(tmp_path: Path, head: str) -> None:
    (tmp_path / "README.md").write_text(f"---\n{head}\n---\ntext")
    facts = read_facts(tmp_path)
    assert facts.license is None
    assert facts.tags == []


def test_links_out_of_the_directory_are_not_followed(llama: Path, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").symlink_to(llama / "model.safetensors")
    assert read_facts(tmp_path).format is None


def test_hidden_folders_do_not_count(llama: Path, tmp_path: Path) -> None:
    shutil.copytree(llama, tmp_path / ".transfer")
    assert read_facts(tmp_path).format is None


def test_empty_directory(tmp_path: Path) -> None:
    facts = read_facts(tmp_path)
    assert facts.format is None
    assert not facts.is_causal_lm
