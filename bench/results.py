"""bench/RESULTS.md: one section for each benchmark, replaced by the run that measured it last."""

import datetime
import os
import platform
import re
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
HEAD = "# Results\n\nWhat was measured, where and when. How to repeat each: `bench/README.md`.\n"


def machine() -> str:
    """Date, processor, cores, kernel, Python and how busy it is: one sentence, without its dot."""
    cpuinfo = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text()) if cpuinfo.exists() else None
    processor = named[1].strip() if named else platform.machine()
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    cores = len(os.sched_getaffinity(0))
    system = f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}"
    group = Path("/proc/self/autogroup")
    raised = re.search(r"nice (-\d+)", group.read_text()) if group.exists() else None
    load = f"load {os.getloadavg()[0]:.1f} at the start" + (
        f", run at priority {raised[1]}" if raised else ""
    )
    return f"{today}, {cores} cores ({processor}), {system}, {load}"


def write_section(title: str, lines: list[str]) -> None:
    """Replace the section `## title`, or add it at the end."""
    text = RESULTS.read_text("utf-8") if RESULTS.exists() else HEAD
    section = f"## {title}\n\n" + "\n".join(lines).strip() + "\n"
    pattern = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if pattern.search(text):
        text = pattern.sub(lambda _: section + "\n", text)
    else:
        text = f"{text.rstrip()}\n\n{section}"
    RESULTS.write_text(text.rstrip() + "\n", "utf-8")
