"""Models that lie on the hub's machine already."""

from typing import Literal

from pydantic import Field

from api.schemas.base import Body, Out


class ScanQuery(Body):
    path: str | None = Field(
        default=None,
        max_length=4096,
        description="Look only below this folder; below all permitted ones if absent.",
    )


class FoundFileOut(Out):
    path: str
    size: int


class FoundModelOut(Out):
    path: str = Field(description="The `ref` of a download with `source` folder.")
    name: str
    ref: str
    revision: str
    commit: str
    layout: Literal["huggingface", "ollama", "plain"]
    kind: Literal["base", "adapter", "gguf"]
    size: int
    files: list[FoundFileOut]
    adoptable: bool = Field(description="Whether it can be used where it is; it can always be copied.")
    model_id: str | None = Field(default=None, description="The library's model of it, if there is one.")


class FoldersOut(Out):
    folders: list[str] = Field(description="The permitted folders (MODELHUB_FOLDERS).")
    found: list[FoundModelOut]
    truncated: bool = Field(description="There was more than is looked at in one go: name a folder below.")
