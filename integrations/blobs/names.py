"""How a blob is named: by the SHA-256 of its content and by nothing else."""

import re

from integrations.errors import InvalidRef

SHA256 = re.compile(r"[0-9a-f]{64}")


def relative(sha256: str) -> str:
    """Where a content lies below the root of a store: `ab/ab…`. Raises InvalidRef for what is no hash."""
    if not SHA256.fullmatch(sha256):
        raise InvalidRef("A blob is named by the 64 hexadecimal digits of its SHA-256.")
    return f"{sha256[:2]}/{sha256}"
