"""Every error of huggingface_hub, in our words: what happened and what to do next."""

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


def _gated(case: Case) -> IntegrationError:
    page = f"{case.where}/{case.ref}"
    return GatedModel(
        f"The authors of {case.model} ask you to accept their licence first. Open {page}, accept it, "
        "then set HF_TOKEN to a token of that account and try again.",
        details={"page": page},
    )


def _not_found(case: Case) -> IntegrationError:
    return NotFound(
        f"There is no model {case.model} at {case.where}, or it is private. Check the name; "
        "for a private model set HF_TOKEN to a token that may read it.",
        details={"endpoint": case.where},
    )


def _disabled(case: Case) -> IntegrationError:
    return AccessDenied(
        f"The hub has disabled access to {case.model}. See {case.where}/{case.ref} for the reason."
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
    return AccessDenied("The hub wants to know who asks. Set HF_TOKEN to a token that may read this model.")


def _answer(case: Case) -> IntegrationError:
    cause = f"{type(case.error).__name__}: {case.error}"[:300]
    return Unreachable(
        f"The model hub at {case.where} gave an answer that makes no sense to us. Try again; if it stays, "
        "check that HF_ENDPOINT is a Hugging Face Hub or a mirror of it.",
        details={"endpoint": case.where, "cause": cause},
    )


def _by_status(case: Case) -> IntegrationError:
    if case.status == 401:
        return AccessDenied(
            f"The hub at {case.where} does not accept the token in HF_TOKEN. Make a new one there."
        )
    if case.status == 403:
        return AccessDenied(
            f"The token in HF_TOKEN may not read {case.model}. Give it read access, or use another."
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
