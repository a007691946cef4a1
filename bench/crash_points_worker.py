"""The worker killed in the system calls by which it takes a model into the library, and then run again.

`python -m bench.crash_points` runs this after the fetching program. strace follows the worker alone: its
children live on, as they do when a worker is killed, and the next one takes them over.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.downloads import content
from tests.support.hub import Hub

ROOT = Path(__file__).parents[1]
CALLS = {"rename": 1, "link": 4, "mkdir": 2, "unlinkat": 3, "fsync": 1, "fdatasync": 5, "pwrite64": 12}
"""Each with its step. The last two are SQLite's commits: many, and much alike."""


@dataclass(frozen=True)
class Point:
    """One death: `wrong` names what was promoted wrongly, `lost` whether the next run failed to repair."""

    call: str
    number: int
    died: bool
    wrong: tuple[str, ...] = ()
    lost: bool = False


class Worker:
    """A hub's home with one queued download, copied for each death."""

    def __init__(self, hub: Hub, folder: Path) -> None:
        self.hub, self.folder, self.home = hub, folder, folder / "home"
        self.original = content(hub.shelf.root / "org" / "model")
        self.job = self._prepare()

    def point(self, call: str, number: int) -> Point:
        """Die at this point, look, and run again: one model, one version, the right bytes, nothing left."""
        home = self.folder / f"worker-{call}-{number}" / "home"
        shutil.copytree(self.home, home)
        inject = ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                  "-e", f"inject={call}:signal=SIGKILL:when={number}"]  # fmt: skip
        died = self._run(home, inject) is None
        shelves = [content(shelf) for shelf in (home / "models").iterdir()]
        wrong = tuple(
            path for shelf in shelves for path, digest in shelf.items() if self.original.get(path) != digest
        )
        state = self._run(home, [])
        right = {
            "job": "completed", "models": 1, "versions": [self.original], "shelves": 1, "incoming": [],
        }  # fmt: skip
        shutil.rmtree(home.parent)
        return Point(call, number, died, wrong, state != right)

    def _prepare(self) -> str:
        code = "import sys; from bench.crash_points_worker import prepare; prepare(*sys.argv[1:])"
        command = [sys.executable, "-c", code, str(self.home), self.hub.url]
        ran = subprocess.run(command, cwd=ROOT, env=self._environment(), check=True, capture_output=True)
        return ran.stdout.decode().split()[-1]

    def _run(self, home: Path, before: list[str]) -> dict[str, Any] | None:
        """What the worker said at its end; None when it was killed."""
        command = [
            *before,
            sys.executable,
            "-m",
            "tests.support.worker_run",
            str(home),
            self.hub.url,
            self.job,
        ]
        ran = subprocess.run(command, cwd=ROOT, env=self._environment(), capture_output=True, timeout=120)
        return json.loads(ran.stdout.splitlines()[-1]) if ran.returncode == 0 else None

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "HF_ENDPOINT": self.hub.url, "PYTHONDONTWRITEBYTECODE": "1"}


def prepare(home: str, endpoint: str) -> None:
    """Make a home with a queued download of org/model, and say which job it is."""
    from api import create_app
    from api.extensions import db
    from api.prepare import prepare as make
    from api.schemas.downloads import DownloadRequest
    from api.security.authorise import identify
    from api.services import downloads, jobs
    from tests.support.worker_run import chosen

    jobs.ring = lambda *_: None  # type: ignore[assignment]
    application = create_app(chosen(Path(home), endpoint), serves=False)
    make(application)
    with application.app_context():
        who = identify((Path(home) / "local-token").read_text())
        print(downloads.request(DownloadRequest(ref="org/model"), who).job_id)
        db.session.remove()
        db.engine.dispose()
