"""Signing in through the company's own issuer: who comes back, whose account that is, and what he may.

An account belongs to an issuer's subject. Who comes for the first time gets the account with his e-mail if
the issuer vouches for that, or a new one. An account that rules over others and has a password is never taken
over by an e-mail alone; and whoever made the account before loses his password, sessions and keys there, so
that nobody can lie in wait in an account he opened with somebody else's e-mail.
"""

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jwt
import structlog
from sqlalchemy import or_, select

from api.config import Settings
from api.errors import AppError, Conflict, Forbidden, Missing
from api.extensions import db, settings
from api.models import ApiKey, Invite, Role, User
from api.models.base import utcnow
from api.security import audit
from api.security.authorise import forget
from api.security.keys import signing_key, signing_keys
from api.services import sessions
from api.services.sessions import Caller, Opened
from api.services.user_rules import hold, keep_an_admin, normal_email, permissions_of, revoke_links
from api.unit_of_work import AfterCommit, unit_of_work
from integrations.errors import IntegrationError

if TYPE_CHECKING:
    from integrations.oidc import Issuer

log = structlog.get_logger(__name__)

SECONDS = 600
"""How long somebody may take at the issuer."""

_PURPOSE, _TYPE = "sso-attempt", "sso"
_OVER_OTHERS = frozenset({"users.manage", "roles.manage"})
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]{0,1000}")


class NotLetIn(Forbidden):
    """The issuer, or this hub, does not let this person in. The message is for him."""

    code = "SSO_REFUSED"


@dataclass(frozen=True)
class Person:
    """What the issuer said, as far as it matters here. `groups` is None when it said nothing about them."""

    subject: str
    email: str
    vouched: bool
    name: str
    groups: list[str] | None


def start(next: str, redirect_uri: str) -> tuple[str, str]:
    """Where to send the browser, and the attempt to keep in its cookie. `Missing` when there is no issuer."""
    from integrations.oidc import Request

    request = Request(
        state=secrets.token_urlsafe(24),
        nonce=secrets.token_urlsafe(24),
        verifier=secrets.token_urlsafe(48),
        redirect_uri=redirect_uri,
    )
    now = int(time.time())
    attempt = {"typ": _TYPE, "iat": now, "exp": now + SECONDS, "next": local_path(next), **asdict(request)}
    with _in_our_words():
        address = _issuer().address(request)
    return address, jwt.encode(attempt, signing_key(_PURPOSE), algorithm="HS256")


def finish(attempt: str | None, state: str, code: str, error: str, caller: Caller) -> tuple[Opened, str]:
    """What the issuer sent the browser back with becomes a session: its answer, and where to go now."""
    from integrations.oidc import Request

    issuer = _issuer()
    kept = _read(attempt)
    if not secrets.compare_digest(kept["state"].encode(), state.encode()):
        raise NotLetIn("This answer belongs to another sign-in, or to another browser. Begin again.")
    if error or not code:
        raise NotLetIn(_declined(error))
    request = Request(**{name: kept[name] for name in ("state", "nonce", "verifier", "redirect_uri")})
    groups = settings().oidc_groups_claim.partition(".")[0] if settings().oidc_roles else "email"
    with _in_our_words():
        claims = issuer.claims(code, request, ("email", groups))
    person = _person(issuer.url, claims, settings())
    try:
        with unit_of_work() as after_commit:
            hold()
            user = _account_of(after_commit, person)
            _give_role(after_commit, user, person)
            begun = sessions.begin(after_commit, user, caller, "sso")
    except AppError as refusal:
        about, actor = ("user", None, person.email), (None, person.email)
        audit.note_now(
            "session.sign_in", about, result="failed", actor=actor, method="sso", subject=person.subject,
            reason=str(refusal),
        )  # fmt: skip
        raise
    return sessions.opened(begun), kept["next"]


def local_path(next: str) -> str:
    """A path of this hub's console; anything else becomes its first page."""
    return next if _LOCAL.fullmatch(next) and not next.startswith("/api/") else "/"


def _issuer() -> "Issuer":
    now = settings()
    if not now.oidc_issuer:
        raise Missing("Single sign-on is not set up on this hub. Sign in with e-mail and password.")
    if not now.oidc_client_id:
        raise Missing("Single sign-on is not set up: MODELHUB_OIDC_CLIENT_ID is empty.")
    return _known_issuer(now.oidc_issuer, now.oidc_client_id, now.oidc_client_secret, now.oidc_scopes)


@lru_cache(maxsize=8)
def _known_issuer(*registration: Any) -> "Issuer":
    """One for this process, since it remembers discovery and keys."""
    from integrations.oidc import Issuer  # here: a hub without single sign-on need not load it

    return Issuer(*registration)


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except IntegrationError as error:
        raise NotLetIn(str(error)) from error


def _read(attempt: str | None) -> dict[str, Any]:
    for key in signing_keys(_PURPOSE):
        try:
            kept = jwt.decode(attempt or "", key, ["HS256"], options={"require": ["exp", "state"]})
        except jwt.InvalidTokenError:
            continue
        if kept.get("typ") == _TYPE:
            return kept
    raise NotLetIn(
        "This sign-in was begun in another browser, took longer than 10 minutes, or is over already. "
        "Begin again."
    )


def _declined(error: str) -> str:
    if error in ("access_denied", "consent_required", "interaction_required", "login_required"):
        return "The issuer did not let you in, or you said no there. Begin again, or ask its administrator."
    if error in ("temporarily_unavailable", "server_error"):
        return "The issuer cannot sign anybody in now. Try again in a moment, or use a password."
    known = error if re.fullmatch(r"[a-z_]{1,40}", error) else "an answer without a code"
    return f"The issuer refused this hub's question ({known}). An administrator has to look at its settings."


