"""What deleting a model would do: bytes that come free, bytes that others hold, and what needs it."""

from typing import Any

from sqlalchemy import func, select

from api.extensions import db
from api.models import Blob, BlobRef, ChatSession, Deployment, Download, HubModel, Job, ModelVersion
from api.schemas.models import ImpactOut, NamedOut
from api.security import ownership
from api.security.authorise import Identity
from api.services import jobs, library


def impact(model_id: str, who: Identity) -> ImpactOut:
    return of(library.seen(model_id, who), who)


def of(model: HubModel, who: Identity) -> ImpactOut:
    """For whoever may see the model; what they may not see besides is counted, not named."""
    deployments = select(Deployment).where(Deployment.model_id == model.id)
    children = select(HubModel).where(HubModel.parent_id == model.id)
    under_way = select(Download).join(Job).where(
        Download.update_of == model.id, Job.state.not_in(jobs.ENDED)
    )  # fmt: skip
    answer = ImpactOut(
        model_id=model.id,
        **_bytes(model.id),
        deployments=_named(deployments, Deployment, who, lambda row: (row.name, row.status)),
        children=_named(children, HubModel, who, lambda row: (row.name, row.kind)),
        downloads=_named(under_way, Download, who, lambda row: (row.ref, row.job.state)),
        chat_sessions=_conversations(model.id),
        hidden=0,
        refused=False,
    )
    everything = sum(_count(statement) for statement in (deployments, children, under_way))
    named = len(answer.deployments) + len(answer.children) + len(answer.downloads)
    answer.hidden = everything - named
    answer.refused = everything > 0
    answer.reason = _reason(answer)
    return answer


def freed(version_ids: list[str]) -> int:
    """Bytes of this disk that nobody would hold any more without these versions."""
    return _sizes(version_ids, ModelVersion.offloaded.is_(False))["freed"]


def _bytes(model_id: str) -> dict[str, int]:
    rows = db.session.execute(
        select(ModelVersion.id, ModelVersion.location, ModelVersion.size).where(
            ModelVersion.model_id == model_id
        )
    ).all()
    sizes = _sizes([row.id for row in rows])
    elsewhere = sum(row.size for row in rows if row.location != "local")
    return {
        "versions": len(rows),
        "bytes_total": sizes["total"] + elsewhere,
        "bytes_freed": freed([row.id for row in rows]),
        "bytes_shared": sizes["total"] - sizes["freed"],
        "bytes_remote": sizes["remote"],
    }


def _sizes(version_ids: list[str], holds: Any = True) -> dict[str, int]:
    """Bytes of the contents of these versions (those that `holds`): in all, and of nobody else's."""
    held = select(BlobRef.sha256).join(ModelVersion).where(BlobRef.version_id.in_(version_ids), holds)
    others = select(BlobRef.sha256).where(BlobRef.version_id.not_in(version_ids))
    total = select(func.coalesce(func.sum(Blob.size), 0)).where(Blob.sha256.in_(held))
    alone = total.where(Blob.sha256.not_in(others))
    return {
        "total": int(db.session.scalar(total) or 0),
        "freed": int(db.session.scalar(alone) or 0),
        "remote": int(db.session.scalar(alone.where(Blob.remote)) or 0),
    }


def _named(statement: Any, table: Any, who: Identity, said: Any) -> list[NamedOut]:
    """At most 100 of them, as far as `who` may see them."""
    rows = db.session.scalars(statement.where(ownership.visible(table, who)).limit(100)).unique()
    return [NamedOut(id=row.id, name=said(row)[0], status=said(row)[1]) for row in rows]


def _count(statement: Any) -> int:
    return int(db.session.scalar(select(func.count()).select_from(statement.subquery())) or 0)


def _conversations(model_id: str) -> int:
    of_it = select(Deployment.id).where(Deployment.model_id == model_id)
    counted = select(func.count()).select_from(ChatSession).where(ChatSession.deployment_id.in_(of_it))
    return int(db.session.scalar(counted) or 0)


def _reason(found: ImpactOut) -> str:
    """The sentence after the model's name."""
    parts = []
    for things, one, verb in (
        (found.deployments, "deployment", "Delete the deployment first"),
        (found.children, "model made from it", "Delete that model first"),
        (found.downloads, "update under way", "Cancel the update first"),
    ):
        if things:
            names = ", ".join(thing.name for thing in things)
            parts.append(f"is needed by: {names} ({one}). {verb}.")
    if found.hidden and not parts:
        parts.append("is needed by somebody else's deployment or model. Ask an operator.")
    return " It ".join(parts)
