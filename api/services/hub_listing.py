"""The library's models as a list in the dialect of the Hugging Face Hub: narrowed, sorted, in keyset pages.

Several models may bear one name. Listed is the one that answers to it (one's own, then the newest), so that
a list says of every name what its files will be. Rows are walked in the order asked for until a page is
full; those that do not answer to their name are passed over.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select

from api.errors import Invalid
from api.extensions import db
from api.models import HubModel, ModelTag
from api.schemas.hub import HubModelsQuery
from api.security import ownership
from api.security.authorise import Identity
from api.services.hub_names import HUB_SOURCES, LOCAL, name_of

WALKED = 200
"""Rows that are looked at in one go."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LIGHT = (HubModel.id, HubModel.user_id, HubModel.source, HubModel.ref, HubModel.name, HubModel.updated_at)
LIBRARIES = {"gguf": HubModel.kind == "gguf", "transformers": HubModel.kind != "gguf"}
TASK = "text-generation"


def models(query: HubModelsQuery, limit: int, who: Identity) -> tuple[list[HubModel], str | None]:
    """At most `limit` models, and the cursor of the page after them."""
    by_change = query.sort == "lastModified"
    found: list[Any] = []
    answering = _Answering(who)
    where, after = [*_seen(who), *_conditions(query)], query.cursor
    order = (HubModel.updated_at.desc(), HubModel.id.desc()) if by_change else (HubModel.id.desc(),)
    while True:
        beyond = [_beyond(after, by_change)] if after else []
        rows = db.session.execute(select(*LIGHT).where(*where, *beyond).order_by(*order).limit(WALKED)).all()
        found += answering.among(rows)
        if len(found) > limit or len(rows) < WALKED:
            break
        after = _cursor(rows[-1], by_change)
    shown = found[:limit]
    full = db.session.scalars(select(HubModel).where(HubModel.id.in_([row.id for row in shown]))).unique()
    by_id = {model.id: model for model in full}
    following = _cursor(shown[-1], by_change) if len(found) > limit else None
    return [by_id[row.id] for row in shown if row.id in by_id], following


class _Answering:
    """Which of the models `who` may see answer to their names."""

    def __init__(self, who: Identity) -> None:
        self._who = who
        self._local: dict[str, Any] | None = None

    def among(self, rows: Any) -> list[Any]:
        names = {row.id: name_of(row) for row in rows}
        hubs = {row.ref for row in rows if names[row.id] == row.ref}
        of_hub = (HubModel.source.in_(HUB_SOURCES), HubModel.ref.in_(hubs))
        winners = self._first(db.session.execute(select(*LIGHT).where(*_seen(self._who), *of_hub)))
        if any(name.startswith(f"{LOCAL}/") for name in names.values()):
            winners |= self._locals()
        return [row for row in rows if winners[_key(names[row.id])].id == row.id]

    def _locals(self) -> dict[str, Any]:
        if self._local is None:
            local = or_(
                HubModel.source.not_in(HUB_SOURCES),
                HubModel.ref.not_like("%/%"),
                HubModel.ref.startswith(f"{LOCAL}/"),
            )
            self._local = self._first(db.session.execute(select(*LIGHT).where(*_seen(self._who), local)))
        return self._local

    def _first(self, rows: Any) -> dict[str, Any]:
        best: dict[str, Any] = {}
        for row in sorted(rows, key=lambda row: (row.user_id == self._who.user_id, row.id)):
            best[_key(name_of(row))] = row
        return best


def _key(name: str) -> str:
    return name.lower() if name.startswith(f"{LOCAL}/") else name


def _seen(who: Identity) -> tuple[ColumnElement[bool], ...]:
    return ownership.visible(HubModel, who), HubModel.location != "ollama"


def _conditions(query: HubModelsQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for word in query.search.split()[:10]:
        named = HubModel.name.icontains(word, autoescape=True) | HubModel.ref.icontains(word, autoescape=True)
        found.append(named)
    if query.author and query.author != LOCAL:
        found.append(HubModel.source.in_(HUB_SOURCES))
        found.append(HubModel.ref.startswith(f"{query.author}/", autoescape=True))
    elif query.author:
        found.append(HubModel.source.not_in(HUB_SOURCES) | HubModel.ref.not_like("%/%"))
    tasks = [query.pipeline_tag] if query.pipeline_tag else []
    return found + [_tagged(tag) for tag in dict.fromkeys([*query.filter, *tasks])]


def _tagged(tag: str) -> ColumnElement[bool]:
    """One of a model's tags, or what is said of it as if it were one: its licence, library and task."""
    if tag == TASK:
        return HubModel.id.is_not(None)
    if tag in LIBRARIES:
        return LIBRARIES[tag]
    tagged: ColumnElement[bool] = exists().where(ModelTag.tag == tag, ModelTag.model_id == HubModel.id)
    licence = tag.removeprefix("license:")
    return tagged if licence == tag else tagged | (HubModel.license == licence)


def _cursor(row: Any, by_change: bool) -> str:
    if not by_change:
        return str(row.id)
    return f"{(row.updated_at - EPOCH) // timedelta(microseconds=1)}-{row.id}"


def _beyond(cursor: str, by_change: bool) -> ColumnElement[bool]:
    """The rows after the one that `cursor` names. Raises Invalid for one of another order."""
    moment, dash, id = cursor.rpartition("-")
    if bool(dash) != by_change or (by_change and not (moment.isdecimal() and len(moment) < 18)):
        raise Invalid("This `cursor` belongs to another list. Begin again without it.")
    if not by_change:
        return HubModel.id < id
    changed = EPOCH + timedelta(microseconds=int(moment))
    same = and_(HubModel.updated_at == changed, HubModel.id < id)
    return or_(HubModel.updated_at < changed, same)
