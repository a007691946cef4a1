"""A stream lasts no longer than the right to it, and than somebody who reads it."""

import select
import socket
import time
from collections.abc import Iterator

from flask import Flask, request

from api.errors import Unauthenticated
from api.extensions import db
from api.security.authorise import Identity, look_again
from api.services import gateway

LOOK_EVERY = 1.0


def while_allowed(app: Flask, identity: Identity, frames: Iterator[bytes]) -> Iterator[bytes]:
    """`frames`, ended early when the session or key behind them ends. Looked at once a second."""
    looked = time.monotonic()
    try:
        for frame in frames:
            now = time.monotonic()
            if now - looked > LOOK_EVERY:
                looked = now
                if not _still(app, identity):
                    return
            yield frame
    finally:
        close = getattr(frames, "close", None)
        if close:
            close()


def _still(app: Flask, identity: Identity) -> bool:
    with app.app_context():
        try:
            look_again(identity)
        except Unauthenticated:
            return False
        finally:
            db.session.remove()
    return True


def still_there() -> gateway.Idle:
    """A look at the client's connection while the engine is silent: an end there means it has hung up."""
    client = request.environ.get("gunicorn.socket")
    if not isinstance(client, socket.socket):
        return lambda: None

    def look() -> None:
        poll = select.poll()
        poll.register(client.fileno(), select.POLLIN)
        try:
            if poll.poll(0) and not client.recv(1, socket.MSG_PEEK):
                raise gateway.ClientGone
        except (OSError, ValueError):
            raise gateway.ClientGone from None

    return look
