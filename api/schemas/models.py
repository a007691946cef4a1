"""The library: models this hub owns."""

from typing import Literal

from pydantic import Field

from api.schemas.base import Out, OwnedOut, PageQuery, Timestamp

ModelKind = Literal["base", "adapter", "merged", "gguf"]


class ModelQuery(PageQuery):
    q: str | None = Field(default=None, max_length=200, description="Part of the name.")


class ModelFile(Out):
    path: str
    size: int
    sha256: str | None = None


class ModelOut(OwnedOut):
    id: str
    name: str
    description: str = ""
    kind: ModelKind
    source: str
    ref: str
    revision: str
    commit: str
    size: int = Field(description="Bytes on disk.")
    path: str
    location: Literal["local", "external", "ollama"] = Field(
        default="local", description="In the store, adopted where it lies, or kept by an Ollama server."
    )
    files: list[ModelFile]
    architecture: str | None = None
    parameters: int | None = None
    context_length: int | None = None
    dtype: str | None = None
    quantization: str | None = None
    license: str | None = None
    tags: list[str] = []
    warnings: list[str] = []
    remote_code: list[str] = Field(default=[], description="Python it would run if it were let; it is not.")
    status: Literal["ready", "quarantined", "damaged"] = "ready"
    active_version_id: str | None = None
    created_at: Timestamp
    updated_at: Timestamp
    version: int


class ModelCardOut(Out):
    text: str
