"""Answers being written: begin, follow by offset, stop from anywhere, and go on after a crash."""

import threading
import time
from collections.abc import Iterator

import redis
import structlog
from flask import Flask, current_app
from sqlalchemy import select

from api.errors import Missing, StaleFence, Unavailable
from api.extensions import db
from api.models import ChatMessage, ChatSession, Deployment, Job
from api.models.base import utcnow
from api.schemas.chat import Delta, MessageOut
from api.security.authorise import Identity
from api.services import jobs, journal, work, writing
from api.services.writing import Writer
from api.unit_of_work import AfterCommit, unit_of_work

log = structlog.get_logger(__name__)

WAIT_MS = 1000
"""A reader looks up this often: it sends a heartbeat, and so learns whether its client is still there."""
STOP_SECONDS = 5.0
UNCLAIMED_SECONDS = 10.0
"""An answer nobody has ever owned is left alone for this long: its writer may just be beginning."""
DEPLOY_PATIENCE = 600.0
"""Seconds an answer waits for its deployment to come back before it is given up."""


def begin(message_id: str) -> None:
    """Write the answer `message_id` in this process, whoever listens."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    owner = writing.process_name()
    try:
        journal.take(message_id, owner, owner, owner)
    except redis.RedisError:
        log.warning(
            "Redis is away: this answer cannot be taken over if the web server dies", message_id=message_id
        )
    writer = Writer(app, message_id, owner)
    threading.Thread(target=writer.write, name=f"answer-{message_id}", daemon=True).start()


def owned(message_id: str, who: Identity) -> ChatMessage:
    """The message, when it is in one of one's own conversations."""
    row = db.session.scalar(
        select(ChatMessage)
        .join(ChatSession, ChatSession.id == ChatMessage.session_id)
        .where(ChatMessage.id == message_id, ChatSession.user_id == who.owner_id)
    )
    if row is None:
        raise Missing(f"There is no message {message_id[:64]}.")
    return row


def get(message_id: str, who: Identity) -> MessageOut:
    return MessageOut.model_validate(owned(message_id, who))


def follow(app: Flask, message_id: str, after: int) -> Iterator[Delta | MessageOut | None]:
    """What is written after character `after`, as it comes; None once a second of silence; last the message.

    Nothing is shown that is not in the journal, so whoever comes back with the offset of what they have seen
    misses nothing and reads nothing twice, even when the process that wrote it is gone.
    """
    while True:
        entries = _entries(app, message_id, after)
        ended = not entries
        for entry in entries:
            ended = ended or entry.end
            if entry.offset > after and not entry.end:
                yield Delta(
                    message_id=message_id, offset=entry.offset, text=entry.text[after - entry.offset :]
                )
                after = entry.offset
        if not ended:
            continue
        message = _load(app, message_id)
        if message is None:
            return
        if message.status != "generating":
            if len(message.content) > after:
                rest = message.content[after:]
                yield Delta(message_id=message_id, offset=len(message.content), text=rest)
            yield message
            return
        yield None


def stop(message_id: str, who: Identity) -> MessageOut:
    """End an answer where it is; what is written stays. Works whichever process writes it."""
    message = get(message_id, who)
    db.session.rollback()
    if message.status != "generating":
        return message
    writer = writing.running(message_id)
    if writer:
        writer.stop()
    else:
        try:
            journal.ask_to_stop(message_id)
        except redis.RedisError:
            raise Unavailable(
                "Redis is away, so the process that writes cannot be told. Try again."
            ) from None
    deadline = time.monotonic() + STOP_SECONDS
    while message.status == "generating" and time.monotonic() < deadline:
        time.sleep(0.05)
        db.session.rollback()
        db.session.expire_all()
        message = get(message_id, who)
    return message


def reconcile() -> int:
    """Hand answers whose writer has died to a worker. How many."""
    rows = db.session.execute(
        select(ChatMessage.id, ChatMessage.created_at).where(ChatMessage.status == "generating").limit(200)
    ).all()
    db.session.rollback()
    handed = 0
    for row in rows:
        owner, alive = journal.owner(row.id)
        if not _orphaned(owner, alive, (utcnow() - row.created_at).total_seconds()):
            continue
        with unit_of_work() as after_commit:
            message = db.session.get(ChatMessage, row.id)
            if message is not None and message.status == "generating" and not _in_ledger(row.id):
                jobs.submit(after_commit, "generation", row.id, {"owner": owner or ""})
                handed += 1
    return handed


