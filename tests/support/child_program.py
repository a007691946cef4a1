"""A small child program: counts to `steps`, tells its environment if asked, obeys SIGTERM, dies if asked."""

import os
import signal
from typing import Any

from integrations.child_events import run_child
from integrations.errors import Stopped


def program(spec: dict[str, Any], events: Any, stop: Any) -> dict[str, Any]:
    for step in range(spec.get("first", 0), spec["steps"]):
        dies = step == spec.get("dies_at")
        events.progress(force=dies, bytes_done=step, bytes_total=spec["steps"])
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        if stop.wait(0.01):
            raise Stopped("asked to stop")
    return {"answer": spec["steps"], "env": dict(os.environ) if spec.get("tell_environment") else {}}


if __name__ == "__main__":
    run_child(program)
