"""Entry point: the list of commands, loaded when asked for, and errors said in one sentence."""

import io
import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from cli.app import App, common_options
from cli.errors import CliError

COMMANDS = {
    "up": "up",
    "down": "up",
    "demo": "demo",
    "doctor": "doctor",
    "login": "account",
    "logout": "account",
    "password": "account",
    "sessions": "sessions",
    "search": "search",
    "pull": "pull",
    "push": "push",
    "scan": "adopt",
    "adopt": "adopt",
    "downloads": "downloads",
    "pause": "downloads",
    "resume": "downloads",
    "cancel": "downloads",
    "retry": "downloads",
    "forget": "downloads",
    "move": "queue",
    "limit": "queue",
    "df": "storage",
    "ollama": "ollama",
    "list": "library",
    "show": "library",
    "edit": "versions",
    "versions": "versions",
    "outdated": "versions",
    "update": "versions",
    "offload": "versions",
    "verify": "care",
    "repair": "care",
    "gc": "care",
    "run": "run",
    "deploy": "deployments",
    "ps": "deployments",
    "logs": "logs",
    "start": "deployments",
    "stop": "deployments",
    "rm": "rm",
    "share": "share",
    "env": "env",
    "jobs": "jobs",
    "settings": "settings",
    "users": "users",
    "invite": "invite",
    "roles": "roles",
    "teams": "teams",
    "keys": "keys",
    "audit": "audit",
    "quarantine": "quarantine",
    "secrets": "secrets",
    "version": "version",
}
"""Command → module of `cli.commands` that holds it under the name `NAME_command`."""


class LazyGroup(click.Group):
    """Imports only the command that runs; help lists them in the order of `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"cli.commands.{COMMANDS[cmd_name]}")
        return getattr(module, f"{cmd_name}_command")  # type: ignore[no-any-return]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f"Did you mean '{near[0]}'?" if near else "`modelhub --help` lists them."
            raise click.UsageError(f"There is no command '{args[0]}'. {hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="A model or deployment is named by its id, the beginning of its id, its name, or its ref.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, _, value: _show_version(context, value),
    help="Show the version and exit.",
)
def root() -> None:
    """ModelHub: find models, bring them home, deploy them, talk to them."""


root.params.extend(common_options())


def _show_version(context: click.Context, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from cli.version import version

        click.echo(f"modelhub {version()}")
        context.exit()


def main(args: list[str] | None = None) -> NoReturn:
    """Run one command and exit with its code (see `cli.errors`)."""
    app = App()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show ✓ shows ?
            stream.reconfigure(errors="replace")
    try:
        result = root.main(args=args, prog_name="modelhub", obj=app, standalone_mode=False)
        code = result if isinstance(result, int) else 0
        sys.stdout.flush()
    except CliError as error:
        code = _say(app, error)
    except click.UsageError as error:
        code = _say_usage(app, error)
    except click.ClickException as error:
        code = _say(app, CliError(error.format_message()))
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:  # the reader of our pipe had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 1
    except OSError as error:
        code = _say(
            app, CliError(f"{error.strerror or error}: {error.filename or 'this machine'}.", code="OS_ERROR")
        )
    except Exception as error:
        if os.environ.get("MODELHUB_DEBUG"):
            raise
        code = _say(app, CliError(_bug(error), code="BUG"))
    sys.exit(code)


def _bug(error: Exception) -> str:
    return (
        f"modelhub itself failed ({type(error).__name__}: {error}). "
        "Please report it with what MODELHUB_DEBUG=1 prints when you run the same command again."
    )


def _say(app: App, error: CliError) -> int:
    from cli import console

    if app.json:
        console.error_line(error)
    else:
        console.error(error.message, quiet=error.exit_code == 130)
    return error.exit_code


def _say_usage(app: App, error: click.UsageError) -> int:
    if app.json or "--json" in sys.argv:
        from cli import console

        console.error_line(CliError(error.format_message(), code="USAGE"), exit_code=2)
    else:
        error.show()
    return 2
