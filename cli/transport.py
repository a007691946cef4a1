"""HTTP to one hub: what goes wrong on the way becomes `HubUnreachable`, one sentence."""

import os
import time
from collections.abc import Iterator
from typing import Any

import httpx

from cli import places, sse
from cli.errors import HubUnreachable

TIMEOUT = httpx.Timeout(90, connect=10)
"""Seconds between two bytes. While an answer is thought about the hub sends heartbeats, so silence means
that it is gone; planning a large download takes it some seconds."""

LONGEST_WAIT = 10
"""Seconds of `Retry-After` that are simply waited."""


class Transport:
    def __init__(self, url: str, patience: float | None = None) -> None:
        self.url = url
        timeout = httpx.Timeout(patience) if patience else TIMEOUT
        # A proxy from the environment must not see, nor break, calls that never leave this machine.
        self._http = httpx.Client(
            base_url=url,
            timeout=timeout,
            trust_env=not places.is_loopback(url),
            headers={"User-Agent": f"modelhub ({os.uname().sysname})"},  # what `modelhub sessions` shows
        )

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        params: dict[str, Any] | None = None,
        body: Any = None,
        content: bytes | None = None,
        tries: int = 3,
    ) -> httpx.Response:
        """The response with its body still to come. Asked to wait a moment (429), it waits and asks again."""
        given = {name: value for name, value in (params or {}).items() if value is not None}
        try:
            request = self._http.build_request(
                method, path, params=given, json=body, content=content, headers=headers
            )
            response = self._http.send(request, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error
        finally:
            self._http.cookies.clear()  # the refresh token goes out only where `cli.hub` puts it
        wait = _retry_after(response) if response.status_code == 429 else None
        if wait is None or tries <= 1:
            return response
        response.close()
        time.sleep(wait)
        return self.send(
            method, path, headers=headers, params=params, body=body, content=content, tries=tries - 1
        )

    def read(self, response: httpx.Response) -> None:
        """Take in the whole body."""
        try:
            response.read()
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def events(self, response: httpx.Response) -> Iterator[sse.Event]:
        try:
            yield from sse.events(response.iter_bytes())
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def pieces(self, response: httpx.Response) -> Iterator[bytes]:
        try:
            yield from response.iter_bytes()
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> HubUnreachable:
        url = self.url
        if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
            return HubUnreachable(f"'{url}' is not an address of a hub. Give one like http://host:5000.")
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            here = places.is_loopback(url)
            what = "Start it with `make up` or `modelhub up`, or name" if here else "Name"
            return HubUnreachable(f"No hub answers at {url}. {what} another with --hub URL.")
        if isinstance(error, httpx.TimeoutException):
            return HubUnreachable(f"The hub at {url} does not answer in time. `modelhub doctor` says more.")
        return HubUnreachable(f"The connection to the hub at {url} broke off. Try again.")


def _retry_after(response: httpx.Response) -> float | None:
    try:
        wait = float(response.headers.get("retry-after", "1"))
    except ValueError:
        return None
    return wait if 0 <= wait <= LONGEST_WAIT else None
