"""Which API keys were used, remembered in this process until `api.services.api_keys.flush` writes it down.

A request must not wait for a write only because its key is looked at in a list now and then.
"""

from datetime import datetime

from api.models.base import utcnow

_used: dict[str, tuple[datetime, str | None]] = {}


def note_use(key_id: str, address: str | None) -> None:
    """Key `key_id` was used now, from `address`. Costs a dictionary entry."""
    _used[key_id] = (utcnow(), address)


def take() -> dict[str, tuple[datetime, str | None]]:
    """What was noted since the last call: key → when and from where last."""
    taken: dict[str, tuple[datetime, str | None]] = {}
    for key_id in list(_used):
        taken[key_id] = _used.pop(key_id)
    return taken


def put_back(uses: dict[str, tuple[datetime, str | None]]) -> None:
    """Could not be written, or not yet; what was noted since is newer and stays."""
    for key_id, use in uses.items():
        _used.setdefault(key_id, use)
