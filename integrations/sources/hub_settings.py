"""Where the Hub is and who we are there: from the environment, read when asked."""

import os
from urllib.parse import urlsplit

from integrations.errors import InvalidRef

DEFAULT_ENDPOINT = "https://huggingface.co"


def endpoint() -> str:
    """Base address of the Hub without a trailing slash. Raises InvalidRef when HF_ENDPOINT is no web
    address."""
    address = (os.environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT).strip().rstrip("/")
    split = urlsplit(address)
    if split.scheme not in ("http", "https") or not split.hostname:
        raise InvalidRef(
            f"HF_ENDPOINT is set to '{address[:200]}', which is no web address. "
            f"Set it to something like {DEFAULT_ENDPOINT}, or unset it."
        )
    return address


def token() -> str | None:
    return os.environ.get("HF_TOKEN", "").strip() or None
