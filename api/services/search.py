"""Looking for models in a source, and reading what a source says about one."""

import psutil

from api.extensions import settings
from api.schemas.base import Page
from api.schemas.search import (
    CardOut,
    FoundModel,
    RemoteFileOut,
    RemoteModel,
    RemoteModelParams,
    RevisionOut,
    SearchParams,
    SourceList,
    SourceOut,
    VariantOut,
)
from api.services import disk, store, system
from integrations.sources import SOURCES
from integrations.sources.base import Listing, RemoteFile, SearchQuery
from integrations.sources.quantisations import PICKLES, fits, variants


def sources() -> SourceList:
    return SourceList(
        items=[
            SourceOut(
                name=s.name,
                title=s.title,
                description=s.description,
                searchable=s.searchable,
                options_schema=s.Options.model_json_schema(),
            )
            for s in SOURCES.values()
        ]
    )


def search(params: SearchParams) -> Page[FoundModel]:
    """One page of what a source finds."""
    found = SOURCES[params.source].search(
        SearchQuery(
            text=params.q,
            author=params.author,
            task=params.task,
            library=params.library,
            license=params.license,
            language=params.language,
            tags=[tag.strip() for tag in (params.tags or "").split(",") if tag.strip()],
            min_parameters=params.min_parameters,
            max_parameters=params.max_parameters,
            gated=params.gated,
            sort=params.sort,
            limit=params.limit,
            cursor=params.after,
        )
    )
    items = [FoundModel.model_validate(item) for item in found.items]
    return Page(items=items, next=found.next_cursor)


def describe(params: RemoteModelParams) -> RemoteModel:
    """Files, variants, revisions and card of one model at its source."""
    source = SOURCES[params.source]
    listing = source.listing(params.ref, params.revision)
    card = source.card(params.ref, listing.commit)
    here = store.known(listing.files)
    return RemoteModel(
        source=params.source,
        ref=listing.ref,
        revision=listing.revision,
        commit=listing.commit,
        gated=listing.gated,
        private=listing.private,
        size=sum(file.size or 0 for file in listing.files),
        files=[_file(file, here) for file in listing.files],
        variants=_variants(listing, here) if "quant" in source.Options.model_fields else [],
        revisions=[RevisionOut.model_validate(item) for item in source.revisions(params.ref)],
        card=CardOut(text=card.text, metadata=card.metadata),
    )


def _file(file: RemoteFile, here: dict[str, str]) -> RemoteFileOut:
    shown = RemoteFileOut.model_validate(file)
    pickled = file.path.lower().endswith(PICKLES)
    return shown.model_copy(update={"here": file.path in here, "safe": not pickled})


def _variants(listing: Listing, here: dict[str, str]) -> list[VariantOut]:
    """What there is to choose, held against this machine's memory and disk."""
    there, now = system.memory_for_models()
    free = disk.room(settings().incoming_dir).available
    sizes = {file.path: file.size or 0 for file in listing.files}
    shown = []
    for variant in variants(listing.files, psutil.virtual_memory().total):
        missing = None
        if variant.size is not None:
            missing = sum(sizes[path] for path in variant.files if path not in here)
        weights = sum(sizes[path] for path in variant.weights)
        shown.append(
            VariantOut(
                **variant.model_dump(),
                missing=missing,
                fits_memory=fits(weights, there),
                fits_free_memory=fits(weights, now),
                fits_disk=None if missing is None else missing <= free,
            )
        )
    return shown
