"""Lists of files as they are found on the Hub, and what there is to choose from them."""

import pytest

from integrations.errors import FileNotInRepo
from integrations.sources.base import RemoteFile
from integrations.sources.quantisations import Variant, find, recommended, variants
from integrations.sources.selection import choose

GB = 10**9


def files(**sizes: int) -> list[RemoteFile]:
    return [RemoteFile(path=path, size=size) for path, size in sizes.items()]


def named(found: list[Variant]) -> dict[str, list[str]]:
    return {each.name: each.weights for each in found}


MANY = files(
    **{
        "README.md": 100,
        "config.json": 10,
        "imatrix.dat": GB,
        "tiny-IQ2_XXS.gguf": 1 * GB,
        "tiny-Q4_K_M.gguf": 4 * GB,
        "tiny.Q8_0.gguf": 8 * GB,
        "UD-Q4_K_XL/tiny-UD-Q4_K_XL.gguf": 5 * GB,
        "BF16/tiny-BF16-00001-of-00002.gguf": 9 * GB,
        "BF16/tiny-BF16-00002-of-00002.gguf": 7 * GB,
        "mmproj-tiny-BF16.gguf": 1 * GB,
        "mmproj-tiny-F16.gguf": 1 * GB,
    }
)


def test_quantisations_are_told_apart_and_parts_belong_together() -> None:
    found = variants(MANY)
    assert list(named(found)) == ["IQ2_XXS", "Q4_K_M", "UD-Q4_K_XL", "Q8_0", "BF16"], "the smallest first"
    assert len(named(found)["BF16"]) == 2
    assert all(each.complete for each in found)
    one = find(found, "q4_k_m")
    assert one.files == ["README.md", "config.json", "mmproj-tiny-F16.gguf", "tiny-Q4_K_M.gguf"]
    assert (one.size, one.bits) == (5 * GB + 110, 4.0)
    assert [each.bits for each in found] == [2.0, 4.0, 4.0, 8.0, 16.0]


@pytest.mark.parametrize(
    ("memory", "name", "why"),
    [
        (None, "Q4_K_M", "middle"),
        (64 * GB, "Q4_K_M", "middle"),
        (4 * GB, "IQ2_XXS", "largest that fits"),
        (GB, "IQ2_XXS", "even that"),
    ],
)
def test_the_recommended_one_is_the_usual_one_unless_memory_says_no(
    memory: int | None, name: str, why: str
) -> None:
    best = recommended(variants(MANY, memory))
    assert best and best.name == name and why in (best.reason or "")
    taken, chosen, note = choose(MANY, None, memory)
    assert chosen == best and note and name in note and "Of 5 quantisations" in note
    assert [file.path for file in taken] == [file.path for file in MANY if file.path in best.files]


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a-Q4_0.gguf", "b-Q4_0.gguf", "b-Q8_0.gguf"], ["a-Q4_0", "b-Q4_0", "b-Q8_0"]),
        (["qwen2-0_5b-instruct-q4_k_m.gguf", "qwen2-0_5b-instruct-fp16.gguf"], ["FP16", "Q4_K_M"]),
        (["Q4_K_M/model.gguf", "Q8_0/model.gguf"], ["Q4_K_M", "Q8_0"]),
        (["model.gguf"], ["model"]),
        (["gpt-MXFP4.gguf", "gpt-MXFP4_MOE.gguf", "gpt-TQ1_0.gguf"], ["MXFP4", "MXFP4_MOE", "TQ1_0"]),
        (["phi-3.Q5_K_S.gguf", "phi-3.f16.gguf"], ["F16", "Q5_K_S"]),
    ],
)
def test_names_as_people_give_them(paths: list[str], names: list[str]) -> None:
    assert sorted(named(variants(files(**dict.fromkeys(paths, 1))))) == names


def test_a_split_that_lacks_a_part_is_never_taken_by_itself() -> None:
    some = files(**{"m-Q4_K_M-00001-of-00003.gguf": 1, "m-Q4_K_M-00003-of-00003.gguf": 1, "m-Q2_K.gguf": 1})
    found = variants(some)
    assert not find(found, "Q4_K_M").complete
    best = recommended(found)
    assert best and best.name == "Q2_K"
    with pytest.raises(FileNotInRepo, match="missing"):
        choose(some, "Q4_K_M")


MIXED = files(
    **{
        "config.json": 1,
        "model-00001-of-00002.safetensors": 10,
        "model-00002-of-00002.safetensors": 10,
        "model.safetensors.index.json": 1,
        "model.fp16.safetensors": 10,
        "consolidated.safetensors": 20,
        "consolidated.safetensors.index.json": 1,
        "pytorch_model.bin": 20,
        "training_args.bin": 1,
        "onnx/model.onnx": 20,
        "original/params.json": 1,
        "m-Q4_0.gguf": 5,
    }
)


def test_safetensors_come_once_and_before_all_others() -> None:
    found = variants(MIXED)
    assert list(named(found)) == [
        "Q4_0", "safetensors-fp16", "safetensors", "safetensors-consolidated", "onnx", "pytorch",
    ]  # fmt: skip
    taken, chosen, note = choose(MIXED, None)
    assert chosen and chosen.name == "safetensors" and note is None
    assert [file.path for file in taken] == [
        "config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
    ]  # fmt: skip
    assert {each.name for each in found if not each.safe} == {"pytorch"}


def test_a_name_nobody_has_is_answered_with_those_there_are() -> None:
    with pytest.raises(FileNotInRepo, match=r"no variant 'Q9'.*Q4_0.*safetensors") as caught:
        choose(MIXED, "Q9")
    assert "pytorch" in caught.value.details["variants"]
    with pytest.raises(FileNotInRepo, match="several variants"):
        choose(files(**{"a-Q4_0.gguf": 1, "b-Q4_0.gguf": 1}), "Q4_0")


def test_without_weights_and_without_sizes() -> None:
    assert variants(files(**{"README.md": 1})) == []
    assert choose(files(**{"README.md": 1}), None)[1:] == (None, None)
    [only] = variants([RemoteFile(path="a.Q4_0.gguf")])
    assert only.size is None and only.recommended
    pickles = files(**{"pytorch_model.bin": 1, "config.json": 1})
    assert choose(pickles, None)[0] == pickles, "what there is, when there is nothing better"
