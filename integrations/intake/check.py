"""A whole folder on its way to the shelf."""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from integrations.errors import InvalidRef, Stopped
from integrations.intake.clamav import ClamAV, TooLong
from integrations.intake.code import remote_code
from integrations.intake.findings import Finding, Verdict, shown
from integrations.intake.formats import judge
from integrations.transfer.names import check_names

WARNINGS = 50
PARSED = frozenset({"safetensors", "gguf", "json", "text", "media", "template", "empty"})
"""Kinds that were looked through here to their last byte or hold nothing to run: they may be larger than the
virus scanner takes. Everything else that large is held."""

Report = Callable[[str, int, int], None]
"""Called with the file that is looked at, how many are done, and of how many."""


class Checked(NamedTuple):
    """`held`: `{path, size, findings: [{scanner, severity, message}]}`; `warnings` and `remote_code` as a
    version has them."""

    held: list[dict[str, Any]]
    warnings: list[str]
    remote_code: list[str]


def check(
    folder: Path,
    *,
    ours: bool = True,
    clamav: ClamAV | None = None,
    stop: threading.Event | None = None,
    report: Report | None = None,
) -> Checked:
    """Look at every file below `folder`. `ours`: the folder is the hub's own, so that nothing in it may be a
    link; in one that was adopted, links to regular files are what its owner made.

    Raises InvalidRef for names and things that cannot be taken in at all, ScannerAway, Stopped.
    """
    if clamav:
        clamav.ping()
    files = list(_files(folder, ours))
    check_names(name for name, _ in files)
    held, warnings = [], []
    for done, (name, path) in enumerate(files):
        if stop is not None and stop.is_set():
            raise Stopped("Asked to stop.")
        if report:
            report(name, done, len(files))
        verdict = _scanned(judge(path), path, clamav)
        warnings += [f"{name} {note}." for note in verdict.notes]
        if verdict.hold:
            found = [finding._asdict() for finding in verdict.findings]
            held.append({"path": name, "size": path.stat().st_size, "kind": verdict.kind, "findings": found})
    if len(warnings) > WARNINGS:
        warnings = [*warnings[:WARNINGS], f"And {len(warnings) - WARNINGS} more such notes."]
    return Checked(held, warnings, remote_code(folder))


def _scanned(verdict: Verdict, path: Path, clamav: ClamAV | None) -> Verdict:
    if clamav is None:
        return verdict
    try:
        found = clamav.scan(path)
    except TooLong:
        note = "is larger than the virus scanner takes (StreamMaxLength) and was not scanned for viruses"
        if verdict.kind in PARSED:
            return verdict._replace(notes=[*verdict.notes, note])
        said = Finding("clamav", "unknown", f"It {note}.")
        return verdict._replace(hold=True, findings=[*verdict.findings, said])
    if found is None:
        return verdict
    return verdict._replace(hold=True, findings=[found, *verdict.findings])


def _files(folder: Path, ours: bool) -> Iterator[tuple[str, Path]]:
    """Name and place of every file. Dot-files come along, except the hub's own state."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != ".transfer")
        for name in [*sorted(names), *(each for each in folders if (Path(root) / each).is_symlink())]:
            path = Path(root) / name
            relative = path.relative_to(folder).as_posix()
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode) and not ours and path.is_file():
                mode = path.stat().st_mode
            if not stat.S_ISREG(mode):
                what = "a link" if stat.S_ISLNK(mode) else "no regular file"
                raise InvalidRef(
                    f"The model holds '{shown(relative)}', which is {what}. Only files are taken in.",
                    details={"file": shown(relative)},
                )
            yield relative, path
