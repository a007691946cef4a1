"""Sending a model to the hub piece by piece, so that it can be taken up again after anything."""

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import console, downloads, progress
from cli.errors import CliError, HubUnreachable, Interrupted, WrongUsage
from cli.hub import Hub

Upload = dict[str, Any]
BLOCK = 4 << 20
PATIENCE = 8
"""Tries of one piece while the hub cannot be reached, or somebody else sends the file."""
LONGEST_WAIT = 15.0
HIDDEN = (".git", ".cache", "__pycache__", ".DS_Store")


@dataclass
class Local:
    """A file here: `path` is its name in the model, `place` where it lies."""

    path: str
    place: Path
    size: int
    sha256: str | None = None


def collect(path: Path) -> list[Local]:
    """The files of a model at `path`. Links are followed for files, as the Hugging Face cache needs it.
    Raises WrongUsage when there are none."""
    if path.is_file():
        return [Local(path.name, path, path.stat().st_size)]
    found = []
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(name for name in inner if name not in HIDDEN)
        for name in sorted(names):
            place = Path(folder) / name
            if name not in HIDDEN and not name.startswith(".") and place.is_file():
                found.append(Local(place.relative_to(path).as_posix(), place, place.stat().st_size))
    if not found:
        raise WrongUsage(f"There are no files in {path}.")
    return found


def name_of(path: Path) -> str:
    """The name of a file without its ending, or of a folder; a snapshot of the Hugging Face cache by its
    model."""
    real = path.resolve()
    if real.parent.name == "snapshots" and real.parent.parent.name.startswith("models--"):
        return "/".join(real.parent.parent.name.removeprefix("models--").split("--", 1))
    return real.stem if real.is_file() else real.name


def begin(hub: Hub, name: str, files: list[Local], sharing: dict[str, Any], *, hashed: bool) -> Upload:
    """The unfinished upload of the same files, one that is being taken in just now, or a new one."""
    if hashed:
        _hash(files)
    if known := unfinished(hub, name, files) or _taken_in(hub, name, files):
        console.note(f"Going on with what was sent before ({_share(known)}).")
        return known
    listed = [
        {"path": file.path, "size": file.size, **({"sha256": file.sha256} if file.sha256 else {})}
        for file in files
    ]
    body = {"name": name, "files": listed, **{key: value for key, value in sharing.items() if value}}
    return dict(hub.post("uploads", body))


def unfinished(hub: Hub, name: str, files: list[Local]) -> Upload | None:
    """The upload of this name and of exactly these files that was not completed."""
    return next((it for it in hub.pages("uploads", status="open", name=name) if _same(it, files)), None)


def _taken_in(hub: Hub, name: str, files: list[Local]) -> Upload | None:
    """The completed upload of these files while the hub still works on it: nothing need be sent again."""
    for known in hub.pages("uploads", status="complete", name=name):
        proven = all(file["sha256"] for file in known["files"]) and all(file.sha256 for file in files)
        if proven and known["download_id"] and _same(known, files):
            status = hub.get(f"downloads/{known['download_id']}")["status"]
            if status in (*downloads.ACTIVE, "paused"):
                return known
    return None


def _same(upload: Upload, files: list[Local]) -> bool:
    """The same names and sizes, and the same contents as far as both sides have hashed them."""
    ours = {file.path: file for file in files}
    return len(ours) == len(upload["files"]) and all(
        (own := ours.get(file["path"])) is not None
        and own.size == file["size"]
        and (not own.sha256 or not file["sha256"] or own.sha256 == file["sha256"])
        for file in upload["files"]
    )


def _share(upload: Upload) -> str:
    return f"{100 * upload['bytes_done'] // max(1, upload['size'])} %"


def _hash(files: list[Local]) -> None:
    total, done = sum(file.size for file in files), 0
    with progress.shown() as show:
        for file in files:
            digest = hashlib.sha256()
            with file.place.open("rb") as opened:
                while block := opened.read(BLOCK):
                    digest.update(block)
                    done += len(block)
                    show(_progress("hashing", file.path, done, total), "")
            file.sha256 = digest.hexdigest()


