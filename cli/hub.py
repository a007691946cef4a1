"""The hub as seen from here: HTTP calls that return the envelope's data or raise one clear error."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from cli import places
from cli.auth import REFRESH_COOKIE, Auth
from cli.errors import CliError, HubUnreachable, NotSignedIn, refusal
from cli.sse import Event, events

API = "/api/v1/"
TIMEOUT = httpx.Timeout(60, connect=10)
STREAM_TIMEOUT = httpx.Timeout(60, connect=10, read=90)
"""The hub sends a heartbeat while an answer is being thought about: 90 silent seconds mean it is gone."""


class Hub:
    def __init__(self, url: str) -> None:
        self.url = url
        # A proxy from the environment must not see, nor break, calls that never leave this machine.
        self._http = httpx.Client(
            base_url=url, timeout=TIMEOUT, trust_env=not places.is_loopback(url), follow_redirects=False
        )
        self.auth = Auth(url, self._exchange)

    def get(self, path: str, **params: Any) -> Any:
        return self.call("GET", path, params=params)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.call("POST", path, body=body or {})

    def delete(self, path: str) -> Any:
        return self.call("DELETE", path)

    def pages(self, path: str, *, most: int | None = None, **params: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, page after page, `most` at most."""
        after, seen = None, 0
        while True:
            page = self.get(path, limit=min(most or 200, 200), after=after, **params)
            for item in page["items"]:
                yield item
                seen += 1
                if most and seen >= most:
                    return
            after = page.get("next")
            if not after:
                return

    def call(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
    ) -> Any:
        """The `data` of the answer. Signs in again once when the token has run out."""
        with self._answer(method, path, params, body, TIMEOUT) as response:
            self._read(response)
            return self._data(response)

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
    ) -> Iterator[Iterator[Event]]:
        """The events of an SSE answer as they come. A cut connection raises `HubUnreachable`."""
        with self._answer(method, path, params, body, STREAM_TIMEOUT) as response:
            if "text/event-stream" not in response.headers.get("content-type", ""):
                self._read(response)
                raise self._stranger(response)
            yield self._guarded(events(response.iter_bytes()))

    @contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        params: dict[str, Any] | None,
        body: dict[str, Any] | None,
        timeout: httpx.Timeout,
    ) -> Iterator[httpx.Response]:
        """A successful response, its body not yet read."""
        response = self._send(method, path, params, body, timeout, token := self.auth.token())
        if response.status_code == 401 and (fresh := self.auth.renewed(token)):
            response.close()
            response = self._send(method, path, params, body, timeout, fresh)
        try:
            if response.status_code >= 400:
                self._read(response)
                raise self._refused(response)
            yield response
        finally:
            response.close()

    def _send(
        self,
        method: str,
        path: str,
        params: dict[str, Any] | None,
        body: dict[str, Any] | None,
        timeout: httpx.Timeout,
        token: str | None,
        tries: int = 3,
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = self._http.build_request(
            method,
            path if path.startswith("/") else API + path,
            params={key: value for key, value in (params or {}).items() if value is not None},
            json=body,
            headers=headers,
            timeout=timeout,
        )
        try:
            response = self._http.send(request, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error
        if response.status_code == 429 and tries > 1 and (wait := _retry_after(response)) is not None:
            response.close()
            time.sleep(wait)
            return self._send(method, path, params, body, timeout, token, tries - 1)
        return response

    def _read(self, response: httpx.Response) -> None:
        try:
            response.read()
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def _guarded(self, source: Iterator[Event]) -> Iterator[Event]:
        try:
            yield from source
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def _exchange(
        self, path: str, body: dict[str, Any] | None, refresh_token: str | None
    ) -> tuple[dict[str, Any], str | None]:
        """A call of `auth/…` that carries the refresh token, and no bearer. See `cli.auth.Exchange`."""
        cookie = {"Cookie": f"{REFRESH_COOKIE}={refresh_token}"} if refresh_token else {}
        try:
            response = self._http.post(API + path, json=body or {}, headers=cookie)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error
        finally:
            self._http.cookies.clear()
        if response.status_code >= 400:
            raise self._refused(response)
        return self._data(response), response.cookies.get(REFRESH_COOKIE)

    def _data(self, response: httpx.Response) -> Any:
        try:
            return response.json()["data"]
        except (ValueError, KeyError, TypeError):
            raise self._stranger(response) from None

    def _refused(self, response: httpx.Response) -> CliError:
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

    def _stranger(self, response: httpx.Response) -> CliError:
        if response.status_code >= 500:
            return HubUnreachable(
                f"The hub at {self.url} answered {response.status_code}: it is starting, stopping or broken. "
                "Try again in a moment; its log says more."
            )
        return HubUnreachable(
            f"What answers at {self.url} is not a ModelHub (status {response.status_code}). "
            "Name the hub with --hub URL or MODELHUB_URL."
        )

    def _unreachable(self, error: Exception) -> HubUnreachable:
        if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
            return HubUnreachable(f"'{self.url}' is not an address of a hub. Give one like http://host:5000.")
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            start = (
                "Start it with `make up` or `modelhub up`, or name"
                if places.is_loopback(self.url)
                else "Name"
            )
            return HubUnreachable(f"No hub answers at {self.url}. {start} another with --hub URL.")
        if isinstance(error, httpx.TimeoutException):
            return HubUnreachable(
                f"The hub at {self.url} does not answer in time. `modelhub doctor` says more."
            )
        return HubUnreachable(f"The connection to the hub at {self.url} broke off. Try again.")


def _retry_after(response: httpx.Response, longest: float = 10) -> float | None:
    """Seconds the hub asks us to wait, when that is short enough to just do it."""
    try:
        wait = float(response.headers.get("retry-after", "1"))
    except ValueError:
        return None
    return wait if 0 <= wait <= longest else None
