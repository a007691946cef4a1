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
from api.models import Blob, BlobRef, HubModel, ModelVersion
from api.models.base import utcnow
from api.schemas.base import utc_text
from api.security import ownership
from api.security.authorise import Identity
from api.services import library, mirror
from api.services.hub_names import HUB_SOURCES, LOCAL, is_hub_name, name_of
from integrations.errors import FileNotInRepo, RevisionNotFound, Throttled, Unreachable
from integrations.sources.base import Listing, RemoteFile
from integrations.transfer.names import inside

MAIN = "main"
MOST_LOCAL = 2000


@dataclass(frozen=True)
class Served:
    """One file as it is sent: its place on disk, bytes, ETag, and the commit it belongs to. Without a `path`
    it is being brought from upstream: `listing` and `file` say what."""

    path: Path | None
    size: int
    etag: str | None
    commit: str
    listing: Listing | None = None
    file: RemoteFile | None = None


@dataclass(frozen=True)
class Snapshot:
    """A model at one commit: `files` are `{path, size, sha256, git_sha1}`."""

    name: str
    commit: str
    files: list[dict[str, Any]]
    model: HubModel | None
    version: ModelVersion | None


def commit_of(version: HubModel | ModelVersion) -> str:
    """Forty hexadecimal digits, whatever the source calls its commits."""
    if re.fullmatch(r"[0-9a-f]{40}", version.commit):
        return version.commit
    return hashlib.sha1(version.commit.encode(), usedforsecurity=False).hexdigest()


def info(name: str, revision: str | None, who: Identity, *, blobs: bool) -> dict[str, Any]:
    """A model at a revision, with its files."""
    found = look(name, revision, who)
    about = described(found.model, found.commit) if found.model else unknown(found.name, found.commit)
    return about | {"siblings": [_sibling(file, blobs) for file in found.files]}


def unknown(name: str, commit: str) -> dict[str, Any]:
    """What is said of every model, and all that is said of one that lies upstream only."""
    return {
        "_id": hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()[:24],
        "id": name,
        "modelId": name,
        "author": name.split("/")[0],
        "sha": commit,
        "private": False,
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "pipeline_tag": "text-generation",
        "library_name": "transformers",
    }


def described(model: HubModel, commit: str) -> dict[str, Any]:
    counted = {"parameters": {model.dtype or "F32": model.parameters}, "total": model.parameters}
    return unknown(name_of(model), commit) | {
        "_id": model.id[:24],
        "lastModified": utc_text(model.updated_at or utcnow()),
        "createdAt": utc_text(model.created_at),
        "private": model.visibility != "public",
        "tags": sorted({*model.tags, *([f"license:{model.license}"] if model.license else [])}),
        "library_name": "gguf" if model.kind == "gguf" else "transformers",
        "safetensors": counted if model.parameters and model.kind != "gguf" else None,
    }


def tree(name: str, revision: str, under: str, who: Identity, *, recursive: bool) -> list[dict[str, Any]]:
    """Files, and folders unless `recursive`, below `under`. Raises FileNotInRepo when there is none."""
    found = look(name, revision, who)
    prefix = f"{under.strip('/')}/" if under.strip("/") else ""
    entries: dict[str, dict[str, Any]] = {}
    for file in found.files:
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
    wanted = set(paths)
    return [_entry(file) for file in look(name, revision, who).files if file["path"] in wanted]


def refs(name: str, who: Identity) -> dict[str, Any]:
    """`main`, and the revisions that versions were brought at."""
    try:
        model = named(name, who)[0]
    except Missing:
        main = {"name": MAIN, "ref": f"refs/heads/{MAIN}", "targetCommit": look(name, MAIN, who).commit}
        return {"branches": [main], "tags": [], "converts": []}
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
    parts = rest.split("/")
    for count in range(1, len(parts)):
        try:
            found = look(name, "/".join(parts[:count]), who)
        except RevisionNotFound:
            continue
        return _served(found, "/".join(parts[count:]), who)
    raise _no_revision(name, parts[0])


