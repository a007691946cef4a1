"""What a runtime is: how a model directory becomes a running, answering server."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel


@dataclass(frozen=True)
class Launch:
    """A server ready to be started: the child program, its spec, and where it will answer.

    `secrets` go to the child in its environment: a spec is a file that stays.
    """

    module: str
    spec: dict[str, Any]
    endpoint: str
    engine: str
    secrets: dict[str, str]


class Runtime(Protocol):
    """A way to run models. `Options` is a pydantic model; its JSON Schema draws the console's form."""

    name: ClassVar[str]
    title: ClassVar[str]
    Options: ClassVar[type[BaseModel]]

    def choose_engine(self, directory: Path, options: Any) -> str:
        """The engine for this model; raises `NotACausalLM` or `Unsupported` before anything is started."""

    def prepare(self, directory: Path, name: str, options: Any, api_key: str) -> Launch:
        """Everything needed to start; a free port is chosen here when the options name none."""

    def ready(self, endpoint: str, api_key: str, name: str) -> None:
        """Return once the server has generated a real token; raises `Unreachable` while it is loading."""
