"""Models that are sent to the hub piece by piece, in the manner of tus (docs/downloads.md says how far).

An upload is a row and a folder; how much is here is the length of what lies in the folder. Complete, it
becomes a download like any other, whose source is `upload`: hashed, checked and put on the shelf by a worker.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select

from api.errors import Conflict, Invalid, Missing
from api.extensions import db, settings
from api.models import BlobRef, Download, HubModel, Job, ModelVersion, Upload
from api.models.base import utcnow
from api.schemas.base import Page
from api.schemas.downloads import DownloadOut
from api.schemas.uploads import OffsetOut, UploadedFile, UploadOut, UploadQuery, UploadRequest
from api.security import audit, ownership
from api.security.authorise import Identity
from api.services import disk, downloads, store, upload_files
from api.services.paging import page
from api.unit_of_work import AfterCommit, exclusive, unit_of_work
from integrations.errors import OutOfSpace
from integrations.sources.upload import plan_of
from integrations.transfer.names import check_names

log = structlog.get_logger(__name__)

MOST_OPEN = 50
"""Open uploads of one user."""
SOME = 500


def create(body: UploadRequest, who: Identity) -> UploadOut:
    """Begin an upload: names checked, room promised. What the hub has already, and `who` may see, counts as
    sent. Raises InvalidRef for a name no system takes, OutOfSpace with the deficit."""
    check_names(file.path for file in body.files)
    if not body.name.isprintable() or body.name != body.name.strip():
        raise Invalid("The name has characters that do not print, or begins or ends with a space.")
    here = _here_for({file.sha256: file.size for file in body.files if file.sha256}, who)
    files = [file.model_dump() | ({"here": True} if file.sha256 in here else {}) for file in body.files]
    to_come = sum(file["size"] for file in files if not file.get("here"))
    disk.refuse_what_never_fits(settings().uploads_dir, to_come)
    with unit_of_work():
        exclusive("uploads")
        _refuse_too_many(who)
        upload = Upload(
            name=body.name,
            files=files,
            size=sum(file.size for file in body.files),
            user_id=who.owner_id,
            expires_at=_expiry(),
        )
        ownership.share(upload, body.visibility or settings().default_visibility, body.team_id, who)
        db.session.add(upload)
        db.session.flush()
        if reason := disk.admission(settings().uploads_dir, to_come):
            raise OutOfSpace(reason["message"].rpartition(". ")[0] + ".", details=reason["details"])
        disk.reserve(f"upload:{upload.id}", "upload", _folder(upload.id), to_come)
        db.session.refresh(upload, ["owner"])
        audit.note("upload.create", upload, size=upload.size, files=len(files))
        folder = _folder(upload.id)
        folder.mkdir(mode=0o700, parents=True)
        for index, file in enumerate(files):
            if file["size"] == 0:
                (folder / str(index)).touch(0o600)
        return shape(upload)


def shape(upload: Upload) -> UploadOut:
    lengths, closed = upload_files.lengths(_folder(upload.id)), _closed(upload)
    offsets = [
        file["size"] if closed else _offset(file, lengths.get(index, 0))
        for index, file in enumerate(upload.files)
    ]
    return UploadOut(
        id=upload.id,
        name=upload.name,
        status="complete" if closed else "open",
        size=upload.size,
        bytes_done=sum(offsets),
        files=[
            UploadedFile(path=file["path"], size=file["size"], sha256=file.get("sha256"), offset=offset)
            for file, offset in zip(upload.files, offsets, strict=True)
        ],
        download_id=upload.download_id,
        expires_at=upload.expires_at,
        owner_id=upload.owner_id,
        owner_name=upload.owner_name,
        visibility=upload.visibility,  # type: ignore[arg-type]
        team_id=upload.team_id,
        created_at=upload.created_at,
        version=upload.version,
    )


def get(upload_id: str, who: Identity) -> UploadOut:
    return shape(ownership.seen(Upload, upload_id, who, _missing(upload_id)))


def list_uploads(query: UploadQuery, who: Identity) -> Page[UploadOut]:
    statement = select(Upload).where(ownership.visible(Upload, who))
    failed = Upload.download_id.in_(select(Download.id).join(Job).where(Job.state == "failed"))
    if query.status == "open":
        statement = statement.where((Upload.status == "open") | failed)
    elif query.status:
        statement = statement.where(Upload.status == query.status, Upload.download_id.is_(None) | ~failed)
    if query.name:
        statement = statement.where(Upload.name == query.name)
    return page(statement, Upload.id, limit=query.limit, after=query.after, shape=shape)


def offset(upload_id: str, index: int, who: Identity) -> OffsetOut:
    """How much of one file is here."""
    upload = ownership.seen(Upload, upload_id, who, _missing(upload_id))
    file = _file(upload, index)
    here = upload_files.length(_folder(upload.id), index)
    return OffsetOut(offset=file["size"] if _closed(upload) else _offset(file, here), size=file["size"])


def write(
    upload_id: str,
    index: int,
    who: Identity,
    *,
    at: str | None,
    checksum: str | None,
    read: Callable[[int], bytes],
) -> OffsetOut:
    """Add a piece to one file at `at` (the `Upload-Offset`); `read(n)` gives its bytes. Raises Conflict with
    the right offset when that is another one, or while somebody else sends this file."""
    upload = ownership.changeable(Upload, upload_id, who, _missing(upload_id))
    _refuse_unless_open(upload)
    file, id = _file(upload, index), upload.id
    if at is None or not (at.isascii() and at.isdigit()) or len(at) > 16:
        raise Invalid("Upload-Offset says where this piece begins: a whole number of bytes.")
    digest = upload_files.checksum(checksum)
    known = bool(file.get("here")) and store.blobs().has(file["sha256"])
    if known:
        raise Conflict(
            "The hub has this file already.", details={"offset": file["size"], "size": file["size"]}
        )
    if upload.expires_at < _expiry() - timedelta(hours=1):
        with unit_of_work():
            db.session.get_one(Upload, id).expires_at = _expiry()
    db.session.rollback()  # no connection is held while a slow client sends
    after = upload_files.append(_folder(id), index, int(at), file["size"], read, digest)
    return OffsetOut(offset=after, size=file["size"])


def complete(upload_id: str, who: Identity) -> DownloadOut:
    """All is here: let a worker hash it and put it on the shelf. Raises Conflict naming what is missing."""
    upload = ownership.changeable(Upload, upload_id, who, _missing(upload_id))
    if _closed(upload):
        raise Conflict("This upload has been completed already.", details={"download_id": upload.download_id})
    folder = _folder(upload.id)
    _refuse_incomplete(upload)
    here = _here_for({f["sha256"]: f["size"] for f in upload.files if f.get("here")}, who)
    given = {file["path"] for file in upload.files if file.get("here") and file["sha256"] in here}
    plan = plan_of(upload.name, folder, upload.files, _commit(upload), given)
    id, sharing = upload.id, (upload.visibility, upload.team_id)

    def also(_after_commit: AfterCommit, download: Download) -> None:
        row = db.session.get_one(Upload, id)
        row.status, row.download_id, row.version = "complete", download.id, row.version + 1
        disk.release(f"upload:{id}")
        audit.note("upload.complete", row, size=row.size, download_id=download.id)

    if upload.status != "open" and upload.download_id:
        return downloads.retry(upload.download_id, who)
    return downloads.enter(plan, who, picked={}, sharing=sharing, also=also)  # type: ignore[arg-type]


def cancel(upload_id: str, who: Identity) -> None:
    """Give up: what was sent is deleted. A completed one is given up by cancelling its download."""
    with unit_of_work() as after_commit:
        upload = ownership.changeable(Upload, upload_id, who, _missing(upload_id))
        if _closed(upload):
            raise Conflict(
                "This upload has been completed. Cancel its download, or delete its model.",
                details={"download_id": upload.download_id},
            )
        audit.note("upload.cancel", upload)
        _forget(after_commit, upload)


def expire() -> int:
    """Delete uploads nobody goes on with, their bytes too. How many. (Beat asks for it.)"""
    ended = select(Download.id).join(Job).where(Job.state.in_(("completed", "cancelled")))
    due = (Upload.expires_at < utcnow()) & (
        (Upload.status == "open") | Upload.download_id.is_(None) | Upload.download_id.in_(ended)
    )
    ids = list(db.session.scalars(select(Upload.id).where(due).limit(200)))
    db.session.rollback()
    for id in ids:
        with unit_of_work() as after_commit:
            if upload := db.session.get(Upload, id):
                log.info("an upload has run out", upload=id, size=upload.size)
                if upload.status == "open":
                    audit.note("upload.expire", upload)
                _forget(after_commit, upload)
    return len(ids)


def _forget(after_commit: AfterCommit, upload: Upload) -> None:
    folder = _folder(upload.id)
    disk.release(f"upload:{upload.id}")
    db.session.delete(upload)
    after_commit(lambda: shutil.rmtree(folder, ignore_errors=True))


def _folder(upload_id: str) -> Path:
    return settings().uploads_dir / upload_id


def _file(upload: Upload, index: int) -> dict[str, Any]:
    if not 0 <= index < len(upload.files):
        raise Missing(f"This upload has {len(upload.files)} files, counted from 0; there is no {index}.")
    found: dict[str, Any] = upload.files[index]
    return found


def _offset(file: dict[str, Any], length: int) -> int:
    """What the store has is here as long as it has it."""
    if file.get("here") and store.blobs().has(file["sha256"]):
        return int(file["size"])
    return length


def _refuse_unless_open(upload: Upload) -> None:
    if _closed(upload):
        raise Conflict(
            "This upload has been completed; nothing can be added any more.",
            details={"download_id": upload.download_id},
        )


def _closed(upload: Upload) -> bool:
    """Completed for good. When its download failed, what was not what was promised may be sent again."""
    if upload.status == "open":
        return False
    download = db.session.get(Download, upload.download_id) if upload.download_id else None
    return not _folder(upload.id).exists() if download is None else download.job.state != "failed"


def _refuse_incomplete(upload: Upload) -> None:
    folder = _folder(upload.id)
    lengths = upload_files.lengths(folder)
    missing = [
        {"path": file["path"], "offset": offset, "size": file["size"]}
        for index, file in enumerate(upload.files)
        if (offset := _offset(file, lengths.get(index, 0))) < file["size"]
    ]
    if missing:
        raise Conflict(
            f"{len(missing)} of {len(upload.files)} files are not here whole, the first of them "
            f"'{missing[0]['path']}'. Send the rest, then complete it.",
            details={"missing": missing[:100]},
        )
    for index in lengths:
        with upload_files.locked(folder, index):
            pass  # a piece that is being checked may still be taken back


def _refuse_too_many(who: Identity) -> None:
    mine = select(Upload.id).where(Upload.user_id == who.owner_id, Upload.status == "open")
    if len(list(db.session.scalars(mine.limit(MOST_OPEN)))) >= MOST_OPEN:
        raise Conflict(f"You have {MOST_OPEN} unfinished uploads. Finish or cancel some of them first.")


def _here_for(wanted: dict[str, int], who: Identity) -> set[str]:
    """Which contents (SHA-256 to size) the store has, and are in a model `who` may see: that one knows a hash
    must not tell whether somebody else has the file, and still less bring it."""
    found: set[str] = set()
    hashes = sorted(wanted)
    for start in range(0, len(hashes), SOME):
        some = hashes[start : start + SOME]
        rows = db.session.scalars(
            select(BlobRef.sha256)
            .join(ModelVersion, ModelVersion.id == BlobRef.version_id)
            .join(HubModel, HubModel.id == ModelVersion.model_id)
            .where(BlobRef.sha256.in_(some), ownership.visible(HubModel, who))
        )
        found |= set(rows)
    blobs = store.blobs()
    answer = set()
    for sha256 in found:
        try:
            if blobs.path(sha256).stat().st_size == wanted[sha256]:
                answer.add(sha256)
        except FileNotFoundError:
            continue
    return answer


def _commit(upload: Upload) -> str:
    """The same files by hash are the same upload; without all hashes each upload is one of its own."""
    if not all(file.get("sha256") for file in upload.files):
        return upload.id
    listed = sorted([file["path"], file["sha256"]] for file in upload.files)
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def _expiry() -> datetime:
    return utcnow() + timedelta(days=settings().upload_days)


def _missing(upload_id: str) -> str:
    return f"There is no upload {upload_id[:64]}; it may have been given up or have run out."
