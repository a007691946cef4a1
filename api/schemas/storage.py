"""Where the bytes are, what is promised to work under way, and what could be removed."""

from typing import Literal

from pydantic import Field

from api.schemas.base import Body, ErrorInfo, Out


class Filesystem(Out):
    """One disk, in bytes. `available` is `free` less what is promised and what is always kept free."""

    path: str
    folders: list[str] = Field(description="The hub's folders that lie on it.")
    total: int
    used: int
    free: int
    reserved: int = Field(description="Promised to work under way and not yet there.")
    reserve: int = Field(description="Always kept free (MODELHUB_DISK_RESERVE).")
    available: int


class StorageUse(Out):
    """Bytes. `models` is what all models hold together, `blobs` what that takes: equal files lie once."""

    models: int
    blobs: int
    incoming: int
    uploads: int


class Removable(Out):
    """A model no deployment needs, or the parts of an ended download. `bytes` would really be freed."""

    kind: Literal["model", "parts"]
    id: str
    name: str
    bytes: int
    owner_name: str | None = None


class HeldOut(Out):
    """A download that waits in the queue for a reason."""

    id: str
    name: str
    waiting: ErrorInfo


class StorageOut(Out):
    filesystems: list[Filesystem]
    use: StorageUse
    held: list[HeldOut]
    removable: list[Removable] = Field(description="The largest first; only what one may change.")


class VerifyRequest(Body):
    model_id: str | None = Field(default=None, max_length=64, description="Null: the whole library.")


class GarbageItem(Out):
    """`bytes` are those that removing it gives back."""

    kind: str = Field(description="`content`, or the hub's folder it lies in.")
    path: str = Field(description="Below the hub's data directory.")
    bytes: int


class GarbageOut(Out):
    """What belongs to nobody; `reclaimed` says whether it is gone."""

    items: list[GarbageItem] = Field(description="The largest first; at most 200.")
    count: int
    bytes: int
    reclaimed: bool
