"""Looking for models in a source."""

from typing import Any, Literal

from pydantic import Field

from api.schemas.base import Body, Out, Timestamp


class SearchParams(Body):
    source: str = Field(default="huggingface", max_length=50, description="Where to look; see `/sources`.")
    q: str = Field(default="", max_length=500, description="Words to look for.")
    author: str | None = Field(default=None, max_length=200)
    task: str | None = Field(default=None, max_length=100, description="For example `text-generation`.")
    library: str | None = Field(
        default=None, max_length=100, description="For example `transformers` or `gguf`."
    )
    license: str | None = Field(default=None, max_length=100)
    language: str | None = Field(
        default=None, max_length=20, pattern="^[A-Za-z-]+$", description="`en`, `zh`, …"
    )
    tags: str | None = Field(
        default=None, max_length=500, description="Further tags, comma between them; a model has all of them."
    )
    min_parameters: int | None = Field(default=None, ge=0, le=10**15, description="At least so many weights.")
    max_parameters: int | None = Field(default=None, ge=1, le=10**15, description="At most so many weights.")
    gated: bool | None = Field(
        default=None, description="True: only models behind a licence to accept; false: none of them."
    )
    sort: str | None = Field(
        default=None, pattern="^(downloads|likes|last_modified|created_at|trending_score)$"
    )
    limit: int = Field(default=20, ge=1, le=100)
    after: str | None = Field(default=None, max_length=2000, description="`next` of the page before.")


class FoundModel(Out):
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
    updated_at: Timestamp | None = None
    size: int | None = Field(default=None, description="Bytes, when the source says.")
    parameters: int | None = None


class RemoteModelParams(Body):
    source: str = Field(default="huggingface", max_length=50)
    ref: str = Field(min_length=1, max_length=20_000, examples=["org/name"])
    revision: str | None = Field(default=None, max_length=200)


class RemoteFileOut(Out):
    path: str
    size: int | None = None
    sha256: str | None = None
    here: bool = Field(default=False, description="The store has this content: it would not be fetched.")
    safe: bool = Field(default=True, description="False: a format that can run code when loaded (pickle).")


class VariantOut(Out):
    """One way to have the model, complete: its weights and what every variant needs."""

    name: str = Field(description="What `options.quant` of a download takes.", examples=["Q4_K_M"])
    title: str
    kind: Literal["gguf", "safetensors", "other"]
    files: list[str] = Field(description="Paths of all its files.")
    weights: list[str] = Field(description="Those that only this variant has.")
    size: int | None = Field(default=None, description="Bytes of all its files.")
    missing: int | None = Field(default=None, description="Bytes that are not in the store yet.")
    bits: float | None = Field(default=None, description="Nominal bits per weight.")
    safe: bool = Field(default=True, description="False: a format that can run code when loaded (pickle).")
    complete: bool = Field(default=True, description="False: parts are missing at the source.")
    fits_memory: bool | None = Field(default=None, description="In what this machine has, a GPU included.")
    fits_free_memory: bool | None = Field(default=None, description="In what of it is free now.")
    fits_disk: bool | None = None
    recommended: bool = False
    reason: str | None = Field(default=None, description="Why it is recommended.")


class RevisionOut(Out):
    name: str
    kind: str
    commit: str | None = None


class CardOut(Out):
    text: str = Field(description="Markdown.")
    metadata: dict[str, Any] = {}


class RemoteModel(Out):
    """A model as its source holds it: the files of one revision, the revisions there are, and the card."""

    source: str
    ref: str
    revision: str
    commit: str
    gated: bool
    private: bool
    size: int = Field(description="Bytes of all files.")
    files: list[RemoteFileOut]
    variants: list[VariantOut] = []
    revisions: list[RevisionOut]
    card: CardOut


class SourceOut(Out):
    name: str
    title: str
    description: str
    searchable: bool
    options_schema: dict[str, Any] = Field(default={}, description="JSON schema of `options` of a download.")


class SourceList(Out):
    items: list[SourceOut]