def look(name: str, revision: str | None, who: Identity) -> Snapshot:
    """A model at a revision: from the library, or from upstream where that is mirrored. Raises Missing (no
    such model for `who`), RevisionNotFound, and what upstream says."""
    mirrored = mirror.allowed(name, who)
    try:
        model, version = at(name, revision, who)
    except (Missing, RevisionNotFound):
        if not mirrored:
            raise
        return _upstream(name, revision)
    if mirrored and mirror.is_partial(version):
        try:
            return _upstream(name, revision)
        except (Unreachable, Throttled):
            pass  # what is here already is better than nothing
    return Snapshot(name_of(model), commit_of(version), _files(version), model, version)


def _upstream(name: str, revision: str | None) -> Snapshot:
    found = mirror.listing(name, revision or MAIN)
    return Snapshot(found.ref, found.commit, [file.model_dump() for file in found.files], None, None)


def _files(version: ModelVersion) -> list[dict[str, Any]]:
    """With what git calls them, where the source said so: those are no LFS files to the Hub."""
    held = (
        select(Blob.sha256, Blob.git_sha1)
        .join(BlobRef, BlobRef.sha256 == Blob.sha256)
        .where(BlobRef.version_id == version.id, Blob.git_sha1.is_not(None))
    )
    git = {row.sha256: row.git_sha1 for row in db.session.execute(held)}
    return [{**file, "git_sha1": git.get(file.get("sha256") or "")} for file in version.files]


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
        # A name is made of pieces of the real one, or is the id: few are read for their names.
        piece = max(name.lower().removeprefix(f"{LOCAL}/").split("-"), key=len)
        local &= HubModel.words.contains(piece, autoescape=True) | (HubModel.id == piece)
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


def _served(found: Snapshot, path: str, who: Identity) -> Served:
    known = next((file for file in found.files if file["path"] == path), None)
    if known is None:
        raise FileNotInRepo(f"{found.name} has no file '{path[:200]}' at this revision.")
    etag = known.get("git_sha1") or known.get("sha256")
    size = int(known["size"] or 0)
    version = found.version or _stored(found, path, who)
    if version is None:
        listing = mirror.listing(found.name, found.commit)
        return Served(None, size, etag, found.commit, listing, RemoteFile.model_validate(known))
    where = inside(library.directory(version), path)
    if not where.is_file():
        if version.offloaded:
            raise Unavailable(
                f"The files of {found.name} are in the object storage. Bring them back first: "
                "`modelhub offload --back`, or deploy the model."
            )
        raise FileNotInRepo(f"'{path[:200]}' is gone from the disk. `modelhub verify` says more.")
    if where.stat().st_size != size:  # an adopted folder is not ours alone
        raise FileNotInRepo(
            f"'{path[:200]}' was changed on the disk since it became part of the model, so it is not sent "
            "under the old hash. `modelhub verify` says more."
        )
    return Served(where, size, etag, found.commit)


def _stored(found: Snapshot, path: str, who: Identity) -> ModelVersion | None:
    """The version of the library that has this file of upstream's commit already."""
    here = (
        select(ModelVersion)
        .join(HubModel, HubModel.id == ModelVersion.model_id)
        .where(ownership.visible(HubModel, who), HubModel.source == mirror.SOURCE)
        .where(HubModel.ref == found.name, ModelVersion.commit == found.commit)
    )
    for version in db.session.scalars(here):
        if any(file["path"] == path for file in version.files):
            return version
    return None


def _no_revision(name: str, revision: str) -> RevisionNotFound:
    return RevisionNotFound(f"{name} has no revision '{revision[:100]}' in this hub's library.")


def _entry(file: dict[str, Any]) -> dict[str, Any]:
    """A file that git holds itself, by git's name; any other as git-lfs holds it, by its SHA-256. Either can
    be verified by every client."""
    size, sha256, git_sha1 = int(file["size"] or 0), file.get("sha256"), file.get("git_sha1")
    entry: dict[str, Any] = {"type": "file", "path": file["path"], "size": size}
    if git_sha1:
        return {**entry, "oid": git_sha1}
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
