"""A disk that is full, or fills up: exact numbers before, everything kept after."""

import errno
import os
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integrations.errors import OutOfSpace
from integrations.transfer.space import free_bytes
from tests.support.downloads import WEIGHTS, build_model, content, download, plan_of
from tests.support.hub import Hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    root = tmp_path_factory.mktemp("root")
    build_model(root / "org" / "model")
    with Hub(root) as running:
        yield running


def test_too_little_room_is_told_before_the_first_byte(hub: Hub, tmp_path: Path) -> None:
    plan = plan_of(hub)
    reserve = free_bytes(tmp_path) * 2
    with pytest.raises(OutOfSpace, match="Free at least") as caught:
        download(hub, tmp_path, plan, disk_reserve=reserve)
    details = caught.value.details
    assert details["needed"] == plan["bytes_total"]
    assert details["deficit"] == details["needed"] + reserve - details["free"]
    assert hub.requests() == []
    assert content(tmp_path) == {}


@pytest.mark.parametrize(("call", "works"), [("pwrite", 4), ("fdatasync", 2)])
def test_a_disk_that_fills_up_keeps_what_arrived(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, works: int
) -> None:
    """The operating system says ENOSPC at a write (or sync) in the middle."""
    plan, real, count = plan_of(hub), getattr(os, call), 0

    def full(*given: Any) -> Any:
        nonlocal count
        count += 1
        if count > works:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*given)

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OutOfSpace, match="kept"):
        download(hub, tmp_path, plan)
    assert WEIGHTS not in content(tmp_path)
    monkeypatch.undo()
    download(hub, tmp_path, plan)
    assert content(tmp_path) == content(hub.shelf.root / "org" / "model")


def test_no_room_for_the_journal_either(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    plan = plan_of(hub)
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutOfSpace):
        download(hub, tmp_path, plan)
    monkeypatch.undo()
    download(hub, tmp_path, plan)
    assert content(tmp_path) == content(hub.shelf.root / "org" / "model")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a file system takes root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_real_disk_that_others_fill_up_meanwhile(tmp_path: Path, small_disk: Path) -> None:
    """Two files of 5 MB; while the first arrives, somebody takes the room of the second."""
    folder = tmp_path / "root" / "org" / "model"
    folder.mkdir(parents=True)
    for name in ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"):
        (folder / name).write_bytes(random.Random(name).randbytes(5_000_000))
    into, filler = small_disk / "into", small_disk / "filler"
    with Hub(tmp_path / "root") as hub:
        plan = plan_of(hub)
        begin = hub.begin

        def fill_up(**fields: Any) -> dict[str, Any]:
            if fields["server"] == "cdn" and not filler.exists():
                filler.write_bytes(bytes(free_bytes(small_disk) - 1_000_000))
            return begin(**fields)

        hub.begin = fill_up  # type: ignore[method-assign]
        with pytest.raises(OutOfSpace, match="kept"):
            download(hub, into, plan, connections=1)
        hub.begin = begin  # type: ignore[method-assign]
        there = sum(path.stat().st_blocks * 512 for path in into.rglob("*") if path.is_file())
        assert there >= 5_000_000, "what has arrived is kept"
        filler.unlink()
        hub.clear()
        download(hub, into, plan, connections=1)
        while any("ended" not in entry for entry in hub.requests()):
            time.sleep(0.01)
        assert hub.bytes_sent("cdn") == 5_000_000, "and is not fetched again"
    assert content(into) == content(folder)
