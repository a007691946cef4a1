"""A part of the hub as data, and one running instance of it."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PR_SET_PDEATHSIG = 1  # linux/prctl.h
START_GATE = "MODELHUB_START_GATE"
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Part:
    """A program the supervisor runs.

    `service` runs for ever; `at_start` runs to its end before what names it in `after`; `at_stop` runs once
    when its turn comes in the stop, which goes through the list of parts backwards.
    """

    name: str
    argv: tuple[str, ...]
    kind: Literal["service", "at_start", "at_stop"] = "service"
    after: tuple[str, ...] = ()
    gate: tuple[str, ...] = ()
    """Like `after`, for a program that loads meanwhile: it waits for the end of the pipe in START_GATE."""
    ready: Callable[[], bool] | None = None
    """Asked again and again, in a thread, until true; may block for seconds. None: ready when started."""
    ready_within: float = 60.0
    grace: float = 10.0
    """Seconds between SIGTERM and SIGKILL."""
    death_signal: int = signal.SIGKILL
    """What the kernel sends when the supervisor is killed: SIGTERM only to programs that surely end then."""
    pass_fds: tuple[int, ...] = ()


class Running:
    """One started process of a part, in its own session, so that Ctrl-C reaches the supervisor alone."""

    def __init__(
        self, part: Part, cwd: Path, environment: Mapping[str, str], lock_fds: tuple[int, ...]
    ) -> None:
        self.part = part
        self.since = time.monotonic()
        self.ready = self.announced = False
        self.returncode: int | None = None
        self.stderr_tail: list[str] = []
        self.stdout_lines: list[str] = []
        gate_in, self._gate_out = os.pipe() if part.gate else (-1, -1)
        fds = (*lock_fds, *part.pass_fds)
        if part.gate:
            fds, environment = (*fds, gate_in), {**environment, START_GATE: str(gate_in)}
        parent = os.getpid()

        def die_with_parent() -> None:
            if LIBC is not None:
                LIBC.prctl(PR_SET_PDEATHSIG, part.death_signal)
            if os.getppid() != parent:  # it died between fork and here
                os._exit(1)

        capture = part.kind == "at_start"
        self.process = subprocess.Popen(
            part.argv,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if capture else subprocess.STDOUT,
            start_new_session=True,
            pass_fds=fds,
            preexec_fn=die_with_parent,
        )
        if part.gate:
            os.close(gate_in)
        for stream in self.streams:
            os.set_blocking(stream, False)

    @property
    def is_held(self) -> bool:
        return self._gate_out >= 0

    def open_gate(self) -> None:
        if self.is_held:
            os.close(self._gate_out)
            self._gate_out = -1

    @property
    def streams(self) -> list[int]:
        return [stream.fileno() for stream in (self.process.stdout, self.process.stderr) if stream]

    @property
    def pid(self) -> int:
        return self.process.pid

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def signal_group(self, number: int) -> None:
        """Signal all that the part forked and did not give a session of its own."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def has_ended(self) -> bool:
        """Also kills what an ended part left behind, while the unreaped process keeps its group id taken."""
        if self.returncode is None:
            flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
            if os.waitid(os.P_PID, self.pid, flags) is None:
                return False
            self.signal_group(signal.SIGKILL)
            self.returncode = self.process.wait()
        return True

    def how_it_ended(self) -> str:
        code = self.returncode or 0
        if code < 0:
            with contextlib.suppress(ValueError):
                return f"killed by {signal.Signals(-code).name}"
        return f"exit code {code}"
