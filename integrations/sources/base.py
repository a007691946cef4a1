"""What a model source is: search, describe, plan, and the program that carries a plan out."""

from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field


class SearchQuery(BaseModel):
    """One page of a search; `cursor` is the opaque `next_cursor` of the page before."""

    text: str = ""
    author: str | None = None
    task: str | None = None
    library: str | None = None
    license: str | None = None
    language: str | None = None
    tags: list[str] = []
    min_parameters: int | None = None
    max_parameters: int | None = None
    gated: bool | None = None
    sort: str | None = None
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = None


class SearchItem(BaseModel):
    """A model as a source lists it. `size` in bytes; None is what the source does not say."""

    ref: str
    name: str
    author: str | None = None
    description: str | None = None
    downloads: int | None = None
    likes: int | None = None
    task: str | None = None
    library: str | None = None
    license: str | None = None
    gated: bool = False
    private: bool = False
    tags: list[str] = []
    updated_at: datetime | None = None
    size: int | None = None
    parameters: int | None = None


class SearchPage(BaseModel):
    items: list[SearchItem]
    next_cursor: str | None = None


class RemoteFile(BaseModel):
    """One file of a revision. `size` in bytes; `sha256` for large (LFS) files, `git_sha1` for small ones.

    `xet_hash` names the content in the Hub's Xet storage, for files that lie there.
    """

    path: str
    size: int | None = None
    sha256: str | None = None
    git_sha1: str | None = None
    xet_hash: str | None = None


class Revision(BaseModel):
    """A name that can be downloaded: `kind` is branch, tag or commit."""

    name: str
    kind: str
    commit: str | None = None


class Listing(BaseModel):
    """The files of one revision, pinned to `commit`."""

    ref: str
    revision: str
    commit: str
    files: list[RemoteFile]
    gated: bool = False
    private: bool = False


class ModelCard(BaseModel):
    """README as Markdown without its front matter, which is `metadata`."""

    ref: str
    revision: str
    text: str = ""
    metadata: dict[str, Any] = {}


class NoOptions(BaseModel):
    """A source that needs to know nothing beyond ref, revision and globs."""

    model_config = ConfigDict(extra="forbid")


class FetchPlan(BaseModel):
    """What will be fetched, pinned to a commit. `estimated`: sizes are a guess (a model made here).

    `name` is what the library calls the model (None: its ref). `location`: where its files will lie: in the
    store (`local`), in the folder `path` where they are (`external`), or on another server (`ollama`); then
    the child's result says what the library should know (`facts`, as in `ModelVersion`).
    `options` are the source's own, as `Options` took them, or as it chose where nothing was said; then `note`
    tells of it. `given`: a folder of the hub's own in which the bytes lie already; it goes when they are on
    the shelf.
    """

    source: str
    ref: str
    revision: str
    commit: str
    files: list[RemoteFile]
    bytes_total: int
    estimated: bool = False
    name: str | None = None
    location: Literal["local", "external", "ollama"] = "local"
    path: str | None = None
    given: str | None = None
    options: dict[str, Any] = {}
    note: str | None = None


class Source(Protocol):
    """A place models come from. All methods raise `integrations.errors` only.

    One whose revisions move, and whose `plan` is cheap to ask for, says so by `updates = True`: then the hub
    looks for newer revisions of what came from it.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    searchable: ClassVar[bool]
    child_module: ClassVar[str]
    Options: ClassVar[type[BaseModel]]

    def search(self, query: SearchQuery) -> SearchPage: ...

    def card(self, ref: str, revision: str | None) -> ModelCard: ...

    def listing(self, ref: str, revision: str | None) -> Listing: ...

    def revisions(self, ref: str) -> list[Revision]: ...

    def plan(
        self,
        ref: str,
        revision: str | None,
        include: list[str] | None,
        exclude: list[str] | None,
        options: BaseModel | None = None,
    ) -> FetchPlan: ...
