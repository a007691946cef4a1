"""More than three hundred hostile names through the real program, under strace: no path outside the folder is
opened, made or even looked at."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.downloads import build_model, plan_of
from tests.support.hostile_names import HOSTILE
from tests.support.hub import Hub

ROOT = Path(__file__).parents[2]
PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')
CODE = (sys.prefix, sys.base_prefix, str(ROOT), "/usr/lib", "/lib", "/etc/ld.so")
"""What Python may still load, or look for, on the way to an error message."""


def need_strace() -> None:
    if shutil.which("strace") is None:
        if os.environ.get("MODELHUB_CI"):
            pytest.fail("strace is missing: apt-get install strace")
        pytest.skip("strace is not installed")


def named(plan: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """The plan, with a file under each of these names."""
    file = next(file for file in plan["files"] if file["path"] == "config.json")
    return {**plan, "files": [{**file, "path": name} for name in names]}


def test_no_hostile_name_opens_anything_outside_the_folder(tmp_path: Path) -> None:
    need_strace()
    build_model(tmp_path / "root" / "org" / "model", weights_bytes=1000)
    store, outside = tmp_path / "store", tmp_path / "outside"
    store.mkdir()
    outside.mkdir()
    with Hub(tmp_path / "root") as hub:
        plan = plan_of(hub)
        specs = []
        for number, names in enumerate([["config.json"], *HOSTILE]):
            into = store / "into" / str(number)
            events = str(store / "events.jsonl")
            specs.append({"events": events, "into": str(into), "plan": named(plan, names), "options": {}})
        file = tmp_path / "specs.json"
        file.write_text(json.dumps(specs))
        log = tmp_path / "trace"
        command = ["strace", "-f", "-qq", "-s", "9999", "-e", "trace=%file", "-o", str(log), sys.executable,
                   "-m", "tests.support.hostile_fetches", str(file)]  # fmt: skip
        quiet = {"HF_ENDPOINT": hub.url, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **quiet}, capture_output=True, text=True, timeout=120
        )
        asked = len(hub.requests())
    assert done.returncode == 0, done.stderr[-2000:]
    ends = json.loads(done.stdout)
    assert len(HOSTILE) >= 300
    assert ends == ["FETCHED", *["INVALID_REF"] * len(HOSTILE)]
    assert asked == 1, "nothing was asked for"
    lines = log.read_text(errors="replace").splitlines()
    begin = next(n for n, line in enumerate(lines) if "/begin-hostile" in line)
    end = next(n for n, line in enumerate(lines) if "/end-hostile" in line)
    touched = {path for line in lines[begin + 1 : end] for path in PATH.findall(line)}
    assert touched, "strace saw the event file being opened"
    elsewhere = {path for path in touched if not path.startswith((str(store), *CODE))}
    assert elsewhere == set()
    assert not any("escaped" in path for path in touched)
    assert [entry.name for entry in (store / "into").iterdir()] == ["0"], "not even a folder"


@pytest.mark.parametrize("target", ["outside", "nowhere"])
def test_a_planted_link_leads_nowhere(tmp_path: Path, target: str) -> None:
    """A folder in the way that is a link: nothing is written through it."""
    (tmp_path / "root" / "org" / "model" / "link" / "deep").mkdir(parents=True)
    (tmp_path / "root" / "org" / "model" / "link" / "deep" / "x.json").write_text("{}")
    into, outside = tmp_path / "into", tmp_path / "outside"
    into.mkdir()
    outside.mkdir()
    (into / "link").symlink_to(tmp_path / target)
    with Hub(tmp_path / "root") as hub:
        spec = {
            "events": str(tmp_path / "events.jsonl"),
            "into": str(into),
            "plan": plan_of(hub),
            "options": {},
        }
        (tmp_path / "spec.json").write_text(json.dumps(spec))
        command = [sys.executable, "-m", "integrations.sources.fetch", str(tmp_path / "spec.json")]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "HF_ENDPOINT": hub.url}, timeout=60)
    last = json.loads((tmp_path / "events.jsonl").read_text().splitlines()[-1])
    assert (last["type"], last.get("code")) == ("error", "INVALID_REF")
    assert list(outside.iterdir()) == [] and not (tmp_path / "nowhere").exists()
