"""This hub as an Ollama server: its running deployments, listed and asked in Ollama's dialect.

Every question goes the way of `/v1` (`gateway.complete`): the same permission, limits, restrictions of a key,
usage rows, and end when the client hangs up. An engine is always asked for a stream, so that the figures of a
whole answer are measured and not guessed.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from api.config import VERSION
from api.extensions import db
from api.models import Deployment
from api.models.base import utcnow
from api.schemas.base import utc_text
from api.schemas.ollama_api import (
    OllamaChatRequest,
    OllamaDetails,
    OllamaGenerateRequest,
    OllamaProcess,
    OllamaProcesses,
    OllamaShow,
    OllamaTag,
    OllamaTags,
    OllamaVersion,
)
from api.security.authorise import Identity
from api.services import gateway, ollama_dialect
from api.services.gateway import Answer, Idle, ModelNotFound, Route
from api.services.ollama_dialect import Spoken
from integrations.errors import Unreachable
from integrations.providers.sse import blocks, data_of, split_events

NDJSON = "application/x-ndjson"
LATEST = ":latest"
SPEAKS = "0.12.6"
"""The version of Ollama whose API this follows: clients ask before they use what is newer."""

Guard = Callable[[Iterator[bytes]], Iterator[bytes]]
"""Ends a stream when the right to it ends."""


class Broken(Exception):
    """The engine said in the middle that it cannot go on."""


class Failed(Broken):
    """It said so itself."""


def version() -> OllamaVersion:
    return OllamaVersion(version=f"{SPEAKS}+modelhub.{VERSION}")


def tags(who: Identity) -> OllamaTags:
    return OllamaTags(models=[_tag(row) for row in gateway.running(who)])


def processes(who: Identity) -> OllamaProcesses:
    """What runs stays: a deployment has no time at which it would be unloaded, so one far away is named."""
    ends = utc_text(utcnow() + timedelta(days=365))
    found = []
    for row in gateway.running(who):
        tag = _tag(row).model_dump(exclude={"modified_at"})
        context = row.options.get("context") or row.model.context_length or 0
        found.append(OllamaProcess(**tag, expires_at=ends, size_vram=0, context_length=context))
    return OllamaProcesses(models=found)


def show(name: str, who: Identity) -> OllamaShow:
    found = _route(name, who)
    row = db.session.get_one(Deployment, found.id)
    model = row.model
    family = _family(model)
    info = {
        "general.architecture": family,
        "general.basename": model.name,
        "general.parameter_count": model.parameters,
        f"{family}.context_length": row.options.get("context") or model.context_length,
    }
    return OllamaShow(
        license=model.license or "",
        modelfile=f"# {row.name} is a deployment of {model.name} on this ModelHub.\nFROM {row.name}\n",
        template="{{ .Prompt }}",  # the engine applies the model's own, which is not in Go's language
        details=_details(model),
        model_info={key: value for key, value in info.items() if value is not None},
        capabilities=["completion"],
        modified_at=utc_text(row.updated_at),
    )


def chat(body: OllamaChatRequest, who: Identity, idle: Idle, guard: Guard) -> Answer:
    found = _route(body.model, who)
    spoken = Spoken(body.model, generate=False)
    if not body.messages:
        return _json(spoken.loaded())
    payload = ollama_dialect.chat_request(body)
    return _asked(gateway.CHAT, payload, found, spoken, body.stream, who, idle, guard)


def generate(body: OllamaGenerateRequest, who: Identity, idle: Idle, guard: Guard) -> Answer:
    found = _route(body.model, who)
    spoken = Spoken(body.model, generate=True)
    if not body.prompt and not body.images:
        return _json(spoken.loaded())
    as_chat, payload = ollama_dialect.generate_request(body)
    path = gateway.CHAT if as_chat else gateway.COMPLETIONS
    return _asked(path, payload, found, spoken, body.stream, who, idle, guard)


def _asked(
    path: str,
    payload: dict[str, Any],
    found: Route,
    spoken: Spoken,
    streams: bool | None,
    who: Identity,
    idle: Idle,
    guard: Guard,
) -> Answer:
    payload = {"model": found.name, **payload}
    answer = gateway.complete(path, payload, json.dumps(payload).encode(), who, idle)
    if isinstance(answer.body, bytes):
        return _refused(answer)
    lines = _lines(spoken, guard(answer.body))
    if streams is not False:
        return Answer(200, NDJSON, _streamed(lines))
    try:
        return _json(spoken.whole(list(lines)))
    except Broken as error:
        raise Unreachable(str(error)) from None


def _lines(spoken: Spoken, body: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """Ollama's lines of an engine's stream; the last comes when the usage has been recorded (`[DONE]`)."""
    try:
        for block in blocks(body):
            for event in split_events(block):
                data = data_of(event)
                if data == b"[DONE]":
                    yield from spoken.last()
                    return
                if data and (line := spoken.take(_read(data))):
                    yield line
    except Failed:
        for _ in body:
            pass  # to its end, which is near: so the record says that it failed, not that somebody left
        raise
    finally:
        if close := getattr(body, "close", None):
            close()
    raise Broken("The answer ended before it was finished: it was stopped, or the right to it ended.")


def _read(data: bytes) -> dict[str, Any]:
    try:
        chunk = json.loads(data)
    except ValueError:
        raise Broken("The engine sends what is not JSON. See the deployment's log, then ask again.") from None
    if not isinstance(chunk, dict):
        raise Broken("The engine sends what is not a chunk of an answer. See the deployment's log.")
    if error := chunk.get("error"):
        raise Failed(str(error.get("message") if isinstance(error, dict) else error))
    return chunk


def _streamed(lines: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    try:
        for line in lines:
            yield json.dumps(line, ensure_ascii=False).encode() + b"\n"
    except Broken as error:
        yield json.dumps({"error": str(error)}).encode() + b"\n"


def _refused(answer: Answer) -> Answer:
    """What the engine refused, in OpenAI's shape, as Ollama would say it."""
    body = answer.body if isinstance(answer.body, bytes) else b""
    if not body:
        return answer
    try:
        said = json.loads(body)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        raise Unreachable("The engine answers what is not a completion.") from None
    return Answer(answer.status, "application/json", json.dumps({"error": said}).encode())


