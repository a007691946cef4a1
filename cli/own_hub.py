"""The hub of this machine's data directory as a process: find it, start it, stop it."""

import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.errors import CliError
from cli.places import ROOT

_SIGN_IN = re.compile(r"^\| (E-mail|Password)\s+(\S+)")
START_SECONDS = 600
"""The first start migrates the database and may be slow on a slow disk; a hang is still noticed."""


def argv(*words: str) -> list[str]:
    # -P: a folder called `supervisor` in the current directory must not be taken for ours.
    return [sys.executable, "-P", "-m", "supervisor", *words]


def environment(**changes: object) -> dict[str, str]:
    """Ours with `changes` (None leaves one as it is), and the project findable from whatever directory."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    given = {name: str(value) for name, value in changes.items() if value is not None}
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **given}


def running(home: Path) -> dict[str, Any] | None:
    """`{"pid", "url", …}` of the hub that has this home, waited for while it starts; None without one."""
    from supervisor.lock import HubLock, is_process

    lock = HubLock(home / "run")
    while is_process(holder := lock.read()):
        if (home / "run" / "hub.json").exists():
            return holder
        time.sleep(0.1)
    return None


@dataclass
class Started:
    """A hub that we started. `sign_in` is (e-mail, password) when this was its very first start."""

    process: subprocess.Popen[str]
    home: Path
    url: str = ""
    sign_in: tuple[str, str] | None = None
    said: list[str] = field(default_factory=list)

    def stop(self) -> None:
        """SIGTERM and wait: the supervisor ends its parts in order, and kills what does not end."""
        self.process.terminate()
        self.process.wait()


def start(home: Path, **changes: object) -> Started:
    """Start a hub in the background; returns when it serves. `CliError` says why it cannot."""
    process = subprocess.Popen(
        argv(),
        env=environment(MODELHUB_HOME=home, **changes),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # our Ctrl-C is not its Ctrl-C
    )
    hub = Started(process, home)
    threading.Thread(target=_listen, args=(hub,), daemon=True).start()
    try:
        _await_ready(hub)
    except BaseException:
        hub.stop()
        raise
    return hub


def _listen(hub: Started) -> None:
    """Keep the last lines. The supervisor goes on quietly when we, its reader, are gone."""
    assert hub.process.stdout  # noqa: S101 - for the type checker
    for line in hub.process.stdout:
        hub.said.append(line.rstrip("\n"))
        del hub.said[:-200]


def _await_ready(hub: Started) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not any(line.startswith("| Console") for line in hub.said):
        if hub.process.poll() is not None or time.monotonic() > deadline:
            time.sleep(0.2)  # its last line may still be on its way to us
            last = next((line for line in reversed(hub.said) if line.strip()), "it said nothing.")
            raise CliError(
                f"The hub did not start: {last} Its log is in {hub.home / 'logs'}.", code="HUB_FAILED"
            )
        time.sleep(0.05)
    found = running(hub.home)
    if found is None:
        raise CliError(f"The hub ended as soon as it had started. Its log is in {hub.home / 'logs'}.")
    hub.url = str(found["url"])
    box = {match[1]: match[2] for line in hub.said if (match := _SIGN_IN.match(line))}
    if "Password" in box:
        hub.sign_in = (box["E-mail"], box["Password"])
