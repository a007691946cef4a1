"""Settings of the web server that do not depend on the user; the rest is on its command line."""

import ctypes
import gc
import os
import resource
import select
import signal
import sys
from typing import Any

from supervisor.part import PR_SET_PDEATHSIG, START_GATE

worker_class = "supervisor.web_worker.PatientWorker"
worker_connections = 2000
# The control socket lies in the home directory by default, where a second installation would meet it.
control_socket_disable = True
graceful_timeout = 5
# Seconds without a heartbeat after which a worker is replaced; a loaded machine may take long to import.
timeout = 60
keepalive = 5
accesslog = None
limit_request_line = 8190  # a search with all its filters is longer than the default of 4094
limit_request_fields = 64
limit_request_field_size = 8190
# Whose forwarded headers count is MODELHUB_TRUSTED_PROXIES' business, in the application. By default gunicorn
# believes any program on this machine: that it speaks https, and even what path it asked for.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
errorlog = "-"
proc_name = "modelhub-web"


def post_fork(server: Any, worker: Any) -> None:
    """A worker must not outlive a killed arbiter, whose place and port the next one takes."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != server.pid:
            os._exit(1)
    # A place needs a file descriptor, and a relayed answer two; many systems allow 1,024 unless asked.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * worker_connections if hard == resource.RLIM_INFINITY else min(hard, 4 * worker_connections)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


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
