"""What a store of blobs is, wherever it keeps them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol


class Blobs(Protocol):
    """Contents by their SHA-256 (64 hexadecimal digits, small letters; InvalidRef for anything else).

    Every method may be repeated: doing twice is doing once. What is taken and what is placed is the content
    of that hash, or IntegrityError is raised and nothing has changed.
    """

    def size(self, sha256: str) -> int | None:
        """Bytes of this content, None when it is not here."""

    def has(self, sha256: str) -> bool: ...

    def take(self, file: Path, sha256: str) -> None:
        """Keep the content of `file`, which stays."""

    def place(self, sha256: str, target: Path) -> None:
        """Let `target` be a file of this content. Raises NotFound when it is not here."""

    def remove(self, sha256: str) -> int:
        """Forget this content; the bytes freed."""

    def sizes(self) -> Iterator[tuple[str, int]]:
        """Every content that is here, with its bytes."""
