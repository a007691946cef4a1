"""Who may do it, where they are signed in, and the chains of refresh tokens that keep them signed in."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from api.extensions import db
from api.models.base import Identified, UTCDateTime, Versioned


class User(db.Model, Versioned):  # type: ignore[name-defined, misc]
    """`password_hash` is None for who signs in elsewhere; `sso_subject` is `issuer|subject` there.

    `provisional` marks a password that the hub made up and its owner has not replaced yet.
    """

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    role: Mapped[str] = mapped_column(ForeignKey("roles.name"), default="viewer")
    password_hash: Mapped[str | None] = mapped_column(String(300))
    provisional: Mapped[bool] = mapped_column(default=False)
    sso_subject: Mapped[str | None] = mapped_column(String(600), unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    last_seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class UserSession(db.Model, Identified):  # type: ignore[name-defined, misc]
    """One sign-in on one device. Its id is the `sid` of access tokens and the family of refresh tokens."""

    __tablename__ = "user_sessions"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    method: Mapped[str] = mapped_column(String(20), default="password")  # password | invite | sso
    address: Mapped[str | None] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_because: Mapped[str | None] = mapped_column(String(40))


class RefreshToken(db.Model, Identified):  # type: ignore[name-defined, misc]
    """One link of a session's chain. Only the SHA-256 of the token is kept; its use makes the next."""

    __tablename__ = "refresh_tokens"

    session_id: Mapped[str] = mapped_column(ForeignKey("user_sessions.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
