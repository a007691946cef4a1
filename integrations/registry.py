"""Names to implementations. An unknown name says which exist."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from integrations.errors import UnknownKind

T = TypeVar("T")


class Registry(Generic[T]):
    """A dict literal with a good error: `SOURCES["ftp"]` raises `UnknownKind` naming the known ones."""

    def __init__(self, kind: str, **entries: T) -> None:
        self.kind = kind
        self._entries = entries

    def __getitem__(self, name: str) -> T:
        try:
            return self._entries[name]
        except KeyError:
            known = ", ".join(sorted(self._entries))
            raise UnknownKind(
                f"There is no {self.kind} called '{name[:80]}'. Use one of: {known}.",
                details={"kind": self.kind, "known": sorted(self._entries)},
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def values(self) -> list[T]:
        return list(self._entries.values())
