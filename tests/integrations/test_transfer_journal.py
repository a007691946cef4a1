"""What the journal remembers after a crash of the process, of the machine, and of the journal itself."""

from pathlib import Path

import pytest

from integrations.transfer import journal as module
from integrations.transfer.journal import Journal
from integrations.transfer.ranges import Ranges

PLAN = "a plan"


def filled(path: Path) -> Journal:
    journal = Journal(path, PLAN)
    journal.written(0, 0, 0, 100, '"etag"')
    journal.written(0, 0, 500, 600, '"etag"')
    journal.synced([(0, 0, Ranges([(0, 100)]), '"etag"')])
    journal.written(1, 0, 0, 50, None)
    return journal


def test_after_the_death_of_a_process_everything_written_counts(tmp_path: Path) -> None:
    filled(tmp_path / "journal")
    for _ in range(3):  # each opening rewrites it, and loses nothing
        files = Journal(tmp_path / "journal", PLAN).files
        assert list(files[0].ranges) == [(0, 100), (500, 600)]
        assert list(files[0].synced) == [(0, 100)]
        assert files[0].etag == '"etag"'
        assert list(files[1].ranges) == [(0, 50)]


def test_after_a_reboot_only_what_was_synced_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path / "journal")
    (tmp_path / "boot_id").write_text("another boot\n")
    monkeypatch.setattr(module, "BOOT_ID", tmp_path / "boot_id")
    files = Journal(tmp_path / "journal", PLAN).files
    assert list(files[0].ranges) == list(files[0].synced) == [(0, 100)]
    assert 1 not in files


def test_a_restart_voids_what_came_before(tmp_path: Path) -> None:
    journal = filled(tmp_path / "journal")
    journal.restarted(0, 1)
    journal.written(0, 0, 700, 800, None)  # a worker that was late
    journal.written(0, 1, 5, 10, None)
    files = Journal(tmp_path / "journal", PLAN).files
    assert (files[0].generation, list(files[0].ranges)) == (1, [(5, 10)])
    assert files[0].etag is None


def test_a_proof_is_remembered(tmp_path: Path) -> None:
    filled(tmp_path / "journal").proven([(1, 0, "f" * 64)])
    assert Journal(tmp_path / "journal", PLAN).files[1].proven == "f" * 64


def test_the_journal_of_another_plan_is_not_ours(tmp_path: Path) -> None:
    filled(tmp_path / "journal")
    assert Journal(tmp_path / "journal", "another plan").files == {}


def test_cut_anywhere_it_still_opens_and_never_claims_more(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    filled(path)
    whole = path.read_bytes()
    allowed = set(range(100)) | set(range(500, 600))
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        files = Journal(path, PLAN).files
        if 0 in files:
            assert {byte for a, b in files[0].ranges for byte in range(a, b)} <= allowed


@pytest.mark.parametrize(
    "garbage",
    [b"\xff\xfe\n", b"[]\n", b"{}\n", b'{"file":"x"}\n', b'{"file":0,"generation":0,"ranges":[["a",1]]}\n'],
)
def test_garbage_between_lines_is_passed_over(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "journal"
    filled(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + garbage + b"".join(lines[1:]))
    assert list(Journal(path, PLAN).files[0].ranges) == [(0, 100), (500, 600)]
