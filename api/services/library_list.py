"""Lists of the library: filters, a search for words, and keyset pages in three orders.

The rows of one page are found in an index alone (see `HubModel`), then read; so a list costs the same however
many files the models have, and next to the same however many models there are.
"""

import base64
import binascii
import json
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import defer

from api.errors import Invalid
from api.extensions import db
from api.models import HubModel, ModelTag
from api.schemas.base import Page
from api.schemas.models import FILES_IN_LISTS, ModelOut, ModelQuery
from api.security import ownership
from api.security.authorise import Identity
from api.services import library

SORTS: dict[str, tuple[Any, bool]] = {
    "created": (None, True),
    "name": (HubModel.words, False),
    "-name": (HubModel.words, True),
    "size": (HubModel.size, False),
    "-size": (HubModel.size, True),
}
"""Word in a query → column (None: the id, which grows with time), and whether the largest come first."""


COMMON = 500
"""Models with the same tag that make it a common one."""


def list_models(query: ModelQuery, who: Identity) -> Page[ModelOut]:
    """One page; the cursor names the last row of it, so that what comes or goes meanwhile moves nothing."""
    column, descending = SORTS[query.sort]
    keys = [HubModel.id] if column is None else [column, HubModel.id]
    statement = select(*keys).where(ownership.visible(HubModel, who), *_conditions(query, who))
    if query.after:
        statement = statement.where(_beyond(keys, _read(query.after, len(keys), query.sort), descending))
    order = [key.desc() if descending else key for key in keys]
    found = db.session.execute(statement.order_by(*order).limit(query.limit + 1)).all()
    shown = found[: query.limit]
    following = _cursor(tuple(shown[-1])) if len(found) > query.limit else None
    return Page(items=_shapes([row[-1] for row in shown]), next=following)


def _conditions(query: ModelQuery, who: Identity) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for name in ("kind", "source", "visibility", "status", "quantization", "outdated"):
        if (value := getattr(query, name)) is not None:
            found.append(getattr(HubModel, name) == value)
    if query.q:
        found.append(HubModel.words.contains(query.q.lower(), autoescape=True))
    if query.tag:
        found.append(_tagged(query.tag))
    if query.owner:
        found.append(HubModel.user_id == (who.owner_id if query.owner == "me" else query.owner))
    if query.shared is not None:
        found.append((HubModel.visibility != "private") == query.shared)
    return found


def _tagged(tag: str) -> ColumnElement[bool]:
    """With this tag. Of a rare one all are looked up; a list of a common one is soon full, so its rows are
    looked at one by one."""
    some = select(ModelTag.model_id).where(ModelTag.tag == tag)
    common = len(db.session.execute(some.limit(COMMON)).all()) == COMMON
    if common:
        return exists().where(ModelTag.tag == tag, ModelTag.model_id == HubModel.id)
    return HubModel.id.in_(some)


def _beyond(keys: list[Any], last: list[Any], descending: bool) -> ColumnElement[bool]:
    """The rows after the row with the keys `last`."""
    if len(keys) == 1:
        return keys[0] < last[0] if descending else keys[0] > last[0]  # type: ignore[no-any-return]
    (key, id_key), (value, id) = keys, last
    if descending:
        return and_(key <= value, or_(key < value, id_key < id))
    return and_(key >= value, or_(key > value, id_key > id))


def _shapes(ids: list[str]) -> list[ModelOut]:
    """The models `ids`, in that order, with the files of those that have few."""
    if not ids:
        return []
    rows = select(HubModel).where(HubModel.id.in_(ids)).options(defer(HubModel.files, raiseload=True))
    by_id = {model.id: model for model in db.session.scalars(rows).unique()}
    few = [id for id in ids if id in by_id and by_id[id].file_count <= FILES_IN_LISTS]
    files = {
        row.id: row.files
        for row in db.session.execute(select(HubModel.id, HubModel.files).where(HubModel.id.in_(few)))
    }
    return [library.shape(by_id[id], files.get(id, [])) for id in ids if id in by_id]


def _cursor(keys: tuple[Any, ...]) -> str:
    if len(keys) == 1:
        return str(keys[0])
    return base64.urlsafe_b64encode(json.dumps(keys).encode()).decode()


def _read(cursor: str, keys: int, sort: str) -> list[Any]:
    if keys == 1:
        return [cursor]
    wrong = Invalid(f"This `after` belongs to another list. Use the `next` of a page sorted by `{sort}`.")
    try:
        value = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise wrong from None
    kinds = [int if sort.endswith("size") else str, str]
    if not isinstance(value, list) or [type(part) for part in value] != kinds:
        raise wrong
    if any("\0" in part if isinstance(part, str) else abs(part) >= 2**63 for part in value):
        raise wrong
    return value
