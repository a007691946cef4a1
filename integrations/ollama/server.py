"""One Ollama server, asked through the real client; every trouble comes out in the words of
`integrations.errors`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import ollama

from integrations.errors import InvalidRef, NotFound
from integrations.ollama import words
from integrations.ollama.facts import Held, Loaded, Shown, read_shown
from integrations.ollama.names import full_name

DEFAULT = "http://127.0.0.1:11434"
CONNECT = 5.0
PATIENCE = 20.0
"""Seconds an answer may take. A stream has no such limit: who reads it watches for silence."""


@dataclass(frozen=True)
class Step:
    """One line of a stream. `total` and `completed` are bytes of the layer `digest`."""

    status: str
    digest: str | None = None
    total: int | None = None
    completed: int = 0


class Server:
    """The server at `host` (as OLLAMA_HOST is written: scheme and port may be missing). `InvalidRef` when
    that
    is no address."""

    def __init__(self, host: str | None = None, *, patience: float = PATIENCE) -> None:
        given = host or os.environ.get("OLLAMA_HOST") or DEFAULT
        self.patience = patience
        # An answer is never looked for at another address, nor through a proxy meant for the internet.
        self._ask = self._client(given, httpx.Timeout(patience, connect=CONNECT))
        self._follow = self._client(given, httpx.Timeout(None, connect=CONNECT))
        self.url = str(self._ask._client.base_url).rstrip("/")

    @staticmethod
    def _client(host: str, timeout: httpx.Timeout) -> ollama.Client:
        try:
            client = ollama.Client(host=host, timeout=timeout, follow_redirects=False, trust_env=False)
        except (httpx.InvalidURL, ValueError):
            raise InvalidRef(
                f"OLLAMA_HOST is set to '{host[:200]}', which is no address. Set it to something like "
                f"{DEFAULT}."
            ) from None
        # The client takes OLLAMA_API_KEY from the environment, which is ollama.com's: not for this server.
        client._client.headers.pop("authorization", None)
        return client

    def close(self) -> None:
        self._ask.close()
        self._follow.close()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def version(self) -> str:
        with self._asking("its version"):
            return str(self._ask._request_raw("GET", "/api/version").json()["version"])[:50]

    def models(self) -> list[Held]:
        """What it holds, newest first."""
        with self._asking("its models"):
            return [_held(each) for each in self._ask.list().models if each.model]

    def running(self) -> list[Loaded]:
        with self._asking("what it has in memory"):
            return [_loaded(each) for each in self._ask.ps().models if each.model or each.name]

    def find(self, name: str) -> Held:
        """One model it holds; `NotFound` when it does not."""
        name = full_name(name)
        held = next((each for each in self.models() if full_name(each.name) == name), None)
        if held is None:
            raise NotFound(
                f"The Ollama server at {self.url} does not hold '{name}'. Pull it first.",
                details={"name": name},
            )
        return held

    def show(self, name: str) -> Shown:
        with self._asking(name):
            return read_shown(name, self._ask.show(name))

    def delete(self, name: str) -> None:
        with self._asking(name):
            self._ask.delete(name)

    def copy(self, name: str, to: str) -> None:
        with self._asking(name):
            self._ask.copy(name, to)

    def pull(self, name: str) -> Iterator[Step]:
        """The steps of a pull as they come. It has succeeded when the last one's status is `success`."""
        with self._asking(name):
            for line in self._follow.pull(name, stream=True):
                yield _step(line)

    def has_blob(self, digest: str) -> bool:
        with self._asking("a file it may have"):
            try:
                self._ask._request_raw("HEAD", f"/api/blobs/{digest}")
            except ollama.ResponseError as refused:
                if refused.status_code == 404:
                    return False
                raise
        return True

    def put_blob(self, digest: str, content: Iterator[bytes], size: int) -> None:
        """Send `size` bytes; the server checks them against the digest. What `content` raises goes "
        "through."""
        with self._asking("a file sent to it"):
            headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
            self._follow._request_raw("POST", f"/api/blobs/{digest}", content=content, headers=headers)

    def create(self, name: str, **made_of: Any) -> Iterator[Step]:
        """The steps of making a model of `files`, `adapters`, `from_`, `template`, `system`, `parameters`,
        `license`, as `ollama.Client.create` takes them."""
        with self._asking(name):
            for line in self._follow.create(name, stream=True, **made_of):
                yield _step(line)

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        try:
            yield
        except ollama.ResponseError as error:
            raise words.refusal(self.url, what, str(error.error), error.status_code) from None
        except (ConnectionError, httpx.ConnectError, httpx.ConnectTimeout):
            raise words.absent(self.url) from None
        except httpx.TimeoutException:
            raise words.slow(self.url, self.patience) from None
        except httpx.HTTPError:
            raise words.broken(self.url) from None
        except (httpx.InvalidURL, ValueError, KeyError, TypeError, AttributeError):
            raise words.stranger(self.url) from None


def pieces(path: Path, size: int = 1 << 20) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(size):
            yield piece


def _step(line: Any) -> Step:
    return Step(line.status or "", line.digest, line.total, line.completed or 0)


def _held(each: Any) -> Held:
    details = each.details
    return Held(
        name=each.model,
        digest=(each.digest or "").removeprefix("sha256:"),
        size=int(each.size or 0),
        modified_at=each.modified_at,
        family=(details and details.family) or None,
        parameter_size=(details and details.parameter_size) or None,
        quantization=(details and details.quantization_level) or None,
    )


def _loaded(each: Any) -> Loaded:
    return Loaded(
        name=each.model or each.name,
        size=int(each.size or 0),
        size_vram=int(each.size_vram or 0),
        context_length=each.context_length,
        expires_at=each.expires_at,
    )
