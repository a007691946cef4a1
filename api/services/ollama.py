"""The Ollama server beside this hub: look at it, copy and delete there, and keep the library true to it.

What it pulls is a download (`integrations.sources.ollama`), what is made of the library's files a job
(`ollama_making`).
"""

import time

from sqlalchemy import delete as delete_rows
from sqlalchemy import select

from api.errors import Forbidden, describe
from api.extensions import db, settings
from api.models import HubModel, ModelVersion
from api.schemas.base import ErrorInfo
from api.schemas.ollama import OllamaCopy, OllamaLoaded, OllamaModel, OllamaModelShown, OllamaStatus
from api.security import audit, ownership
from api.security.authorise import Identity, require
from api.unit_of_work import unit_of_work
from integrations.errors import IntegrationError, NotFound, Unsupported
from integrations.ollama import Held, Server, full_name

GONE = "The Ollama server does not hold this model any more. Pull it again, or delete it here."
OTHER = "The Ollama server holds another build under this name by now. Pull it again for its facts."
LOOK_EVERY = 30.0
"""Seconds between two looks at what the server still holds."""

_looked = 0.0


def server() -> Server:
    return Server(settings().ollama_host)


def status(who: Identity) -> OllamaStatus:
    """What the server is, holds and runs. One that cannot be reached is an answer too."""
    answer = OllamaStatus(host=settings().ollama_host, reachable=False)
    try:
        asked = server()
    except IntegrationError as error:
        answer.error = ErrorInfo(**describe(error))
        return answer
    with asked:
        answer.host = asked.url
        try:
            answer.version = asked.version()
            answer.models = _with_entries(asked.models(), who)
            answer.reachable = True
        except IntegrationError as error:
            answer.error = ErrorInfo(**describe(error))
            return answer
        try:
            answer.running = [OllamaLoaded.model_validate(each) for each in asked.running()]
        except Unsupported as error:
            answer.warnings.append(str(error))
    return answer


def show(name: str) -> OllamaModelShown:
    with server() as asked:
        return OllamaModelShown.model_validate(asked.show(full_name(name)))


def copy(name: str, body: OllamaCopy) -> None:
    """Give a model of the server a second name; it takes no more room."""
    source, to = full_name(name), full_name(body.to)
    with server() as asked:
        asked.copy(source, to)
    audit.note_now("ollama.copy", ("ollama_model", None, source), to=to)


def delete(name: str) -> None:
    """Delete a model on the server. Entries of the library that meant it say so from now on."""
    name = full_name(name)
    with server() as asked:
        asked.delete(name)
    with unit_of_work():
        audit.note("ollama.delete", ("ollama_model", None, name))
        _compare({}, only=name)


def forget(model: HubModel, who: Identity) -> None:
    """Delete on the server what a library entry stands for; gone there is as good."""
    if model.location != "ollama":
        raise Unsupported(
            "Only a model that an Ollama server keeps can be deleted there. Leave `on_server` out."
        )
    require(who, "ollama.manage")
    others = select(HubModel.id).where(
        HubModel.location == "ollama", HubModel.ref == model.ref, HubModel.id != model.id
    )
    if not who.may("all.write") and db.session.scalar(others.where(HubModel.user_id != who.user_id).limit(1)):
        raise Forbidden(
            "Somebody else has this model of the Ollama server in their library too. Delete it only here."
        )
    name = model.ref
    db.session.rollback()
    with server() as asked:
        try:
            asked.delete(name)
        except NotFound:
            return
    audit.note_now("ollama.delete", ("ollama_model", None, name))


def entry(name: str, who: Identity) -> str | None:
    """The library's entry for a model of the server, if `who` may change it: a new pull renews that one."""
    rows = select(HubModel).where(
        HubModel.location == "ollama", HubModel.ref == name, ownership.visible(HubModel, who)
    )
    found = db.session.scalars(rows.order_by(HubModel.id)).unique().all()
    return next((model.id for model in found if ownership.may_change(model, who)), None)


def renewed(model: HubModel) -> None:
    """Inside the unit of work that brought it: a name means one build there, so older versions are gone."""
    model.status = "ready"
    older = delete_rows(ModelVersion).where(
        ModelVersion.model_id == model.id, ModelVersion.id != model.active_version_id
    )
    db.session.execute(older)


def reconcile(*, now: bool = False) -> None:
    """Hold the library's entries against what the server holds. Unreachable is not gone: then "
    "nothing changes."""
    global _looked
    if not now and time.monotonic() - _looked < LOOK_EVERY:
        return
    _looked = time.monotonic()
    anything = db.session.scalar(select(HubModel.id).where(HubModel.location == "ollama").limit(1))
    db.session.rollback()
    if not anything:
        return
    with server() as asked:
        try:
            held = {full_name(each.name): each.digest for each in asked.models()}
        except IntegrationError:
            return
    with unit_of_work():
        _compare(held)


def _compare(held: dict[str, str], *, only: str | None = None) -> None:
    """Inside a unit of work: every entry's status and warnings as `held` (name → digest) makes them."""
    rows = select(HubModel).where(HubModel.location == "ollama")
    for model in db.session.scalars(rows.where(HubModel.ref == only) if only else rows).unique():
        digest = held.get(model.ref)
        status = "ready" if digest else "damaged"
        said = GONE if not digest else OTHER if digest != model.commit else None
        warnings = [text for text in model.warnings if text not in (GONE, OTHER)] + ([said] if said else [])
        if (model.status, list(model.warnings)) == (status, warnings):
            continue
        model.status, model.warnings = status, warnings
        model.version += 1
        if model.active_version_id and (version := db.session.get(ModelVersion, model.active_version_id)):
            version.warnings = warnings


def _with_entries(held: list[Held], who: Identity) -> list[OllamaModel]:
    """The server's models with the library's entries `who` may see."""
    rows = db.session.execute(
        select(HubModel.ref, HubModel.id)
        .where(HubModel.location == "ollama", ownership.visible(HubModel, who))
        .order_by(HubModel.id)
    )
    known = {row.ref: row.id for row in rows}
    return [OllamaModel(**each.model_dump(), model_id=known.get(full_name(each.name))) for each in held]
