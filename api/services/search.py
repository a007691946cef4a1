"""Looking for models in a source, and reading what a source says about one."""

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
)
from integrations.sources import SOURCES
from integrations.sources.base import SearchQuery


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
            gated=params.gated,
            sort=params.sort,
            limit=params.limit,
            cursor=params.after,
        )
    )
    items = [FoundModel.model_validate(item) for item in found.items]
    return Page(items=items, next=found.next_cursor)


def describe(params: RemoteModelParams) -> RemoteModel:
    """Files, revisions and card of one model at its source."""
    source = SOURCES[params.source]
    listing = source.listing(params.ref, params.revision)
    card = source.card(params.ref, listing.commit)
    return RemoteModel(
        source=params.source,
        ref=listing.ref,
        revision=listing.revision,
        commit=listing.commit,
        gated=listing.gated,
        private=listing.private,
        size=sum(file.size or 0 for file in listing.files),
        files=[RemoteFileOut.model_validate(file) for file in listing.files],
        revisions=[RevisionOut.model_validate(item) for item in source.revisions(params.ref)],
        card=CardOut(text=card.text, metadata=card.metadata),
    )
