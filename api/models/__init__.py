"""SQLAlchemy tables: columns and relations, no I/O, no verbs."""

from api.models.access import ApiKey, AuditEntry, Invite, Lockout, Role, RolePermission, Team, TeamMember
from api.models.chat import ChatMessage, ChatSession, Completion
from api.models.deployment import Deployment
from api.models.download import Download
from api.models.hub_model import HubModel, ModelTag, ModelVersion
from api.models.job import Job
from api.models.storage import Blob, BlobRef, HubSetting, QuarantinedFile, Reservation, Upload
from api.models.user import RefreshToken, User, UserSession

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Blob",
    "BlobRef",
    "ChatMessage",
    "ChatSession",
    "Completion",
    "Deployment",
    "Download",
    "HubModel",
    "HubSetting",
    "Invite",
    "Job",
    "Lockout",
    "ModelTag",
    "ModelVersion",
    "QuarantinedFile",
    "RefreshToken",
    "Reservation",
    "Role",
    "RolePermission",
    "Team",
    "TeamMember",
    "Upload",
    "User",
    "UserSession",
]
