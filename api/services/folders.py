"""Looking for models in the permitted folders of this machine. Bringing one in is a download (source
folder)."""

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import or_, select

from api.extensions import db, settings
from api.models import HubModel
from api.schemas.folders import FoldersOut, FoundFileOut, FoundModelOut, ScanQuery
from api.security import ownership
from api.security.authorise import Identity
from api.services.blocking import in_thread
from integrations import permitted
from integrations.folders import Found, Scan, allowed_folder
from integrations.folders import scan as look

SHOWN_FILES = 200
"""Files of one finding that are listed."""


def scan(query: ScanQuery, who: Identity) -> FoldersOut:
    """What lies below `path`, or below all permitted folders. Raises AccessDenied outside them."""
    allowed = permitted.now()
    roots = [allowed_folder(query.path, allowed)] if query.path else _there(allowed.folders)
    scans = [in_thread(look, root, allowed) for root in roots]
    found = _once(scans)
    known = _known(found, who)
    return FoldersOut(
        folders=[str(folder) for folder in settings().permitted.folders],
        found=[
            _shape(each, known.get(each.path) or known.get(f"{each.ref}@{each.commit}")) for each in found
        ],
        truncated=any(each.truncated for each in scans),
    )


def _there(folders: Iterable[Path]) -> list[Path]:
    """Those that are there, without those inside another."""
    there = [folder.resolve() for folder in folders if folder.is_dir()]
    return [one for one in there if not any(one != two and one.is_relative_to(two) for two in there)]


def _once(scans: list[Scan]) -> list[Found]:
    return list({each.path: each for scan in scans for each in scan.found}.values())


def _known(found: list[Found], who: Identity) -> dict[str, str]:
    """Path, or ref and commit, to the model `who` may see of it."""
    paths, commits = [each.path for each in found], {each.commit for each in found}
    known: dict[str, str] = {}
    for start in range(0, len(found), 200):
        some = found[start : start + 200]
        rows = db.session.execute(
            select(HubModel.id, HubModel.ref, HubModel.commit).where(
                ownership.visible(HubModel, who),
                or_(
                    HubModel.ref.in_([each.path for each in some]),
                    HubModel.commit.in_([each.commit for each in some]),
                ),
            )
        )
        for row in rows:
            if row.ref in paths:
                known[row.ref] = row.id
            if row.commit in commits:
                known[f"{row.ref}@{row.commit}"] = row.id
    return known


def _shape(found: Found, model_id: str | None) -> FoundModelOut:
    return FoundModelOut(
        **found.model_dump(exclude={"files", "base"}),
        size=found.size,
        files=[FoundFileOut(path=file.path, size=file.size) for file in found.files[:SHOWN_FILES]],
        model_id=model_id,
    )
