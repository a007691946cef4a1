"""What can go wrong, as one sentence and one exit code.

0 ok · 1 failed · 2 usage · 3 not signed in · 4 hub not reachable · 5 not found · 130 interrupted
"""

from typing import Any


class CliError(Exception):
    """Said to the person as it is: what happened, and what to do next."""

    exit_code = 1
    code = "FAILED"

    def __init__(
        self, message: str, *, code: str | None = None, details: dict[str, Any] | None = None, status: int = 0
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.details = details or {}
        self.status = status


class WrongUsage(CliError):
    exit_code = 2
    code = "USAGE"


class NotSignedIn(CliError):
    exit_code = 3
    code = "UNAUTHENTICATED"


class HubUnreachable(CliError):
    exit_code = 4
    code = "HUB_UNREACHABLE"


class NotFound(CliError):
    exit_code = 5
    code = "NOT_FOUND"


class Interrupted(CliError):
    """Ctrl-C, with something worth saying about what goes on without us."""

    exit_code = 130
    code = "INTERRUPTED"


NOT_FOUND_CODES = frozenset({"NOT_FOUND", "REVISION_NOT_FOUND", "FILE_NOT_FOUND"})


def refusal(status: int, body: dict[str, Any]) -> CliError:
    """The hub's error envelope as our error. Only what is missing at the hub itself counts as "not found"."""
    code = str(body.get("error") or f"HTTP_{status}")
    message = str(body.get("message") or f"The hub answered {status}.")
    details = body.get("details") or {}
    if code == "VALIDATION_FAILED":
        message += _fields(details)
    kind: type[CliError] = CliError
    if status == 401:
        kind = NotSignedIn
    elif status == 404 or code in NOT_FOUND_CODES:
        kind = NotFound
    return kind(message, code=code, details=details, status=status)


def _fields(details: dict[str, Any]) -> str:
    """ "name: String should match …" for each field that the hub refused."""
    found = []
    for error in details.get("errors", [])[:5]:
        where = ".".join(str(part) for part in error.get("loc", ()) if part not in ("body", "query"))
        found.append(f"{where}: {error.get('msg', '')}".strip(": "))
    return " (" + "; ".join(found) + ")" if found else ""
