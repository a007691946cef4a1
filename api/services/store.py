"""One copy of every content: what a model's files are links to, and who still refers to it.

A blob's file appears before its row, and goes after it: a crash in between leaves a file that nobody refers
to, which `modelhub gc` finds.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select

from api.extensions import db, settings
from api.models import Blob, BlobRef, ModelVersion
from api.services import jobs
from api.unit_of_work import AfterCommit, exclusive, unit_of_work
from integrations.blobs import LocalBlobs
from integrations.sources.base import RemoteFile

SOME = 500
"""Values in one `IN (…)`: databases limit them."""


def blobs() -> LocalBlobs:
    return LocalBlobs(settings().blobs_dir)


def keep(directory: Path, files: list[dict[str, Any]]) -> None:
    """Make every file (`{path, size, sha256}`) in `directory` a link to its blob. May be repeated."""
    store = blobs()
    for file in files:
        if file.get("sha256"):
            store.take(directory / file["path"], file["sha256"])


def record(version: ModelVersion, git_sha1: dict[str, str] | None = None) -> None:
    """Inside a unit of work: count `version` among those who refer to its contents.

    `git_sha1` maps paths to git's name of their content, where the source gave one.
    """
    exclusive("blobs")
    named = git_sha1 or {}
    found = {file["sha256"]: file for file in version.files if file.get("sha256")}
    known = {sha256 for part in some(found) for sha256 in db.session.scalars(
        select(Blob.sha256).where(Blob.sha256.in_(part))
    )}  # fmt: skip
    fresh = [
        {"sha256": sha256, "size": file["size"], "git_sha1": named.get(file["path"])}
        for sha256, file in found.items()
        if sha256 not in known
    ]
    if fresh:
        db.session.execute(insert(Blob), fresh)
    already = set(db.session.scalars(select(BlobRef.sha256).where(BlobRef.version_id == version.id)))
    refs = [{"version_id": version.id, "sha256": sha256} for sha256 in found if sha256 not in already]
    if refs:
        db.session.execute(insert(BlobRef), refs)


def known(files: Iterable[RemoteFile]) -> dict[str, str]:
    """Path → SHA-256 of those files whose content is here already and need not be fetched."""
    found = known_now(files)
    db.session.rollback()
    return found


def known_now(files: Iterable[RemoteFile]) -> dict[str, str]:
    """The same inside a unit of work."""
    wanted = [file for file in files if file.size]
    by_git: dict[str, str] = {}
    for part in some([file.git_sha1 for file in wanted if file.git_sha1 and not file.sha256]):
        rows = db.session.execute(select(Blob.git_sha1, Blob.sha256).where(Blob.git_sha1.in_(part)))
        by_git |= {row.git_sha1: row.sha256 for row in rows}
    sound: set[str] = set()
    for part in some([file.sha256 or by_git.get(file.git_sha1 or "", "") for file in wanted]):
        sound |= set(
            db.session.scalars(select(Blob.sha256).where(Blob.sha256.in_(part), Blob.status == "ok"))
        )
    store = blobs()
    found = {file.path: file.sha256 or by_git.get(file.git_sha1 or "", "") for file in wanted}
    return {path: sha256 for path, sha256 in found.items() if sha256 in sound and store.has(sha256)}


def place(directory: Path, contents: dict[str, str]) -> None:
    """Put files of known content (path → SHA-256) into `directory`. Raises NotFound when one has gone."""
    store = blobs()
    for path, sha256 in contents.items():
        store.place(sha256, directory / path)


def contents(*, model_id: str | None = None, version_id: str | None = None) -> list[str]:
    """The contents a model's versions, or one version, refer to."""
    refs = select(BlobRef.sha256).distinct()
    if model_id is not None:
        refs = refs.join(ModelVersion).where(ModelVersion.model_id == model_id)
    if version_id is not None:
        refs = refs.where(BlobRef.version_id == version_id)
    return list(db.session.scalars(refs))


def release(after_commit: AfterCommit, contents: list[str]) -> None:
    """Inside the unit of work that deleted versions: forget those of their `contents` that nobody refers to
    any more. Their bytes go after the commit, from the disk at once and from the object storage by a job."""
    db.session.flush()
    exclusive("blobs")
    gone: list[str] = []
    distant: list[str] = []
    for part in some(contents):
        free = select(Blob.sha256, Blob.remote).where(
            Blob.sha256.in_(part), Blob.sha256.not_in(select(BlobRef.sha256).where(BlobRef.sha256.in_(part)))
        )
        rows = db.session.execute(free).all()
        gone += [row.sha256 for row in rows]
        distant += [row.sha256 for row in rows if row.remote]
        db.session.execute(delete(Blob).where(Blob.sha256.in_([row.sha256 for row in rows])))
    after_commit(lambda: _remove(gone))
    if distant:
        jobs.submit(after_commit, "storage", "", {"action": "discard", "contents": distant})


def _remove(contents: list[str]) -> None:
    store = blobs()
    for sha256 in contents:
        store.remove(sha256)


def link_what_was_here_before() -> int:
    """Models of the time before there were blobs: make their files links. How many versions."""
    unlinked = (
        select(ModelVersion)
        .outerjoin(BlobRef, BlobRef.version_id == ModelVersion.id)
        .where(BlobRef.version_id.is_(None), ModelVersion.location == "local")
    )
    count = 0
    for version in db.session.scalars(unlinked).unique().all():
        directory = settings().models_dir / version.path
        files = [
            file for file in version.files if file.get("sha256") and (directory / file["path"]).is_file()
        ]
        if files:
            keep(directory, files)
            with unit_of_work():
                record(db.session.get_one(ModelVersion, version.id))
            count += 1
    db.session.rollback()
    return count


def some(values: Iterable[str]) -> list[list[str]]:
    """The values, each once, in portions for `IN (…)`."""
    every = sorted({value for value in values if value})
    return [every[start : start + SOME] for start in range(0, len(every), SOME)]
