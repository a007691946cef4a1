"""What a look at a file says: by whom, how bad, and a sentence for a person."""

from typing import Literal, NamedTuple

Severity = Literal["none", "unknown", "suspicious", "dangerous"]
"""none: looked through and nothing found; unknown: could not be looked through, which is never `none`."""


class Finding(NamedTuple):
    """`scanner` is format, names, pickle, picklescan, fickling or clamav."""

    scanner: str
    severity: Severity
    message: str


class Verdict(NamedTuple):
    """What one file is. `hold`: keep it away from every engine; `notes` are warnings for its model."""

    kind: str
    hold: bool
    findings: list[Finding]
    notes: list[str] = []


def shown(text: str, most: int = 120) -> str:
    """A stranger's text in a sentence of ours: what does not print is a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:most])
