"""How Celery is set up, for web, worker and beat alike."""

from typing import Any

from api.config import Settings


def celery_options(settings: Settings) -> dict[str, Any]:
    """The ledger is the queue and a message only a doorbell: nothing here makes messages durable."""
    return {
        "broker_url": settings.celery_broker,
        "task_ignore_result": True,
        "task_acks_late": False,
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "worker_send_task_events": False,
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": {
            "socket_timeout": 10,
            "socket_connect_timeout": 3,
            "health_check_interval": 5,
            "socket_keepalive": True,
            # Whoever rings while Redis is away is told at once: the ledger keeps the job, beat rings again.
            # By default kombu would hold a request for four seconds. (The worker reconnects by other rules.)
            "max_retries": 1,
            "interval_start": 0,
        },
        "task_serializer": "json",
        "accept_content": ["json"],
        "timezone": "UTC",
    }
