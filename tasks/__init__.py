"""Celery: each task is a name, its limits, and one call into a service."""
