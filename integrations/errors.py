"""What can go wrong outside our walls, in our own words.

    IntegrationError
    ├── UnknownKind          no such source, runtime, …
    ├── InvalidRef           a name nobody could mean
    ├── NotFound             the other side does not have it
    │   ├── RevisionNotFound
    │   └── FileNotInRepo
    ├── AccessDenied         a token is missing, wrong or too weak
    │   └── GatedModel       the licence has to be accepted first
    ├── Unreachable          no answer, or an answer nobody can use
    ├── Throttled            asked to come back later
    ├── OutOfSpace           the disk is full, or would be
    ├── IntegrityError       the bytes are not the promised ones
    ├── Unsupported          understood, and not something we can do
    │   └── NotACausalLM     a model that does not generate text
    ├── ChildFailed          a child process ended badly
    └── Stopped              we were asked to stop; not a failure

Every class has a stable `code`; the same code reaches REST, sockets and a job's row.
"""

from typing import Any


class IntegrationError(Exception):
    """Base of the tree. `details` is JSON-serialisable and safe to show to a user."""

    code = "INTEGRATION_FAILED"

    def __init__(self, message: str, *, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.details = details or {}


class UnknownKind(IntegrationError):
    code = "UNKNOWN_KIND"


class InvalidRef(IntegrationError):
    code = "INVALID_REF"


class NotFound(IntegrationError):
    code = "NOT_FOUND"


class RevisionNotFound(NotFound):
    code = "REVISION_NOT_FOUND"


class FileNotInRepo(NotFound):
    code = "FILE_NOT_FOUND"


class AccessDenied(IntegrationError):
    code = "ACCESS_DENIED"


class GatedModel(AccessDenied):
    code = "GATED_MODEL"


class Unreachable(IntegrationError):
    code = "UPSTREAM_UNREACHABLE"


class Throttled(IntegrationError):
    code = "UPSTREAM_THROTTLED"


class OutOfSpace(IntegrationError):
    code = "OUT_OF_SPACE"


class IntegrityError(IntegrationError):
    code = "CHECKSUM_MISMATCH"


class Unsupported(IntegrationError):
    code = "UNSUPPORTED"


class NotACausalLM(Unsupported):
    code = "NOT_A_CAUSAL_LM"


class ChildFailed(IntegrationError):
    code = "CHILD_FAILED"


class Stopped(IntegrationError):
    code = "STOPPED"
