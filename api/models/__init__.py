"""SQLAlchemy tables: columns and relations, no I/O, no verbs."""

from api.models.access import ApiKey, AuditEntry, Invite, Lockout, Role, RolePermission, Team, TeamMember
from api.models.chat import ChatMessage, ChatSession, Completion
from api.models.deployment import Deployment
from api.models.download import Download
from api.models.hub_model import HubModel
from api.models.job import Job
from api.models.user import RefreshToken, User, UserSession

__all__ = [
    "ApiKey",
    "AuditEntry",
    "ChatMessage",
    "ChatSession",
    "Completion",
    "Deployment",
    "Download",
    "HubModel",
    "Invite",
    "Job",
    "Lockout",
    "RefreshToken",
    "Role",
    "RolePermission",
    "Team",
    "TeamMember",
    "User",
    "UserSession",
]
