"""What a look into a folder finds."""

from typing import Literal

from pydantic import BaseModel

Layout = Literal["huggingface", "ollama", "plain"]


class FoundFile(BaseModel):
    """`path` is its name in the model; `name` where it lies below the finding's folder. `sha256` is what the
    layout says, not proven yet."""

    path: str
    size: int
    sha256: str | None = None
    name: str


class Found(BaseModel):
    """A model in a folder. `path` is what one asks for, `base` the folder its files lie in."""

    layout: Layout
    path: str
    base: str
    name: str
    ref: str
    revision: str
    commit: str
    kind: Literal["base", "adapter", "gguf"] = "base"
    files: list[FoundFile]
    adoptable: bool = True

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


class Scan(BaseModel):
    """`truncated`: there was more than is looked at in one go."""

    found: list[Found] = []
    truncated: bool = False
