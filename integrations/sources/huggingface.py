"""The Hugging Face Hub, or any mirror that speaks its protocol (`HF_ENDPOINT`)."""

import re
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, urlsplit

from pydantic import BaseModel

from integrations.errors import FileNotInRepo, GatedModel, InvalidRef, Unsupported
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
from integrations.sources.refs import check_ref, check_revision
from integrations.sources.selection import select
from integrations.transfer.names import check_names

SORTS = {
    "downloads": "downloads",
    "likes": "likes",
    "updated": "lastModified",
    "last_modified": "lastModified",
    "created": "createdAt",
    "created_at": "createdAt",
    "trending": "trendingScore",
}
SHOWN = [
    "author", "downloads", "gated", "gguf", "lastModified", "library_name", "likes", "pipeline_tag",
    "private",
    "safetensors", "tags",
]  # fmt: skip


class HuggingFace:
    """Search, describe and plan; `integrations.sources.fetch` carries a plan out.

    Without `include`, a plan prefers safetensors: weights for other frameworks are left out when the
    repository has them too (see `selection.OTHER_WEIGHTS`).
    """

    name: ClassVar[str] = "huggingface"
    title: ClassVar[str] = "Hugging Face Hub"
    description: ClassVar[str] = "Models from huggingface.co, or from the mirror that HF_ENDPOINT names"
    searchable: ClassVar[bool] = True
    updates: ClassVar[bool] = True
    child_module: ClassVar[str] = "integrations.sources.fetch"
    Options: ClassVar[type[BaseModel]] = NoOptions

    def search(self, query: SearchQuery) -> SearchPage:
        """One page. Raises Unsupported for an unknown `sort`, InvalidRef for a text or cursor nobody could
        mean."""
        from integrations.sources.hub_client import get, hub

        params = search_params(query)
        with hub() as api:
            from huggingface_hub import ModelInfo

            response = get(api, "/api/models", params)
            items = [search_item(ModelInfo(**model)) for model in response.json()]
            following = response.links.get("next", {}).get("url")
        cursor = parse_qs(urlsplit(following).query).get("cursor", [None])[0] if following else None
        return SearchPage(items=items[: query.limit], next_cursor=cursor)

    def card(self, ref: str, revision: str | None = None) -> ModelCard:
        """README and its metadata; an empty card when the model has none or shows it to nobody yet
        (gated)."""
        from integrations.sources.cards import parse_card
        from integrations.sources.hub_client import get, hub

        ref, revision = check_ref(ref), check_revision(revision)
        try:
            with hub(ref, revision, "README.md") as api:
                route = f"/{ref}/resolve/{quote(revision, safe='')}/README.md"
                text, metadata = parse_card(get(api, route).text)
        except (FileNotInRepo, GatedModel):
            text, metadata = "", {}
        return ModelCard(ref=ref, revision=revision, text=text, metadata=metadata)

    def listing(self, ref: str, revision: str | None = None) -> Listing:
        """All files with sizes and hashes, pinned to the commit the revision stands at now."""
        from integrations.sources.hub_client import hub

        ref, revision = check_ref(ref), check_revision(revision)
        with hub(ref, revision) as api:
            from huggingface_hub.hf_api import RepoFile

            info = api.model_info(ref, revision=revision)
            if not info.sha or not re.fullmatch(r"[0-9a-f]{40,64}", info.sha):
                raise Unsupported(
                    f"{api.endpoint} does not say at which commit '{ref}' stands, so it cannot be pinned."
                )
            tree = api.list_repo_tree(ref, revision=info.sha, recursive=True)
            files = [remote_file(entry) for entry in tree if isinstance(entry, RepoFile)]
        return Listing(
            ref=info.id,
            revision=revision,
            commit=info.sha,
            files=files,
            gated=bool(info.gated),
            private=bool(info.private),
        )

    def revisions(self, ref: str) -> list[Revision]:
        """Branches, then tags."""
        from integrations.sources.hub_client import hub

        with hub(check_ref(ref)) as api:
            refs = api.list_repo_refs(ref)
        named = [("branch", found) for found in refs.branches] + [("tag", found) for found in refs.tags]
        return [Revision(name=found.name, kind=kind, commit=found.target_commit) for kind, found in named]

    def plan(
        self,
        ref: str,
        revision: str | None = None,
        include: list[str] | None = None,
        exclude: list[str] | None = None,
        options: BaseModel | None = None,
    ) -> FetchPlan:
        """What would be fetched. Raises GatedModel before anything is started, FileNotInRepo when a
        pattern of `include` matches nothing, InvalidRef when the repository holds a file name that could
        leave its folder."""
        from integrations.sources.hub_client import hub

        listing = self.listing(ref, revision)
        if listing.gated:
            with hub(listing.ref) as api:
                api.auth_check(listing.ref)
        files = select(listing.files, include, exclude)
        check_names([file.path for file in files])
        return FetchPlan(
            source=self.name,
            ref=listing.ref,
            revision=listing.revision,
            commit=listing.commit,
            files=files,
            bytes_total=sum(file.size or 0 for file in files),
        )


def search_params(query: SearchQuery) -> dict[str, Any]:
    if len(query.text) > 200:
        raise InvalidRef("The search text is longer than 200 characters. Use a few words.")
    if query.sort and query.sort not in SORTS:
        raise Unsupported(f"Models cannot be sorted by '{query.sort[:40]}'. Use one of: {', '.join(SORTS)}.")
    params: dict[str, Any] = {"limit": query.limit, "expand": SHOWN}
    optional = {
        "search": query.text.strip(),
        "author": query.author,
        "pipeline_tag": query.task,
        "sort": SORTS[query.sort] if query.sort else None,
        "cursor": query.cursor,
    }
    params |= {name: value for name, value in optional.items() if value}
    if query.gated is not None:
        params["gated"] = "true" if query.gated else "false"
    tags = [query.library, f"license:{query.license}" if query.license else None]
    if wanted := [tag for tag in tags if tag]:
        params["filter"] = wanted
    return params


def search_item(model: Any) -> SearchItem:
    """From a huggingface_hub ModelInfo."""
    tags = model.tags or []
    counted = model.safetensors.total if model.safetensors else (model.gguf or {}).get("total")
    return SearchItem(
        ref=model.id,
        name=model.id.split("/")[-1],
        author=model.author or (model.id.split("/")[0] if "/" in model.id else None),
        downloads=model.downloads,
        likes=model.likes,
        task=model.pipeline_tag,
        library=model.library_name,
        license=next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), None),
        gated=bool(model.gated),
        private=bool(model.private),
        tags=tags,
        updated_at=model.last_modified,
        parameters=counted,
    )


def remote_file(entry: Any) -> RemoteFile:
    """From a huggingface_hub RepoFile. For an LFS file the git hash is that of its pointer: not kept."""
    if entry.lfs:
        return RemoteFile(path=entry.path, size=entry.lfs.size, sha256=entry.lfs.sha256)
    return RemoteFile(path=entry.path, size=entry.size, git_sha1=entry.blob_id)
