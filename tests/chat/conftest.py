"""One web server with a scripted engine for all of these tests; each makes conversations of its own."""

from collections.abc import Iterator

import pytest

from tests.support.web_process import Web, web_with_engine


@pytest.fixture(scope="package")
def web() -> Iterator[Web]:
    with web_with_engine() as running:
        yield running


@pytest.fixture(autouse=True)
def closed_gate(request: pytest.FixtureRequest) -> None:
    """What holds in one test was not let go in another."""
    if "web" in request.fixturenames:
        request.getfixturevalue("web").engine.close()
