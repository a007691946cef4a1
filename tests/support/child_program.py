"""A small child program: counts to `steps`, tells its environment if asked, obeys SIGTERM."""

import os
from typing import Any

from integrations.child_events import run_child
from integrations.errors import Stopped


def program(spec: dict[str, Any], events: Any, stop: Any) -> dict[str, Any]:
    for step in range(spec["steps"]):
        events.progress(bytes_done=step, bytes_total=spec["steps"])
        if stop.wait(0.01):
            raise Stopped("asked to stop")
    return {"answer": spec["steps"], "env": dict(os.environ) if spec.get("tell_environment") else {}}


if __name__ == "__main__":
    run_child(program)
