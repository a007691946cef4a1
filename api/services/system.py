"""What this machine has, and which parts of the hub are alive."""

import os
import shutil
import subprocess
import time

import psutil
from sqlalchemy import text

from api.config import VERSION
from api.extensions import db, redis_client, settings
from api.schemas.system import Cpu, Gauge, Gpu, Part, Ready, SystemOut

HEARTBEAT_SECONDS = 20
psutil.cpu_percent()  # the first reading only marks the beginning; each later one covers the time since
_gpus: tuple[float, list[Gpu]] = (0.0, [])


def overview() -> SystemOut:
    disk = shutil.disk_usage(settings().home)
    memory = psutil.virtual_memory()
    return SystemOut(
        version=VERSION,
        home=str(settings().home),
        parts=parts(),
        disk=Gauge(total=disk.total, used=disk.used, free=disk.free),
        memory=Gauge(total=memory.total, used=memory.total - memory.available, free=memory.available),
        cpu=Cpu(cores=os.cpu_count() or 1, percent=psutil.cpu_percent(), load=list(os.getloadavg())),
        gpu=_gpu(),
    )


def memory_for_models() -> tuple[int, int]:
    """Bytes in which one model can run: in all, and free now; a GPU's where it has more than the machine."""
    main = psutil.virtual_memory()
    places = [(main.total, main.available), *((gpu.memory.total, gpu.memory.free) for gpu in _gpu())]
    return max(total for total, _ in places), max(free for _, free in places)


def ready() -> Ready:
    """Whether all parts serve."""
    found = parts()
    good = all(part.status == "ok" for part in found.values())
    return Ready(status="ok" if good else "down", parts=found)


def parts() -> dict[str, Part]:
    """Database, Redis, and the heartbeats of worker and beat."""
    return {
        "database": _database(),
        "redis": _redis(),
        "worker": _beating("worker"),
        "beat": _beating("beat"),
    }


def beat(part: str) -> None:
    """Say that a part is alive."""
    redis_client().set(f"modelhub:alive:{part}", int(time.time()), ex=HEARTBEAT_SECONDS)


def forget_heartbeats() -> None:
    """This worker stops in good order: the next start must not look ready on the strength of this one."""
    redis_client().delete("modelhub:alive:worker", "modelhub:alive:beat")


def _database() -> Part:
    try:
        db.session.execute(text("SELECT 1"))
        return Part(status="ok")
    except Exception as error:
        return Part(status="down", detail=type(error).__name__)
    finally:
        db.session.rollback()


def _redis() -> Part:
    try:
        redis_client().ping()
        return Part(status="ok")
    except Exception as error:
        return Part(status="down", detail=type(error).__name__)


def _beating(part: str) -> Part:
    try:
        seen = redis_client().get(f"modelhub:alive:{part}")
    except Exception:
        return Part(status="unknown", detail="Redis is away")
    return (
        Part(status="ok") if seen else Part(status="down", detail=f"no heartbeat for {HEARTBEAT_SECONDS} s")
    )


def _gpu() -> list[Gpu]:
    """NVIDIA devices as `nvidia-smi` tells them, remembered for five seconds; none without the program."""
    global _gpus
    if time.monotonic() - _gpus[0] < 5 and _gpus[0]:
        return _gpus[1]
    found: list[Gpu] = []
    if program := shutil.which("nvidia-smi"):
        fields = "index,name,memory.total,memory.used,memory.free"
        command = [program, f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout
            found = [_read_gpu(line) for line in answer.splitlines() if line.strip()]
        except (OSError, subprocess.SubprocessError, ValueError):
            found = []
    _gpus = (time.monotonic(), found)
    return found


def _read_gpu(line: str) -> Gpu:
    index, name, total, used, free = (part.strip() for part in line.split(","))
    mebibyte = 1024**2
    memory = Gauge(total=int(total) * mebibyte, used=int(used) * mebibyte, free=int(free) * mebibyte)
    return Gpu(index=int(index), name=name, memory=memory)
