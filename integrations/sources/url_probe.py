"""Asking an address for its first bytes: what is it, how large, and can it be fetched in pieces?"""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from integrations.errors import AccessDenied, NotFound, Throttled, Unreachable, Unsupported
from integrations.http import Origin, Response, Wire
from integrations.transfer.answers import CONTENT_RANGE

FIRST = 512
PAGE = re.compile(
    rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|script)\b", re.IGNORECASE | re.DOTALL
)
_EXTENDED = re.compile(r"filename\*\s*=\s*UTF-8''([^;\s]+)", re.IGNORECASE)
_QUOTED = re.compile(r'filename\s*=\s*"((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_BARE = re.compile(r"filename\s*=\s*([^;\s\"]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Probed:
    """`size` in bytes, None when the server does not say; `etag` only if it is a strong one; `name` as the
    server or the address calls it."""

    name: str
    size: int | None
    etag: str | None
    ranges: bool
    first: bytes
    host: str
    page: bool

    def check(self, name: str, largest: int) -> None:
        """Raises Unsupported when this cannot be the file `name` of a model, or is larger than allowed."""
        if self.page:
            raise Unsupported(
                f"{self.host} answers with a web page, not with a file. Open it and copy the address of the "
                "file "
                "itself (on Hugging Face it has `/resolve/` where the page has `/blob/`), or sign in may be "
                "needed "
                "there."
            )
        if self.size is not None and self.size > largest:
            raise Unsupported(
                f"'{name}' has {self.size:,} bytes; {largest:,} are the most that is taken from an address "
                "(MODELHUB_URL_LARGEST).",
                details={"size": self.size, "largest": largest},
            )
        kind = name.lower().rsplit(".", 1)[-1]
        header = int.from_bytes(self.first[:8], "little") if len(self.first) > 8 else 0
        wrong = (kind == "gguf" and self.first[:4] != b"GGUF") or (
            kind == "safetensors" and not (0 < header <= 100_000_000 and self.first[8:9] == b"{")
        )
        if wrong:
            raise Unsupported(
                f"What {self.host} sends for '{name}' is no {kind} file. Check the address: it may lead to a "
                "page, "
                "a pointer or an archive."
            )


def probe(wire: Wire, url: str) -> Probed:
    """Ask `url` for its first bytes, through redirects that keep the rules. Raises IntegrationError for what
    it refuses, OSError or HTTPException when the network fails."""
    response = wire.get(url, {"Range": f"bytes=0-{FIRST - 1}"})
    try:
        host = str(Origin.of(response.url))
        if response.status not in (200, 206):
            raise _refused(response, host)
        size, ranges = _size(response, host)
        first = _read(response, FIRST if size is None else min(FIRST, size))
    finally:
        wire.drop(response.url)
    kind = (response.header("Content-Type") or "").partition(";")[0].strip().lower()
    etag = response.header("ETag") or ""
    return Probed(
        name=_name(response, url),
        size=size,
        etag=etag if etag.startswith('"') and etag.isprintable() and len(etag) < 300 else None,
        ranges=ranges,
        first=first,
        host=host,
        page=kind in ("text/html", "application/xhtml+xml") or bool(PAGE.match(first)),
    )


def _size(response: Response, host: str) -> tuple[int | None, bool]:
    encoding = response.header("Content-Encoding")
    if encoding not in (None, "", "identity"):
        raise Unsupported(f"{host} sends the file '{encoding[:20]}'-encoded and not as it is.")
    if response.status == 200:
        return response.length, False
    said = CONTENT_RANGE.fullmatch(response.header("Content-Range") or "")
    if said is None or said[1] != "0":
        raise Unreachable(f"{host} answers a request for the first bytes with other ones.")
    return (int(said[3]), True) if said[3] != "*" else (None, False)


def _read(response: Response, most: int) -> bytes:
    buffer = memoryview(bytearray(FIRST))
    got = 0
    while got < most:
        count = response.receive(buffer[got:most])
        if not count:
            break
        got += count
    return bytes(buffer[:got])


def _refused(response: Response, host: str) -> Exception:
    status = response.status
    if status in (401, 403):
        return AccessDenied(
            f"{host} refuses this address ({status}). It may need a sign-in, or its link has run out."
        )
    if status in (404, 410):
        return NotFound(f"{host} has nothing at this address ({status}).")
    if status in (429, 503):
        return Throttled(f"{host} asks to come back later ({status}).")
    if status == 416:
        return Unsupported(f"{host} says that the file is empty.")
    return Unreachable(f"{host} answers {status}.")


def _name(response: Response, url: str) -> str:
    """From Content-Disposition (RFC 6266), else the address, else where it led. Folders in it are dropped."""
    said = response.header("Content-Disposition") or ""
    if extended := _EXTENDED.search(said):
        name = unquote(extended[1])
    elif found := _QUOTED.search(said) or _BARE.search(said):
        name = re.sub(r"\\(.)", r"\1", found[1])
    else:
        given, last = _last(url), _last(response.url)
        name = given if "." in given else last
    return name.replace("\\", "/").rsplit("/", 1)[-1] or "file"


def _last(url: str) -> str:
    return unquote(urlsplit(url).path.rsplit("/", 1)[-1])
