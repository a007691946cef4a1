"""What `modelhub doctor` looks at. Quick, changing nothing, working with the hub down."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Status = Literal["ok", "warn", "fail"]
"""`warn`: something is missing that one may do without; `fail`: the hub cannot be used like this."""


@dataclass(frozen=True)
class Check:
    name: str
    status: Status
    detail: str
    advice: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Surroundings:
    """What the checks look at: the hub's home, the environment with `.env`, and the hub's address."""

    home: Path
    variables: Mapping[str, str]
    url: str


def run_all(around: Surroundings) -> list[Check]:
    """All of them at once, answered in their order."""
    from concurrent.futures import ThreadPoolExecutor

    from cli.checks import engines, machine, parts

    checks = (
        machine.python,
        machine.data_directory,
        machine.disk,
        machine.memory,
        parts.hub,
        parts.redis,
        parts.database,
        engines.inference,
        engines.torch,
        engines.gpu,
        engines.docker,
        engines.ollama,
        machine.node,
    )
    with ThreadPoolExecutor(len(checks)) as pool:
        return list(pool.map(lambda check: check(around), checks))
