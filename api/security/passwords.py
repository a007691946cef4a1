"""Passwords: which are good enough, their hashes (argon2id), and a check that costs the same when the account
does not exist. Hashes made by bcrypt elsewhere are accepted, and replaced when their owner signs in."""

import secrets
from collections.abc import Callable
from typing import TypeVar

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.errors import Invalid
from api.security.common_passwords import COMMON

T = TypeVar("T")

MIN_LENGTH = 8
MAX_LENGTH = 1024
_BCRYPT = ("$2a$", "$2b$", "$2y$")
_BCRYPT_BYTES = 72  # what bcrypt looks at; those who hashed with it cut the rest off

_hasher = PasswordHasher()


def is_common(password: str) -> bool:
    return password.strip().lower() in COMMON


def check_rules(password: str, email: str, *, field: str = "password") -> None:
    """`Invalid`, with the reason at `field`, unless the password may be used for this account.

    NIST SP 800-63B: a length and a list of what is tried first; no rules about digits and capitals.
    """
    low = password.strip().lower()
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        reason = f"Use {MIN_LENGTH} to {MAX_LENGTH} characters."
    elif is_common(password):
        reason = "This password is one of the first that are tried. Choose another."
    elif low in {email.lower(), email.lower().partition("@")[0]}:
        reason = "This password is the e-mail. Choose another."
    elif len(set(password)) < 3:
        reason = "This password repeats one or two characters. Choose another."
    else:
        return
    raise Invalid(reason, details={"errors": [{"loc": [field], "msg": reason, "type": "weak_password"}]})


def hash_password(password: str) -> str:
    return _off_loop(_hasher.hash, password)


def verify(password_hash: str | None, password: str) -> bool:
    """True when it fits. Without a hash the same work is done, so that time does not tell who exists."""
    return _off_loop(_fits, password_hash or _unknown(), password) and password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether to hash again, now that the password is known: made by bcrypt, or with cheaper parameters."""
    return password_hash.startswith(_BCRYPT) or _hasher.check_needs_rehash(password_hash)


def _fits(password_hash: str, password: str) -> bool:
    # Caught here, in the thread: what a thread lets escape is printed with its arguments.
    try:
        if password_hash.startswith(_BCRYPT):
            return bcrypt.checkpw(password.encode()[:_BCRYPT_BYTES], password_hash.encode())
        return bool(_hasher.verify(password_hash, password))
    except (VerificationError, InvalidHashError, ValueError):
        return False


def generate() -> str:
    """120 bits, readable aloud."""
    text = secrets.token_hex(15)
    return "-".join(text[i : i + 5] for i in range(0, 30, 5))


_decoy: list[str] = []


def _unknown() -> str:
    if not _decoy:
        _decoy.append(_hasher.hash(secrets.token_hex(8)))
    return _decoy[0]


def _off_loop(call: Callable[..., T], *args: str) -> T:
    """Hashing is about 0.1 s of C code: under gevent it goes to a real thread, so nobody else waits."""
    try:
        from gevent import get_hub
        from gevent.monkey import is_module_patched
    except ImportError:
        return call(*args)
    if not is_module_patched("threading"):
        return call(*args)
    return get_hub().threadpool.apply(call, args)
