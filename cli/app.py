"""What every command knows: which hub is meant, and whether a script or a person is listening."""

import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from cli import credentials, places

if TYPE_CHECKING:
    from cli.hub import Hub


class App:
    def __init__(self) -> None:
        self.hub_option: str | None = None
        self.json = False

    @property
    def url(self) -> str:
        """`--hub`, `MODELHUB_URL`, the hub signed in to last, the hub of this home, the usual address."""
        given = self.hub_option or os.environ.get("MODELHUB_URL")
        return places.normal(given) if given else self._unasked()

    def _unasked(self) -> str:
        return credentials.load()["default"] or places.local_hub() or places.DEFAULT_URL

    @cached_property
    def hub(self) -> "Hub":
        from cli.hub import Hub  # here, not above: `--help` needs no HTTP

        return Hub(self.url)


pass_app = click.make_pass_decorator(App)


def _remember_hub(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value:
        context.ensure_object(App).hub_option = value


def _remember_json(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.ensure_object(App).json = True


def common_options() -> list[click.Parameter]:
    """`--hub` and `--json`, understood by every command and by `modelhub` itself."""
    return [
        click.Option(
            ["--hub"],
            metavar="URL",
            expose_value=False,
            callback=_remember_hub,
            help="Address of the hub.  [env: MODELHUB_URL]",
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=_remember_json,
            help="Answer in JSON, for scripts.",
        ),
    ]


class HubCommand(click.Command):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(common_options())


def command(name: str, **kwargs: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """A command of `modelhub`; its function receives the `App` first."""

    def wrap(function: Callable[..., Any]) -> click.Command:
        return click.command(name, cls=HubCommand, **kwargs)(pass_app(function))

    return wrap


class Family(click.Group):
    """Commands about one kind of thing. Alone, it does what its `list` does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invoke_without_command, self.no_args_is_help = True, False
        self.params.extend(common_options())


def family(name: str, text: str, *members: click.Command) -> Family:
    """`modelhub NAME …`: the first of `members` answers when none is named."""

    def alone(context: click.Context) -> None:
        if context.invoked_subcommand is None:
            context.invoke(members[0])

    group = Family(name, help=text, callback=click.pass_context(alone))
    for member in members:
        group.add_command(member)
    return group
