"""picklescan and fickling on one pickle, in a process of their own: they read hostile bytes, so they get a
limit of memory and of time, and whatever goes wrong with them is a finding, never a pass.

`python -m integrations.intake.second_opinions FILE` prints a JSON list of `[scanner, severity, message]`.
"""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

from integrations.intake.findings import Finding, shown

SECONDS = 60
MEMORY = 2 * 2**30
LARGEST = 64 * 2**20
"""Bytes of a pickle that fickling is given: it holds all of it, and more, in memory."""

MOST = 20


def second_opinions(path: Path) -> list[Finding]:
    """What two other scanners say about a file of pickles; a scanner that fails says `unknown`."""
    environment = {key: os.environ[key] for key in ("PATH", "LANG", "HOME", "TMPDIR") if key in os.environ}
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    try:
        done = subprocess.run(
            [sys.executable, "-m", "integrations.intake.second_opinions", str(path)],
            capture_output=True,
            timeout=SECONDS,
            env=environment,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        said = json.loads(done.stdout.splitlines()[-1])
        findings = [Finding(scanner, severity, message) for scanner, severity, message in said]
    except subprocess.TimeoutExpired:
        return _neither(f"it took more than {SECONDS} s")
    except (OSError, ValueError, IndexError, TypeError):
        return _neither("it ended without an answer")
    return findings


def _neither(why: str) -> list[Finding]:
    return [
        Finding(scanner, "unknown", f"{scanner} could not say: {why}.")
        for scanner in ("picklescan", "fickling")
    ]


def _picklescan(path: Path) -> list[Finding]:
    from picklescan.scanner import SafetyLevel, scan_file_path

    result = scan_file_path(str(path))
    bad = {
        SafetyLevel.Dangerous: "dangerous",
        SafetyLevel.Suspicious: "suspicious",
    }
    found = [
        Finding(
            "picklescan",
            bad[each.safety],  # type: ignore[arg-type]
            f"picklescan calls {shown(each.module, 80)}.{shown(each.name, 80)} {bad[each.safety]}.",
        )
        for each in result.globals
        if each.safety in bad
    ]
    if result.scan_err or not result.scanned_files:
        found.append(Finding("picklescan", "unknown", "picklescan could not read all of it."))
    return found[:MOST] or [Finding("picklescan", "none", "picklescan found nothing.")]


def _fickling(path: Path) -> list[Finding]:
    from fickling.analysis import Severity, check_safety
    from fickling.fickle import StackedPickle

    from integrations.intake.zips import pickles_in

    worst = Severity.LIKELY_SAFE
    looked = 0
    for data in pickles_in(path, LARGEST):
        for pickled in StackedPickle.load(data, fail_on_decode_error=False):
            worst = max(worst, check_safety(pickled).severity)
            looked += 1
    if not looked:
        return [Finding("fickling", "unknown", "fickling could not read it.")]
    if worst is Severity.LIKELY_SAFE:
        return [Finding("fickling", "none", "fickling found nothing.")]
    bad = "dangerous" if worst >= Severity.LIKELY_UNSAFE else "suspicious"
    return [Finding("fickling", bad, f"fickling calls it {worst.name.lower().replace('_', ' ')}.")]  # type: ignore[arg-type]


def _limit() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(path: Path) -> None:
    _limit()
    logging.disable(logging.CRITICAL)
    findings: list[Finding] = []
    for scanner, ask in (("picklescan", _picklescan), ("fickling", _fickling)):
        try:
            findings += ask(path)
        except BaseException as error:
            said = type(error).__name__
            findings.append(Finding(scanner, "unknown", f"{scanner} could not say: {said}."))  # never a pass
    sys.stdout.write("\n" + json.dumps(findings) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
