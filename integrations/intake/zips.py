"""Zip files: PyTorch's weights, numpy's .npz, Keras models, and everything else that hides in one.

Members are read in bounded pieces and never written anywhere."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from integrations.intake import magic, pickles
from integrations.intake.findings import Finding, Verdict, shown

MOST_MEMBERS = 100_000
BOMB_RATIO, BOMB_BYTES = 100, 64 * 2**20
MOST_LOOKED_INTO = 2_000
MOST_INFLATED = 4 * 2**30
"""Bytes that are inflated in one file to look at its pickles."""


def look_into(path: Path, size: int) -> Verdict:
    """Every zip is held; the findings say what it is and what its pickles would do."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _look(archive, size)
    except Exception as error:
        said = shown(str(error)) or type(error).__name__
        return Verdict(
            "archive", True, [Finding("format", "unknown", f"It is a damaged zip archive: {said}.")]
        )


def _look(archive: zipfile.ZipFile, size: int) -> Verdict:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        return Verdict(
            "archive", True, [Finding("format", "dangerous", f"It is a zip of {len(members):,} files.")]
        )
    inflated = sum(member.file_size for member in members)
    if inflated > BOMB_BYTES and inflated > BOMB_RATIO * size:
        said = f"It is a zip bomb: {size:,} bytes that become {inflated:,}."
        return Verdict("archive", True, [Finding("format", "dangerous", said)])
    findings: list[Finding] = []
    kind, looked = "archive", 0
    for member in members[:MOST_LOOKED_INTO]:
        if member.is_dir():
            continue
        with archive.open(member) as file:
            head = file.read(magic.HEAD)
        what, detail = magic.sniff(head, member.file_size)
        name = shown(member.filename, 80)
        if what == "pickle" or member.filename.endswith((".pkl", ".pickle")) or (
            what == "text" and pickles.is_pickle(head)
        ):  # fmt: skip
            looked += member.file_size
            if looked > MOST_INFLATED:
                findings.append(
                    Finding("pickle", "unknown", "Its pickles are too large to be looked through.")
                )
                break
            kind = "pickle"
            with archive.open(member) as file:
                findings += pickles.look(file, member.file_size, name)
        elif what == "numpy" and b"|O" in head[:512]:
            findings.append(
                Finding("pickle", "suspicious", f"{name} holds objects, which are loaded as pickles.")
            )
        elif what in ("zip", "program", "archive"):
            said = f"{name} in it is {detail or 'another archive'}{' archive' if what == 'archive' else ''}."
            findings.append(Finding("format", "dangerous" if what == "program" else "suspicious", said))
        elif _is_keras(member.filename, head) and b"Lambda" in _all_of(archive, member):
            findings.append(
                Finding("format", "dangerous", f"{name} has a Lambda layer: code that runs on loading.")
            )
    if len(members) > MOST_LOOKED_INTO:
        findings.append(
            Finding("format", "unknown", f"Only the first {MOST_LOOKED_INTO:,} files in it were seen.")
        )
    return Verdict(kind, True, findings)


def _is_keras(name: str, head: bytes) -> bool:
    return name.endswith(".json") and b"class_name" in head


def _all_of(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as file:
        return file.read(16 * 2**20)


def pickles_in(path: Path, most: int) -> Iterator[bytes]:
    """The pickles of a file, each whole, of at most `most` bytes together. Raises ValueError beyond that."""
    with path.open("rb") as file:
        head = file.read(4)
    if not head.startswith(b"PK"):
        yield _at_most(path.open("rb"), most)
        return
    left = most
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist()[:MOST_LOOKED_INTO]:
            with archive.open(member) as part:
                if magic.sniff(part.read(16), member.file_size)[
                    0
                ] != "pickle" and not member.filename.endswith((".pkl", ".pickle")):
                    continue
            with archive.open(member) as part:
                data = _at_most(part, left)
            left -= len(data)
            yield data


def _at_most(file: IO[bytes], most: int) -> bytes:
    with file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError("too large")
    return data
