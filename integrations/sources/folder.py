"""The `folder` source: models that lie on this machine already, adopted where they are or copied.

`ref` is a path on the hub's machine, below one of the folders an administrator permits. An adopted model
stays what it is: the hub reads it, and never changes or deletes it.
"""

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from integrations import permitted
from integrations.errors import InvalidRef, Unsupported
from integrations.folders import Found, allowed_folder, look_into, scan
from integrations.sources.base import (
    FetchPlan,
    Listing,
    ModelCard,
    RemoteFile,
    Revision,
    SearchItem,
    SearchPage,
    SearchQuery,
)
from integrations.sources.cards import parse_card
from integrations.sources.selection import select
from integrations.transfer.names import check_names

MAX_REF = 300
CARD_BYTES = 1_000_000


class FolderOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    mode: Literal["adopt", "copy"] = Field(
        "adopt", description="Leave the files where they are, or copy them into the hub's store."
    )
    name: str | None = Field(
        None, min_length=1, max_length=200, description="What the library calls it; its own name if null."
    )


class Folder:
    name: ClassVar[str] = "folder"
    title: ClassVar[str] = "Folder"
    description: ClassVar[str] = (
        "Models that lie on the hub's machine already: the Hugging Face cache, Ollama's store, any permitted "
        "folder."
    )
    searchable: ClassVar[bool] = False
    child_module: ClassVar[str] = "integrations.sources.bring"
    Options: ClassVar[type[BaseModel]] = FolderOptions

    def search(self, query: SearchQuery) -> SearchPage:
        """What lies in the permitted folders."""
        allowed, words, items = permitted.now(), query.text.lower().split(), []
        for root in allowed.folders:
            if root.is_dir():
                for found in scan(root, allowed).found:
                    if all(word in f"{found.name} {found.path}".lower() for word in words):
                        items.append(
                            SearchItem(ref=found.path, name=found.name, size=found.size, tags=[found.layout])
                        )
        return SearchPage(items=items[: query.limit])

    def card(self, ref: str, revision: str | None) -> ModelCard:
        found = _look(ref)
        text, metadata = "", dict[str, Any]()
        readme = next((file for file in found.files if file.path == "README.md"), None)
        if readme:
            with (Path(found.base) / readme.name).open(encoding="utf-8", errors="replace") as file:
                text, metadata = parse_card(file.read(CARD_BYTES))
        return ModelCard(ref=ref, revision=found.revision, text=text, metadata=metadata)

    def listing(self, ref: str, revision: str | None) -> Listing:
        found = _look(ref)
        files = [RemoteFile(path=file.path, size=file.size) for file in found.files]
        return Listing(ref=found.path, revision=found.revision, commit=found.commit, files=files)

    def revisions(self, ref: str) -> list[Revision]:
        found = _look(ref)
        return [Revision(name=found.revision, kind="commit", commit=found.commit)]

    def plan(
        self,
        ref: str,
        revision: str | None,
        include: list[str] | None,
        exclude: list[str] | None,
        options: BaseModel | None = None,
    ) -> FetchPlan:
        """Raises AccessDenied outside the permitted folders, NotFound where no model lies, InvalidRef for a
        name no system takes, Unsupported where it cannot be adopted."""
        chosen = options if isinstance(options, FolderOptions) else FolderOptions()
        found = _look(ref)
        if len(found.path) > MAX_REF:
            raise InvalidRef(f"The path is longer than {MAX_REF} characters. Move the model, or link to it.")
        adopt = chosen.mode == "adopt"
        if adopt and not found.adoptable:
            raise Unsupported(
                f"'{found.name}' lies among other things under another name, so it cannot be used where it "
                "is. "
                "Copy it."
            )
        listed = [RemoteFile(path=file.path, size=file.size) for file in found.files]
        files = select(listed, include, exclude)
        check_names([file.path for file in files])
        wanted = {file.path for file in files}
        taken = [file for file in found.files if file.path in wanted]
        how: dict[str, Any] = {
            "how": "adopt" if adopt else "copy",
            "base": found.base,
            "names": {file.path: file.name for file in taken},
            "promised": {file.path: file.sha256 for file in taken if file.sha256},
        }
        return FetchPlan(
            source=self.name,
            ref=found.path,
            revision=found.revision,
            commit=found.commit,
            files=files,
            bytes_total=sum(file.size or 0 for file in files),
            name=chosen.name or found.name,
            location="external" if adopt else "local",
            path=found.base if adopt else None,
            options=how,
        )


def _look(ref: str) -> Found:
    return look_into(allowed_folder(ref, permitted.now()))
