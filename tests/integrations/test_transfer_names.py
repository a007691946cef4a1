"""File names from strangers never become places outside the folder, on any system."""

from pathlib import Path

import pytest

from integrations.blobs.names import relative
from integrations.errors import InvalidRef
from integrations.transfer import Download, Outbound, fetch
from integrations.transfer.names import check_names, inside
from tests.support import hostile_names

HOSTILE = [
    "", ".", "..", "/", "//", "../x", "x/../../y", "a/..", "./a", "a/./b", "a//b", "a/", "/etc/passwd",
    "//server/share",
    "~root/.ssh/authorized_keys", "~", "C:", "C:/x", "c:x", "C:\\Windows\\x", "\\\\server\\share\\x",
    "..\\x", "a\\..\\..\\x",
    "a\0b", "\0", "a\nb", "a\rb", "a\tb", "a\x1bb", "a\x7fb", "a\u202eb", "a\u2028b", "a\u200bb", "a\ud800b",
    "CON", "con", "nul", "NUL.txt", "aux.py", "prn", "COM1", "com9.log", "LPT1", "lpt¹", "CONIN$",
    "dir/con/x", "x/nul.tar.gz",
    "con .txt", "a.", "a ", " a", "a./b", "a /b", "...", "a/...", ".transfer", ".transfer/journal",
    ".Transfer/x",
    "file:stream", "a/b:c", "x" * 241, "a/" + "é" * 130, "/".join("d" * 40), "a/" * 600 + "b",
]  # fmt: skip
HARMLESS = [
    "model.safetensors", "a/b/c.json", ".gitattributes", "..a", "a..b", "...a", "con2", "console",
    "auxiliary.py", "nullable.json",
    "ünïcode/模型.bin", "with space.txt", "a&b=c?d#e%2F..%2F.txt", "-rf", "$(id)", "`id`", "com10",
    "transfer/x", "a'b\"c",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused_before_anything_is_written(name: str, tmp_path: Path) -> None:
    into = tmp_path / "outer" / "into"
    with pytest.raises(InvalidRef):
        inside(into, name)
    with pytest.raises(InvalidRef):
        fetch([Download(name, "http://127.0.0.1:9/x", 1)], into, Outbound("http://127.0.0.1:9"))
    assert list(tmp_path.iterdir()) == []


def test_three_hundred_more_are_refused_wherever_a_name_becomes_a_path(tmp_path: Path) -> None:
    for names in hostile_names.HOSTILE:
        with pytest.raises(InvalidRef):
            check_names(names)
        for name in names if len(names) == 1 else []:
            with pytest.raises(InvalidRef):
                inside(tmp_path / "into", name)
            with pytest.raises(InvalidRef):
                relative(name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_names_stay_inside(name: str, tmp_path: Path) -> None:
    place = inside(tmp_path, name)
    assert place.resolve().is_relative_to(tmp_path.resolve())
    assert str(place.relative_to(tmp_path)) == name


@pytest.mark.parametrize(
    "names",
    [
        ["a", "a"],
        ["README.md", "readme.md"],
        ["caf\u00e9", "cafe\u0301"],
        ["straße", "STRASSE"],
        ["a", "a/b"],
        ["A/b", "a"],
        ["x/y/z", "x/y"],
    ],
)
def test_names_that_collide_are_refused(names: list[str]) -> None:
    with pytest.raises(InvalidRef, match="exclude"):
        check_names(names)
    with pytest.raises(InvalidRef, match="exclude"):
        check_names(reversed(names))
