"""What every engine program does around its engine: the spec, the port, the end."""

import errno
import os
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inference.errors import EngineError, PortInUse
from integrations.child_events import EXIT_STOPPED, EventWriter, run_child
from integrations.redaction import redact


@dataclass(frozen=True)
class EngineSpec:
    """The keys of SPEC.json that engines share. `context` in tokens, None to let the engine choose.

    `api_key` is not in that file but in the environment, as MODELHUB_ENGINE_KEY.
    """

    model_path: Path
    model_name: str
    port: int
    api_key: str
    host: str = "127.0.0.1"
    threads: int = field(default_factory=lambda: default_threads())
    context: int | None = None
    max_concurrent: int = 4

    @classmethod
    def read(cls, spec: dict[str, Any]) -> "EngineSpec":
        known = {name: spec[name] for name in cls.__dataclass_fields__ if spec.get(name) is not None}
        known["api_key"] = os.environ.pop("MODELHUB_ENGINE_KEY", "")
        if not known["api_key"]:
            raise EngineError("MODELHUB_ENGINE_KEY, which callers of this engine must show, is not set.")
        missing = {"model_path", "model_name", "port"} - known.keys()
        if missing:
            raise EngineError(f"The spec of this engine lacks {', '.join(sorted(missing))}.")
        return cls(**known | {"model_path": Path(known["model_path"])})


def default_threads() -> int:
    """All cores but one: the hub itself has to stay responsive."""
    return max(
        1,
        len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)) - 1,
    )


def end_on_stop(events: EventWriter, stop: threading.Event) -> None:
    """End this process at once when `stop` is set: an engine has nothing to save, and its loop threads would
    keep an ordinary exit waiting."""

    def wait() -> None:
        stop.wait()
        events.emit("stopped")
        os._exit(EXIT_STOPPED)

    threading.Thread(target=wait, name="stop", daemon=True).start()


def end_at_once(program: Callable[[dict[str, Any], EventWriter, threading.Event], dict[str, Any]]) -> None:
    """Run `program` under the child protocol, and leave without waiting for the engine's threads."""
    try:
        run_child(program)
    except SystemExit as end:
        _leave(end.code if isinstance(end.code, int) else 1)
    except BaseException:
        sys.stderr.write(redact(traceback.format_exc()))
        _leave(1)


def _leave(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def port_in_use(host: str, port: int) -> PortInUse:
    return PortInUse(
        f"Port {port} on {host} is used by another program. Choose another port for this deployment, or none "
        "to let the hub choose a free one.",
        details={"host": host, "port": port},
    )


def check_port_free(host: str, port: int) -> None:
    """Raises `PortInUse`. For servers that bind in code that is not ours."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise as_port_error(error, host, port) from None


def as_port_error(error: OSError, host: str, port: int) -> EngineError:
    if error.errno == errno.EADDRINUSE:
        return port_in_use(host, port)
    return EngineError(f"The address {host}:{port} cannot be listened on: {error.strerror}.")
