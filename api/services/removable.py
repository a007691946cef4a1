"""What could be removed to make room: models no deployment needs, and parts of downloads that have ended.

Bytes are those that would really be freed: contents that another model holds too are not.
"""

from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased

from api.extensions import db, settings
from api.models import Blob, BlobRef, Deployment, Download, HubModel, Job, ModelVersion
from api.schemas.downloads import DownloadOut
from api.schemas.storage import Removable
from api.security import ownership
from api.security.authorise import Identity
from api.services import disk, jobs
from integrations.errors import OutOfSpace

MOST = 50
LOOKED_AT = 200
"""Models whose contents are looked at one by one: the largest. The others could not free more."""


def removable(who: Identity) -> list[Removable]:
    """What `who` could remove, the largest first; at most 50."""
    found = [*_models(who), *_parts(who)]
    return sorted(found, key=lambda each: (-each.bytes, each.name))[:MOST]


def advise(answer: DownloadOut, who: Identity) -> DownloadOut:
    """A download that is held for want of room says what its reader could remove."""
    if answer.waiting is None or answer.waiting.code != OutOfSpace.code:
        return answer
    details = {**answer.waiting.details, "removable": [each.model_dump() for each in removable(who)]}
    return answer.model_copy(update={"waiting": answer.waiting.model_copy(update={"details": details})})


def _models(who: Identity) -> list[Removable]:
    needed = select(Deployment.id).where(Deployment.model_id == HubModel.id).exists()
    largest = (
        select(HubModel.id)
        .join(ModelVersion, ModelVersion.model_id == HubModel.id)
        .where(_changeable(HubModel, who), ~needed)
        .where(ModelVersion.location == "local", ModelVersion.offloaded.is_(False))
        .group_by(HubModel.id)
        .order_by(func.sum(ModelVersion.size).desc())
        .limit(LOOKED_AT)
    )
    freed = _freed(list(db.session.scalars(largest))).subquery()
    statement = (
        select(HubModel, freed.c.bytes)
        .join(freed, freed.c.model_id == HubModel.id)
        .where(freed.c.bytes > 0)
        .order_by(freed.c.bytes.desc())
        .limit(MOST)
    )
    return [
        Removable(kind="model", id=model.id, name=model.name, bytes=int(bytes), owner_name=model.owner_name)
        for model, bytes in db.session.execute(statement).unique()
    ]


def _freed(model_ids: list[str]) -> Any:
    """Model → bytes of the contents that only its own versions hold."""
    version, other, theirs = ModelVersion, aliased(ModelVersion), aliased(BlobRef)
    elsewhere = (
        select(theirs.sha256)
        .join(other, other.id == theirs.version_id)
        .where(theirs.sha256 == BlobRef.sha256, other.model_id != version.model_id)
        .exists()
    )
    own = (
        select(version.model_id.label("model_id"), BlobRef.sha256.label("sha256"))
        .join(version, version.id == BlobRef.version_id)
        .where(version.model_id.in_(model_ids), version.offloaded.is_(False), ~elsewhere)
        .distinct()
        .subquery()
    )
    return (
        select(own.c.model_id, func.sum(Blob.size).label("bytes"))
        .join(Blob, Blob.sha256 == own.c.sha256)
        .group_by(own.c.model_id)
    )


def _parts(who: Identity) -> list[Removable]:
    there = {path.name for path in settings().incoming_dir.iterdir()}
    ended = (
        select(Download)
        .join(Job)
        .where(_changeable(Download, who), Job.state.in_(jobs.ENDED), Download.id.in_(sorted(there)[:500]))
    )
    found = []
    for download in db.session.scalars(ended).unique():
        if bytes := disk.allocated(settings().incoming_dir / download.id):
            owner = download.owner_name
            found.append(
                Removable(kind="parts", id=download.id, name=download.ref, bytes=bytes, owner_name=owner)
            )
    return found


def _changeable(table: Any, who: Identity) -> Any:
    """The condition for the rows that `who` may change; `ownership.may_change` as part of a query."""
    if who.may("all.write"):
        return ownership.visible(table, who)
    ways = [table.user_id == who.user_id]
    if who.manages:
        ways.append(and_(table.visibility == "team", table.team_id.in_(who.manages)))
    return and_(ownership.visible(table, who), or_(*ways))
