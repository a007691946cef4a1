"""The versions of a model: which there are, which one is active, how two differ, and letting one go."""

from typing import Any

from sqlalchemy import select

from api.errors import Conflict, Missing
from api.extensions import db
from api.models import Deployment, HubModel, ModelVersion
from api.models.hub_model import FACTS
from api.schemas.base import Page, PageQuery
from api.schemas.models import (
    FILES_IN_LISTS,
    ChangedFile,
    CompareOut,
    CompareQuery,
    ModelFile,
    ModelOut,
    VersionOut,
)
from api.security import audit, ownership
from api.security.authorise import Identity
from api.services import library, library_impact, store
from api.services.paging import page
from api.unit_of_work import exclusive, unit_of_work

COMPARED = tuple(name for name in FACTS if name not in ("path", "files", "location", "offloaded"))
"""Facts that tell two versions apart for people."""


def list_versions(model_id: str, query: PageQuery, who: Identity) -> Page[VersionOut]:
    """Newest first."""
    model = library.seen(model_id, who)
    running = _running(model.id, who)
    statement = select(ModelVersion).where(ModelVersion.model_id == model.id)

    def shown(version: ModelVersion) -> VersionOut:
        return shape(model, version, running, FILES_IN_LISTS)

    return page(statement, ModelVersion.id, limit=query.limit, after=query.after, shape=shown)


def get(model_id: str, version_id: str, who: Identity) -> VersionOut:
    model = library.seen(model_id, who)
    return shape(model, of(model, version_id), _running(model.id, who))


def activate(model_id: str, version_id: str, who: Identity) -> ModelOut:
    """From now on the model means this version. What runs goes on with its own until it is restarted."""
    with unit_of_work():
        model = ownership.changeable(HubModel, model_id, who, library.missing(model_id))
        version = of(model, version_id)
        before = model.active_version_id
        library.activate(model, version)
        audit.note("model.activate", model, version=version.id, commit=version.commit, before=before)
        db.session.flush()
        return library.shape(model)


def delete(model_id: str, version_id: str, who: Identity) -> None:
    """Let a version and its files go; refused for the active one and for one that something runs."""
    with unit_of_work() as after_commit:
        model = ownership.changeable(HubModel, model_id, who, library.missing(model_id))
        exclusive("blobs")
        version = of(model, version_id)
        if version.id == model.active_version_id:
            raise Conflict(
                f"This is the active version of {model.name}. Make another one active first, or delete the "
                "model."
            )
        if served(version.id):
            names = _running(model.id, who).get(version.id, [])
            by = ", ".join(names) or "somebody else's deployment"
            raise Conflict(
                f"This version is being run by: {by}. Restart it: then it runs the active version.",
                details={"deployments": names},
            )
        freed = library_impact.freed([version.id])
        audit.note("model.version.delete", model, version=version.id, commit=version.commit, freed=freed)
        contents = store.contents(version_id=version.id)
        paths = [library.directory(version)] if version.location == "local" else []
        db.session.delete(version)
        after_commit(lambda: library.remove_folders(*paths))
        store.release(after_commit, contents)


def compare(model_id: str, query: CompareQuery, who: Identity) -> CompareOut:
    """Which files came, went and changed from `a` to `b`; a file is the same when its content is."""
    model = library.seen(model_id, who)
    a, b = of(model, query.a), of(model, query.b)
    before = {file["path"]: file for file in a.files}
    after = {file["path"]: file for file in b.files}
    both = sorted(before.keys() & after.keys())
    same = [path for path in both if _same(before[path], after[path])]
    return CompareOut(
        a=a.id,
        b=b.id,
        added=[ModelFile(**_file(after[path])) for path in sorted(after.keys() - before.keys())],
        removed=[ModelFile(**_file(before[path])) for path in sorted(before.keys() - after.keys())],
        changed=[
            ChangedFile(path=path, a=before[path]["size"] or 0, b=after[path]["size"] or 0)
            for path in both
            if path not in set(same)
        ],
        same=[ModelFile(**_file(after[path])) for path in same],
        facts={
            name: [getattr(a, name), getattr(b, name)]
            for name in COMPARED
            if getattr(a, name) != getattr(b, name)
        },
    )


def of(model: HubModel, version_id: str) -> ModelVersion:
    """The version, if it is one of this model's."""
    version = db.session.get(ModelVersion, version_id) if "\0" not in version_id else None
    if version is None or version.model_id != model.id:
        raise Missing(f"{model.name} has no version {version_id[:64]}. `modelhub versions` lists them.")
    return version


def served(version_id: str) -> bool:
    """Whether a deployment runs this version, or is about to."""
    busy = Deployment.status.in_(("running", "deploying")) | (Deployment.wanted == "running")
    return bool(
        db.session.scalar(
            select(Deployment.id).where(Deployment.version_id == version_id, busy).limit(1)
        )
    )  # fmt: skip


def shape(
    model: HubModel, version: ModelVersion, running: dict[str, list[str]], most: int | None = None
) -> VersionOut:
    fields = {name: getattr(version, name) for name in VersionOut.model_fields if hasattr(version, name)}
    files = version.files
    more = {
        "active": version.id == model.active_version_id,
        "path": "" if version.location == "ollama" else str(library.directory(version)),
        "files": files if most is None or len(files) <= most else [],
        "file_count": len(files),
        "deployments": running.get(version.id, []),
    }
    return VersionOut.model_validate(fields | more)


def _running(model_id: str, who: Identity) -> dict[str, list[str]]:
    """Version → names of the deployments that run it, as far as `who` may see them."""
    rows = db.session.execute(
        select(Deployment.version_id, Deployment.name)
        .where(Deployment.model_id == model_id, Deployment.status.in_(("running", "deploying")))
        .where(ownership.visible(Deployment, who))
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.version_id or "", []).append(row.name)
    return found


def _same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    if a.get("sha256") and b.get("sha256"):
        return bool(a["sha256"] == b["sha256"])
    return False  # nobody knows, so it is not said to be the same


def _file(file: dict[str, Any]) -> dict[str, Any]:
    return {"path": file["path"], "size": file["size"] or 0, "sha256": file.get("sha256")}
