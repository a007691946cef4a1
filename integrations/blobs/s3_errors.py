"""What an object storage and the way to it can answer, in our own words."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from integrations.errors import AccessDenied, IntegrationError, NotFound, OutOfSpace, Throttled, Unreachable


@contextmanager
def in_our_words(place: Any) -> Iterator[None]:
    """Let nothing of boto3 out: every failure becomes one of `integrations.errors`."""
    try:
        yield
    except IntegrationError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfSpace("The disk is full. Free some room, then try again.") from None
        if type(error).__module__.partition(".")[0] in ("botocore", "urllib3"):
            raise Unreachable(_no_answer(place, error)) from None
        raise
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("botocore", "boto3", "urllib3"):
            raise
        raise _translated(place, error) from None


def _translated(place: Any, error: Exception) -> IntegrationError:
    answer: dict[str, Any] = getattr(error, "response", {})
    code = str(answer.get("Error", {}).get("Code", ""))
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    details = {"bucket": place.bucket, "endpoint": place.endpoint, "code": code or type(error).__name__}
    if code == "NoSuchBucket":
        said = f"The bucket '{place.bucket}' does not exist. Make it, or correct MODELHUB_STORAGE."
        return IntegrationError(said, details=details)
    if code in ("NoSuchKey", "NoSuchUpload") or status == 404:
        said = f"The object storage does not have it (bucket '{place.bucket}')."
        return NotFound(said, details=details)
    if status in (401, 403) or type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError"):
        said = (
            f"The object storage refuses our keys for the bucket '{place.bucket}'. Check "
            "MODELHUB_STORAGE_ACCESS_KEY and MODELHUB_STORAGE_SECRET_KEY, or AWS's own variables."
        )
        return AccessDenied(said, details=details)
    if status in (429, 503) or code in ("SlowDown", "RequestLimitExceeded"):
        return Throttled("The object storage asks us to come back later.", details=details)
    if status is None or status >= 500:
        return Unreachable(_no_answer(place, error), details=details)
    return IntegrationError(f"The object storage answered {code} ({status}).", details=details)


def _no_answer(place: Any, error: Exception) -> str:
    where = place.endpoint or "AWS"
    return f"The object storage at {where} does not answer ({type(error).__name__}). It is tried again later."
