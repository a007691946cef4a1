"""SQLAlchemy tables: columns and relations, no I/O, no verbs."""

from api.models.chat import ChatMessage, ChatSession, Completion
from api.models.deployment import Deployment
from api.models.download import Download
from api.models.hub_model import HubModel
from api.models.job import Job
from api.models.user import RefreshToken, User

__all__ = [
    "ChatMessage",
    "ChatSession",
    "Completion",
    "Deployment",
    "Download",
    "HubModel",
    "Job",
    "RefreshToken",
    "User",
]
