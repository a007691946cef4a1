"""Where a model's name leads, and relaying an answer from there: bytes as they come, one record at the end.

Tokens wait for nobody: the route is remembered for a second, the relayed bytes are looked at but not parsed,
and only the very end of an answer (`[DONE]`) waits until its record is written.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from api.errors import Missing, Unavailable, describe, openai_error, status_of
from api.extensions import db
from api.models import Deployment
from api.security import ownership
from api.security.authorise import Identity
from api.security.keys import vault
from api.services import completions
from api.services.completions import Receipt, Recorder
from api.services.metering import Meter
from integrations.errors import IntegrationError, Stopped, Unreachable
from integrations.providers import PROVIDERS, Idle, Reply
from integrations.providers.openai_compatible import CHAT, COMPLETIONS, refusal, usage_of
from integrations.providers.sse import blocks

__all__ = ["CHAT", "COMPLETIONS", "ClientGone", "Idle", "complete", "route", "running"]

ROUTE_SECONDS = 1.0
_routes: dict[str, tuple[float, "Route"]] = {}


class ModelNotFound(Missing):
    code = "MODEL_NOT_FOUND"


class ClientGone(Exception):
    """Whoever asked has hung up."""


@dataclass(frozen=True)
class Route:
    """`user_id`, `visibility` and `team_id` say who may ask (`ownership.may_see`)."""

    id: str
    name: str
    endpoint: str
    api_key: str | None
    user_id: str | None
    visibility: str
    team_id: str | None


@dataclass(frozen=True)
class Answer:
    """What to send back: a whole body, or pieces of a stream."""

    status: int
    content_type: str
    body: bytes | Iterator[bytes]


def route(name: str, who: Identity) -> Route:
    """The engine that answers as `name`. `ModelNotFound`, or `Unavailable` when it does not run."""
    known = _routes.get(name)
    if known and time.monotonic() - known[0] < ROUTE_SECONDS:
        if not ownership.may_see(known[1], who):
            raise _unknown(name, who)
        return known[1]
    row = db.session.scalar(select(Deployment).where(Deployment.name == name)) if "\0" not in name else None
    if row is None or row.wanted == "deleted" or not ownership.may_see(row, who):
        db.session.rollback()
        raise _unknown(name, who)
    found = _route(row)
    db.session.rollback()
    if len(_routes) > 1000:
        _routes.clear()
    _routes[name] = (time.monotonic(), found)
    return found


def route_to(deployment_id: str | None, name: str, who: Identity | None = None) -> Route:
    """The engine of a conversation's deployment; `name` is what it was called, for the error.

    Without `who` nobody asks: an answer that was allowed when it began is being written.
    """
    row = db.session.get(Deployment, deployment_id) if deployment_id else None
    if row is None or row.wanted == "deleted" or (who and not ownership.may_see(row, who)):
        raise Missing(
            f"The deployment '{name}' of this conversation is gone. Begin a new one with another model."
        )
    return _route(row)


def running(who: Identity) -> list[Deployment]:
    """What `who` can ask now."""
    rows = db.session.scalars(
        select(Deployment)
        .where(Deployment.status == "running", Deployment.wanted == "running")
        .where(ownership.visible(Deployment, who))
        .order_by(Deployment.name)
    )
    return list(rows.unique().all())


def complete(path: str, payload: dict[str, Any], raw: bytes, who: Identity, idle: Idle) -> Answer:
    """Relay one request, `payload` as it was sent in `raw`, to the engine of `payload["model"]`.

    `idle` is called while the engine is silent; it raises `ClientGone` when nobody waits any more.
    """
    found = route(payload["model"], who)
    streams = payload.get("stream") is True
    receipt = Receipt(who.user_id, found.id, found.name, streams)
    recorder = completions.recorder()
    asked_usage = _asks_for_usage(payload)
    body = _forwarded(payload, raw, add_usage=streams and not asked_usage)
    try:
        reply = PROVIDERS["openai_compatible"].open(found.endpoint, found.api_key, path, body, idle)
        if reply.status != 200:
            answer = _refused(reply.status, reply.read())
            recorder.record(receipt.row("failed"))
            return answer
        if streams and "text/event-stream" in reply.headers.get("content-type", ""):
            return _streamed(reply, receipt, recorder, drop_usage=not asked_usage)
        return _whole(reply, receipt, recorder)
    except ClientGone:
        recorder.record(receipt.row("cancelled"))
        return Answer(499, "application/json", b"")
    except IntegrationError:
        recorder.record(receipt.row("failed"))
        raise


def _route(row: Deployment) -> Route:
    if row.status != "running" or row.wanted != "running" or not row.endpoint:
        state = "stopping" if row.status == "running" else row.status
        hint = {
            "deploying": "It is being started; ask again in a moment.",
            "failed": "Its error and log say why; start it again when that is put right.",
        }.get(
            state, f"Start it first: POST /api/v1/deployments/{row.id}/start, or `modelhub run {row.name}`."
        )
        raise Unavailable(f"The deployment '{row.name}' is {state}. {hint}", details={"status": state})
    key = vault().open(row.secret) if row.secret else None
    return Route(row.id, row.name, row.endpoint, key, row.user_id, row.visibility, row.team_id)


def _unknown(name: str, who: Identity) -> ModelNotFound:
    names = [row.name for row in running(who)]
    db.session.rollback()
    offer = (
        f"These answer now: {', '.join(names[:20])}."
        if names
        else "Nothing is deployed yet: `modelhub run MODEL`."
    )
    return ModelNotFound(f"There is no model '{name[:80]}' here. {offer}", details={"models": names[:100]})


def _asks_for_usage(payload: dict[str, Any]) -> bool:
    options = payload.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _forwarded(payload: dict[str, Any], raw: bytes, *, add_usage: bool) -> bytes:
    """The request as it was sent; with `add_usage` it asks also what the stream costs, for the record.

    That is a few bytes before the last brace: a long conversation need not be written out again.
    """
    plain = raw[:1] == b"{" and raw[1:2] != b"\0" and raw[-1:] == b"}"  # UTF-8, as every client sends it
    if plain and not add_usage:
        return raw
    if plain and "stream_options" not in payload:
        return raw[:-1] + b',"stream_options":{"include_usage":true}}'
    if add_usage:
        options = payload.get("stream_options")
        kept = options if isinstance(options, dict) else {}
        payload = {**payload, "stream_options": {**kept, "include_usage": True}}
    return json.dumps(payload).encode()


def _refused(status: int, body: bytes) -> Answer:
    """The engine's own words where they help the client, ours where they concern only hub and engine."""
    if status in (401, 403) or (status >= 500 and status != 503) or status < 400:
        raise Unreachable(str(refusal(status, body)))
    try:
        said = json.loads(body)["error"]
        fits = isinstance(said, dict) and isinstance(said.get("message"), str)
    except (ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        error = refusal(status, body)
        body = json.dumps({"error": openai_error(describe(error), status)}).encode()
    return Answer(status, "application/json", body)


def _whole(reply: Reply, receipt: Receipt, recorder: Recorder) -> Answer:
    body = reply.read()
    receipt.spoke()
    try:
        answer = json.loads(body)
        usage = usage_of(answer)
        reason = (answer.get("choices") or [{}])[0].get("finish_reason")
    except (ValueError, AttributeError, LookupError, TypeError):
        raise Unreachable(f"The engine at {reply.address} answers what is not a completion.") from None
    recorder.record(receipt.row("complete", reason, usage), wait=True)
    return Answer(200, "application/json", body)


def _streamed(reply: Reply, receipt: Receipt, recorder: Recorder, *, drop_usage: bool) -> Answer:
    meter = Meter(receipt, drop_usage)
    source = blocks(reply.pieces())
    try:
        first = next(source, b"")  # an engine that dies before its first token is still a plain error
    except ValueError as error:
        raise Unreachable(f"The engine at {reply.address} sends no proper stream ({error}).") from None
    return Answer(200, "text/event-stream", _relay(first, source, reply, meter, recorder))


def _relay(
    first: bytes, source: Iterator[bytes], reply: Reply, meter: Meter, recorder: Recorder
) -> Iterator[bytes]:
    status, block = "cancelled", first
    try:
        while block:
            if piece := meter.take(block):
                yield piece
            block = next(source, b"")
        if not meter.ended:
            raise Unreachable(
                f"The engine at {reply.address} broke off in the middle of its answer. Ask again."
            )
        status = "failed" if meter.failed else "complete"
    except (ClientGone, Stopped):
        pass
    except (IntegrationError, ValueError) as error:
        status = "failed"
        said = describe(
            error
            if isinstance(error, IntegrationError)
            else Unreachable(f"The engine's stream broke: {error}.")
        )
        yield (
            b"data: "
            + json.dumps({"error": openai_error(said, status_of(error, said["code"]))}).encode()
            + b"\n\n"
        )
    finally:
        reply.close()
        recorder.record(meter.receipt.row(status, meter.reason, meter.usage), wait=status == "complete")
    if meter.done:
        yield meter.done
