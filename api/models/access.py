"""Roles and what they allow, teams and who is in them, keys for programs, invitations, and lock-outs."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from api.extensions import db
from api.models.base import Identified, UTCDateTime, Versioned


class Role(db.Model, Versioned):  # type: ignore[name-defined, misc]
    """`name` is what users and the API refer to and never changes; `title` is what people read."""

    __tablename__ = "roles"

    name: Mapped[str] = mapped_column(String(50), unique=True)
    title: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(String(500), default="")
    builtin: Mapped[bool] = mapped_column(default=False)

    permissions: Mapped[list["RolePermission"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="RolePermission.permission"
    )


class RolePermission(db.Model):  # type: ignore[name-defined, misc]
    __tablename__ = "role_permissions"

    role_id: Mapped[str] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)
    permission: Mapped[str] = mapped_column(String(50), primary_key=True)


class Team(db.Model, Versioned):  # type: ignore[name-defined, misc]
    __tablename__ = "teams"

    name: Mapped[str] = mapped_column(String(100), unique=True)
    description: Mapped[str] = mapped_column(String(500), default="")

    members: Mapped[list["TeamMember"]] = relationship(
        cascade="all, delete-orphan", lazy="selectin", order_by="TeamMember.user_id"
    )


class TeamMember(db.Model):  # type: ignore[name-defined, misc]
    """A `manager` may change what is shared with the team, and who is in it."""

    __tablename__ = "team_members"

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    manager: Mapped[bool] = mapped_column(default=False)


class ApiKey(db.Model, Identified):  # type: ignore[name-defined, misc]
    """Only the SHA-256 of a key is kept. It may do what its owner may, and of that only its `scopes`."""

    __tablename__ = "api_keys"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(12))  # what a person recognises it by: mh_ and a few letters
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(JSON, default=list)
    deployments: Mapped[list[str] | None] = mapped_column(JSON)  # ids; None: all its owner may ask
    requests_per_minute: Mapped[int | None]
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_used_from: Mapped[str | None] = mapped_column(String(64))
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Invite(db.Model, Identified):  # type: ignore[name-defined, misc]
    """A link that lets one person in: as a new user, or (`user_id`) back in with a new password."""

    __tablename__ = "invites"

    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    email: Mapped[str | None] = mapped_column(String(254))
    role: Mapped[str] = mapped_column(String(50))
    teams: Mapped[list[str]] = mapped_column(JSON, default=list)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_by: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Lockout(db.Model, Identified):  # type: ignore[name-defined, misc]
    """Failed sign-ins of one account (an e-mail, known or not) or from one address."""

    __tablename__ = "lockouts"

    kind: Mapped[str] = mapped_column(String(10))  # account | address
    value: Mapped[str] = mapped_column(String(254))
    failures: Mapped[int] = mapped_column(default=0)
    last_failed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    locked_until: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (Index("ix_lockouts_kind_value", "kind", "value", unique=True),)


class AuditEntry(db.Model):  # type: ignore[name-defined, misc]
    """One thing that was done. `hash` covers every other column and the hash before it."""

    __tablename__ = "audit_entries"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    actor_kind: Mapped[str] = mapped_column(String(20))  # session | key | machine | anonymous | system
    actor_id: Mapped[str | None] = mapped_column(String(32), index=True)
    actor_name: Mapped[str] = mapped_column(String(254), default="")
    key_id: Mapped[str | None] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(60), index=True)  # object.verb, e.g. deployment.create
    object_type: Mapped[str | None] = mapped_column(String(40))
    object_id: Mapped[str | None] = mapped_column(String(64), index=True)
    object_name: Mapped[str] = mapped_column(String(300), default="")
    result: Mapped[str] = mapped_column(String(10))  # done | denied | failed
    address: Mapped[str | None] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    request_id: Mapped[str] = mapped_column(String(64), default="")
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    previous: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(String(64))
