"""Which bearer token to show to a hub, and how to get the next one.

In this order: `MODELHUB_TOKEN`; the sign-in kept for that hub (`modelhub login`); on the hub's own
machine, the token in its home. The last is shown only to the address which that hub wrote down, so
that `--hub elsewhere` never hands it to a stranger.
"""

import os
import time
from typing import Any, Protocol

from cli import credentials, places
from cli.errors import NotSignedIn

REFRESH_COOKIE = "mh_refresh"
EARLY_SECONDS = 30
"""An access token is renewed this long before it ends: the hub's clock and ours may differ a little."""


class Exchange(Protocol):
    """POST without a bearer. Returns (data of the envelope, refresh token that came as a cookie)."""

    def __call__(
        self, path: str, body: dict[str, Any] | None, refresh_token: str | None
    ) -> tuple[dict[str, Any], str | None]: ...


class Auth:
    def __init__(self, url: str, exchange: Exchange) -> None:
        self.url = url
        self._exchange = exchange

    def token(self) -> str | None:
        """A token worth trying, or None when there is nothing to show."""
        if given := os.environ.get("MODELHUB_TOKEN"):
            return given
        entry = credentials.of(self.url)
        if entry is None:
            return self._local()
        if entry.get("access_token") and entry.get("expires_at", 0) - EARLY_SECONDS > time.time():
            return str(entry["access_token"])
        return self._refreshed(entry.get("access_token")) or self._local()

    def renewed(self, refused: str | None) -> str | None:
        """Another token after the hub refused `refused`; None when there is none."""
        if os.environ.get("MODELHUB_TOKEN"):
            return None
        fresh = self._refreshed(refused) or self._local()
        return fresh if fresh != refused else None

    def sign_in(self, email: str, password: str, *, make_default: bool) -> dict[str, Any]:
        data, cookie = self._exchange("auth/login", {"email": email, "password": password}, None)
        with credentials.locked() as content:
            content["hubs"][self.url] = _entry(data, cookie)
            content["default"] = self.url if make_default else None
        return dict(data["user"])

    def sign_out(self) -> bool:
        """Forget the sign-in here, and end it at the hub when that can be reached. False: there was none."""
        with credentials.locked() as content:
            entry = content["hubs"].pop(self.url, None)
            if content["default"] == self.url:
                content["default"] = None
        if entry is None:
            return False
        self._exchange("auth/logout", None, entry.get("refresh_token"))
        return True

    def _local(self) -> str | None:
        hub = places.local_hub()
        return places.local_token() if hub and places.same_hub(hub, self.url) else None

    def _refreshed(self, known: str | None) -> str | None:
        """Use the refresh token once. When another process was quicker, take what it got."""
        with credentials.locked() as content:
            entry = content["hubs"].get(self.url)
            if not entry:
                return None
            if entry.get("access_token") != known and entry.get("expires_at", 0) > time.time():
                return str(entry["access_token"])
            if not entry.get("refresh_token"):
                return None
            try:
                data, cookie = self._exchange("auth/refresh", None, entry["refresh_token"])
            except NotSignedIn:
                content["hubs"][self.url] = {"email": entry.get("email")}
                return None
            content["hubs"][self.url] = _entry(data, cookie or entry["refresh_token"])
            return str(data["access_token"])


def _entry(data: dict[str, Any], cookie: str | None) -> dict[str, Any]:
    return {
        "email": data["user"]["email"],
        "refresh_token": cookie,
        "access_token": data["access_token"],
        "expires_at": time.time() + float(data["expires_in"]),
    }
