"""Sending a range of a file: as fast as sendfile goes, at a limited rate, or broken on purpose."""

import contextlib
import os
import select
import socket
import ssl
import struct
import time
from pathlib import Path

from tests.support.hub.faults import BODY_KINDS, Fault

BLOCK = 4 << 20
STALL_SECONDS = 120


def send_range(
    client: socket.socket, path: Path, start: int, end: int, *, rate: int, fault: Fault | None
) -> int:
    """Send bytes [start, end) of `path`; returns how many left. `rate` in bytes/s for this connection, 0 =
    free."""
    sent = 0
    with path.open("rb") as file:
        if fault is None or fault.kind not in BODY_KINDS:
            return _send(client, file.fileno(), start, end, rate)
        if fault.kind == "wrong_bytes":
            return _send_flipped(client, file.fileno(), start, end, fault.at)
        until = min(end, start + fault.at)
        sent = _send(client, file.fileno(), start, until, rate)
        if fault.kind == "drip":
            sent += _send(
                client, file.fileno(), until, end, max(1, fault.rate), block=max(1, fault.rate // 4)
            )
        elif fault.kind == "endless":
            sent += _send(client, file.fileno(), until, end, rate)
            with contextlib.suppress(OSError):
                while True:
                    client.sendall(bytes(BLOCK))
                    sent += BLOCK
        elif until < end:
            {"cut": hang_up, "reset": reset, "stall": stall}[fault.kind](client)
    return sent


def _send(client: socket.socket, file: int, start: int, end: int, rate: int, block: int = BLOCK) -> int:
    position, begun = start, time.monotonic()
    if rate:
        block = min(block, max(1, rate // 20))
    while position < end:
        try:
            if isinstance(client, ssl.SSLSocket):
                moved = client.send(os.pread(file, min(block, end - position, 1 << 16), position))
            else:
                moved = os.sendfile(client.fileno(), file, position, min(block, end - position))
        except OSError:
            break
        if moved == 0:
            break
        position += moved
        if rate:
            ahead = (position - start) / rate - (time.monotonic() - begun)
            if ahead > 0 and select.select([client], [], [], ahead)[0]:
                break  # the client hung up: it sends nothing while it receives
    return position - start


def _send_flipped(client: socket.socket, file: int, start: int, end: int, at: int) -> int:
    sent = 0
    with contextlib.suppress(OSError):
        for position in range(start, end, BLOCK):
            block = bytearray(os.pread(file, min(BLOCK, end - position), position))
            if position <= at < position + len(block):
                block[at - position] ^= 1
            client.sendall(block)
            sent += len(block)
    return sent


def hang_up(client: socket.socket) -> None:
    client.shutdown(socket.SHUT_RDWR)


def reset(client: socket.socket) -> None:
    """End the connection with a TCP reset."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(client.detach())  # close() would wait for the handler's own files on this socket


def stall(client: socket.socket) -> None:
    """Say nothing more until the client gives up."""
    select.select([client], [], [], STALL_SECONDS)
