"""The one way we talk to a Hub's API: the real huggingface_hub client with our patience and our errors.

huggingface_hub sends its list calls without any timeout and sleeps through whatever Retry-After it is told;
someone is waiting for our answer, so its HTTP client is replaced by one that gives up early and says why.
Settings are read at call time, not at import: `HF_ENDPOINT`, `HF_TOKEN`.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # the client calls home about its caller otherwise

import httpcore2
import httpx2
from huggingface_hub import HfApi, set_client_factory
from huggingface_hub.utils import get_session, hf_raise_for_status

from integrations.addresses import Origin
from integrations.errors import AccessDenied, IntegrationError, Throttled, Unreachable
from integrations.http import MAX_REDIRECTS, Outbound
from integrations.sources.hub_errors import translate
from integrations.sources.hub_settings import endpoint, token

TIMEOUT = httpx2.Timeout(15.0, connect=5.0)
"""Seconds: to connect, and to wait for each next byte."""
BUSY = frozenset({500, 502, 503, 504})


class CheckedNetwork(httpcore2.SyncBackend):
    """Connects by the rules of `integrations.http`: a public hub leads nobody into a private network."""

    def connect_tcp(self, host: str, port: int, *given: Any, **options: Any) -> httpcore2.NetworkStream:
        trouble: Exception = httpcore2.ConnectError(f"{host} has no address")
        try:
            places = Outbound(endpoint()).places(Origin("", host, port))
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        for place in places:
            try:
                return super().connect_tcp(place.address[0], port, *given, **options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                trouble = error
        raise trouble


def _check(request: httpx2.Request) -> None:
    """Before each hop, also of what goes through a proxy, which would look names up for itself."""
    rules, origin = Outbound(endpoint()), Origin.of(str(request.url))
    if rules.home.scheme == "https" and origin.scheme != "https":
        raise AccessDenied(f"{rules.home} sent us on to an unencrypted address. That was refused.")
    rules.via(origin)


class ImpatientClient(httpx2.Client):
    """Every request has a deadline, one second chance, and ends in an answer or in one of our errors."""

    def _init_transport(self, **given: Any) -> Any:  # type: ignore[override]
        # httpx2 has no door for it, and with a transport of ours it would forget the environment's proxies.
        transport: Any = super()._init_transport(**given)
        transport._pool._network_backend = CheckedNetwork()
        return transport

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        request.extensions["timeout"] = TIMEOUT.as_dict()
        where = f"{request.url.scheme}://{request.url.netloc.decode()}"
        for last in (False, True):
            try:
                response = super().send(request, **options)
            except httpx2.TransportError as error:
                if last or isinstance(error, httpx2.TimeoutException):
                    raise unreachable(where, error) from error
            else:
                if response.status_code == 429:
                    raise throttled(where, response.headers.get("Retry-After"))
                if response.status_code not in BUSY:
                    return response
                if last:
                    raise Unreachable(
                        f"The model hub at {where} answers with an error of its own "
                        f"({response.status_code}). Try again in a few minutes.",
                        details={"endpoint": where, "status": response.status_code},
                    )
                response.close()
            time.sleep(0.5)
        raise AssertionError("unreachable")


def unreachable(where: str, error: Exception) -> Unreachable:
    slow = isinstance(error, httpx2.TimeoutException)
    what = "did not answer in time" if slow else "cannot be reached"
    return Unreachable(
        f"The model hub at {where} {what}. Check the network, and HF_ENDPOINT if you use a mirror; then "
        "try again.",
        details={"endpoint": where, "cause": f"{type(error).__name__}: {error}"[:300]},
    )


def throttled(where: str, retry_after: str | None) -> Throttled:
    wait = f"Wait {retry_after} seconds" if retry_after and retry_after.isdigit() else "Wait a minute"
    hint = "" if token() else ", or set HF_TOKEN: signed-in users may ask more often"
    return Throttled(
        f"The model hub at {where} asks us to slow down. {wait} and try again{hint}.",
        details={"endpoint": where, "retry_after": retry_after},
    )


@cache
def _install_client() -> None:
    set_client_factory(
        lambda: ImpatientClient(
            follow_redirects=True,
            timeout=TIMEOUT,
            max_redirects=MAX_REDIRECTS,
            event_hooks={"request": [_check]},
        )
    )


@contextmanager
def hub(ref: str = "", revision: str | None = None, path: str | None = None) -> Iterator[HfApi]:
    """The API for one call; whatever it raises comes out as `integrations.errors`."""
    _install_client()
    where = endpoint()
    try:
        yield HfApi(endpoint=where, token=token() or False, library_name="modelhub")
    except IntegrationError:
        raise
    except Exception as error:
        raise translate(error, where=where, ref=ref, revision=revision, path=path) from error


def get(api: HfApi, path: str, params: dict[str, Any] | None = None) -> httpx2.Response:
    """GET a route of the hub that HfApi has no method for, with its headers and its error checks."""
    response = get_session().get(f"{api.endpoint}{path}", params=params, headers=api._build_hf_headers())
    hf_raise_for_status(response)
    return response
