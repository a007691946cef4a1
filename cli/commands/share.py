"""`modelhub share`: who else sees a model or a deployment."""

import click

from cli import console, naming
from cli.app import App, command
from cli.commands.teams import team_named
from cli.errors import WrongUsage


@command("share")
@click.argument("name", shell_complete=naming.complete_deployment)
@click.option("--private", "visibility", flag_value="private", help="You alone (and who may see everything).")
@click.option("--public", "visibility", flag_value="public", help="Everybody who can sign in.")
@click.option("--team", help="The members of this team.")
@click.option("--model", is_flag=True, help="NAME is a model, even if a deployment is called so.")
def share_command(app: App, name: str, visibility: str | None, team: str | None, model: bool) -> None:
    """Say who else sees the deployment or model NAME; without an option, show who does.

    Who sees a deployment may ask it. A model and its deployments are shared one by one.
    """
    if visibility and team:
        raise WrongUsage("Choose one of --private, --public and --team.")
    kind, found = _thing(app, name, model)
    if team:
        body = {"visibility": "team", "team_id": team_named(app.hub, team)["id"]}
        found = app.hub.put(f"{kind}s/{found['id']}/sharing", body)
    elif visibility:
        found = app.hub.put(f"{kind}s/{found['id']}/sharing", {"visibility": visibility})
    if app.json:
        console.document(found)
    else:
        console.say(f"The {kind} {found['name']} is {_words(app, found)}.")


def _thing(app: App, name: str, model: bool) -> tuple[str, naming.Found]:
    if not model and naming.match(name, naming.deployments(app.hub), naming.DEPLOYMENT_KEYS):
        return "deployment", naming.deployment(app.hub, name)
    return "model", naming.model(app.hub, name)


def _words(app: App, found: naming.Found) -> str:
    owner = found.get("owner_name") or "nobody any more"
    if found["visibility"] == "public":
        return f"shared with everybody (it belongs to {owner})"
    if found["visibility"] == "team":
        teams = {team["id"]: team["name"] for team in app.hub.pages("teams")}
        return f"shared with the team {teams.get(found['team_id'], found['team_id'])} (it belongs to {owner})"
    return f"private (it belongs to {owner})"
