"""Calls that wait for the disk: under gevent they go to a real thread, so that nobody else waits with
them."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_thread(call: Callable[..., T], *args: object) -> T:
    """`call(*args)`, which must not touch the database."""
    try:
        from gevent import get_hub
        from gevent.monkey import is_module_patched
    except ImportError:
        return call(*args)
    if not is_module_patched("threading"):
        return call(*args)
    answer: T = get_hub().threadpool.apply(call, args)
    return answer
