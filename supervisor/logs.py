"""What the parts say: prefixed lines on the terminal, and one file each, rotated by size."""

import collections
import contextlib
import os
import re
import sys
import threading
from pathlib import Path
from typing import BinaryIO, TextIO

from integrations.redaction import redact

FILE_BYTES = 5 * 1024**2
FILES_KEPT = 4
LONGEST_LINE = 16 * 1024
QUEUED_LINES = 5000

COLOURS = (36, 32, 35, 33, 34, 96)
ANSI = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]")
CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")


class RotatingFile:
    """`NAME.log`, then `NAME.log.1` … A disk that is full loses lines, never the hub."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None

    def write(self, line: bytes) -> None:
        with contextlib.suppress(OSError):
            if self._file is None:
                self._file = self.path.open("ab", buffering=0)
            if self._file.tell() > FILE_BYTES:
                self._rotate()
                self._file = self.path.open("ab", buffering=0)
            self._file.write(line + b"\n")

    def _rotate(self) -> None:
        self.close()
        for number in range(FILES_KEPT - 1, 0, -1):
            older = Path(f"{self.path}.{number}")
            if older.exists():
                older.replace(f"{self.path}.{number + 1}")
        self.path.replace(f"{self.path}.1")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class Terminal:
    """Writes in a thread of its own: a paused terminal must not stop the parts, whose output we read."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.colour = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._lines: collections.deque[str] = collections.deque()
        self._wake = threading.Condition()
        self._dropped = 0
        self._closing = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="terminal")
        self._thread.start()

    def write(self, line: str) -> None:
        with self._wake:
            if len(self._lines) >= QUEUED_LINES:
                self._dropped += 1
                return
            if self._dropped:
                self._lines.append(f"... {self._dropped} lines were dropped here; the log files have them")
                self._dropped = 0
            self._lines.append(line)
            self._wake.notify()

    def close(self) -> None:
        """Give what is queued two seconds to be written."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(2)

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._lines and not self._closing:
                    self._wake.wait()
                text = "".join(line + "\n" for line in self._lines)
                self._lines.clear()
                last = self._closing
            with contextlib.suppress(OSError, ValueError):  # the reader of our pipe is gone; the files remain
                self._stream.write(text)
                self._stream.flush()
            if last:
                return


class LogBook:
    """Lines of all parts, each to its file and to the terminal. `hub` is the supervisor's own voice."""

    def __init__(self, directory: Path, names: list[str], stream: TextIO | None = None) -> None:
        self._directory = directory
        self._files: dict[str, RotatingFile] = {}
        self._partial: dict[tuple[str, int], bytes] = {}
        self._width = max(map(len, ["hub", *names]))
        self._colours = dict(zip(names, COLOURS * len(names), strict=False))
        self.terminal = Terminal(stream or sys.stdout)

    def path(self, name: str) -> Path:
        return self._directory / f"{name}.log"

    def hub(self, text: str) -> None:
        self._line("hub", text)

    def feed(self, name: str, stream: int, data: bytes) -> list[str]:
        """Take raw output as it comes; returns the lines that are now complete."""
        *lines, rest = (self._partial.get((name, stream), b"") + data).split(b"\n")
        if len(rest) > LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        self._partial[name, stream] = rest
        return [self._clean(line) for line in lines]

    def end(self, name: str, stream: int) -> list[str]:
        rest = self._partial.pop((name, stream), b"")
        return [self._clean(rest)] if rest else []

    def say(self, name: str, lines: list[str]) -> None:
        for line in lines:
            self._line(name, line)

    def close(self) -> None:
        self.terminal.close()
        for file in self._files.values():
            file.close()

    @staticmethod
    def _clean(line: bytes) -> str:
        """Without escape codes: a log line may hold what a stranger sent, and terminals obey."""
        return CONTROL.sub(b"?", ANSI.sub(b"", line.rstrip(b"\r"))).decode("utf-8", "replace")

    def _line(self, name: str, line: str) -> None:
        """The last place before the disk: here the parts' output is looked through, whoever wrote it."""
        line = redact(line)
        file = self._files.get(name) or self._files.setdefault(name, RotatingFile(self.path(name)))
        file.write(line.encode())
        prefix = f"{name:<{self._width}} |"
        if self.terminal.colour:
            prefix = f"\x1b[{self._colours.get(name, 1)}m{prefix}\x1b[0m"
        self.terminal.write(f"{prefix} {line}")
