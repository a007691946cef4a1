"""What a command says: a document or lines of JSON for scripts, tables and sentences for people.

Results go to stdout; progress, notes and errors go to stderr, so that a pipe carries results alone.
"""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from cli.text import safe

if TYPE_CHECKING:
    from rich.console import Console


def stdout() -> "Console":
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def stderr() -> "Console":
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def live() -> bool:
    """Whether stderr is a terminal on which a line can be drawn again."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")


def document(value: Any) -> None:
    """One JSON document, the only thing on stdout. In ASCII: good under every locale."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
    sys.stdout.flush()


def line(value: Any) -> None:
    """One line of JSON, at once. In ASCII: U+2028 counts as the end of a line to some readers."""
    sys.stdout.write(json.dumps(value, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def say(words: str, style: str = "") -> None:
    """A sentence on stdout."""
    stdout().print(safe(words), style=style or None, markup=False)


def note(words: str, style: str = "dim") -> None:
    """A sentence on stderr."""
    stderr().print(safe(words), style=style or None, markup=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Rows under headings; a column named with a leading `>` is set to the right. Piped: tab-separated."""
    cells = [[safe(cell).replace("\n", " ") for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in [[name.lstrip(">") for name in columns], *cells] if cells else []:
            sys.stdout.write("\t".join(cell.replace("\t", " ") for cell in row) + "\n")
        sys.stdout.flush()
    else:
        _draw(columns, cells)
    if not cells:
        note(empty)


def _draw(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for index, name in enumerate(columns):
        right = name.startswith(">")
        drawn.add_column(
            name.lstrip(">"),
            justify="right" if right else "left",
            no_wrap=index == 0 or right,
            overflow="ellipsis" if index == 0 else "fold",
        )
    for row in rows:
        drawn.add_row(*(Text(cell, style=STATUS_STYLES.get(cell, "")) for cell in row))
    stdout().print(drawn, soft_wrap=False)


STATUS_STYLES = {
    "running": "green",
    "completed": "green",
    "ready": "green",
    "deploying": "yellow",
    "downloading": "yellow",
    "pending": "yellow",
    "held": "yellow",
    "queued": "yellow",
    "paused": "yellow",
    "failed": "red",
}


def fields(pairs: Iterable[tuple[str, object]]) -> None:
    """Name and value, one pair a line; what has no value is left out."""
    shown = [(name, safe(value)) for name, value in pairs if value not in (None, "", [])]
    width = max((len(name) for name, _ in shown), default=0)
    out = stdout()
    for name, value in shown:
        out.print(f"[bold]{name.ljust(width)}[/bold]  ", end="")
        out.print(value, markup=False)


def error(message: str, *, quiet: bool = False) -> None:
    out = stderr()
    if not quiet:
        out.print("[bold red]Error:[/bold red] ", end="")
    out.print(safe(message), markup=False)


def error_line(problem: Any, *, exit_code: int | None = None) -> None:
    """One JSON line on stderr: `{"error", "message", "details", "exit_code"}`."""
    said = {
        "error": problem.code,
        "message": problem.message,
        "details": problem.details,
        "exit_code": exit_code if exit_code is not None else problem.exit_code,
    }
    sys.stderr.write(json.dumps(said) + "\n")
