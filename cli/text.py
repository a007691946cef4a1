"""Numbers and words for people."""

import re
import unicodedata
from datetime import UTC, datetime

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)?", re.DOTALL)


def size(number: float | None) -> str:
    """Bytes in powers of 1000, as the disk's label says: `1.2 GB`."""
    if number is None:
        return "–"
    value, unit = float(number), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 or value >= 99.95 else f"{value:.1f} {_UNITS[unit]}"


def count(number: float | None) -> str:
    """`7.2B`, `135M`, `12k`: parameters, downloads, likes."""
    if number is None:
        return "–"
    value = float(number)
    suffixes = ["", "k", "M", "B", "T"]
    while value >= 999.5 and len(suffixes) > 1:
        value, suffixes = value / 1000, suffixes[1:]
    suffix = suffixes[0]
    return f"{value:.0f}{suffix}" if not suffix or value >= 99.95 else f"{value:.1f}{suffix}"


def duration(seconds: float | None) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds is None:
        return "–"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def ago(moment: str | None) -> str:
    """An RFC 3339 time as seen from now: `5 minutes ago`."""
    if not moment:
        return "–"
    try:
        past = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    except ValueError:
        return moment
    seconds = (datetime.now(UTC) - past).total_seconds()
    for length, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            number = int(seconds // length)
            return f"{number} {word}{'s' if number > 1 else ''} ago"
    return "just now"


def safe(words: object) -> str:
    """Text from elsewhere, for a terminal: without escape sequences and other control characters.

    A model, a log line or a model's name could otherwise rename the window, move the cursor over what
    was said before, or write to the clipboard.
    """
    text = _ESCAPES.sub("", str(words).replace("\r\n", "\n"))
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs"))
