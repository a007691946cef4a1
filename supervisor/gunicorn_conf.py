"""Settings of the web server that do not depend on the user; the rest is on its command line."""

import ctypes
import gc
import os
import select
import signal
import sys
from typing import Any

from supervisor.part import PR_SET_PDEATHSIG, START_GATE

worker_class = "gevent"
worker_connections = 2000
# The control socket lies in the home directory by default, where a second installation would meet it.
control_socket_disable = True
graceful_timeout = 5
# Seconds without a heartbeat after which a worker is replaced; a loaded machine may take long to import.
timeout = 60
keepalive = 5
accesslog = None
limit_request_line = 8190  # a search with all its filters is longer than the default of 4094
errorlog = "-"
proc_name = "modelhub-web"


def post_fork(server: Any, worker: Any) -> None:
    """A worker must not outlive a killed arbiter, whose place and port the next one takes."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != server.pid:
            os._exit(1)


def post_worker_init(worker: Any) -> None:
    """The application is loaded; requests are answered once the database is prepared."""
    # Hundreds of requests in flight keep many objects alive, which the collector's default thresholds make it
    # walk again and again: a fifth of the processor time of relaying 200 streams (bench/relay.py).
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gate = int(os.environ.get(START_GATE, "-1"))
    while gate >= 0 and not select.select([gate], [], [], 1)[0]:
        worker.notify()
