"""The hub as seen from here: calls that return the envelope's data or raise one clear error."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cli.auth import REFRESH_COOKIE, Auth
from cli.errors import CliError, HubUnreachable, NotSignedIn, refusal

if TYPE_CHECKING:
    import httpx

    from cli.sse import Event
    from cli.transport import Transport

API = "/api/v1/"


class Hub:
    def __init__(self, url: str, *, patience: float | None = None) -> None:
        """`patience`: seconds for each call, where somebody waits for a key to do something."""
        self.url = url
        self._patience = patience
        self.auth = Auth(url, self._exchange)

    @cached_property
    def _transport(self) -> "Transport":
        from cli.transport import Transport  # here: httpx takes 70 ms, and `--help` calls nobody

        return Transport(self.url, self._patience)

    def get(self, path: str, **params: Any) -> Any:
        return self.call("GET", path, params=params)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.call("POST", path, body=body or {})

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        return self.call("PATCH", path, body=body)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        return self.call("PUT", path, body=body)

    def delete(self, path: str, **params: Any) -> Any:
        return self.call("DELETE", path, params=params)

    def pages(self, path: str, *, most: int | None = None, **params: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, page after page, `most` at most."""
        after, seen = None, 0
        while True:
            page = self.get(path, limit=min(most or 100, 100), after=after, **params)
            for item in page["items"]:
                yield item
                seen += 1
                if most and seen >= most:
                    return
            after = page.get("next")
            if not after:
                return

    def send_bytes(self, path: str, content: bytes, offset: int) -> Any:
        """A piece of a file, to be put at `offset`; with its checksum it counts whole or not at all."""
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        fields = {
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
            "Upload-Checksum": f"sha256 {digest}",
        }
        with self._answer("PATCH", path, fields=fields, content=content) as response:
            self._transport.read(response)
            return self._data(response)

    def call(self, method: str, path: str, *, params: Any = None, body: Any = None) -> Any:
        """The `data` of the answer. Signs in again once when the token has run out."""
        with self._answer(method, path, params=params, body=body) as response:
            self._transport.read(response)
            return self._data(response)

    @contextmanager
    def stream(
        self, method: str, path: str, *, params: Any = None, body: Any = None
    ) -> Iterator["Iterator[Event]"]:
        """The events of an SSE answer as they come. A cut connection raises `HubUnreachable`."""
        with self._answer(method, path, params=params, body=body) as response:
            if "text/event-stream" not in response.headers.get("content-type", ""):
                self._transport.read(response)
                raise self._stranger(response)
            yield self._transport.events(response)

    def download(self, path: str, **params: Any) -> Iterator[bytes]:
        """A file of the hub's, in pieces as they come."""
        with self._answer("GET", path, params=params) as response:
            yield from self._transport.pieces(response)

    @contextmanager
    def _answer(
        self, method: str, path: str, *, fields: dict[str, str] | None = None, **content: Any
    ) -> Iterator["httpx.Response"]:
        """A successful response, its body not yet read. `fields` are further headers."""
        token, more = self.auth.token(), fields or {}
        response = self._transport.send(method, API + path, headers=_bearer(token) | more, **content)
        if response.status_code == 401 and (fresh := self.auth.renewed(token)):
            response.close()
            response = self._transport.send(method, API + path, headers=_bearer(fresh) | more, **content)
        try:
            if response.status_code >= 400:
                self._transport.read(response)
                raise self._refused(response)
            yield response
        finally:
            response.close()

    def _exchange(
        self, path: str, body: dict[str, Any] | None, refresh_token: str | None
    ) -> tuple[dict[str, Any], str | None]:
        """A call of `auth/…` that carries the refresh token, and no bearer. See `cli.auth.Exchange`."""
        cookie = {"Cookie": f"{REFRESH_COOKIE}={refresh_token}"} if refresh_token else {}
        response = self._transport.send("POST", API + path, body=body or {}, headers=cookie)
        self._transport.read(response)
        if response.status_code >= 400:
            raise self._refused(response)
        return self._data(response), response.cookies.get(REFRESH_COOKIE)

    def _data(self, response: "httpx.Response") -> Any:
        try:
            return response.json()["data"]
        except (ValueError, KeyError, TypeError):
            raise self._stranger(response) from None

    def _refused(self, response: "httpx.Response") -> CliError:
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or "error" not in body:
            return self._stranger(response)
        error = refusal(response.status_code, body)
        if isinstance(error, NotSignedIn) and error.code != "INVALID_CREDENTIALS":
            error.message = f"You are not signed in to {self.url}. Sign in with `modelhub login {self.url}`."
        return error

    def _stranger(self, response: "httpx.Response") -> CliError:
        if response.status_code >= 500:
            return HubUnreachable(
                f"The hub at {self.url} answered {response.status_code}: it is starting, stopping or broken. "
                "Try again in a moment; its log says more."
            )
        return HubUnreachable(
            f"What answers at {self.url} is not a ModelHub (status {response.status_code}). "
            "Name the hub with --hub URL or MODELHUB_URL."
        )


def _bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}