def _person(issuer: str, claims: dict[str, Any], now: Settings) -> Person:
    email = claims.get("email")
    if not isinstance(email, str) or not 3 <= len(email.strip()) <= 254 or "\0" in email:
        email = ""
    verified = claims.get("email_verified", claims.get("xms_edov"))
    # Some issuers write their booleans as text or numbers; some say nothing, and then an administrator may.
    vouched = verified in (True, "true", "True", 1, "1") or (verified is None and now.oidc_trust_email)
    names = (claims.get(name) for name in ("name", "preferred_username"))
    name = next((found.strip()[:200] for found in names if isinstance(found, str) and found.strip()), "")
    subject = f"{issuer}|{claims['sub']}"
    if "\0" in subject + name or len(subject) > 600:
        raise NotLetIn("The issuer sent a name that cannot be stored.")
    elsewhere = claims.get("_claim_names")
    if now.oidc_roles and isinstance(elsewhere, dict) and now.oidc_groups_claim in elsewhere:
        raise NotLetIn(
            "You are in more groups than the issuer puts into its answer, so your role cannot be told. Ask "
            "its administrator to send this hub only the groups that are assigned to it."
        )
    return Person(subject, normal_email(email), vouched, name, _groups(claims, now.oidc_groups_claim))


def _groups(claims: dict[str, Any], claim: str) -> list[str] | None:
    """The list at `claim`, which may be a path (`realm_access.roles`); one group alone may come as text."""
    found: Any = claims.get(claim)
    if found is None:
        found = claims
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, str):
        return [found]
    return [group for group in found if isinstance(group, str)] if isinstance(found, list) else None


def _account_of(after_commit: AfterCommit, person: Person) -> User:
    user: User | None = db.session.scalar(select(User).where(User.sso_subject == person.subject))
    if user is None:
        _must_be_vouched(person)
        user = db.session.scalar(select(User).where(User.email == person.email))
        user = _take_over(after_commit, user, person) if user else _create(person)
    if not user.active:
        raise NotLetIn("This account is not active. Ask an administrator.")
    return user


def _must_be_vouched(person: Person) -> None:
    if not person.email:
        raise NotLetIn(
            "The issuer did not tell your e-mail address, which this hub needs. Ask its administrator to "
            "release it (scope and claim 'email')."
        )
    if not person.vouched:
        raise NotLetIn(
            "The issuer does not say that your e-mail address is verified. Verify it there; if the issuer "
            "never says so, an administrator of this hub may set MODELHUB_OIDC_TRUST_EMAIL."
        )


def _take_over(after_commit: AfterCommit, user: User, person: Person) -> User:
    """An account made here before, by its e-mail."""
    if user.sso_subject is not None:
        raise NotLetIn(
            "An account with your e-mail address belongs to another identity at the issuer. "
            "Ask an administrator of this hub."
        )
    if user.password_hash and permissions_of(user.role) & _OVER_OTHERS:
        raise NotLetIn(
            "An account that manages users has your e-mail address, and is not handed over to single "
            "sign-on. Sign in with its password."
        )
    if not user.active:
        raise NotLetIn("This account is not active. Ask an administrator.")
    user.sso_subject, user.password_hash, user.provisional = person.subject, None, False
    user.version += 1
    _throw_out(after_commit, user)
    keys = select(ApiKey).where(ApiKey.user_id == user.id, ApiKey.revoked_at.is_(None))
    for key in db.session.scalars(keys):
        key.revoked_at = utcnow()
        audit.note("key.revoke", ("api_key", key.id, key.name), because="sso")
    audit.note("user.change", user, actor=(user.id, person.email), sso=person.subject)
    return user


def _create(person: Person) -> User:
    user = User(
        email=person.email,
        name=person.name,
        role=_existing(settings().registration_role, "MODELHUB_REGISTRATION_ROLE"),
        sso_subject=person.subject,
    )
    db.session.add(user)
    db.session.flush()
    audit.note(
        "user.create", user, actor=(user.id, person.email), role=user.role, method="sso",
        subject=person.subject,
    )  # fmt: skip
    return user


def _give_role(after_commit: AfterCommit, user: User, person: Person) -> None:
    """Where groups decide, they decide at every sign-in: also that somebody has become less."""
    mapping = settings().oidc_roles
    if not mapping:
        return
    groups = set(person.groups or ())
    mapped = next((role for group, role in mapping.items() if group in groups), None)
    role = _existing(
        mapped or settings().registration_role,
        "MODELHUB_OIDC_ROLES" if mapped else "MODELHUB_REGISTRATION_ROLE",
    )
    if role == user.role:
        return
    try:
        keep_an_admin(user)
    except Conflict:
        log.warning("the last administrator keeps the role that his groups do not give", user=user.id)
        return
    old, user.role = user.role, role
    user.version += 1
    _throw_out(after_commit, user)
    audit.note("user.change", user, actor=(user.id, person.email), changed={"role": [old, role]}, by="groups")


def _throw_out(after_commit: AfterCommit, user: User) -> None:
    """What was begun, or promised to others, with what the account was before."""
    sessions.end_all(after_commit, user.id, "role")
    revoke_links(or_(Invite.created_by == user.id, Invite.user_id == user.id))
    after_commit(forget)


def _existing(role: str, setting: str) -> str:
    if not db.session.scalar(select(Role.id).where(Role.name == role)):
        raise NotLetIn(f"This hub has no role '{role}', which {setting} names. Ask its administrator.")
    return role
