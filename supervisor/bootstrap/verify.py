"""`check` and `test`: run every command to its end, then say what failed. Nothing is skipped in silence."""

import subprocess
import sys
import time

from supervisor.bootstrap import node
from supervisor.bootstrap.steps import ROOT

LINT_IMPORTS = "from importlinter.cli import lint_imports_command as run; run(['--no-cache'])"
PYTHON = [sys.executable, "-m"]
# Most tests wait for processes: three at a time take half as long. A file's tests share what it has started.
# What needs the whole machine, because it trains or drives a browser, comes after them by itself.
AT_ONCE = ["-n", "3", "--dist", "loadfile", "-m", "not alone"]
ALONE = ["-m", "alone"]
NOTHING_SELECTED = 5
CHECKED = ("api", "cli", "inference", "integrations", "supervisor", "tasks", "training")


def main(words: list[str]) -> int:
    what, *more = words
    npm = [*PYTHON, "supervisor.bootstrap", "npm", "run", "--silent"] if node.has_console() else []
    packages = [name for name in CHECKED if any((ROOT / name).glob("**/*.py"))]
    commands = {
        "check": [
            [*PYTHON, "ruff", "check", "."],
            [*PYTHON, "ruff", "format", "--check", "."],
            [*PYTHON, "mypy", *packages],
            [sys.executable, "-c", LINT_IMPORTS],
            *([[*npm, "lint"], [*npm, "typecheck"]] if npm else []),
        ],
        "test": [
            [*PYTHON, "pytest", *AT_ONCE, *more],
            [*PYTHON, "pytest", *ALONE, *more],
            *([[*npm, "test"]] if npm else []),
        ],
    }[what]
    failed = []
    for command in commands:
        title = " ".join(command[2:]) if command[1] == "-m" else "lint-imports"
        print(f"{what:<6} | {title}", flush=True)
        began = time.monotonic()
        code = subprocess.call(command, cwd=ROOT)
        if code and not (more and code == NOTHING_SELECTED):
            failed.append(title)
        print(f"{what:<6} | {title}: {time.monotonic() - began:.0f} s", flush=True)
    if not npm:
        failed.append("the console, which is missing here")
    print(f"{what:<6} | " + (f"FAILED: {'; '.join(failed)}" if failed else "all passed"), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
