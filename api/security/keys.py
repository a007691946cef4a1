"""The hub's own secret: signs tokens and encrypts what must be read back."""

import base64
import hashlib
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from flask import current_app

from api.errors import Unavailable


def load_or_create(home: Path, name: str = "secret.key") -> bytes:
    """The 32 secret bytes in this file, made with mode 0600 at the first start."""
    path = home / name
    try:
        return bytes.fromhex(path.read_text().strip())
    except FileNotFoundError:
        pass
    draft = home / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # atomic, and never overwrites
    except FileExistsError:
        pass  # another process was first; its key counts
    finally:
        draft.unlink()
    return bytes.fromhex(path.read_text().strip())


def derive(secret: bytes, purpose: str) -> bytes:
    """A key for one purpose, so that a leaked signature key cannot decrypt."""
    return hashlib.blake2b(secret, digest_size=32, person=purpose.encode()[:16]).digest()


def signing_key(purpose: str) -> bytes:
    """The newest key for this purpose: what new signatures are made with."""
    return derive(current_app.extensions["modelhub_secret"], purpose)


def signing_keys(purpose: str) -> list[bytes]:
    """Every key whose signatures still count, the newest first."""
    return [signing_key(purpose)]


def audit_key() -> bytes:
    """The key of the audit log's chain. It is never rotated: old entries must stay verifiable."""
    found: bytes = current_app.extensions["modelhub_audit_key"]
    return found


def vault() -> "Vault":
    """What seals secrets for the database, and opens them."""
    found: Vault = current_app.extensions["modelhub_vault"]
    return found


class Vault:
    """Encrypts small secrets for a database column (Fernet: AES-128-CBC with HMAC-SHA-256)."""

    def __init__(self, secret: bytes) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(derive(secret, "vault")))

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Unavailable(
                "A stored secret cannot be decrypted: secret.key is not the one it was sealed with. "
                "Restore that file from a backup."
            ) from None
