"""A model of the library becomes one on the Ollama server: a job, its files sent by a child."""

import re
import shutil
from pathlib import Path
from typing import Any

from api.errors import Conflict, Invalid, Missing, describe
from api.extensions import db, settings
from api.models import HubModel, ModelVersion
from api.schemas.jobs import JobOut
from api.schemas.ollama import OllamaCreate
from api.security import audit
from api.security.authorise import Identity
from api.services import jobs, library, ollama, remote, work
from api.unit_of_work import unit_of_work
from integrations import children
from integrations.errors import Unsupported
from integrations.ollama import full_name

KIND = "ollama_create"
_SHARD = re.compile(r"-\d{5}-of-\d{5}\.gguf$")
_BESIDE_WEIGHTS = (".json", ".jinja", ".model", ".txt")
"""What a directory of safetensors has beside its weights that a converter reads."""


def request(body: OllamaCreate, who: Identity) -> JobOut:
    """Choose the files and put the making in the ledger. The server is looked at first: an absent
    one is said now."""
    name, base = full_name(body.name), full_name(body.base) if body.base else None
    model = library.seen(body.model_id, who)
    if model.status != "ready":
        raise Conflict(f"{model.name} is {model.status}: no other server gets its files. See its page.")
    files = _files(model, body.file)
    if model.kind == "adapter" and base is None:
        raise Invalid("An adapter needs its base model: name one of the Ollama server's with `base`.")
    params = {
        "files": files,
        "adapter": model.kind == "adapter",
        "target": name,
        "version_id": model.active_version_id or model.id,
        "from": base if model.kind == "adapter" else None,
        **body.model_dump(include={"template", "system", "parameters", "license"}, exclude_none=True),
    }
    model_id = model.id
    with ollama.server() as asked:
        asked.version()
    with unit_of_work() as after_commit:
        job = jobs.submit(after_commit, KIND, model_id, params, user_id=who.owner_id, name=name)
        job.progress = {"bytes_done": 0, "bytes_total": sum(file["size"] for file in files)}
        audit.note("ollama.create", ("ollama_model", None, name), model_id=model_id, job_id=job.id)
        return jobs.shape(job)


def run(job_id: str) -> None:
    """The worker's part; safe to be called again after any crash: what the server has is not sent twice."""
    held = jobs.claim(job_id, work.OWNER)
    if held is None:
        return
    directory = settings().children_dir / f"ollama-{job_id}"
    try:
        _carry_out(held, directory, jobs.find(job_id).params)
    except jobs.StaleFence:
        return
    except Exception as error:
        jobs.finish(held, "failed", error=describe(error))
        if describe(error)["code"] == "INTERNAL":
            raise


def _carry_out(held: jobs.Claim, directory: Path, params: dict[str, Any]) -> None:
    version = db.session.get(ModelVersion, params["version_id"])
    if version is None:
        raise Missing("The model it was to be made of has been deleted from the library since.")
    if version.offloaded and not remote.bring_back(held, version):
        return
    spec = {"job_id": held.job_id, **params, "name": params["target"]}
    environment = {"OLLAMA_HOST": settings().ollama_host}
    outcome = work.follow(
        held, directory, lambda: children.start(directory, "integrations.ollama.create", spec, environment)
    )
    if outcome.kind == "result":
        done = {key: outcome.event.get(key) for key in ("name", "digest", "size")}
        done["bytes_done"] = done["bytes_total"] = sum(file["size"] for file in params["files"])
        jobs.finish(held, "completed", progress={**done, "message": ""})
    elif outcome.kind == "error":
        said = {key: outcome.event[key] for key in ("code", "message", "details")}
        jobs.finish(held, "failed", error=said)
    elif outcome.kind in ("pause", "cancel"):
        jobs.finish(held, "paused" if outcome.kind == "pause" else "cancelled")
    if outcome.kind != "handed_over":
        shutil.rmtree(directory, ignore_errors=True)


def _files(model: HubModel, wanted: str | None) -> list[dict[str, Any]]:
    """What the server needs of a model: `{path, name, size, sha256}` with absolute paths."""
    directory = library.directory(model)
    names = [file["path"] for file in model.files]
    chosen = set(_chosen(model.name, names, wanted))
    return [
        {
            "path": str(directory / file["path"]),
            "name": file["path"],
            "size": int(file["size"]),
            "sha256": file.get("sha256"),
        }
        for file in model.files
        if file["path"] in chosen
    ]


def _chosen(model: str, names: list[str], wanted: str | None) -> list[str]:
    weights = [name for name in names if name.endswith(".safetensors")]
    ggufs = [name for name in names if name.endswith(".gguf")]
    if wanted is not None and wanted not in ggufs:
        raise Invalid(f"'{wanted[:200]}' is no GGUF file of {model}.", details={"files": ggufs})
    if ggufs:
        # What looks at pictures goes with whatever is chosen.
        beside = [name for name in ggufs if "mmproj" in name.rpartition("/")[2].lower()]
        groups: dict[str, list[str]] = {}
        for name in (name for name in ggufs if name not in beside or name == wanted):
            groups.setdefault(_SHARD.sub("", name), []).append(name)
        if wanted is not None:
            groups = {stem: group for stem, group in groups.items() if wanted in group}
        if len(groups) != 1:
            raise Invalid(
                f"{model} has several GGUF files. Say which with `file`: {', '.join(ggufs[:20])}.",
                details={"files": ggufs},
            )
        return [*next(iter(groups.values())), *(name for name in beside if name != wanted)]
    if weights:
        return weights + [name for name in names if name.endswith(_BESIDE_WEIGHTS)]
    raise Unsupported(f"{model} has neither GGUF nor safetensors files: Ollama can make nothing of it.")
