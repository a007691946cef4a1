"""Fixtures for whoever needs models and a hub to fetch them from.

A test module takes what it needs by `from tests.support.fixtures import hub, model_shelf  # noqa: F401`, or a
conftest does it for a folder.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import tiny_models
from tests.support.hub import Hub


def build_shelf(root: Path, *, padding_megabytes: float = 0) -> Path:
    """A root for the stand-in: org/tiny-llama (also @v1.0), org/tiny-llama-gguf, org/tiny-bert,
    gated/tiny-llama, private/tiny-llama, and org/padded-llama when `padding_megabytes` is given.

    Takes about five seconds, mostly for importing torch.
    """
    llama = tiny_models.llama(root / "org" / "tiny-llama")
    for copy in ("org/tiny-llama@v1.0", "gated/tiny-llama", "private/tiny-llama"):
        shutil.copytree(llama, root / copy)
    (root / "org/tiny-llama@v1.0/README.md").write_text("# Tiny llama, first release\n")
    tiny_models.gguf(root / "org" / "tiny-llama-gguf", llama)
    tiny_models.bert(root / "org" / "tiny-bert")
    if padding_megabytes:
        shutil.copytree(llama, root / "org" / "padded-llama")
        tiny_models.padding(root / "org" / "padded-llama", padding_megabytes)
    return root


@pytest.fixture(scope="session")
def model_shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny models, built once for all tests. Read only, please."""
    return build_shelf(tmp_path_factory.mktemp("models"), padding_megabytes=40)


@pytest.fixture
def hub(model_shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A stand-in for the Hub that serves the tiny models; HF_ENDPOINT points at it."""
    with Hub(model_shelf) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield running
