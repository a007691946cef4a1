"""The machine and the parts of the hub."""

from typing import Literal

from api.schemas.base import Out


class Part(Out):
    status: Literal["ok", "down", "unknown"]
    detail: str = ""


class Gauge(Out):
    """Bytes."""

    total: int
    used: int
    free: int


class Cpu(Out):
    cores: int
    percent: float
    load: list[float]


class Gpu(Out):
    index: int
    name: str
    memory: Gauge


class SystemOut(Out):
    version: str
    home: str
    parts: dict[str, Part]
    disk: Gauge
    memory: Gauge
    cpu: Cpu
    gpu: list[Gpu]


class Alive(Out):
    status: Literal["ok"] = "ok"


class Ready(Out):
    status: Literal["ok", "down"]
    parts: dict[str, Part]
