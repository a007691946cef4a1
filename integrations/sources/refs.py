"""Names people type. Checked before anything is sent anywhere."""

import re

from integrations.errors import InvalidRef

_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
_REF = re.compile(rf"(?:{_PART}/)?{_PART}")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]*")
MAX_REF = 96
MAX_REVISION = 200


def check_ref(ref: str) -> str:
    """`owner/name` or `name` as the Hub allows it, at most 96 characters. Raises InvalidRef."""
    well_formed = isinstance(ref, str) and len(ref) <= MAX_REF and _REF.fullmatch(ref)
    if not well_formed or "--" in ref or ".." in ref or ref.endswith(".git"):
        raise InvalidRef(
            f"'{_clip(ref)}' is no model name. Write it like 'owner/name': letters, digits, '-', '_' and "
            "'.', "
            f"at most {MAX_REF} characters."
        )
    return ref


def check_revision(revision: str | None) -> str:
    """A branch, tag or commit; `main` when none is given. Raises InvalidRef."""
    if revision is None or revision == "":
        return "main"
    fits = len(revision) <= MAX_REVISION and _REVISION.fullmatch(revision)
    if not fits or ".." in revision or "//" in revision or revision.endswith(("/", ".", ".lock")):
        raise InvalidRef(
            f"'{_clip(revision)}' is no revision. Use the name of a branch or a tag, or a commit hash of "
            "40 characters."
        )
    return revision


def _clip(text: object) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in str(text)[:81])
    return f"{shown[:80]}…" if len(shown) > 80 else shown