def _json(value: dict[str, Any]) -> Answer:
    return Answer(200, "application/json", json.dumps(value, ensure_ascii=False).encode())


def _route(name: str, who: Identity) -> Route:
    """The deployment a client means: its name, or that with the tag Ollama's clients add."""
    try:
        return gateway.route(name, who)
    except ModelNotFound as unknown:
        if name.endswith(LATEST) and len(name) > len(LATEST):
            try:
                return gateway.route(name.removesuffix(LATEST), who)
            except ModelNotFound:
                pass
        _, _, offer = str(unknown).partition(" here. ")
        raise ModelNotFound(f"model '{name[:80]}' not found. {offer}", details=unknown.details) from None


def _tag(row: Deployment) -> OllamaTag:
    name = row.name if ":" in row.name.rpartition("/")[2] else f"{row.name}{LATEST}"
    return OllamaTag(
        name=name,
        model=name,
        modified_at=utc_text(row.updated_at),
        size=row.model.size or 0,
        digest=_digest(row),
        details=_details(row.model),
    )


def _digest(row: Deployment) -> str:
    """What changes when another build of the model is behind the name."""
    return hashlib.sha256(f"{row.model.source}:{row.model.ref}@{row.model.commit}".encode()).hexdigest()


def _details(model: Any) -> OllamaDetails:
    family = _family(model)
    return OllamaDetails(
        format="gguf" if model.kind == "gguf" else "safetensors",
        family=family,
        families=[family],
        parameter_size=_short(model.parameters),
        quantization_level=model.quantization or model.dtype or "",
    )


def _family(model: Any) -> str:
    return str(model.architecture or "unknown").removesuffix("ForCausalLM").lower() or "unknown"


def _short(parameters: int | None) -> str:
    """`1235814432` → `1.2B`, as Ollama writes it."""
    for unit, sign in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K")):
        if parameters and parameters >= unit:
            return f"{parameters / unit:.1f}".removesuffix(".0") + sign
    return str(parameters or "")
