"""Every error of huggingface_hub, in our words: what happened and what to do next.

What has to do with access has `details.url`, the page where it is settled, and `details.reason`: no_token,
token_refused, token_scope, not_accepted, pending, rejected, no_access.
"""

from collections.abc import Callable
from typing import NamedTuple

import httpx2
from huggingface_hub import errors as hub

from integrations.errors import (
    AccessDenied,
    FileNotInRepo,
    GatedModel,
    IntegrationError,
    InvalidRef,
    NotFound,
    RevisionNotFound,
    Throttled,
    Unreachable,
    Unsupported,
)
from integrations.sources.hub_settings import token


class Case(NamedTuple):
    """What was asked when it went wrong."""

    error: BaseException
    where: str
    ref: str
    revision: str | None
    path: str | None

    @property
    def model(self) -> str:
        return f"'{self.ref[:120]}'" if self.ref else "this model"

    @property
    def status(self) -> int | None:
        response = getattr(self.error, "response", None)
        return getattr(response, "status_code", None)

    @property
    def said(self) -> str:
        """What the hub gave as its reason, in small letters; never shown, only understood."""
        response = getattr(self.error, "response", None)
        header = response.headers.get("X-Error-Message", "") if response is not None else ""
        return f"{header} {getattr(self.error, 'server_message', None) or ''}".lower()

    @property
    def page(self) -> str:
        return f"{self.where}/{self.ref}"

    @property
    def tokens(self) -> str:
        return f"{self.where}/settings/tokens"


def _gated(case: Case) -> IntegrationError:
    """Gated: who asks is unknown, has a weak token, has not asked yet, waits, or was turned away."""
    if not token():
        return _gate(
            case, "no_token", case.page,
            f"The authors of {case.model} ask you to accept their licence first. Open {case.page}, accept "
            f"it, make a token of that account at {case.tokens}, set HF_TOKEN to it and try again.",
        )  # fmt: skip
    if _refused(case):
        return _token_refused(case)
    if "fine-grained" in case.said:
        return _gate(
            case, "token_scope", case.tokens,
            "The fine-grained token in HF_TOKEN lacks one permission: 'Read access to contents of all public "
            f"gated repos you can access'. Give it that at {case.tokens}, then try again for {case.model}.",
        )  # fmt: skip
    if "awaiting" in case.said or "pending" in case.said:
        return _gate(
            case, "pending", case.page,
            f"You have asked for access to {case.model}, and its authors have not answered yet. "
            f"Try again when they have; {case.page} shows it.",
        )  # fmt: skip
    if "reject" in case.said:
        return _gate(
            case, "rejected", case.page,
            f"The authors of {case.model} did not give this account access. Use another model, or the token "
            "of an account that has access.",
        )  # fmt: skip
    return _gate(
        case, "not_accepted", case.page,
        f"The account of the token in HF_TOKEN has not accepted the licence of {case.model}. "
        f"Open {case.page} with that account, accept it, and try again.",
    )  # fmt: skip


def _gate(case: Case, reason: str, url: str, message: str) -> GatedModel:
    return GatedModel(message, details={"page": case.page, "url": url, "reason": reason})


def _refused(case: Case) -> bool:
    """The token itself is no good: wrong, revoked or expired."""
    words = ("invalid credentials", "invalid username or password", "invalid user token", "expired")
    return bool(token()) and any(word in case.said for word in words)


def _token_refused(case: Case) -> IntegrationError:
    why = "has expired" if "expired" in case.said else "is not accepted: it is wrong or was revoked"
    return AccessDenied(
        f"The token in HF_TOKEN {why}, says the hub at {case.where}. Make a new one at {case.tokens} and set "
        "HF_TOKEN to it; without any token public models can be had.",
        details={"url": case.tokens, "reason": "token_refused"},
    )


def _not_found(case: Case) -> IntegrationError:
    """The Hub says 401 or 404 for what is private and for what is not there alike: nobody is to know."""
    if _refused(case):
        return _token_refused(case)
    if token():
        return NotFound(
            f"There is no model {case.model} at {case.where}, or it is private and the token in HF_TOKEN may "
            f"not read it. Check the name; a fine-grained token needs read access to it: {case.tokens}.",
            details={"endpoint": case.where, "url": case.tokens, "reason": "no_access"},
        )
    return NotFound(
        f"There is no model {case.model} at {case.where}, or it is private. Check the name; "
        f"for a private model set HF_TOKEN to a token that may read it ({case.tokens}).",
        details={"endpoint": case.where, "url": case.tokens, "reason": "no_token"},
    )


def _disabled(case: Case) -> IntegrationError:
    return AccessDenied(
        f"The hub has disabled access to {case.model}. See {case.page} for the reason.",
        details={"url": case.page, "reason": "disabled"},
    )


