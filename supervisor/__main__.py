"""`python -m supervisor [up]` runs the hub; `status [--json]` and `stop` are for scripts.

Exit codes: 0 stopped as asked, 2 cannot start (one sentence on stderr), 3 not running.
"""

import argparse
import contextlib
import json
import os
import resource
import signal
import socket
import sys
import time

from integrations.redaction import learn_environment, redact
from supervisor import lock, preflight, redis_server
from supervisor.environment import ROOT, Environment, read_environment
from supervisor.errors import CannotStart
from supervisor.logs import LogBook
from supervisor.parts import address, hub_parts
from supervisor.supervision import Supervision


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m supervisor", description="Run, ask for or stop the hub.")
    parser.add_argument("command", nargs="?", default="up", choices=("up", "status", "stop"))
    parser.add_argument("--json", action="store_true", help="status as one JSON object")
    arguments = parser.parse_args()
    try:
        environment = read_environment(os.environ)
        learn_environment(environment.variables)
        if arguments.command == "up":
            return up(environment)
        if arguments.command == "status":
            return status(environment, arguments.json)
        return stop(environment)
    except CannotStart as error:
        print(redact(str(error).strip().replace("\n", " ")), file=sys.stderr)
        return 2


def up(environment: Environment) -> int:
    began = time.monotonic()
    os.umask(0o077)  # what the parts write holds keys and everybody's models
    _raise_file_limit()
    preflight.prepare_directories(environment.home)
    held = lock.HubLock(environment.run_dir)
    held.acquire(f"http://{environment.host}:{environment.port}")
    try:
        with preflight.listen(environment.host, environment.port) as listener:
            held.note_url(address(listener))
            _run(environment, listener, held, began)
    finally:
        held.release()
    return 0


def _run(environment: Environment, listener: socket.socket, held: lock.HubLock, began: float) -> None:
    url = address(listener)
    variables = environment.variables | {"MODELHUB_PORT": str(listener.getsockname()[1])}
    path = None
    if environment.redis_url:
        redis_server.require_external(environment.redis_url)
    else:
        path = redis_server.socket_path(environment.home)
        variables["REDIS_URL"] = f"unix://{path}?db=0"
    parts = hub_parts(environment, listener, path)
    log = LogBook(environment.logs_dir, [part.name for part in parts])
    first_admin: dict[str, str | None] = {}

    def prepared(name: str, lines: list[str]) -> None:
        with contextlib.suppress(ValueError, IndexError):
            first_admin.update(json.loads(lines[-1]))

    def ready() -> None:
        held.announce()
        _say_ready(log, url, first_admin)
        log.hub(f"ready at {url} after {time.monotonic() - began:.1f} s; Ctrl-C stops it")
        _notify_systemd("READY=1")

    supervision = Supervision(
        parts,
        cwd=ROOT,
        environment=variables,
        log=log,
        lock_fds=(held.fd,),
        started=held.note_part,
        prepared=prepared,
    )
    log.hub(f"starting in {environment.home}")
    try:
        supervision.run(ready)
        log.hub("stopped")
    finally:
        if first_admin.get("admin_password"):  # the start failed later, and the next one cannot print it
            _say_ready(log, None, first_admin)
        log.close()


def _say_ready(log: LogBook, url: str | None, first_admin: dict[str, str | None]) -> None:
    """The address, and once the generated password; to the terminal only, since a log file keeps things."""
    lines = [f"Console   {url}"] if url else []
    password = first_admin.pop("admin_password", None)
    if password:
        lines += [f"E-mail    {first_admin.get('admin_email')}", f"Password  {password}   (shown this once)"]
    width = max(map(len, lines))
    bar = "+" + "-" * (width + 2) + "+"
    for line in ["", bar, *(f"| {line:<{width}} |" for line in lines), bar, ""]:
        log.terminal.write(line)


def _raise_file_limit() -> None:
    """Every stream and socket is an open file; the usual soft limit of 1024 is soon reached."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _notify_systemd(message: str) -> None:
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.connect("\0" + path[1:] if path.startswith("@") else path)
            connection.sendall(message.encode())


def _holder(environment: Environment) -> dict[str, object] | None:
    holder = lock.HubLock(environment.run_dir).read()
    return holder if lock.is_process(holder) else None


def status(environment: Environment, as_json: bool) -> int:
    holder = _holder(environment)
    ready = bool(holder) and (environment.run_dir / "hub.json").exists()
    state = "running" if ready else "starting" if holder else "stopped"
    if as_json:
        print(json.dumps({"state": state, **(holder or {})}))
    else:
        print(
            f"{state} (pid {holder['pid']}, {holder['url']})"
            if holder
            else f"not running in {environment.home}"
        )
    return 0 if holder else 3


def stop(environment: Environment) -> int:
    holder = _holder(environment)
    if holder is None:
        print(f"not running in {environment.home}")
        return 3
    pid = int(str(holder["pid"]))
    os.kill(pid, signal.SIGTERM)
    while lock.is_process(holder):
        time.sleep(0.1)
    print("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
