"""Made here, bound to an application in `create_app`, imported from anywhere below it."""

from functools import lru_cache

import redis
from celery import Celery
from flask import current_app
from flask_socketio import SocketIO
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from api.config import Settings


class Base(DeclarativeBase):
    """Constraint names are spelled out, since Alembic can only alter on every database what has a name."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
socketio = SocketIO()
celery = Celery("modelhub")


def settings() -> Settings:
    """The settings of the running application."""
    value: Settings = current_app.extensions["modelhub_settings"]
    return value


@lru_cache(maxsize=8)
def _redis_client(url: str) -> "redis.Redis":
    # A short timeout: Redis carries only doorbells, events and caches, so nobody may wait long for it.
    return redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=5, health_check_interval=15)


def redis_client() -> "redis.Redis":
    """The shared Redis connection pool of this process."""
    return _redis_client(settings().redis)
