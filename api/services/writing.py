"""Writing one answer: read the engine, journal what it says, settle the row at the end.

A `Writer` belongs to nobody's connection. It ends when the engine ends, when somebody stops it from anywhere,
or when another process takes over its answer (then it is silent). One watcher thread per process gives signs
of life for all its writers and hears requests to stop.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import psutil
import redis
import structlog
from flask import Flask

from api.errors import AppError, StaleFence, describe
from api.extensions import db
from api.models import ChatMessage, ChatSession
from api.services import gateway, journal, prompts
from api.unit_of_work import unit_of_work
from integrations.errors import IntegrationError, Stopped
from integrations.providers import PROVIDERS
from integrations.providers.openai_compatible import ChatStream, Piece

log = structlog.get_logger(__name__)

WATCH_SECONDS = 0.5
REDIS_PAUSE = 1.0
"""Seconds a writer goes on without its journal before it tries Redis again."""
SETTLE_TRIES = 10

_writers: dict[str, "Writer"] = {}
_lock = threading.Lock()
_watching = False


class Writer:
    """Writes the answer `message_id`, beginning after `text`; `keep` is called twice a second meanwhile."""

    def __init__(
        self, app: Flask, message_id: str, owner: str, *, text: str = "", ttft_ms: int | None = None,
        began: float | None = None, keep: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self.message_id, self.owner, self.keep = message_id, owner, keep
        self.status = "generating"
        self._app = app
        self._parts = [text] if text else []
        self._length = self._journaled = len(text)
        self._began = time.time() if began is None else began
        self._ttft = ttft_ms
        self._stream: ChatStream | None = None
        self._stopping = self._abandoned = False
        self._redis_from = 0.0
        self._reason: str | None = None
        self._usage: dict[str, int] = {}

    def stop(self) -> None:
        """End here and keep what is written; from any thread."""
        self._stopping = True
        if self._stream:
            self._stream.close()

    def abandon(self) -> None:
        """Let go without a word: somebody else goes on with this answer."""
        self._abandoned = True
        self.stop()

    def write(self) -> dict[str, Any] | None:
        """To the end. The error the answer failed with, if it did."""
        _register(self)
        status, error = "failed", None
        with self._app.app_context():
            try:
                status = self._generate()
            except StaleFence:
                self._abandoned = True
            except Stopped:
                status = "stopped"
            except Exception as problem:
                status, error = "failed", describe(problem)
                if not isinstance(problem, AppError | IntegrationError):
                    log.exception("an answer failed", message_id=self.message_id)
            finally:
                db.session.remove()
            try:
                if not self._abandoned:
                    self._settle(status, error)
            finally:
                _unregister(self)
                db.session.remove()
        return error

    def _generate(self) -> str:
        message = db.session.get(ChatMessage, self.message_id)
        session = db.session.get(ChatSession, message.session_id) if message else None
        if message is None or session is None or message.status != "generating":
            raise StaleFence("There is nothing left to write here.")
        route = gateway.route_to(session.deployment_id, session.deployment_name)
        payload = prompts.payload(session, message, "".join(self._parts))
        payload["model"] = route.name
        db.session.remove()  # no connection is held while the engine thinks
        self._look()
        self._stream = PROVIDERS["openai_compatible"].stream(
            route.endpoint, route.api_key, payload, self._look
        )
        for piece in self._stream:
            self._take(piece)
            self._look()
        return "complete"

    def _look(self) -> None:
        if self._stopping:
            raise Stopped("The answer was stopped.")

    def _take(self, piece: Piece) -> None:
        if piece.text:
            if self._ttft is None:
                self._ttft = self._since()
            text = _storable(piece.text)
            self._parts.append(text)
            self._length += len(text)
            self._journal()
        self._reason = piece.finish_reason or self._reason
        self._usage = piece.usage or self._usage

    def _journal(self) -> None:
        """Append what is not in the journal yet. Without Redis, writing goes on and catches up later."""
        if time.monotonic() < self._redis_from:
            return
        try:
            while self._journaled < self._length:
                start, text = self._journaled, self._from(self._journaled)
                length = journal.append(self.message_id, self.owner, start, text, self._since())
                if length > self._length:
                    raise StaleFence("Another process has written further.")
                self._journaled = length
        except redis.RedisError:
            self._redis_from = time.monotonic() + REDIS_PAUSE

    def _from(self, start: int) -> str:
        """The text after `start`; usually that is just the last part."""
        last = self._parts[-1]
        if start == self._length - len(last):
            return last
        self._parts = ["".join(self._parts)]
        return self._parts[0][start:]

    def _settle(self, status: str, error: dict[str, Any] | None) -> None:
        """The one write to the row. Nothing is told before it is true."""
        for attempt in range(SETTLE_TRIES):
            try:
                self._redis_from = 0.0
                self._journal()
                self._commit(status, error)
                break
            except StaleFence:
                return
            except Exception:
                log.warning(
                    "an answer could not be saved; trying again", message_id=self.message_id, exc_info=True
                )
                db.session.remove()
                if attempt == SETTLE_TRIES - 1:
                    raise
                time.sleep(min(2**attempt * 0.25, 10))
        self.status = status
        try:
            journal.finish(self.message_id, self._length)
        except redis.RedisError:
            log.warning("the end of an answer is not in the journal; readers see it in the row")

    def _commit(self, status: str, error: dict[str, Any] | None) -> None:
        with unit_of_work():
            row = db.session.get(ChatMessage, self.message_id)
            if row is None or row.status != "generating":
                raise StaleFence("Somebody else has ended this answer.")
            row.content, row.status, row.error = "".join(self._parts), status, error
            row.finish_reason = "stop" if status == "complete" and not self._reason else self._reason
            row.prompt_tokens = self._usage.get("prompt_tokens")
            row.completion_tokens = self._usage.get("completion_tokens")
            row.ttft_ms, row.duration_ms = self._ttft, self._since()

    def _since(self) -> int:
        return max(0, round((time.time() - self._began) * 1000))


def running(message_id: str) -> Writer | None:
    """The writer of this answer, if it is in this process."""
    return _writers.get(message_id)


@lru_cache(maxsize=4)
def _name(pid: int) -> str:
    return f"web:{socket.gethostname()}:{pid}:{psutil.Process(pid).create_time():.2f}"


def process_name() -> str:
    """This process as an owner of answers: host, pid and start time."""
    return _name(os.getpid())


def is_process_here(owner: str) -> bool | None:
    """Whether the process that `process_name` named lives; None when it is another machine's."""
    _, host, pid, started = owner.split(":", 3)
    if host != socket.gethostname():
        return None
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(started)) < 0.1
    except psutil.NoSuchProcess:
        return False


def _register(writer: Writer) -> None:
    global _watching
    with _lock:
        _writers[writer.message_id] = writer
        start, _watching = not _watching, True
    if start:
        threading.Thread(target=_watch, args=(writer._app,), name="generations", daemon=True).start()


def _unregister(writer: Writer) -> None:
    with _lock:
        if _writers.get(writer.message_id) is writer:
            del _writers[writer.message_id]


def _watch(app: Flask) -> None:
    global _watching
    while True:
        with _lock:
            writers = list(_writers.values())
            if not writers:
                _watching = False
                return
        with app.app_context():
            _beat(writers)
        time.sleep(WATCH_SECONDS)


def _beat(writers: list[Writer]) -> None:
    try:
        for writer, stop in zip(writers, journal.signs_of_life([w.message_id for w in writers]), strict=True):
            if stop:
                writer.stop()
    except redis.RedisError:
        pass  # nobody can take over without Redis either
    for writer in writers:
        if writer.keep:
            try:
                writer.keep()
            except Exception:
                log.warning("a lease could not be renewed", exc_info=True)
            finally:
                db.session.remove()


def _storable(text: str) -> str:
    """Without NUL (PostgreSQL refuses it) and without halves of surrogate pairs (UTF-8 has none)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "\ufffd")
