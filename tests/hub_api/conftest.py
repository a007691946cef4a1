"""The Hub's own clients as their users have them, without the rules the hub installs for its own process."""

from collections.abc import Iterator

import pytest
from huggingface_hub import set_client_factory
from huggingface_hub.utils import close_session
from huggingface_hub.utils._http import default_client_factory

from integrations.sources import hub_client


@pytest.fixture(autouse=True, scope="module")
def plain_client() -> Iterator[None]:
    set_client_factory(default_client_factory)
    close_session()
    yield
    close_session()
    hub_client._install_client.cache_clear()
