"""Password hashes: argon2id, and a check that costs the same when the account does not exist."""

import secrets
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

T = TypeVar("T")

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    return _off_loop(_hasher.hash, password)


def verify(password_hash: str | None, password: str) -> bool:
    """True when it fits. Without a hash the same work is done, so that time does not tell who exists."""
    return _off_loop(_fits, password_hash or _unknown(), password) and password_hash is not None


def _fits(password_hash: str, password: str) -> bool:
    # Caught here, in the thread: what a thread lets escape is printed with its arguments.
    try:
        return bool(_hasher.verify(password_hash, password))
    except (VerificationError, InvalidHashError):
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
