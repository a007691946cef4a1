"""The `url` source: one file, or a few, from addresses that a user gives.

Each is asked for its first bytes while it is planned: what it is called, how large it is, whether the server
can send pieces of it, and whether it is a model's file at all. Addresses lead to the public internet only, at
every redirect, unless an administrator named their origin.
"""

import contextlib
import hashlib
import http.client
import json
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from integrations import permitted
from integrations.addresses import origins_for_users, read_url
from integrations.errors import InvalidRef, Unreachable, Unsupported
from integrations.http import Outbound, Wire
from integrations.sources.base import (
    FetchPlan,
    Listing,
    ModelCard,
    RemoteFile,
    Revision,
    SearchPage,
    SearchQuery,
)
from integrations.sources.url_probe import Probed, probe
from integrations.transfer.names import check_name, check_names

MAX_REF = 300
MAX_FILES = 50
SHA256 = r"^[0-9a-fA-F]{64}$"
WEIGHTS = (".gguf", ".safetensors")
BESIDE = (".json", ".jinja", ".md", ".model", ".tiktoken", ".txt", ".vocab", ".bpe", ".yaml", ".yml")
"""What comes with weights. Pickles (`.bin`, `.pt`) are not among them: loading one runs code."""


class UrlFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str = Field(max_length=4096)
    path: str | None = Field(
        None, max_length=1024, description="Its name in the model; the server's if null."
    )
    sha256: str | None = Field(None, pattern=SHA256)


class UrlOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sha256: str | None = Field(None, pattern=SHA256, description="What the file must hash to.")
    path: str | None = Field(
        None, max_length=1024, description="Its name in the model; the server's if null."
    )
    name: str | None = Field(None, min_length=1, max_length=200, description="What the library calls it.")
    files: list[UrlFile] = Field([], max_length=MAX_FILES, description="More files of the same model.")


class Url:
    name: ClassVar[str] = "url"
    title: ClassVar[str] = "Address"
    description: ClassVar[str] = (
        "A file from any web address: *.gguf, *.safetensors and what belongs to them."
    )
    searchable: ClassVar[bool] = False
    child_module: ClassVar[str] = "integrations.sources.url_fetch"
    Options: ClassVar[type[BaseModel]] = UrlOptions

    def search(self, query: SearchQuery) -> SearchPage:
        raise Unsupported("Addresses cannot be searched. Give one as it is.")

    def card(self, ref: str, revision: str | None) -> ModelCard:
        return ModelCard(ref=shown(ref), revision="")

    def listing(self, ref: str, revision: str | None) -> Listing:
        plan = self.plan(ref, revision, None, None)
        return Listing(ref=plan.ref, revision=plan.revision, commit=plan.commit, files=plan.files)

    def revisions(self, ref: str) -> list[Revision]:
        return []

    def plan(
        self,
        ref: str,
        revision: str | None,
        include: list[str] | None,
        exclude: list[str] | None,
        options: BaseModel | None = None,
    ) -> FetchPlan:
        """Raises InvalidRef for what is no plain address, Unreachable where it leads nowhere allowed,
        Unsupported for a web page or what is no model's file."""
        if revision or include or exclude:
            raise Unsupported("An address has no revisions and no patterns. Leave them out.")
        chosen = options if isinstance(options, UrlOptions) else UrlOptions()
        first = UrlFile(url=ref, path=chosen.path, sha256=chosen.sha256)
        asked = [_without_fragment(each) for each in (first, *chosen.files)]
        probed = look(asked)
        names = [str(check_name(file.path or found.name)) for file, found in zip(asked, probed, strict=True)]
        check_names(names)
        for name in names:
            if not name.lower().endswith((*WEIGHTS, *BESIDE)):
                raise Unsupported(
                    f"'{name}' is no file of a model that is taken from an address: it must end in one of "
                    f"{', '.join((*WEIGHTS, *BESIDE))}. If it is one, give its name with `path`."
                )
        for found, name in zip(probed, names, strict=True):
            found.check(name, permitted.now().largest)
        pinned = [[name, found.size, found.etag] for name, found in zip(names, probed, strict=True)]
        commit = hashlib.sha256(json.dumps([pinned, [file.url for file in asked]]).encode()).hexdigest()
        fetches = [
            {"path": name, "url": file.url, "sha256": file.sha256, "etag": found.etag, "ranges": found.ranges}
            for file, found, name in zip(asked, probed, names, strict=True)
        ]
        return FetchPlan(
            source=self.name,
            ref=shown(asked[0].url),
            revision="",
            commit=commit,
            # What it should hash to is not said here: knowing a hash is no right to what the store has of it.
            files=[RemoteFile(path=name, size=found.size) for name, found in zip(names, probed, strict=True)],
            bytes_total=sum(found.size or 0 for found in probed),
            estimated=any(found.size is None for found in probed),
            name=chosen.name or _model_name(names[0]),
            options={"fetch": fetches},
        )


def look(files: list[UrlFile]) -> list[Probed]:
    """What each address answers. Raises what `probe` does; Unreachable when the network fails."""
    answers = []
    for file in files:
        outbound = Outbound.for_address(file.url, origins_for_users(), connect=10, read=20)
        wire = Wire(outbound)
        try:
            answers.append(probe(wire, file.url))
        except (OSError, http.client.HTTPException) as error:
            host = read_url(file.url)[0].host
            raise Unreachable(
                f"{host} could not be asked: {type(error).__name__}. Check the address.",
                details={"host": host},
            ) from None
        finally:
            wire.close()
    return answers


def shown(url: str) -> str:
    """An address as it may be shown and kept: without its query, which may hold a signature."""
    origin, target = read_url(url)
    path = target.partition("?")[0]
    scheme, host, port = origin
    usual = port == (443 if scheme == "https" else 80)
    home = f"{scheme}://{f'[{host}]' if ':' in host else host}{'' if usual else f':{port}'}"
    whole = f"{home}{path}"
    return whole if len(whole) <= MAX_REF else f"{home[: MAX_REF - 4]}/…/{path.rsplit('/', 1)[-1]}"[:MAX_REF]


def _without_fragment(file: UrlFile) -> UrlFile:
    """`#sha256=…` says what the file must hash to; any other fragment means nothing to a server."""
    url, _, fragment = file.url.strip().partition("#")
    read_url(url)
    sha256 = file.sha256
    if fragment.startswith("sha256="):
        said = fragment.removeprefix("sha256=").lower()
        if len(said) != 64 or set(said) - set("0123456789abcdef"):
            raise InvalidRef("After `#sha256=` come 64 hexadecimal digits.")
        if sha256 and sha256.lower() != said:
            raise InvalidRef("The address and the options name different SHA-256.")
        sha256 = said
    return file.model_copy(update={"url": url, "sha256": sha256.lower() if sha256 else None})


def _model_name(file: str) -> str:
    last = file.rsplit("/", 1)[-1]
    with contextlib.suppress(ValueError):
        stem = last[: last.rindex(".")]
        return stem or last
    return last