def _revision(case: Case) -> IntegrationError:
    return RevisionNotFound(
        f"{case.model} has no revision '{(case.revision or '')[:80]}'. "
        "Use a branch, a tag or a commit of the model, or leave it out for the newest."
    )


def _file(case: Case) -> IntegrationError:
    return FileNotInRepo(
        f"{case.model} has no file '{(case.path or '')[:200]}'. Look at its list of files first."
    )


def _invalid(case: Case) -> IntegrationError:
    return InvalidRef(f"{case.model} is no model name. Write it like 'owner/name'.")


def _offline(case: Case) -> IntegrationError:
    return Unreachable("HF_HUB_OFFLINE is set, so no hub is asked. Unset it and start again.")


def _token(case: Case) -> IntegrationError:
    return AccessDenied(
        f"The hub wants to know who asks. Set HF_TOKEN to a token that may read this model ({case.tokens}).",
        details={"url": case.tokens, "reason": "no_token"},
    )


def _answer(case: Case) -> IntegrationError:
    cause = f"{type(case.error).__name__}: {case.error}"[:300]
    return Unreachable(
        f"The model hub at {case.where} gave an answer that makes no sense to us. Try again; if it stays, "
        "check that HF_ENDPOINT is a Hugging Face Hub or a mirror of it.",
        details={"endpoint": case.where, "cause": cause},
    )


def _by_status(case: Case) -> IntegrationError:
    if case.status == 401:
        return _token_refused(case) if token() else _token(case)
    if case.status == 403:
        return AccessDenied(
            f"The token in HF_TOKEN may not read {case.model}. Give it read access at {case.tokens} (for a "
            "fine-grained token: to this repository or its organisation), or use another.",
            details={"url": case.tokens, "reason": "token_scope"},
        )
    if case.status == 404:
        return _not_found(case)
    if case.status == 429:
        return Throttled(f"The model hub at {case.where} asks us to slow down. Wait a minute and try again.")
    return _answer(case)


def _bad_request(case: Case) -> IntegrationError:
    return Unsupported(f"The model hub at {case.where} does not understand this request. Change the filters.")


def _not_ours(case: Case) -> IntegrationError:
    return Unsupported(
        f"The hub client refused: {type(case.error).__name__}. This kind of request is not supported."
    )


KNOWN: list[tuple[type[BaseException], Callable[[Case], IntegrationError]]] = [
    (hub.GatedRepoError, _gated),
    (hub.RepositoryNotFoundError, _not_found),
    (hub.DisabledRepoError, _disabled),
    (hub.RevisionNotFoundError, _revision),
    (hub.RevisionResolutionError, _revision),
    (hub.EntryNotFoundError, _file),
    (hub.HFValidationError, _invalid),
    (hub.HfUriError, _invalid),
    (hub.OfflineModeIsEnabled, _offline),
    (hub.LocalTokenNotFoundError, _token),
    (hub.OIDCError, _token),
    (hub.DeviceCodeError, _token),
    (hub.BadRequestError, _bad_request),
    (hub.BucketNotFoundError, _not_found),
    (hub.BucketBatchError, _not_ours),
    (hub.JobNotFoundError, _not_found),
    (hub.HfHubHTTPError, _by_status),
    (hub.FileMetadataError, _answer),
    (hub.CacheNotFound, _not_ours),
    (hub.CorruptedCacheException, _not_ours),
    (hub.CachedRepoTreeNotFoundError, _not_ours),
    (hub.DryRunError, _not_ours),
    (hub.InferenceTimeoutError, _not_ours),
    (hub.InferenceEndpointError, _not_ours),
    (hub.TextGenerationError, _not_ours),
    (hub.SafetensorsParsingError, _not_ours),
    (hub.NotASafetensorsRepoError, _not_ours),
    (hub.StrictDataclassError, _answer),
    (hub.XetDownloadError, _not_ours),
    (hub.DDUFError, _not_ours),
    (hub.FileDuplicationError, _not_ours),
    (hub.SandboxError, _not_ours),
    (hub.ConfirmationError, _not_ours),
    (hub.CLIError, _not_ours),
    (httpx2.HTTPError, _answer),
    (httpx2.InvalidURL, _answer),
]
"""From the narrow to the wide: the first class that fits decides."""


def translate(
    error: BaseException, *, where: str, ref: str = "", revision: str | None = None, path: str | None = None
) -> IntegrationError:
    """Our error for one of huggingface_hub's; anything unheard of is an answer nobody can use."""
    case = Case(error, where, ref, revision, path)
    for known, tell in KNOWN:
        if isinstance(error, known):
            return tell(case)
    return _answer(case)
