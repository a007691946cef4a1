"""What a model of the library is called by the Hugging Face Hub's clients: `namespace/name`."""

import re

from api.models import HubModel
from integrations.errors import IntegrationError
from integrations.sources.refs import check_ref

HUB_SOURCES = ("huggingface", "starter")
"""Sources whose refs are names of the Hub's kind."""
LOCAL = "local"
"""The namespace of everything else."""


def name_of(model: HubModel) -> str:
    """Its ref, if that is such a name; else `local/<name>` with what no such name may have left out."""
    if model.source in HUB_SOURCES and is_hub_name(model.ref):
        return model.ref
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", model.name.rsplit("/", 1)[-1])
    return f"{LOCAL}/{re.sub(r'-{2,}|[.]{2,}', '-', plain).strip('-.')[:80] or model.id}"


def is_hub_name(name: str) -> bool:
    try:
        return check_ref(name).count("/") == 1
    except IntegrationError:
        return False
