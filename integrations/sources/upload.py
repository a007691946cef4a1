"""The `upload` source: files that were sent to this hub piece by piece (`POST /api/v1/uploads`). What was
sent whole is proven and taken in like any other download; there is nothing to search or to ask for."""

from pathlib import Path
from typing import Any, ClassVar, NoReturn

from pydantic import BaseModel

from integrations.errors import Unsupported
from integrations.sources.base import (
    FetchPlan,
    Listing,
    ModelCard,
    NoOptions,
    RemoteFile,
    Revision,
    SearchPage,
    SearchQuery,
)


class UploadSource:
    name: ClassVar[str] = "upload"
    title: ClassVar[str] = "Upload"
    description: ClassVar[str] = "Files from your own machine, sent by the browser or by `modelhub push`."
    searchable: ClassVar[bool] = False
    child_module: ClassVar[str] = "integrations.sources.bring"
    Options: ClassVar[type[BaseModel]] = NoOptions

    def search(self, query: SearchQuery) -> SearchPage:
        _refuse()

    def card(self, ref: str, revision: str | None) -> ModelCard:
        _refuse()

    def listing(self, ref: str, revision: str | None) -> Listing:
        _refuse()

    def revisions(self, ref: str) -> list[Revision]:
        _refuse()

    def plan(
        self,
        ref: str,
        revision: str | None,
        include: list[str] | None,
        exclude: list[str] | None,
        options: BaseModel | None = None,
    ) -> FetchPlan:
        _refuse()


def plan_of(name: str, folder: Path, files: list[dict[str, Any]], commit: str, here: set[str]) -> FetchPlan:
    """The plan for a whole upload: `files` are `{path, size, sha256}`, the n-th lies in `folder` as `n`,
    except for the paths in `here`, whose content the store has and the sender may have.

    Only those say their hash to the store: that one knows a hash is no right to what it stands for.
    """
    promised = {file["path"]: file["sha256"] for file in files if file.get("sha256")}
    return FetchPlan(
        source=UploadSource.name,
        ref=name,
        revision="",
        commit=commit,
        files=[
            RemoteFile(
                path=file["path"],
                size=file["size"],
                sha256=promised[file["path"]] if file["path"] in here else None,
            )
            for file in files
        ],
        bytes_total=sum(file["size"] for file in files),
        name=name,
        given=str(folder),
        options={
            "how": "link",
            "base": str(folder),
            "names": {file["path"]: str(index) for index, file in enumerate(files)},
            "promised": promised,
        },
    )


def _refuse() -> NoReturn:
    raise Unsupported(
        "An upload begins with POST /api/v1/uploads, or with `modelhub push PATH`; there is nothing to ask "
        "for."
    )
