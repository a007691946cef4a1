"""The gate against ClamAV's own daemon, with one signature of ours in place of its database."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrations.intake import check
from integrations.intake.clamav import ClamAV, ScannerAway
from tests.support.downloads import weights

CLAMD = shutil.which("clamd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
SIGN = b"modelhub-test-signature"
LIMIT = 2 * 2**20


def await_answer(client: ClamAV, running: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            return client.ping()
        except ScannerAway:
            said = log.read_text() if log.exists() else ""
            assert running.poll() is None and time.monotonic() < until, said
            time.sleep(0.05)


@pytest.fixture(scope="module")
def clamd() -> Iterator[ClamAV]:
    if CLAMD is None:
        pytest.skip("clamd is not installed (apt install clamav-daemon)")
    # Not pytest's folder: the path of a unix socket is short.
    with tempfile.TemporaryDirectory(prefix="clamd-") as name:
        folder = Path(name)
        (folder / "db").mkdir()
        (folder / "db" / "own.ndb").write_text(f"Test.Sign:0:*:{SIGN.hex()}\n")
        conf = folder / "clamd.conf"
        conf.write_text(
            f"Foreground yes\nLocalSocket {folder}/clamd.sock\nDatabaseDirectory {folder}/db\n"
            f"LogFile {folder}/clamd.log\nStreamMaxLength {LIMIT}\nMaxThreads 2\n"
        )
        running = subprocess.Popen([CLAMD, "--config-file", str(conf)], stdout=subprocess.DEVNULL)
        try:
            client = ClamAV(f"{folder}/clamd.sock", seconds=20)
            await_answer(client, running, folder / "clamd.log")
            yield client
        finally:
            running.terminate()
            running.wait(20)


def test_what_it_knows_is_held_and_what_is_clean_passes(clamd: ClamAV, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(weights(10_000))
    (tmp_path / "README.md").write_bytes(b"# A model\n")
    (tmp_path / "notes.txt").write_bytes(b"before " + SIGN + b" after")
    checked = check(tmp_path, clamav=clamd)
    assert [file["path"] for file in checked.held] == ["notes.txt"]
    found = checked.held[0]["findings"][0]
    assert (found["scanner"], found["severity"]) == ("clamav", "dangerous") and "Test.Sign" in found[
        "message"
    ]
    assert not checked.warnings


def test_what_is_longer_than_it_takes_passes_only_if_it_was_parsed(clamd: ClamAV, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(weights(8 * 2**20))
    (tmp_path / "state.bin").write_bytes(b"\x00\x01\x02\xff" * (LIMIT // 2))
    checked = check(tmp_path, clamav=clamd)
    assert [file["path"] for file in checked.held] == ["state.bin"]
    assert "StreamMaxLength" in checked.held[0]["findings"][-1]["message"]
    assert any(
        "model.safetensors is larger than the virus scanner takes" in said for said in checked.warnings
    )
