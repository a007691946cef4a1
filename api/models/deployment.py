"""A model answering somewhere. `wanted` is what the user wants, `status` what is."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from api.extensions import db
from api.models.base import Owned, Versioned
from api.models.hub_model import HubModel


class Deployment(db.Model, Versioned, Owned):  # type: ignore[name-defined, misc]
    """`child` is the identity of the serving process; `secret` its API key, encrypted. `version_id` is the
    version of the model that the process was started with: the model may have another active one since."""

    __tablename__ = "deployments"

    name: Mapped[str] = mapped_column(String(80), unique=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("models.id"), index=True)
    version_id: Mapped[str | None] = mapped_column(String(32))
    runtime: Mapped[str] = mapped_column(String(50))
    engine: Mapped[str | None] = mapped_column(String(50))
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    wanted: Mapped[str] = mapped_column(String(20), default="running")  # running | stopped | deleted
    status: Mapped[str] = mapped_column(String(20), default="deploying")
    message: Mapped[str] = mapped_column(String(500), default="")
    endpoint: Mapped[str | None] = mapped_column(String(300))
    secret: Mapped[str | None] = mapped_column(String(500))
    child: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    restarts: Mapped[list[float]] = mapped_column(JSON, default=list)  # Unix times of unasked restarts

    model: Mapped[HubModel] = relationship(lazy="joined", innerjoin=True)
