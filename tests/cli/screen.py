"""`modelhub` on a real terminal (a pty): what a person sees, types and interrupts."""

import os
import pty
import re
import select
import subprocess
import termios
import time

_STYLES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Screen:
    def __init__(self, argv: list[str], environment: dict[str, str]) -> None:
        self._fd, inner = pty.openpty()
        settings = termios.tcgetattr(inner)
        settings[3] &= ~termios.ECHO  # what is typed would be found as if it had been said
        termios.tcsetattr(inner, termios.TCSANOW, settings)
        self.process = subprocess.Popen(
            argv,
            env={**environment, "TERM": "xterm"},
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
            preexec_fn=lambda: _take_terminal(inner),
        )
        os.close(inner)
        self.seen = ""
        self._from = 0

    def see(self, words: str, seconds: float = 60) -> str:
        """Wait until `words` appear after what was seen before; returns all since then."""
        deadline = time.monotonic() + seconds
        while (at := self.seen.find(words, self._from)) < 0:
            if not self._read(deadline - time.monotonic()):
                raise AssertionError(f"{words!r} was not said, but:\n{self.seen}")
        part, self._from = self.seen[self._from : at + len(words)], at + len(words)
        return part

    def type(self, words: str) -> None:
        os.write(self._fd, words.encode())

    def interrupt(self) -> None:
        self.type("\x03")

    def interrupt_until(self, words: str) -> None:
        """Ctrl-C as a person does it: again when nothing happens. Python loses one that arrives after the
        prompt is drawn and before `input` waits for a key."""
        for _ in range(60):
            self.interrupt()
            while words not in self.seen[self._from :] and self._read(1):
                pass
            if words in self.seen[self._from :]:
                self.see(words)
                return
        raise AssertionError(f"{words!r} was not said, but:\n{self.seen}")

    def end(self) -> int:
        """Read to the end; the exit code."""
        while self._read(60):
            pass
        return self.process.wait(60)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._fd)

    def _read(self, seconds: float) -> bool:
        if not select.select([self._fd], [], [], max(seconds, 0))[0]:
            return False
        try:
            raw = os.read(self._fd, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            return False
        self.seen += _STYLES.sub("", raw.decode(errors="replace")).replace("\r\n", "\n")
        return bool(raw)


def _take_terminal(inner: int) -> None:
    import fcntl

    fcntl.ioctl(inner, termios.TIOCSCTTY, 0)
