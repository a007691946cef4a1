"""What can be allowed, and which role allows it. Every route and socket event names one of these."""

from typing import Literal

Permission = Literal[
    "public",
    "signed_in",
    "models.read",
    "models.write",
    "downloads.read",
    "downloads.write",
    "deployments.read",
    "deployments.write",
    "chat.use",
    "jobs.read",
    "jobs.write",
    "system.read",
]

ALL: frozenset[str] = frozenset(Permission.__args__)  # type: ignore[attr-defined]

ROLES: dict[str, frozenset[str]] = {"admin": ALL}
"""Role to permissions. A role that is not here may do nothing."""
