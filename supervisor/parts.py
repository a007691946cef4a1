"""The parts of the hub, in the order they are started; the stop goes through them backwards."""

import signal
import socket
import sys
from pathlib import Path

from supervisor import redis_server
from supervisor.environment import Environment
from supervisor.part import Part

PYTHON = sys.executable


def hub_parts(environment: Environment, listener: socket.socket, embedded_redis: Path | None) -> list[Part]:
    """`embedded_redis` is the socket of the Redis to run ourselves; None when REDIS_URL names another."""
    parts = [redis_part(environment, embedded_redis)] if embedded_redis else []
    needed = (*(part.name for part in parts), "prepare")
    level = environment.log_level
    # Celery warns root about unpickling; only JSON is accepted here.
    quiet = "ignore:You're running the worker with superuser privileges"
    celery = (PYTHON, "-W", quiet, "-m", "celery", "--quiet", "-A")
    schedule = str(environment.run_dir / "celerybeat-schedule")
    return [
        *parts,
        Part("prepare", (PYTHON, "-m", "api.prepare"), kind="at_start", ready_within=600),
        Part(
            "children",
            (PYTHON, "-m", "integrations.children", "stop-all", "--home", str(environment.home)),
            kind="at_stop",
            grace=60,
        ),
        Part(
            "web",
            (
                *(PYTHON, "-m", "gunicorn", "-c", "python:supervisor.gunicorn_conf"),
                *("-w", str(environment.web_workers), "-b", f"fd://{listener.fileno()}"),
                *("--log-level", level.lower(), "api.wsgi:app"),
            ),
            # Two cores are busy for a second with the imports of prepare and web; the others come after them.
            gate=needed,
            ready=lambda: is_healthy(listener),
            grace=10,
            death_signal=signal.SIGTERM,
            pass_fds=(listener.fileno(),),
        ),
        Part(
            "worker",
            (
                *(*celery, "tasks.worker:celery", "worker", "-l", level),
                *("-P", "threads", "-c", str(environment.worker_threads)),
                *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            ),
            after=needed,
            grace=15,
        ),
        Part(
            "beat",
            (
                *(*celery, "tasks.beat:celery", "beat", "-s", schedule, "--pidfile="),
                # At INFO it says every three seconds that it does its work.
                *("-l", level if level in ("DEBUG", "ERROR") else "WARNING"),
            ),
            after=("web",),
            grace=5,
        ),
    ]


def redis_part(environment: Environment, path: Path) -> Part:
    binary, label = redis_server.find_server()
    data = environment.home / "redis" / label
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Part(
        "redis",
        redis_server.server_argv(binary, data, path),
        ready=lambda: redis_server.answers(f"unix://{path}"),
        death_signal=signal.SIGTERM,
    )


def is_healthy(listener: socket.socket) -> bool:
    """`GET /healthz`. The socket listens before the server does, so the question waits for its answer."""
    host, port = listener.getsockname()[:2]
    with socket.create_connection((reachable(host), port), timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        answer = b""
        while len(answer) < 12 and (more := connection.recv(64)):
            answer += more
    return answer[8:12] == b" 200"


def reachable(host: str) -> str:
    """An address to reach a server by that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def address(listener: socket.socket) -> str:
    """The URL a browser on this machine opens."""
    host, port = listener.getsockname()[:2]
    host = reachable(host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
