"""A real browser on the real hub: Debian's Chromium (or the one in CHROMIUM), driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import tiny_models
from tests.support.hub import Hub as ModelSource
from tests.support.hub_process import ROOT, Hub, start_hub

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
Page = sync_api.Page

WINDOW = {"width": 1280, "height": 800}
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


def build_talker(folder: Path) -> None:
    """A llama of 25 million random weights: big enough that its download and its answers can be watched."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tiny_models.llama(folder)
    config = LlamaConfig.from_pretrained(folder)
    config.update({"hidden_size": 512, "intermediate_size": 1376, "num_hidden_layers": 8, "head_dim": 128})
    config.max_position_embeddings = 4096
    torch.manual_seed(7)
    LlamaForCausalLM(config).save_pretrained(folder)


@pytest.fixture(scope="session")
def model_source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelSource]:
    """The stand-in for the Hugging Face Hub, with one model, as slow as a real line."""
    root = tmp_path_factory.mktemp("models")
    build_talker(root / "org" / "talker")
    with ModelSource(root, rate=1_500_000) as running:
        yield running


@pytest.fixture(scope="session")
def hub(model_source: ModelSource, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    if not (ROOT / "console" / "dist" / "index.html").exists():
        pytest.skip("the console is not built; run `make console`")
    running = start_hub(tmp_path_factory.mktemp("browser"), {"HF_ENDPOINT": model_source.url})
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator["sync_api.Browser"]:
    if not CHROMIUM:
        pytest.skip("there is no Chromium; on Debian: apt install chromium")
    with sync_api.sync_playwright() as playwright:
        # Chromium's own sandbox does not run as root, as in most containers.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield running
        running.close()


@pytest.fixture
def page(browser: "sync_api.Browser", hub: Hub) -> Iterator["sync_api.Page"]:
    """A fresh window. Whatever its console calls an error fails the test: broken requests, exceptions,
    violations of the Content-Security-Policy."""
    context = browser.new_context(base_url=hub.url, viewport=WINDOW, locale="en-GB")
    window = context.new_page()
    window.set_default_timeout(30_000)
    problems: list[str] = []
    window.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    window.on("pageerror", lambda error: problems.append(str(error)))
    yield window
    context.close()
    assert problems == []
