"""docs/cli.md lists every command, argument and option as they are, and every exit code.

Run this file to write the reference part anew: `python -m tests.cli.test_docs`.
"""

import inspect
import re
from pathlib import Path

import click
import pytest

from cli import errors
from cli.app import common_options
from cli.main import COMMANDS, root

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
BEGIN = "<!-- reference: written by tests/cli/test_docs.py -->\n"


def section(name: str) -> str:
    """A command as the page shows it: usage, help, table of its own options; a family's members after it."""
    context = click.Context(root, info_name="modelhub")
    command = root.get_command(context, name)
    assert command
    own = click.Context(command, parent=context, info_name=name)
    text = _described(command, own, f"modelhub {name}", "###")
    if isinstance(command, click.Group):
        for member, inner in command.commands.items():
            below = click.Context(inner, parent=own, info_name=member)
            text += "\n" + _described(inner, below, f"modelhub {name} {member}", "####")
    return text


def _described(command: click.Command, own: click.Context, words: str, level: str) -> str:
    pieces = [piece for piece in command.collect_usage_pieces(own) if piece != "[OPTIONS]"]
    lines = [f"{level} `{' '.join([words, *pieces])}`", "", _paragraphs(command.help or "")]
    common = {tuple(option.opts) for option in common_options()}
    rows = [
        parameter.get_help_record(own)
        for parameter in command.params
        if isinstance(parameter, click.Option) and tuple(parameter.opts) not in common
    ]
    if rows:
        lines += ["", "| option | |", "|---|---|"]
        cells = [[cell.replace("|", "\\|") for cell in row] for row in rows if row]
        lines += [f"| `{names}` | {text} |" for names, text in cells]
    return "\n".join(lines) + "\n"


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in inspect.cleandoc(text).split("\n\n"))


def reference() -> str:
    return "\n".join(section(name) for name in COMMANDS)


def test_the_page_is_the_reference() -> None:
    page = PAGE.read_text(encoding="utf-8")
    written = page.partition(BEGIN)[2]
    for name in COMMANDS:
        assert section(name) in written, (
            f"docs/cli.md is not true of `modelhub {name}`: run python -m tests.cli.test_docs"
        )
    assert written.strip() == reference().strip()


@pytest.mark.parametrize(
    "code", sorted({kind.exit_code for kind in [errors.CliError, *errors.CliError.__subclasses__()]} | {0})
)
def test_every_exit_code_is_explained(code: int) -> None:
    assert re.search(rf"^\| {code} \| \S", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_variable_is_explained() -> None:
    """Variables that the command line itself reads."""
    page = PAGE.read_text(encoding="utf-8")
    read = set()
    for path in (PAGE.parents[1] / "cli").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        read |= set(re.findall(r'environ(?:\.get\(|\[)"(\w+)"', text))
        read |= set(re.findall(r'variables\.get\("(\w+)"', text))
    passed_on = {"PYTHONPATH"}
    missing = {name for name in read - passed_on if f"`{name}`" not in page}
    assert not missing


def test_commands_named_anywhere_exist() -> None:
    """`modelhub x` in help, messages and the page is a command there is."""
    for path in [PAGE, *(PAGE.parents[1] / "cli").rglob("*.py")]:
        for name in re.findall(r"`modelhub ([a-z]\w*)", path.read_text(encoding="utf-8")):
            assert name in COMMANDS, (path, name)


if __name__ == "__main__":
    before = PAGE.read_text(encoding="utf-8").partition(BEGIN)[0]
    PAGE.write_text(before + BEGIN + "\n" + reference(), encoding="utf-8")
