"""Sending a model piece by piece."""

from typing import Literal

from pydantic import Field

from api.schemas.base import Body, Out, OwnedOut, PageQuery, Timestamp, Visibility

CHUNK = 8 * 1024**2
"""Bytes of the largest piece."""


class UploadFileIn(Body):
    path: str = Field(min_length=1, max_length=1024, description="Its name in the model, with `/`.")
    size: int = Field(ge=0, le=2**53, description="Bytes.")
    sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="What it must hash to. A file the hub has already, and shows you, need not be sent then.",
    )


class UploadRequest(Body):
    name: str = Field(min_length=1, max_length=200, description="What the library will call it.")
    files: list[UploadFileIn] = Field(min_length=1, max_length=5_000)
    visibility: Visibility | None = Field(
        default=None, description="Who else sees the model; the hub's default if null."
    )
    team_id: str | None = Field(default=None, max_length=64)


class UploadQuery(PageQuery):
    status: Literal["open", "complete"] | None = None
    name: str | None = Field(default=None, max_length=200, description="Exactly this name.")


class UploadedFile(Out):
    path: str
    size: int
    sha256: str | None = None
    offset: int = Field(description="Bytes that are here; send on from here.")


class UploadOut(OwnedOut):
    id: str
    name: str
    status: Literal["open", "complete"]
    size: int
    bytes_done: int
    chunk_size: int = Field(default=CHUNK, description="Most bytes of one PATCH.")
    files: list[UploadedFile] = []
    download_id: str | None = Field(default=None, description="What takes it into the library.")
    expires_at: Timestamp
    created_at: Timestamp
    version: int


class OffsetOut(Out):
    offset: int = Field(description="Bytes that are here; send on from here.")
    size: int
