"""Trouble that may pass: named, waited for with growing and jittered pauses, and told in the end."""

import random
from enum import Enum

from integrations.errors import AccessDenied, IntegrationError, Throttled, Unreachable
from integrations.transfer.options import Options

LONGEST_BACKOFF = 20.0


class Kind(Enum):
    NETWORK = "network"
    THROTTLED = "throttled"
    ANSWER = "answer"
    EXPIRED = "expired"


class Trouble(Exception):
    """One attempt failed in a way another may not. `retry_after` in seconds, when the server named a time."""

    def __init__(self, kind: Kind, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.retry_after = retry_after


class IgnoredRange(Trouble):
    """The whole file came where a part of it was asked for."""

    def __init__(self) -> None:
        super().__init__(Kind.ANSWER, "the server sends whole files where a part was asked for")


class Changed(Exception):
    """The file is not the one it was when we began (another ETag)."""


def wait_before(failures: int, trouble: Trouble, options: Options) -> float:
    """Seconds until the next attempt, after `failures` in a row: 0.5, 1, 2, … with ±50 % jitter, or as
    told."""
    if trouble.retry_after is not None:
        return trouble.retry_after + random.uniform(0, 0.2)  # noqa: S311
    if trouble.kind is Kind.EXPIRED and failures == 1:
        return 0.0
    pause = min(LONGEST_BACKOFF, options.base_wait * 2.0 ** (failures - 1))
    return pause * random.uniform(0.5, 1.5)  # noqa: S311


def final(trouble: Trouble, path: str, host: str, failures: int) -> IntegrationError:
    """What to tell when enough is enough."""
    details = {"file": path, "host": host, "cause": trouble.reason, "attempts": failures}
    if trouble.kind is Kind.THROTTLED:
        message = (
            f"{host} is busy and asks us to come back later ({trouble.reason}). What has arrived is kept: "
            "resume in a few minutes, or with fewer connections."
        )
        return Throttled(message, details=details)
    if trouble.kind is Kind.EXPIRED:
        message = (
            f"{host} refuses '{path}' again and again ({trouble.reason}). Check HF_TOKEN, and that the "
            "clock of this "
            "machine is right, then resume; what has arrived is kept."
        )
        return AccessDenied(message, details=details)
    message = (
        f"'{path}' could not be fetched from {host}: {trouble.reason}, {failures} times in a row. "
        "What has arrived is kept: resume when the network or the server is better."
    )
    return Unreachable(message, details=details)
