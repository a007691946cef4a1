"""`modelhub login`, `modelhub logout` and `modelhub password`."""

import os
import sys

import click

from cli import console, credentials, places
from cli.app import App, command
from cli.errors import HubUnreachable, NotSignedIn, WrongUsage


@command("login")
@click.argument("url", required=False)
@click.option("--email", help="Sign in as this user.  [env: MODELHUB_EMAIL]")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
def login_command(app: App, url: str | None, email: str | None, password_stdin: bool) -> None:
    """Sign in to the hub at URL, and use that hub from now on.

    The password is asked for without showing it, or taken from MODELHUB_PASSWORD or stdin. On the hub's
    own machine, the one who started the hub needs no login.
    """
    if url:
        app.hub_option = url
    hub = app.hub
    email = email or os.environ.get("MODELHUB_EMAIL") or _ask("E-mail", hidden=False)
    password = _password(password_stdin)
    own = places.local_hub()
    user = hub.auth.sign_in(email, password, make_default=not (own and places.same_hub(own, hub.url)))
    if app.json:
        console.document({"hub": hub.url, "user": user})
    else:
        console.say(f"Signed in to {hub.url} as {user['email']} ({user['role']}).")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return os.environ.get("MODELHUB_PASSWORD") or _ask("Password", hidden=True)


def _ask(what: str, *, hidden: bool, ways: str = "") -> str:
    if not sys.stdin.isatty():
        ways = ways or ("MODELHUB_PASSWORD or --password-stdin" if hidden else "--email or MODELHUB_EMAIL")
        raise WrongUsage(f"{what} is needed and there is no terminal to ask on. Use {ways}.")
    return str(click.prompt(what, hide_input=hidden, err=True))


@command("logout")
@click.argument("url", required=False)
def logout_command(app: App, url: str | None) -> None:
    """Sign out of the hub at URL, here and at the hub."""
    if url:
        app.hub_option = url
    known = credentials.of(app.url) is not None
    try:
        app.hub.auth.sign_out()
    except (HubUnreachable, NotSignedIn):
        console.note("The hub could not be told; the sign-in is forgotten on this machine.")
    if app.json:
        console.document({"hub": app.url, "was_signed_in": known})
    else:
        console.say(f"Signed out of {app.url}." if known else f"You were not signed in to {app.url}.")


@command("password")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read both from stdin: a line each.")
def password_command(app: App, from_stdin: bool) -> None:
    """Change your password: the one you have, and the new one. All your other sessions end."""
    current = _password(True) if from_stdin else _ask("Current password", hidden=True, ways="--stdin")
    app.hub.post("auth/password", {"current": current, "new": new_password(from_stdin, ways="--stdin")})
    if app.json:
        console.document({"changed": True})
    else:
        console.say("Your password is changed. You are signed out everywhere else.")


def new_password(from_stdin: bool, *, ways: str = "--password-stdin") -> str:
    """Asked for twice on a terminal, without showing it."""
    if from_stdin:
        return _password(True)
    first = _ask("New password", hidden=True, ways=ways)
    if _ask("The same again", hidden=True, ways=ways) != first:
        raise WrongUsage("These were two different passwords. Nothing was changed; try again.")
    return first
