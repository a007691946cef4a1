"""File names from a manifest. They come from strangers and become paths: refused unless plainly harmless."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from integrations.errors import InvalidRef

STATE_FOLDER = ".transfer"
RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])( *\..*)?", re.IGNORECASE)
MAX_PATH_BYTES = 1024
MAX_PART_BYTES = 240
MAX_DEPTH = 32


def check_name(name: str) -> PurePosixPath:
    """The relative path a manifest's file name stands for.

    Raises InvalidRef for what could leave the folder on any system (`..`, absolute, drive, UNC, NUL), what
    Windows reserves, what does not print, and our own state folder.
    """
    reason = _objection(name)
    if reason:
        shown = "".join(letter if letter.isprintable() else "?" for letter in str(name)[:80])
        raise InvalidRef(
            f"The model holds a file called '{shown}', which {reason}. Nothing was written. "
            "Leave this file out with `exclude`, or choose another model.",
            details={"file": shown},
        )
    return PurePosixPath(name)


def _objection(name: str) -> str | None:
    if not isinstance(name, str) or not name:
        return "has no name"
    if not name.isprintable():
        return "contains characters that do not print"
    if "\\" in name or ":" in name or name.startswith(("/", "~")):
        return "could be taken for a place outside its folder"
    if len(name.encode()) > MAX_PATH_BYTES:
        return f"is longer than {MAX_PATH_BYTES} bytes"
    parts = name.split("/")
    if len(parts) > MAX_DEPTH:
        return f"lies more than {MAX_DEPTH} folders deep"
    for part in parts:
        if part in ("", ".", ".."):
            return "could leave its folder"
        if part.endswith((".", " ")) or part.startswith(" "):
            return "begins or ends with a space, or ends with a dot"
        if RESERVED.fullmatch(part):
            return "bears a name that Windows reserves for devices"
        if len(part.encode()) > MAX_PART_BYTES:
            return f"has a part longer than {MAX_PART_BYTES} bytes"
    if _folded(parts[0]) == STATE_FOLDER:
        return "collides with the folder downloads keep their state in"
    return None


def check_names(names: Iterable[str]) -> list[PurePosixPath]:
    """All names of a manifest, also against one another: none twice, none both file and folder, whatever
    the file system thinks of case and accents. Raises InvalidRef."""
    paths = [check_name(name) for name in names]
    seen: dict[str, str] = {}
    for path in paths:
        folded = _folded(str(path))
        if folded in seen:
            raise InvalidRef(
                f"The model holds both '{seen[folded]}' and '{path}', which some file systems take for one "
                "file. "
                "Leave one of them out with `exclude`."
            )
        seen[folded] = str(path)
    for path in paths:
        for folder in list(path.parents)[:-1]:
            if _folded(str(folder)) in seen:
                raise InvalidRef(
                    f"The model holds '{folder}' both as a file and as a folder. Leave one out with "
                    "`exclude`."
                )
    return paths


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def inside(folder: Path, name: str) -> Path:
    """The absolute place of `name` in `folder`. Raises InvalidRef; never answers a path outside."""
    return folder / check_name(name)


def make_folder(folder: Path, within: Path) -> None:
    """Make `folder`, which lies in `within`, never through a link. Raises InvalidRef when one is there."""
    for part in reversed([folder, *folder.parents]):
        if part != within and part.is_relative_to(within) and part.is_symlink():
            raise InvalidRef(
                f"'{part.relative_to(within)}' is a link in the folder of this download, which no download "
                "makes. Nothing was written through it: cancel the download, and start it again."
            )
    folder.mkdir(parents=True, exist_ok=True)
