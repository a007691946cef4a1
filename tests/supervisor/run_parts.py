"""Runs the real supervision over parts given as JSON: `run_parts.py HOME PARTS_JSON`."""

import json
import os
import sys
from pathlib import Path

from supervisor.environment import ROOT
from supervisor.errors import CannotStart
from supervisor.lock import HubLock
from supervisor.logs import LogBook
from supervisor.part import Part
from supervisor.supervision import Supervision


def part_of(spec: dict) -> Part:
    touched = spec.pop("ready_file", None)
    spec["argv"] = (sys.executable, *spec["argv"])
    spec["after"] = tuple(spec.get("after", ()))
    return Part(**spec, ready=(lambda: Path(touched).exists()) if touched else None)


def main() -> int:
    home = Path(sys.argv[1])
    for directory in (home, home / "run", home / "logs"):
        directory.mkdir(exist_ok=True)
    parts = [part_of(spec) for spec in json.loads(sys.argv[2])]
    lock = HubLock(home / "run")
    log = LogBook(home / "logs", [part.name for part in parts])
    try:
        lock.acquire("http://127.0.0.1:1")
        Supervision(
            parts,
            cwd=ROOT,
            environment=dict(os.environ),
            log=log,
            lock_fds=(lock.fd,),
            started=lock.note_part,
            prepared=lambda name, lines: log.hub(f"{name} answered {lines}"),
        ).run(lambda: (lock.announce(), log.hub("all ready")))
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        log.close()
    lock.release()
    return 0


if __name__ == "__main__":
    sys.exit(main())
