"""The built-in source: one tiny chat model that is not downloaded but made here, without internet.

What the model is and how it is made stands in `training/starter.py`; this file only lists and plans it.
"""

import hashlib
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from integrations.errors import NotFound, RevisionNotFound, Unsupported
from integrations.sources.base import (
    FetchPlan,
    Listing,
    ModelCard,
    NoOptions,
    RemoteFile,
    Revision,
    SearchItem,
    SearchPage,
    SearchQuery,
)
from integrations.sources.cards import parse_card
from integrations.sources.refs import check_ref, check_revision

REF = "modelhub/starter"
PARAMETERS = 2_004_672
FILES = {
    "README.md": 1_500,
    "chat_template.jinja": 200,
    "config.json": 800,
    "generation_config.json": 100,
    "model.safetensors": 8_023_000,
    "tokenizer.json": 112_000,
    "tokenizer_config.json": 300,
}
"""What will be made and about how large it will be, in bytes; exact sizes are known when it is done."""


class Starter:
    name: ClassVar[str] = "starter"
    title: ClassVar[str] = "Starter"
    description: ClassVar[str] = (
        "A tiny chat model, made on this machine in about a minute. Needs no internet."
    )
    searchable: ClassVar[bool] = True
    child_module: ClassVar[str] = "training.starter"
    Options: ClassVar[type[BaseModel]] = NoOptions

    def search(self, query: SearchQuery) -> SearchPage:
        """The one model, unless a word or a filter speaks against it."""
        item = _item()
        about = " ".join([item.ref, item.description or "", *item.tags]).lower()
        fits = all(word in about for word in query.text.lower().split())
        for wanted, has in (
            (query.author, item.author),
            (query.task, item.task),
            (query.library, item.library),
            (query.license, item.license),
        ):
            fits = fits and wanted in (None, "", has)
        return SearchPage(items=[item] if fits and not query.gated and not query.cursor else [])

    def card(self, ref: str, revision: str | None) -> ModelCard:
        _check(ref, revision)
        text, metadata = parse_card(_training().joinpath("corpus", "card.md").read_text("utf-8"))
        return ModelCard(ref=REF, revision="main", text=text, metadata=metadata)

    def listing(self, ref: str, revision: str | None) -> Listing:
        _check(ref, revision)
        made = [RemoteFile(path=path, size=size) for path, size in FILES.items()]
        return Listing(ref=REF, revision="main", commit=commit(), files=made)

    def revisions(self, ref: str) -> list[Revision]:
        _check(ref, None)
        return [Revision(name="main", kind="branch", commit=commit())]

    def plan(
        self,
        ref: str,
        revision: str | None,
        include: list[str] | None,
        exclude: list[str] | None,
        options: BaseModel | None = None,
    ) -> FetchPlan:
        listing = self.listing(ref, revision)
        if include or exclude:
            raise Unsupported("The starter model is made as a whole. Leave `include` and `exclude` out.")
        return FetchPlan(
            source=self.name,
            ref=REF,
            revision="main",
            commit=listing.commit,
            files=listing.files,
            bytes_total=sum(FILES.values()),
            estimated=True,
        )


def commit() -> str:
    """Identity of the text and the program that make the model: forty hexadecimal digits, like Git's."""
    digest = hashlib.sha1(usedforsecurity=False)
    programs = [_training().joinpath(name) for name in ("conversations.py", "muon.py", "starter.py")]
    for file in (*programs, *sorted(_training().joinpath("corpus").iterdir(), key=lambda path: path.name)):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _training() -> Path:
    """The folder of the training programs, as data: none of their code is imported here."""
    return Path(__file__).parents[2] / "training"


def _item() -> SearchItem:
    _, metadata = parse_card(_training().joinpath("corpus", "card.md").read_text("utf-8"))
    said: dict[str, Any] = {"license": metadata.get("license"), "tags": metadata.get("tags", [])}
    return SearchItem(
        ref=REF,
        name="starter",
        author="modelhub",
        description=Starter.description,
        task=metadata.get("pipeline_tag"),
        library=metadata.get("library_name"),
        size=sum(FILES.values()),
        parameters=PARAMETERS,
        **said,
    )


def _check(ref: str, revision: str | None) -> None:
    if check_ref(ref) != REF:
        raise NotFound(
            f"The starter source has one model, '{REF}', and not '{ref}'.", details={"known": [REF]}
        )
    if check_revision(revision) not in ("main", commit()):
        raise RevisionNotFound(
            f"The starter model has one revision, 'main', and not '{(revision or '')[:80]}'."
        )
