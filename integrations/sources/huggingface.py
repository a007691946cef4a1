"""The Hugging Face Hub, or any mirror that speaks its protocol (`HF_ENDPOINT`)."""

import re
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, urlsplit

import psutil
from pydantic import BaseModel, ConfigDict, Field

from integrations.errors import FileNotInRepo, GatedModel, InvalidRef, Unsupported
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
from integrations.sources.refs import check_ref, check_revision
from integrations.sources.selection import choose, select
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


class HubOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    quant: str | None = Field(
        default=None,
        min_length=1,
        max_length=120,
        title="Variant",
        description="Quantisation or other variant, for example `Q4_K_M`; the recommended one if empty.",
    )


class HuggingFace:
    """Search, describe and plan; `integrations.sources.fetch` carries a plan out.

    Without `include`, a plan takes one variant: safetensors where there are any, else one quantisation (see
    `quantisations`), and says in its `note` which.
    """

    name: ClassVar[str] = "huggingface"
    title: ClassVar[str] = "Hugging Face Hub"
    description: ClassVar[str] = "Models from huggingface.co, or from the mirror that HF_ENDPOINT names"
    searchable: ClassVar[bool] = True
    updates: ClassVar[bool] = True
    child_module: ClassVar[str] = "integrations.sources.fetch"
    Options: ClassVar[type[BaseModel]] = HubOptions

    def search(self, query: SearchQuery) -> SearchPage:
        """One page. Raises Unsupported for an unknown `sort`, InvalidRef for a text or cursor nobody could
        mean."""
        from integrations.sources.hub_client import get, hub

        params = search_params(query)
        with hub() as api:
            from huggingface_hub import ModelInfo

            response = get(api, "/api/models", params)
            found = [search_item(ModelInfo(**model)) for model in response.json()]
            items = [item for item in found if _in_range(item, query)]
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
        quant = getattr(options, "quant", None)
        if quant and include:
            raise Unsupported("Say either which variant (`quant`) or which files (`include`), not both.")
        files, note, taken = listing.files, None, {}
        if not include:
            files, variant, note = choose(files, quant, psutil.virtual_memory().total)
            taken = {"quant": variant.name} if variant and (quant or note) else {}
        files = select(files, include, exclude)
        check_names([file.path for file in files])
        return FetchPlan(
            source=self.name,
            ref=listing.ref,
            revision=listing.revision,
            commit=listing.commit,
            files=files,
            bytes_total=sum(file.size or 0 for file in files),
            options=taken,
            note=note,
        )


def _short(number: int) -> str:
    """A count of parameters as the Hub writes it: 7B, 1500M."""
    for unit, letter in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if number and number % unit == 0:
            return f"{number // unit}{letter}"
    return str(number)


def _in_range(item: SearchItem, query: SearchQuery) -> bool:
    """A mirror may not know the filter by parameters: what is known to be outside is left out here too."""
    if item.parameters is None:
        return True
    return (query.min_parameters or 0) <= item.parameters <= (query.max_parameters or item.parameters)


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
    if query.min_parameters is not None or query.max_parameters is not None:
        ends = ("min", query.min_parameters), ("max", query.max_parameters)
        params["num_parameters"] = ",".join(f"{name}:{_short(n)}" for name, n in ends if n is not None)
    if query.gated is not None:
        params["gated"] = "true" if query.gated else "false"
    licence = f"license:{query.license}" if query.license else None
    tags = [query.library, licence, query.language, *query.tags]
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
        sha256, xet = entry.lfs.sha256, getattr(entry, "xet_hash", None)
        return RemoteFile(path=entry.path, size=entry.lfs.size, sha256=sha256, xet_hash=xet)
    return RemoteFile(path=entry.path, size=entry.size, git_sha1=entry.blob_id)
