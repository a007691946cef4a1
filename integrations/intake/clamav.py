"""A client of ClamAV's daemon: files go over its socket (INSTREAM), so that it needs no right to read them.

https://docs.clamav.net/manual/Usage/Scanning.html#clamd
"""

import socket
import struct
from pathlib import Path

from integrations.errors import Unreachable
from integrations.intake.findings import Finding, shown

CHUNK = 1 << 18
SECONDS = 120.0
"""Silence of the scanner that is borne, in seconds."""

LONGEST_ANSWER = 4096


class ScannerAway(Unreachable):
    """The virus scanner is configured and does not answer: nothing passes until it does."""

    code = "SCANNER_UNREACHABLE"


class TooLong(Exception):
    """The scanner takes no stream of this length (its StreamMaxLength)."""


class ClamAV:
    """`address` is the path of a unix socket, or host:port."""

    def __init__(self, address: str, seconds: float = SECONDS) -> None:
        self.address, self.seconds = address, seconds

    def ping(self) -> None:
        """Raises ScannerAway unless it answers."""
        if self._ask(b"zPING\0") != "PONG":
            raise ScannerAway(f"What answers at {self.address} is not ClamAV. See MODELHUB_CLAMAV.")

    def scan(self, path: Path) -> Finding | None:
        """What it found. Raises TooLong, and ScannerAway for everything that is not a clear answer."""
        answer = self._ask(b"zINSTREAM\0", path).removeprefix("stream: ")
        if answer == "OK":
            return None
        if answer.endswith(" FOUND"):
            return Finding("clamav", "dangerous", f"ClamAV found {shown(answer.removesuffix(' FOUND'))}.")
        if "size limit exceeded" in answer:
            raise TooLong
        raise ScannerAway(
            f"ClamAV could not scan {shown(path.name)}: {shown(answer)}. It will be asked again."
        )

    def _ask(self, command: bytes, path: Path | None = None) -> str:
        try:
            with self._connected() as connection:
                connection.sendall(command)
                if path is not None:
                    self._send(connection, path)
                return self._answer(connection)
        except OSError as error:
            raise ScannerAway(
                f"The virus scanner at {self.address} does not answer ({error.strerror or error}). "
                "Files are kept back until it does."
            ) from None

    def _send(self, connection: socket.socket, path: Path) -> None:
        try:
            with path.open("rb") as file:
                while piece := file.read(CHUNK):
                    connection.sendall(struct.pack("!I", len(piece)) + piece)
            connection.sendall(struct.pack("!I", 0))
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has had enough, and says why

    def _answer(self, connection: socket.socket) -> str:
        data = b""
        while not data.endswith(b"\0") and len(data) < LONGEST_ANSWER:
            try:
                piece = connection.recv(LONGEST_ANSWER)
            except ConnectionResetError:
                break
            if not piece:
                break
            data += piece
        if not data:
            raise ScannerAway(
                f"The virus scanner at {self.address} hung up. Files are kept back until it answers."
            )
        return data.rstrip(b"\0\n").decode(errors="replace").strip()

    def _connected(self) -> socket.socket:
        if self.address.startswith("/"):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(self.seconds)
            connection.connect(self.address)
            return connection
        host, _, port = self.address.rpartition(":")
        connection = socket.create_connection((host.strip("[]"), int(port)), timeout=min(self.seconds, 10.0))
        connection.settimeout(self.seconds)
        return connection
