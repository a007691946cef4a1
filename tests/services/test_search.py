"""What there is to choose from at a source, and what is here of it already: through REST, from a real Hub's
protocol."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from flask import Flask

from api.extensions import settings
from api.services import disk
from tests.support.downloads import GGUF_HEADER
from tests.support.hub import Hub
from tests.support.library import work_off
from tests.support.people import Person, user

REF = "org/quants"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    shelf = tmp_path / "shelf" / "org" / "quants"
    shelf.mkdir(parents=True)
    for name, size in (("m-Q2_K", 2000), ("m-Q4_K_M", 4000), ("m-Q8_0-00001-of-00002", 5000)):
        content = GGUF_HEADER + name.encode() * size
        (shelf / f"{name}.gguf").write_bytes(content[: len(name) * size])
    (shelf / "m-Q8_0-00002-of-00002.gguf").write_bytes(b"8" * 3000)
    (shelf / "pytorch_model.bin").write_bytes(b"p" * 1000)
    (shelf / "README.md").write_text("---\nlicense: mit\nbase_model: org/base\n---\n# Many\n")
    (tmp_path / "shelf" / "gated" / "model").mkdir(parents=True)
    (tmp_path / "shelf" / "gated" / "model" / "config.json").write_text("{}")
    with Hub(tmp_path / "shelf") as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


@pytest.fixture
def ann(app: Flask, hub: Hub) -> Person:
    settings().hf_endpoint = hub.url
    return user(app, "ann")


def variants(who: Person) -> dict[str, dict]:
    found = who.data(f"search/model?source=huggingface&ref={REF}")
    return {variant["name"]: variant for variant in found["variants"]}


def test_variants_say_what_they_cost_and_what_is_here(ann: Person) -> None:
    found = variants(ann)
    assert list(found) == ["Q2_K", "Q4_K_M", "Q8_0", "pytorch"]
    assert [name for name, each in found.items() if each["recommended"]] == ["Q4_K_M"]
    assert [name for name, each in found.items() if not each["safe"]] == ["pytorch"]
    assert all(each["missing"] == each["size"] and each["fits_disk"] for each in found.values())
    assert len(found["Q8_0"]["weights"]) == 2 and "README.md" in found["Q8_0"]["files"]

    download = ann.made("downloads", {"source": "huggingface", "ref": REF})
    assert download["note"].startswith("Of 3 quantisations Q4_K_M was chosen.")
    assert [file["path"] for file in download["files"]] == ["README.md", "m-Q4_K_M.gguf"]
    work_off()
    found = variants(ann)
    assert found["Q4_K_M"]["missing"] == 0
    readme = found["Q4_K_M"]["size"] - len("m-Q4_K_M") * 4000
    assert found["Q2_K"]["missing"] == found["Q2_K"]["size"] - readme, "the README is here already"
    files = ann.data(f"search/model?source=huggingface&ref={REF}")["files"]
    assert {file["path"] for file in files if file["here"]} == {"README.md", "m-Q4_K_M.gguf"}
    assert {file["path"] for file in files if not file["safe"]} == {"pytorch_model.bin"}


def test_a_variant_by_its_name(ann: Person) -> None:
    refused = ann.post("downloads", {"source": "huggingface", "ref": REF, "options": {"quant": "Q5_0"}})
    assert refused.status_code == 404
    assert refused.get_json()["details"]["variants"] == ["Q2_K", "Q4_K_M", "Q8_0", "pytorch"]
    download = ann.made("downloads", {"source": "huggingface", "ref": REF, "options": {"quant": "q8_0"}})
    assert download["note"] is None and len(download["files"]) == 3
    assert ann.post("downloads", {"ref": REF, "options": {"quants": "x"}}).status_code == 422


def test_what_does_not_fit_says_so(ann: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = SimpleNamespace(total=600_000_000, available=100_000_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(disk, "room", lambda _path: SimpleNamespace(available=20_000))
    found = variants(ann)
    assert [each["fits_memory"] for each in found.values()] == [True] * 4
    assert not any(each["fits_free_memory"] for each in found.values())
    assert {name: each["fits_disk"] for name, each in found.items()} == {
        "Q2_K": True, "Q4_K_M": False, "Q8_0": False, "pytorch": True,
    }  # fmt: skip


def test_filters_reach_the_hub(ann: Person, hub: Hub) -> None:
    hub.clear()
    query = "q=m&language=en&tags=moe,%20chat&min_parameters=1000000000&max_parameters=8000000000&gated=false"
    assert ann.data(f"search?{query}")["items"] == []
    assert ann.get("search?min_parameters=-1").status_code == 422
    assert ann.get("search?language=..%2F").status_code == 422
    assert [entry["path"] for entry in hub.requests()] == ["/api/models"]


def test_a_refusal_carries_the_page_that_settles_it(ann: Person, hub: Hub) -> None:
    refused = ann.post("downloads", {"source": "huggingface", "ref": "gated/model"})
    assert refused.status_code == 403
    said = refused.get_json()
    assert (said["error"], said["details"]["reason"]) == ("GATED_MODEL", "no_token")
    assert said["details"]["url"] == f"{hub.url}/gated/model"