def send(hub: Hub, upload: Upload, files: list[Local]) -> None:
    """Send what is missing of every file. Raises Interrupted with how to go on, CliError when a file is not
    the one that was begun with."""
    places = {file.path: file.place for file in files}
    total, done = upload["size"], upload["bytes_done"]
    try:
        with progress.shown() as show:
            for index, file in enumerate(upload["files"]):
                before = done - file["offset"]

                def told(offset: int, path: str = file["path"], before: int = before) -> None:
                    show(_progress("sending", path, before + offset, total), "")

                def waits(why: str, path: str = file["path"], before: int = before) -> None:
                    show(_progress("sending", path, before, total), why)

                _send_file(hub, upload, index, file, places[file["path"]], told, waits)
                done = before + file["size"]
    except KeyboardInterrupt:
        raise Interrupted(
            f"Stopped. The hub keeps what arrived until {upload['expires_at']}.\n"
            "  go on     the same command again\n"
            f"  give up   the same with --give-up"
        ) from None


def _send_file(
    hub: Hub,
    upload: Upload,
    index: int,
    file: dict[str, Any],
    place: Path,
    told: Callable[[int], None],
    waits: Callable[[str], None],
) -> None:
    offset, size, path = file["offset"], file["size"], f"uploads/{upload['id']}/files/{index}"
    tries = 0
    with place.open("rb") as opened:
        if os.fstat(opened.fileno()).st_size != size:
            raise CliError(f"{place} has changed its size. Send it again when nobody writes to it.")
        while offset < size:
            opened.seek(offset)
            piece = opened.read(min(upload["chunk_size"], size - offset))
            if not piece:
                raise CliError(f"{place} has become shorter while it was sent.")
            try:
                offset = hub.send_bytes(path, piece, offset)["offset"]
                tries = 0
            except (HubUnreachable, CliError) as error:
                busy = error.code == "CONFLICT" and "offset" in error.details
                if busy and not error.details.get("busy"):
                    offset = error.details["offset"]
                elif isinstance(error, HubUnreachable) or busy or _passing(error):
                    offset = _again(hub, path, error, tries, offset, waits)
                else:
                    raise
                tries += 1
                if tries > PATIENCE:
                    raise
            told(offset)


def _passing(error: CliError) -> bool:
    """Whether the hub may take the same piece in a moment: it is busy, or the piece was damaged on its
    way."""
    return error.status >= 500 and error.code != "OUT_OF_SPACE"


def _again(
    hub: Hub, path: str, error: CliError, tries: int, offset: int, waits: Callable[[str], None]
) -> int:
    """Wait, then ask how far it is; the offset as it was when the hub still does not answer."""
    if tries >= PATIENCE:
        raise error
    waits("waiting for the hub")
    time.sleep(min(LONGEST_WAIT, 0.5 * 2**tries))
    try:
        return int(hub.get(path)["offset"])
    except HubUnreachable:
        return offset


def complete(hub: Hub, upload: Upload) -> dict[str, Any]:
    """The download that takes it in; the one there is when the same model is here or on its way already."""
    try:
        return dict(hub.post(f"uploads/{upload['id']}/complete"))
    except CliError as error:
        if error.code != "CONFLICT" or not error.details.get("download_id"):
            raise
        known = dict(hub.get(f"downloads/{error.details['download_id']}"))
    with suppress(CliError):  # it may be the very upload that is being taken in
        hub.delete(f"uploads/{upload['id']}")
    return known


def _progress(state: str, path: str, done: int, total: int) -> dict[str, Any]:
    """What `cli.progress` shows of a download."""
    return {
        "ref": path,
        "status": state,
        "message": state,
        "bytes_done": done,
        "bytes_total": total,
        "source": "upload",
    }
