"""The engine while its model is being loaded: it has a name and a status, and answers nothing yet."""

from dataclasses import dataclass
from typing import NoReturn


@dataclass
class PendingEngine:
    model_name: str
    status: str = "loading"
    context: int = 0

    def chat(self, request: object) -> NoReturn:
        raise AssertionError("the HTTP face refuses requests while loading")

    complete = chat

    def metrics(self) -> dict[str, float]:
        return {}
