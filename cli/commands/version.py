"""`modelhub version`."""

from cli import console
from cli.app import App, command
from cli.errors import CliError
from cli.version import version


@command("version")
def version_command(app: App) -> None:
    """Show the versions of this command line and of the hub."""
    try:
        hub, why = str(app.hub.get("system")["version"]), ""
    except CliError as error:
        hub, why = None, error.message
    if app.json:
        console.document({"cli": version(), "hub": hub, "url": app.url, "problem": why or None})
    else:
        console.fields([("modelhub", version()), ("hub", f"{hub} at {app.url}" if hub else why)])
