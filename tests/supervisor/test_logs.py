"""Lines on the terminal and in files."""

import contextlib
import io
import os
from pathlib import Path

import pytest

from supervisor import logs
from supervisor.logs import LogBook


def book(directory: Path, stream: io.StringIO | None = None) -> LogBook:
    return LogBook(directory, ["web", "worker"], stream or io.StringIO())


def test_lines_are_prefixed_and_kept_without_what_terminals_obey(tmp_path: Path) -> None:
    stream = io.StringIO()
    log = book(tmp_path, stream)
    log.say("web", log.feed("web", 1, b"\x1b[31mred\x1b[0m\tand \x07\x1b]0;title\nhal"))
    log.say("web", log.feed("web", 1, b"f\r\nrest"))
    log.say("web", log.end("web", 1))
    log.close()
    assert stream.getvalue().splitlines() == [
        "web    | red\tand ??]0;title",
        "web    | half",
        "web    | rest",
    ]
    assert (tmp_path / "web.log").read_text().splitlines() == ["red\tand ??]0;title", "half", "rest"]


def test_bytes_that_are_no_text_and_lines_without_end_do_no_harm(tmp_path: Path) -> None:
    log = book(tmp_path)
    assert log.feed("web", 1, b"\xff\n") == ["�"]
    assert [len(line) for line in log.feed("web", 1, b"x" * (logs.LONGEST_LINE + 1))] == [
        logs.LONGEST_LINE + 1
    ]
    log.close()


def test_files_are_rotated_and_the_oldest_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES", 100)
    log = book(tmp_path)
    for number in range(60):
        log.say("web", [f"{number:04} " + "." * 45])
    log.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["web.log", *(f"web.log.{number}" for number in range(1, logs.FILES_KEPT + 1))]
    newest = (tmp_path / "web.log").read_text() + (tmp_path / "web.log.1").read_text()
    assert "0059" in newest and "0000" not in "".join(p.read_text() for p in tmp_path.iterdir())


def test_a_terminal_nobody_reads_holds_nobody_up(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    stream = os.fdopen(writer, "w")
    with os.fdopen(reader) as reading:
        log = book(tmp_path, stream)
        lines = logs.QUEUED_LINES * 3
        for number in range(lines):
            log.say("web", [f"{number} " + "." * 80])  # far more than a pipe holds
        assert len((tmp_path / "web.log").read_text().splitlines()) == lines
        assert reading.readline().startswith("web    | 0 ")
        line = ""
        while "dropped" not in line:
            log.say("web", ["after"])
            line = reading.readline()
            assert "after" not in line
        assert "lines were dropped here; the log files have them" in line
    log.say("web", ["the reader is gone"])
    log.close()
    with contextlib.suppress(BrokenPipeError):
        stream.close()
    assert (tmp_path / "web.log").read_text().endswith("the reader is gone\n")
