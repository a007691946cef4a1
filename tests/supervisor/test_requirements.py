"""What the code imports is what requirements.txt pins: a fresh machine has nothing else."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNS = ("api", "cli", "inference", "integrations", "migrations", "supervisor", "tasks", "training")
OURS = {*RUNS, "tests", "bench"}
OPTIONAL: set[str] = set()


def pinned(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    rows = [line for line in lines if line and not line.startswith("#")]
    wrong = [row for row in rows if not re.fullmatch(r"[a-z0-9-]+(\[[a-z]+\])?==[\w.]+", row)]
    assert not wrong, f"{name}: not pinned by name and version alone: {wrong}"
    return {re.split(r"[\[=]", row)[0]: row for row in rows}


def imported(*folders: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for file in (file for folder in folders for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0]: file for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found[node.module.partition(".")[0]] = file
    return {name: file for name, file in found.items() if name not in sys.stdlib_module_names | OURS}


def missing(names: dict[str, Path], allowed: set[str]) -> list[str]:
    owners = packages_distributions()
    lines = []
    for name, file in sorted(names.items()):
        distributions = {re.sub(r"[-_.]+", "-", d).lower() for d in owners.get(name, [name])}
        if not distributions & allowed and name not in OPTIONAL:
            lines.append(f"{name} ({file.relative_to(ROOT)})")
    return lines


def test_everything_imported_is_pinned() -> None:
    run = set(pinned("requirements.txt"))
    assert missing(imported(*RUNS), run) == []
    assert missing(imported("tests", "bench"), run | set(pinned("requirements-dev.txt"))) == []


def test_the_two_lists_do_not_disagree() -> None:
    run, dev = pinned("requirements.txt"), pinned("requirements-dev.txt")
    assert set(run) & set(dev) == set()
