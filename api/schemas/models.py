"""The library: models this hub owns, their versions, and what stands in the way of deleting one."""

from typing import Any, Literal

from pydantic import Field, field_validator

from api.schemas.base import Body, Out, OwnedOut, PageQuery, Timestamp, Visibility

ModelKind = Literal["base", "adapter", "merged", "gguf"]
ModelStatus = Literal["ready", "quarantined", "damaged"]
Location = Literal["local", "external", "ollama"]
ModelSort = Literal["created", "name", "-name", "size", "-size"]

FILES_IN_LISTS = 50
"""A list shows the files of models with at most so many; of larger ones only how many there are."""


class ModelQuery(PageQuery):
    after: str | None = Field(default=None, max_length=4_000, description="`next` of the page before.")
    q: str | None = Field(default=None, max_length=200, description="Part of the name, the ref or a tag.")
    kind: ModelKind | None = None
    source: str | None = Field(default=None, max_length=50)
    tag: str | None = Field(default=None, max_length=200, description="One of its tags, as it is written.")
    owner: str | None = Field(default=None, max_length=64, description="Its owner's id, or `me`.")
    visibility: Visibility | None = None
    shared: bool | None = Field(default=None, description="True: public, or shared with a team.")
    status: ModelStatus | None = None
    quantization: str | None = Field(default=None, max_length=50)
    outdated: bool | None = Field(default=None, description="True: its source has a newer revision.")
    sort: ModelSort = Field(default="created", description="`created` is newest first.")


class ModelFile(Out):
    path: str
    size: int
    sha256: str | None = None


class NewerFile(Out):
    path: str
    size: int | None = None


class NewerFiles(Out):
    """At most 200 of each are named; the counts beside them are whole."""

    added: list[NewerFile] = []
    removed: list[NewerFile] = []
    changed: list[NewerFile] = []


class NewerOut(Out):
    """What the source has now, and what an update would bring."""

    commit: str
    revision: str
    checked_at: Timestamp
    added: int
    removed: int
    changed: int
    same: int
    files: NewerFiles
    bytes_to_fetch: int = Field(description="Bytes that are not in the store yet.")


class Facts(Out):
    """What is known of one set of files."""

    kind: ModelKind
    revision: str
    commit: str
    size: int = Field(description="Bytes of its files.")
    path: str
    location: Location = Field(
        default="local", description="In the store, adopted where it lies, or kept by an Ollama server."
    )
    architecture: str | None = None
    parameters: int | None = None
    context_length: int | None = None
    dtype: str | None = None
    quantization: str | None = None
    license: str | None = None
    warnings: list[str] = []
    hub_ref: str | None = Field(default=None, description="Its name under `/hf`, for the Hub's own clients.")
    remote_code: list[str] = Field(default=[], description="Python it would run if it were let; it is not.")
    offloaded: bool = Field(default=False, description="Its large files lie in the object storage alone.")


class ModelOut(Facts, OwnedOut):
    id: str
    name: str
    description: str = ""
    source: str
    ref: str
    files: list[ModelFile] = Field(
        description=f"In lists only those of models with at most {FILES_IN_LISTS} files."
    )
    file_count: int = 0
    tags: list[str] = []
    status: ModelStatus = "ready"
    parent_id: str | None = Field(default=None, description="The model it was made from.")
    active_version_id: str | None = None
    newer: NewerOut | None = Field(default=None, description="What its source has that is newer.")
    checked_at: Timestamp | None = Field(default=None, description="When its source was last asked.")
    created_at: Timestamp
    updated_at: Timestamp
    version: int


class ModelPatch(Body):
    """What is left out stays as it is."""

    name: str | None = Field(default=None, min_length=1, max_length=300)
    description: str | None = Field(default=None, max_length=10_000)
    tags: list[str] | None = Field(default=None, max_length=100)

    @field_validator("name")
    @classmethod
    def _printable(cls, value: str | None) -> str | None:
        if value is not None and (not value.isprintable() or value != value.strip()):
            raise ValueError("a name has no line breaks and no spaces around it")
        return value

    @field_validator("tags")
    @classmethod
    def _short(cls, value: list[str] | None) -> list[str] | None:
        if value is None:
            return None
        tags = list(dict.fromkeys(tag.strip() for tag in value))
        if any(not tag or len(tag) > 200 or not tag.isprintable() for tag in tags):
            raise ValueError("a tag has 1 to 200 printable characters")
        return tags


class ModelCardOut(Out):
    text: str


class VersionOut(Facts):
    id: str
    model_id: str
    active: bool
    files: list[ModelFile] = Field(
        description=f"In lists only those of versions with at most {FILES_IN_LISTS} files."
    )
    file_count: int
    deployments: list[str] = Field(default=[], description="Names of what runs it, as far as you see them.")
    created_at: Timestamp
    verified_at: Timestamp | None = None


class CompareQuery(Body):
    a: str = Field(max_length=64, description="Id of a version.")
    b: str = Field(max_length=64, description="Id of the version it is compared with.")


class ChangedFile(Out):
    path: str
    a: int = Field(description="Bytes in a.")
    b: int = Field(description="Bytes in b.")


class CompareOut(Out):
    """From version `a` to version `b`."""

    a: str
    b: str
    added: list[ModelFile]
    removed: list[ModelFile]
    changed: list[ChangedFile]
    same: list[ModelFile]
    facts: dict[str, list[Any]] = Field(description="What is known of them and differs: name → [a, b].")


class NamedOut(Out):
    id: str
    name: str
    status: str = ""


class ImpactOut(Out):
    """What deleting a model would do."""

    model_id: str
    versions: int
    bytes_total: int = Field(description="Bytes of all its versions, each content once.")
    bytes_freed: int = Field(description="Bytes on this disk that nobody else refers to.")
    bytes_shared: int = Field(description="Bytes that other models hold too: they stay.")
    bytes_remote: int = Field(default=0, description="Bytes in the object storage that would go.")
    deployments: list[NamedOut]
    children: list[NamedOut] = Field(description="Models made from it, such as adapters.")
    downloads: list[NamedOut] = Field(description="Downloads under way that will be versions of it.")
    chat_sessions: int = Field(description="Conversations with its deployments; they stay readable.")
    hidden: int = Field(description="Things of others in the way that you may not see.")
    refused: bool
    reason: str = ""
