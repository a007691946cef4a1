"""Bringing in what lies on the disk: what a stop or a crash costs, and what is never believed."""

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations import permitted
from integrations.child_events import EventWriter
from integrations.errors import IntegrityError, NotFound, OutOfSpace, Stopped
from integrations.permitted import Permitted
from integrations.sources import bring

BLOCK = 4096
CONTENT = os.urandom(20 * BLOCK + 7)


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    permitted.say(Permitted(folders=(folder,)))
    monkeypatch.setattr(bring, "BLOCK", BLOCK)
    monkeypatch.setattr(bring, "SAFE_EVERY", 4 * BLOCK)
    monkeypatch.setattr(bring, "share_blocks", lambda *_: False)  # as most file systems say
    yield folder
    permitted.say(Permitted())


class After(threading.Event):
    """Says stop when it was asked so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def is_set(self) -> bool:
        self.times -= 1
        return self.times < 0


def run(
    base: Path, names: list[str], how: str, stop: threading.Event | None = None, **options: Any
) -> dict[str, Any]:
    home = base.parent
    (home / "into").mkdir(exist_ok=True)
    sizes = [{"path": name, "size": (base / name).stat().st_size} for name in names]
    if options.pop("gone", False):
        (base / names[0]).unlink()
    spec = {
        "events": str(home / "events.jsonl"),
        "into": str(home / "into"),
        "options": {"disk_reserve": options.pop("reserve", 0)},
        "plan": {
            "commit": "c",
            "files": sizes,
            "options": {"how": how, "base": str(base), "names": dict(zip(names, names, strict=True))}
            | options,
        },
    }
    return bring.program(spec, EventWriter(spec["events"]), stop or threading.Event())


def test_a_copy_goes_on_behind_what_is_safely_on_the_disk(disk: Path) -> None:
    (disk / "x.gguf").write_bytes(CONTENT)
    with pytest.raises(Stopped):
        run(disk, ["x.gguf"], "copy", After(10))
    [part] = (disk.parent / "into" / ".transfer").iterdir()
    with part.open("r+b") as file:  # what was written last never reached the disk
        file.seek(8 * BLOCK)
        file.write(bytes(3 * BLOCK))
    [file] = run(disk, ["x.gguf"], "copy")["files"]
    assert file["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert (disk.parent / "into" / "x.gguf").read_bytes() == CONTENT
    assert not (disk.parent / "into" / "x.gguf").samefile(disk / "x.gguf")


def test_an_original_that_changed_meanwhile_is_copied_anew(disk: Path) -> None:
    (disk / "x.gguf").write_bytes(CONTENT)
    with pytest.raises(Stopped):
        run(disk, ["x.gguf"], "copy", After(10))
    other = CONTENT[::-1]
    (disk / "x.gguf").write_bytes(other)
    os.utime(disk / "x.gguf", ns=(1, 1))
    [file] = run(disk, ["x.gguf"], "copy")["files"]
    assert file["sha256"] == hashlib.sha256(other).hexdigest()
    assert (disk.parent / "into" / "x.gguf").read_bytes() == other


@pytest.mark.parametrize("how", ["adopt", "link", "copy"])
def test_files_that_are_proven_are_not_read_again(
    disk: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["a.gguf", "b.gguf", "c.gguf"]
    for name in names:
        (disk / name).write_bytes(name.encode() + CONTENT)
    with pytest.raises(Stopped):
        run(disk, names, how, After(30))
    real = bring.Bringer._moved
    seen: list[int] = []
    monkeypatch.setattr(
        bring.Bringer, "_moved", lambda self, count: (seen.append(count), real(self, count))[1]
    )
    files = run(disk, names, how)["files"]
    assert [file["sha256"] for file in files] == [
        hashlib.sha256(name.encode() + CONTENT).hexdigest() for name in names
    ]
    assert sum(seen) <= 2 * (len(CONTENT) + 10), "the first file was proven before"


def test_what_is_promised_counts_and_a_bad_upload_is_thrown_away(disk: Path) -> None:
    (disk / "x.gguf").write_bytes(CONTENT)
    for how, stays in (("adopt", True), ("copy", True), ("link", False)):
        with pytest.raises(IntegrityError):
            run(disk, ["x.gguf"], how, promised={"x.gguf": "0" * 64})
        assert (disk / "x.gguf").exists() is stays
        assert not (disk.parent / "into" / "x.gguf").exists(), "no name for what is not proven"


def test_a_copy_that_does_not_fit_says_so_before_it_begins(disk: Path) -> None:
    (disk / "x.gguf").write_bytes(CONTENT)
    with pytest.raises(OutOfSpace):
        run(disk, ["x.gguf"], "copy", reserve=2**60)


def test_a_file_that_has_gone_is_named(disk: Path) -> None:
    (disk / "x.gguf").write_bytes(CONTENT)
    with pytest.raises(NotFound, match=r"x\.gguf"):
        run(disk, ["x.gguf"], "adopt", After(10), gone=True)
