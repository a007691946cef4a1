"""Where files live: every content once, under its SHA-256. One file per kind of store."""

from integrations.blobs.local import LocalBlobs

__all__ = ["LocalBlobs"]