def resume(job_id: str) -> None:
    """Go on with an answer whose writer has died, from what its journal holds."""
    held = jobs.claim(job_id, work.OWNER)
    if held is None:
        return
    job = jobs.find(job_id)
    message = db.session.get(ChatMessage, job.object_id)
    if message is None or message.status != "generating":
        jobs.finish(held, "completed")
        return
    if _must_wait(message):
        jobs.finish(held, "queued")
        return
    message_id, began = message.id, message.created_at.timestamp()
    family = f"job:{job_id}:"
    owner = f"{family}{held.fence}"
    if not journal.take(message_id, owner, str(job.params.get("owner", "")), family):
        jobs.finish(held, "completed")
        return
    text, ttft = journal.text(message_id)
    db.session.remove()
    writer = Writer(
        current_app._get_current_object(),  # type: ignore[attr-defined]
        message_id, owner, text=text, ttft_ms=ttft, began=began, keep=lambda: _keep(held, writer),
    )  # fmt: skip
    if journal.asked_to_stop(message_id):
        writer.stop()
    error = writer.write()
    try:
        if writer.status == "generating":
            jobs.finish(held, "queued")
        else:
            jobs.finish(held, "failed" if error else "completed", error=error)
    except StaleFence:
        return


def job_changed(after_commit: AfterCommit, job: Job) -> None:
    """An answer whose job was given up ends with what there is of it."""
    if job.state not in ("failed", "cancelled"):
        return
    message = db.session.get(ChatMessage, job.object_id)
    if message is None or message.status != "generating":
        return
    try:
        message.content = journal.text(message.id)[0]
    except redis.RedisError:
        log.warning("the partial text of an answer could not be read", message_id=message.id)
    message.status = "failed" if job.state == "failed" else "stopped"
    message.error = job.error
    length = len(message.content)
    after_commit(lambda: journal.finish(job.object_id or "", length))


def _keep(held: jobs.Claim, writer: Writer) -> None:
    if work.stopping.is_set():
        writer.abandon()
        return
    try:
        if jobs.renew(held) != "run":
            writer.stop()
    except StaleFence:
        writer.abandon()


def _entries(app: Flask, message_id: str, after: int) -> list[journal.Entry]:
    with app.app_context():
        try:
            entries = journal.read(message_id, after, WAIT_MS)
        except redis.RedisError:
            entries = None
    if entries is None:
        time.sleep(WAIT_MS / 1000)  # Redis is away: the row will have it all at the end
        return []
    if entries and entries[0].offset - len(entries[0].text) > after and not entries[0].end:
        time.sleep(0.1)  # Redis came back with less than it had; the writer is about to fill it in
        return []
    return entries


def _load(app: Flask, message_id: str) -> MessageOut | None:
    with app.app_context():
        try:
            row = db.session.get(ChatMessage, message_id)
            return MessageOut.model_validate(row) if row else None
        finally:
            db.session.remove()


def _orphaned(owner: str | None, alive: bool, age: float) -> bool:
    if owner is None:
        return age > UNCLAIMED_SECONDS and not alive
    if owner.startswith("web:"):
        here = writing.is_process_here(owner)
        return not alive if here is None else not here
    return not alive  # a job's: the ledger says whether it is still at work


def _in_ledger(message_id: str) -> bool:
    return bool(
        db.session.scalar(
            select(Job.id)
            .where(
                Job.object_id == message_id,
                Job.kind == "generation",
                Job.state.in_(("queued", "running", "paused")),
            )
            .limit(1)
        )
    )


def _must_wait(message: ChatMessage) -> bool:
    """The whole hub may just be starting: the deployment comes back a little later."""
    session = db.session.get(ChatSession, message.session_id)
    deployment = (
        db.session.get(Deployment, session.deployment_id) if session and session.deployment_id else None
    )
    coming = deployment is not None and deployment.wanted == "running" and deployment.status == "deploying"
    return coming and (utcnow() - message.created_at).total_seconds() < DEPLOY_PATIENCE
