"""Is this the answer to what was asked? Nothing is written before it is."""

import re

from integrations.errors import AccessDenied, FileNotInRepo, GatedModel, NotFound, RevisionNotFound
from integrations.http import Origin, Response
from integrations.transfer.options import Download
from integrations.transfer.retry import Changed, IgnoredRange, Kind, Trouble

CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


def request_fields(start: int, end: int, validator: str | None, whole: bool) -> dict[str, str]:
    """Headers that ask for [start, end), valid only while the file is the same."""
    if whole:
        return {}
    fields = {"Range": f"bytes={start}-{end - 1}"}
    if validator:
        fields["If-Range"] = validator.split(" ", 1)[1]
    return fields


def check_answer(
    response: Response, download: Download, start: int, end: int, validator: str | None
) -> str | None:
    """The validator to hold on to: `<origin> <strong ETag>`, None when there is none.

    Raises Trouble when asking again may help, Changed when the file is another one now, and an
    IntegrationError when it is of no use to ask again.
    """
    _check_status(response, download)
    encoding = response.header("Content-Encoding")
    if encoding not in (None, "", "identity"):
        raise Trouble(Kind.ANSWER, f"the server sent the file '{encoding[:20]}'-encoded")
    origin, etag = str(Origin.of(response.url)), response.header("ETag") or ""
    if validator:
        old_origin, old_etag = validator.split(" ", 1)
        if old_origin == origin and etag and not etag.startswith("W/") and etag != old_etag:
            raise Changed
    if response.status == 200:
        _check_whole(response, download, start)
    else:
        _check_range(response, download, start, end)
    return f"{origin} {etag}" if etag.startswith('"') and etag.isprintable() else None


def _check_whole(response: Response, download: Download, start: int) -> None:
    if response.length is not None and response.length != download.size:
        raise Trouble(
            Kind.ANSWER, f"the server has {response.length} bytes where {download.size} were promised"
        )
    if start > 0:
        raise IgnoredRange


def _check_range(response: Response, download: Download, start: int, end: int) -> None:
    said = response.header("Content-Range") or ""
    given = CONTENT_RANGE.fullmatch(said)
    if (
        not given
        or (int(given[1]), int(given[2])) != (start, end - 1)
        or given[3] not in ("*", str(download.size))
    ):
        raise Trouble(
            Kind.ANSWER, f"bytes {start}-{end - 1} were asked for, and the answer says '{said[:60]}'"
        )
    if response.length is not None and response.length != end - start:
        raise Trouble(Kind.ANSWER, f"{end - start} bytes were asked for, and {response.length} are announced")


def _check_status(response: Response, download: Download) -> None:
    status, host = response.status, str(Origin.of(response.url))
    if status in (200, 206):
        return
    moved = response.url != download.url
    if status in (408, 425, 429) or status >= 500:
        kind = Kind.THROTTLED if status in (429, 503) else Kind.ANSWER
        raise Trouble(kind, f"status {status}", _seconds(response.header("Retry-After")))
    if moved and status in (400, 401, 403, 404, 410):
        raise Trouble(Kind.EXPIRED, f"status {status}")
    if status == 416:
        raise Trouble(Kind.ANSWER, "the server says there are no such bytes in the file (status 416)")
    if status in (401, 403):
        if response.header("X-Error-Code") == "GatedRepo":
            raise GatedModel(
                f"{host} gives '{download.path}' only to those who accepted the model's licence. Accept it "
                "on the "
                "model's page there, set HF_TOKEN to a token of that account, and resume.",
                details={"url": download.url.partition("/resolve/")[0], "reason": "not_accepted"},
            )
        raise AccessDenied(
            f"{host} refuses '{download.path}' ({status}). Set HF_TOKEN to a token that may read it."
        )
    if status == 404:
        code = response.header("X-Error-Code")
        kinds = {"EntryNotFound": FileNotInRepo, "RevisionNotFound": RevisionNotFound}
        missing = kinds.get(code or "", NotFound)
        raise missing(f"{host} no longer has '{download.path}' at this commit. Start the download anew.")
    raise Trouble(Kind.ANSWER, f"status {status}")


def _seconds(value: str | None) -> float | None:
    """Retry-After in seconds; a date or nonsense counts as not given."""
    return float(value) if value and value.strip().isdigit() and len(value) < 10 else None
