"""Tiny real models, and one running server per engine for the tests that only ask."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.inference.engine_process import EngineProcess
from tests.support import tiny_models

MODULES = {"transformers": "inference.transformers_server", "llamacpp": "inference.llamacpp_server"}


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="session")
def llama_gguf(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.gguf(tmp_path_factory.mktemp("gguf"), llama).parent


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="session", params=MODULES)
def engine(
    request: pytest.FixtureRequest, llama: Path, llama_gguf: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EngineProcess]:
    """Each engine in turn, serving the same weights."""
    model = llama if request.param == "transformers" else llama_gguf
    process = EngineProcess(MODULES[request.param], model, tmp_path_factory.mktemp(request.param)).start()
    yield process.wait_ready()
    process.stop()


@pytest.fixture(scope="session")
def transformers_engine(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    process = EngineProcess(MODULES["transformers"], llama, tmp_path_factory.mktemp("engine")).start()
    yield process.wait_ready()
    process.stop()
