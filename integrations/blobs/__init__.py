"""Where files live: every content once, under its SHA-256. One file per kind of store."""

from integrations.blobs.base import Blobs
from integrations.blobs.local import LocalBlobs
from integrations.blobs.s3 import S3Blobs, S3Place

__all__ = ["Blobs", "LocalBlobs", "S3Blobs", "S3Place"]
