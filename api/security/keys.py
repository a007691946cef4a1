"""The hub's own secrets: `secret.key` signs tokens and encrypts what must be read back, `audit.key` chains
the audit log.

`secret.key` holds one key per line, the newest first. What is signed or sealed uses the newest; what is
checked or opened may use any. `modelhub secrets rotate` adds a key and drops the old ones
(`api.secrets`); running processes notice, because every use looks whether the file has changed.
"""

import base64
import hashlib
import os
import secrets
from pathlib import Path
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import current_app, has_app_context
from sqlalchemy import text

from api.errors import Unavailable
from api.extensions import db

FILE = "secret.key"
AUDIT_FILE = "audit.key"


class WrongKeyFile(Unavailable):
    """The file is there and is not what we wrote."""


class Keyring:
    """The keys in `home/secret.key`, as they are in the file now; made at the first start."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self.audit = _load_or_create(home / AUDIT_FILE)[0]
        _load_or_create(self.path)
        self._known: _Known | None = None
        self.vault = Vault(self)

    @property
    def keys(self) -> list[bytes]:
        """The newest first."""
        return list(self.look().keys)

    def signing_keys(self, purpose: str) -> list[bytes]:
        return [derive(key, purpose) for key in self.look().keys]

    def replace(self, keys: list[bytes]) -> None:
        """Put these keys into the file, the newest first; a crash leaves the old file or the new one."""
        if not keys:
            raise ValueError("a keyring without a key")
        for left in self.path.parent.glob(f".{FILE}.*"):
            left.unlink(missing_ok=True)  # by somebody who was killed; it holds keys
        draft, old = _draft(self.path, keys), self.path.stat()
        if os.geteuid() == 0:  # root may do it for the hub's user, who has to read the new file
            os.chown(draft, old.st_uid, old.st_gid)
        draft.replace(self.path)
        _sync(self.path.parent)

    def look(self) -> "_Known":
        """What the file holds. A `stat` costs a microsecond; the file is read when it is another one."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            raise WrongKeyFile(
                f"{self.path} is missing, and with it all that it has signed and sealed. "
                "Restore that file from a backup."
            ) from None
        stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
        known = self._known
        if known is None or known.stamp != stamp:
            keys = _read(self.path)
            each = [Fernet(base64.urlsafe_b64encode(derive(key, "vault"))) for key in keys]
            known = self._known = _Known(stamp, keys, each, MultiFernet(each))
        return known


class _Known(NamedTuple):
    stamp: tuple[int, int, int]
    keys: list[bytes]
    each: list[Fernet]
    all: MultiFernet


class Vault:
    """Encrypts small secrets for a database column (Fernet: AES-128-CBC with HMAC-SHA-256)."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def seal(self, text: str) -> str:
        """Seal with the newest key. Call it inside the unit of work that stores the answer: from here to
        the commit no key is dropped.
        """
        if has_app_context():
            until_commit(shared=True)
        return self._keyring.look().all.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The secret again. `Unavailable` when no key of the file opens it."""
        try:
            return self._keyring.look().all.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Unavailable(
                f"A stored secret cannot be decrypted: {FILE} is not the one it was sealed with. "
                "Restore that file from a backup."
            ) from None

    def key_of(self, sealed: str) -> int | None:
        """Which key this was sealed with: 0 is the newest, None is none of them."""
        for number, fernet in enumerate(self._keyring.look().each):
            try:
                fernet.decrypt(sealed.encode())
            except InvalidToken:
                continue
            return number
        return None


def until_commit(*, shared: bool) -> None:
    """Who seals and who drops a key do not overlap. SQLite has one writer, who began before sealing;
    PostgreSQL gets an advisory lock, shared by those who seal.
    """
    if db.engine.dialect.name == "postgresql":
        lock = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        db.session.execute(text(f"SELECT {lock}(hashtextextended('secret.key', 0))"))


def keyring() -> Keyring:
    """The keyring of the running application."""
    found: Keyring = current_app.extensions["modelhub_keyring"]
    return found


def signing_key(purpose: str) -> bytes:
    """The newest key for this purpose: what new signatures are made with."""
    return keyring().signing_keys(purpose)[0]


def signing_keys(purpose: str) -> list[bytes]:
    """Every key whose signatures still count, the newest first."""
    return keyring().signing_keys(purpose)


def audit_key() -> bytes:
    """The key of the audit log's chain. It is never rotated: old entries must stay verifiable."""
    return keyring().audit


def vault() -> Vault:
    """What seals secrets for the database, and opens them."""
    return keyring().vault


def derive(secret: bytes, purpose: str) -> bytes:
    """A key for one purpose, so that a leaked signature key cannot decrypt."""
    return hashlib.blake2b(secret, digest_size=32, person=purpose.encode()[:16]).digest()


def new_key() -> bytes:
    return secrets.token_bytes(32)


def _load_or_create(path: Path) -> list[bytes]:
    if not path.exists():
        draft = _draft(path, [new_key()])
        try:
            os.link(draft, path)  # atomic, and never overwrites
        except FileExistsError:
            pass  # another process was first; its key counts
        finally:
            draft.unlink()
        _sync(path.parent)
    return _read(path)


def _read(path: Path) -> list[bytes]:
    wrong = WrongKeyFile(
        f"{path} does not hold keys as ModelHub writes them. Restore that file from a backup."
    )
    try:
        keys = [bytes.fromhex(line) for line in path.read_text(encoding="ascii").split()]
    except ValueError:
        raise wrong from None
    if not keys or any(len(key) != 32 for key in keys):
        raise wrong
    return keys


def _draft(path: Path, keys: list[bytes]) -> Path:
    """The keys in a new private file beside `path`, on the disk before anybody gives it that name."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as file:
        file.writelines(f"{key.hex()}\n" for key in keys)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
