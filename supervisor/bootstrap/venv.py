"""The virtual environment with the pinned packages, and the `modelhub` command inside it."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from supervisor.bootstrap.steps import ROOT, SetupFailed, carry_out, digest, is_stamped, show, stamp, unstamp

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
MODELHUB = """#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
import sys

from cli.main import main

sys.exit(main())
"""
"""Readable by both sh and Python, since a `#!` line may hold neither long paths nor blanks."""


def install_run() -> None:
    """`.venv` with requirements.txt and bin/modelhub."""
    value = digest(sys.version, str(ROOT), ROOT / "requirements.txt", MODELHUB)
    if is_stamped("run", value) and PYTHON.exists():
        return
    unstamp("run", "dev")
    _make()
    show("installing packages; the first time this takes some minutes and about 2 GB of disk")
    _pip("installing requirements.txt", "-r", "requirements.txt")
    _make_command()
    stamp("run", value)


def install_dev() -> None:
    """What tests and checks need as well."""
    install_run()
    value = digest(sys.version, str(ROOT), ROOT / "requirements.txt", ROOT / "requirements-dev.txt")
    if is_stamped("dev", value):
        return
    _pip("installing requirements-dev.txt", "-r", "requirements.txt", "-r", "requirements-dev.txt")
    stamp("dev", value)


def _make() -> None:
    """A new environment, unless there is one of this Python at this place."""
    if sys.version_info < OLDEST:
        raise SetupFailed(
            f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed, this is {sys.version.split()[0]}."
        )
    if _is_ours():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        carry_out("making .venv", [sys.executable, "-m", "venv", str(VENV)])
    elif importlib.util.find_spec("virtualenv"):
        carry_out("making .venv", [sys.executable, "-m", "virtualenv", "-p", sys.executable, str(VENV)])
    elif command := shutil.which("virtualenv"):
        carry_out("making .venv", [command, "-p", sys.executable, str(VENV)])
    else:
        package = f"python3.{sys.version_info.minor}-venv"
        raise SetupFailed(
            f"This Python lacks its venv module: install it (Debian, Ubuntu: apt install {package}), "
            "then run the same command again."
        )


def _is_ours() -> bool:
    ask = [str(PYTHON), "-c", "import pip, sys; print(sys.version, sys.prefix)"]
    try:
        answer = subprocess.run(ask, capture_output=True, text=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.strip() == f"{sys.version} {VENV}"


def _pip(title: str, *words: str) -> None:
    carry_out(title, [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", *words])


def _make_command() -> None:
    """`bin/modelhub`, and the checkout on the environment's path, as an editable install would put it."""
    site = next((VENV / "lib").glob("python3*/site-packages"))
    (site / "modelhub.pth").write_text(f"{ROOT}\n")
    command = VENV / "bin" / "modelhub"
    command.write_text(MODELHUB.format(python=PYTHON))
    command.chmod(0o755)


def site_packages() -> Path:
    return next((VENV / "lib").glob("python3*/site-packages"))
