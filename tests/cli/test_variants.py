"""Choosing among the variants of a model, and narrowing a search, from the terminal."""

from typing import Any

from tests.cli.conftest import Terminal
from tests.cli.standin import Standin, data

DOWNLOAD = {"id": "d1", "ref": "org/m", "status": "pending", "note": "Of 3 quantisations Q4_K_M was chosen."}


def test_the_name_of_a_variant_may_follow_the_model(terminal: Terminal, standin: Standin) -> None:
    terminal.is_local(standin.url, "mhl_mine")
    standin.on("POST", "downloads", data(DOWNLOAD, status=202))
    wanted = {
        ("pull", "org/m:Q8_0", "-d"): {"ref": "org/m", "options": {"quant": "Q8_0"}},
        ("pull", "org/m", "--quant", "Q8_0", "-d"): {"ref": "org/m", "options": {"quant": "Q8_0"}},
        ("pull", "org/m", "-d"): {"ref": "org/m"},
        ("pull", "qwen3:8b", "--source", "ollama", "-d"): {"ref": "qwen3:8b"},
    }
    for words, body in wanted.items():
        done = terminal.run(*words)
        assert done.code == 0, done.err
        source = {"source": "ollama" if "ollama" in words else "huggingface"}
        assert standin.asked[-1].body == source | body
    assert "Q4_K_M was chosen" in done.err and "modelhub show --remote org/m" in done.err


def test_what_there_is_to_choose(terminal: Terminal, standin: Standin) -> None:
    terminal.is_local(standin.url, "mhl_mine")
    standin.on("GET", "search/model", data(_remote()))
    done = terminal.run("show", "--remote", "org/m")
    assert done.code == 0, done.err
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert ["Q4_K_M *", "gguf", "4.0 GB", "all of it", "1", ""] in rows
    assert ["Q8_0", "gguf", "8.0 GB", "0 B", "2", "needs more memory than is here"] in rows
    assert ["weights.bin (can run code)", "1.0 kB", "yes", ""] in rows
    assert any("apache-2.0" in row for row in rows[:12] for row in row)
    assert "The usual middle" in done.err
    assert standin.asked[-1].query == {"source": "huggingface", "ref": "org/m"}


def test_filters_of_a_search(terminal: Terminal, standin: Standin) -> None:
    terminal.is_local(standin.url, "mhl_mine")
    standin.on("GET", "search", data({"items": [], "next": None}))
    options = ["--min-params", "500M", "--max-params", "1.5B", "--language", "en", "--tag", "moe"]
    assert terminal.run("search", "x", *options, "--tag", "chat", "--open").code == 0
    asked = standin.asked[-1].query
    assert asked == {
        "q": "x", "source": "huggingface", "limit": "20", "min_parameters": "500000000",
        "max_parameters": "1500000000", "language": "en", "tags": "moe,chat", "gated": "false",
    }  # fmt: skip
    assert terminal.run("search", "x", "--max-params", "big").code == 2


def _remote() -> dict[str, Any]:
    plain = {"title": "", "kind": "gguf", "files": [], "bits": 4.0, "safe": True, "complete": True}
    plain |= {"fits_memory": True, "fits_free_memory": True, "fits_disk": True, "reason": None}
    four = {"name": "Q4_K_M", "weights": ["a"], "size": 4 * 10**9, "missing": 4 * 10**9, "recommended": True}
    eight = {"name": "Q8_0", "weights": ["b", "c"], "size": 8 * 10**9, "missing": 0, "recommended": False}
    return {
        "source": "huggingface", "ref": "org/m", "revision": "main", "commit": "c" * 40, "gated": False,
        "private": False, "size": 12 * 10**9, "revisions": [{"name": "main", "kind": "branch"}],
        "card": {"text": "", "metadata": {"license": "apache-2.0", "language": ["en", "zh"]}},
        "files": [{"path": "weights.bin", "size": 1000, "sha256": None, "here": True, "safe": False}],
        "variants": [
            {**plain, **four, "reason": "The usual middle."},
            {**plain, **eight, "fits_memory": False},
        ],
    }  # fmt: skip
