"""A library without waiting: models put on the shelf as the end of a download leaves them, and jobs carried
out here and now."""

import hashlib
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api.extensions import db, settings
from api.models import HubModel, Job, ModelVersion
from api.models.base import new_id
from api.services import fetching, library, remote, store
from api.unit_of_work import unit_of_work


def shelve(
    files: dict[str, bytes], owner: str | None = None, *, of: str | None = None, **columns: Any
) -> str:
    """A model of these files, or one more version of the model `of`; the version's id."""
    id = new_id()
    directory = settings().models_dir / id
    for path, content in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(content)
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    plan = {"files": [], "revision": "main", "commit": hashlib.sha1(id.encode()).hexdigest()}
    version = library.describe_directory(directory, plan, hashes)
    store.keep(directory, version.files)
    values = {"name": f"org/{id}", "source": "upload", "ref": id, "user_id": owner} | columns
    with unit_of_work() as after_commit:
        library.add(after_commit, version, HubModel(id=of or id, **values))
        store.record(db.session.get_one(ModelVersion, id))
    return id


def work_off() -> list[Job]:
    """Do every queued job in this process, as a worker would; those that were done."""
    db.session.rollback()  # what this process has read before is not what is
    done: list[Job] = []
    while job := db.session.scalar(select(Job).where(Job.state == "queued").order_by(Job.id).limit(1)):
        job_id, kind = job.id, job.kind
        db.session.rollback()
        (fetching.run if kind == "download" else remote.run)(job_id)
        db.session.expire_all()
        ended = db.session.get_one(Job, job_id)
        assert ended.state != "queued", ended.waiting
        done.append(ended)
    return done


def bytes_on_disk(root: Path) -> int:
    """What `du` counts: every inode once."""
    seen = {path.stat().st_ino: path.stat().st_size for path in root.rglob("*") if path.is_file()}
    return sum(seen.values())
