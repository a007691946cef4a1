"""The library as the Hugging Face Hub shows models, so that its clients bring them from here: names, commits,
trees and files in that dialect (huggingface_hub 2.4.0, `hf_api.py` and `file_download.py`).

A model of the Hub keeps its name; what came otherwise is called `local/<name>`. Where several models bear
one name, one's own comes first, then the newest. `main` is the active version; every version answers to its
commit and to the revision it was brought at.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select

from api.errors import Missing, Unavailable
from api.extensions import db
from api.models import HubModel, ModelVersion
from api.models.base import utcnow
from api.schemas.base import utc_text
from api.security import ownership
from api.security.authorise import Identity
from api.services import library
from api.services.hub_names import HUB_SOURCES, LOCAL, is_hub_name, name_of
from integrations.errors import FileNotInRepo, RevisionNotFound
from integrations.transfer.names import inside

MAIN = "main"
MOST_LOCAL = 2000


@dataclass(frozen=True)
class Served:
    """One file as it is sent: its place on disk, bytes, hash, and the commit it belongs to."""

    path: Path
    size: int
    sha256: str | None
    commit: str


def commit_of(version: HubModel | ModelVersion) -> str:
    """Forty hexadecimal digits, whatever the source calls its commits."""
    if re.fullmatch(r"[0-9a-f]{40}", version.commit):
        return version.commit
    return hashlib.sha1(version.commit.encode(), usedforsecurity=False).hexdigest()


def models(who: Identity, *, search: str, author: str, limit: int, after: str | None) -> list[HubModel]:
    """One model per name, newest first; `after` is the id of the last one of the page before."""
    statement = select(HubModel).where(ownership.visible(HubModel, who), HubModel.location != "ollama")
    if after:
        statement = statement.where(HubModel.id < after)
    for word in search.split()[:10]:
        named = HubModel.name.icontains(word, autoescape=True) | HubModel.ref.icontains(word, autoescape=True)
        statement = statement.where(named)
    if author and author != LOCAL:
        statement = statement.where(HubModel.ref.startswith(f"{author}/", autoescape=True))
    elif author:
        statement = statement.where(HubModel.source.not_in(HUB_SOURCES))
    rows = db.session.scalars(statement.order_by(HubModel.id.desc()).limit(limit)).unique()
    return list({name_of(row): row for row in reversed(list(rows))}.values())[::-1]


def info(name: str, revision: str | None, who: Identity, *, blobs: bool) -> dict[str, Any]:
    """A model at a revision, with its files."""
    model, version = at(name, revision, who)
    return described(model, version) | {"siblings": [_sibling(file, blobs) for file in version.files]}


def described(model: HubModel, version: HubModel | ModelVersion) -> dict[str, Any]:
    name = name_of(model)
    tags = sorted({*model.tags, *(f"license:{model.license}" for _ in [0] if model.license)})
    counted = {"parameters": {model.dtype or "F32": model.parameters}, "total": model.parameters}
    return {
        "_id": model.id[:24],
        "id": name,
        "modelId": name,
        "author": name.split("/")[0],
        "sha": commit_of(version),
        "lastModified": utc_text(model.updated_at or utcnow()),
        "createdAt": utc_text(model.created_at),
        "private": model.visibility != "public",
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": tags,
        "pipeline_tag": "text-generation",
        "library_name": "gguf" if model.kind == "gguf" else "transformers",
        "safetensors": counted if model.parameters and model.kind != "gguf" else None,
    }


def tree(name: str, revision: str, under: str, who: Identity, *, recursive: bool) -> list[dict[str, Any]]:
    """Files, and folders unless `recursive`, below `under`. Raises FileNotInRepo when there is none."""
    _, version = at(name, revision, who)
    prefix = f"{under.strip('/')}/" if under.strip("/") else ""
    entries: dict[str, dict[str, Any]] = {}
    for file in version.files:
        if not file["path"].startswith(prefix):
            continue
        first, _, deeper = file["path"].removeprefix(prefix).partition("/")
        if deeper and not recursive:
            folder = prefix + first
            oid = hashlib.sha1(folder.encode(), usedforsecurity=False).hexdigest()
            entries[folder] = {"type": "directory", "path": folder, "oid": oid, "size": 0}
        else:
            entries[file["path"]] = _entry(file)
    if prefix and not entries:
        raise FileNotInRepo(f"{name} has no folder '{under[:200]}' at {revision[:100]}.")
    return [entries[path] for path in sorted(entries)]


def paths_info(name: str, revision: str, paths: Iterable[str], who: Identity) -> list[dict[str, Any]]:
    _, version = at(name, revision, who)
    wanted = set(paths)
    return [_entry(file) for file in version.files if file["path"] in wanted]


def refs(name: str, who: Identity) -> dict[str, Any]:
    """`main`, and the revisions that versions were brought at."""
    model = named(name, who)[0]
    named_at = {MAIN: commit_of(model)}
    for version in _versions([model]):
        if version.revision not in named_at and not re.fullmatch(r"[0-9a-f]{7,64}", version.revision):
            named_at[version.revision] = commit_of(version)
    branches = [
        {"name": revision, "ref": f"refs/heads/{revision}", "targetCommit": commit}
        for revision, commit in named_at.items()
    ]
    return {"branches": branches, "tags": [], "converts": []}


def file(name: str, rest: str, who: Identity) -> Served:
    """The file at `<revision>/<path>`; a revision may have slashes in it."""
    found = named(name, who)
    parts = rest.split("/")
    for count in range(1, len(parts)):
        version = _version_at(found, "/".join(parts[:count]))
        if version is not None:
            return _served(name, version, "/".join(parts[count:]))
    raise _no_revision(name, parts[0])


def at(name: str, revision: str | None, who: Identity) -> tuple[HubModel, ModelVersion]:
    """Raises Missing (no such model for `who`) or RevisionNotFound."""
    found = named(name, who)
    version = _version_at(found, revision or MAIN)
    if version is None:
        raise _no_revision(name, revision or MAIN)
    return next(model for model in found if model.id == version.model_id), version


def named(name: str, who: Identity) -> list[HubModel]:
    """Those that bear this name, in the order they answer. Raises Missing when there is none."""
    found = [model for model in _candidates(name, who) if name_of(model).lower() == name.lower()]
    if not found:
        raise Missing(f"There is no model '{name[:120]}' in this hub's library, or you may not see it.")
    return sorted(found, key=lambda model: (model.user_id == who.user_id, model.id), reverse=True)


def _candidates(name: str, who: Identity) -> list[HubModel]:
    statement = select(HubModel).where(ownership.visible(HubModel, who), HubModel.location != "ollama")
    if not is_hub_name(name) and not name.startswith(f"{LOCAL}/"):
        return []
    if name.startswith(f"{LOCAL}/"):
        unnamed = HubModel.ref.not_like("%/%"), HubModel.ref.startswith(f"{LOCAL}/")
        local = or_(HubModel.source.not_in(HUB_SOURCES), *unnamed)
        statement = statement.where(local).order_by(HubModel.id.desc()).limit(MOST_LOCAL)
    else:
        statement = statement.where(HubModel.source.in_(HUB_SOURCES), HubModel.ref == name)
    return list(db.session.scalars(statement).unique())


def _versions(models: list[HubModel]) -> list[ModelVersion]:
    """Of all of them, newest first."""
    statement = select(ModelVersion).where(ModelVersion.model_id.in_([model.id for model in models]))
    return list(db.session.scalars(statement.order_by(ModelVersion.id.desc())))


def _version_at(found: list[HubModel], revision: str) -> ModelVersion | None:
    versions = _versions(found)
    if revision in (MAIN, f"refs/heads/{MAIN}"):
        return next((v for v in versions if v.id == found[0].active_version_id), None)
    plain = revision.removeprefix("refs/heads/")
    for version in versions:
        if plain in (version.revision, commit_of(version)):
            return version
    short = re.fullmatch(r"[0-9a-f]{7,39}", plain)
    return next((v for v in versions if short and commit_of(v).startswith(plain)), None)


def _served(name: str, version: ModelVersion, path: str) -> Served:
    known = next((file for file in version.files if file["path"] == path), None)
    if known is None:
        raise FileNotInRepo(f"{name} has no file '{path[:200]}' at this revision.")
    where = inside(library.directory(version), path)
    if not where.is_file():
        if version.offloaded:
            raise Unavailable(
                f"The files of {name} are in the object storage. Bring them back first: "
                "`modelhub restore`, or deploy the model."
            )
        raise FileNotInRepo(f"'{path[:200]}' of {name} is gone from the disk. `modelhub verify` says more.")
    return Served(where, int(known["size"]), known.get("sha256"), commit_of(version))


def _no_revision(name: str, revision: str) -> RevisionNotFound:
    return RevisionNotFound(f"{name} has no revision '{revision[:100]}' in this hub's library.")


def _entry(file: dict[str, Any]) -> dict[str, Any]:
    """As git-lfs would keep it: the content named by its SHA-256, so that every client can verify it."""
    size, sha256 = int(file["size"]), file.get("sha256")
    entry: dict[str, Any] = {"type": "file", "path": file["path"], "size": size}
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
    entry["oid"] = hashlib.sha1(b"blob %d\0" % len(pointer) + pointer, usedforsecurity=False).hexdigest()
    if sha256:
        entry["lfs"] = {"oid": sha256, "size": size, "pointerSize": len(pointer)}
    return entry


def _sibling(file: dict[str, Any], blobs: bool) -> dict[str, Any]:
    if not blobs:
        return {"rfilename": file["path"]}
    entry = _entry(file)
    sibling = {"rfilename": file["path"], "size": entry["size"], "blobId": entry["oid"]}
    if lfs := entry.get("lfs"):
        sibling["lfs"] = {"sha256": lfs["oid"], "size": lfs["size"], "pointerSize": lfs["pointerSize"]}
    return sibling
