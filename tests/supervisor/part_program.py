"""A stand-in part: notes what happens to it in a journal, and misbehaves as told.

part_program.py JOURNAL NAME [--fork] [--own-session] [--deaf] [--die-after SECONDS] [--once CODE]
    [--touch FILE] [--say TEXT]
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("journal")
    parser.add_argument("name")
    parser.add_argument("--fork", action="store_true", help="fork a helper that ignores SIGTERM")
    parser.add_argument("--own-session", action="store_true", help="start a child that outlives us")
    parser.add_argument("--deaf", action="store_true", help="ignore SIGTERM")
    parser.add_argument("--die-after", type=float)
    parser.add_argument("--once", type=int, help="end at once with this code")
    parser.add_argument("--touch", help="make this file: we are ready")
    parser.add_argument("--say", default="")
    options = parser.parse_args()

    def note(what: str, pid: int | None = None) -> None:
        fd = os.open(options.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(fd, f"{what} {options.name} {pid or os.getpid()}\n".encode())
        os.close(fd)

    def end(*_: object) -> None:
        note("stop")
        sys.exit(0)

    signal.signal(signal.SIGTERM, signal.SIG_IGN if options.deaf else end)
    if options.fork:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        note("helper", pid)
    if options.own_session:
        sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
        note("survivor", subprocess.Popen(sleeper, start_new_session=True, stdout=subprocess.DEVNULL).pid)
    note("start")
    if options.say:
        print(options.say, file=sys.stderr, flush=True)
    if options.once is not None:
        note("stop")
        sys.exit(options.once)
    if options.touch:
        Path(options.touch).touch()
    print(f"{options.name} says \x1b[31mhello\x1b[0m", flush=True)
    time.sleep(600 if options.die_after is None else options.die_after)
    sys.exit(7)


if __name__ == "__main__":
    main()
