"""Who else sees it, from the command line."""

import pytest

from api import create_app
from api.config import Settings
from tests.cli.conftest import Terminal
from tests.support import people, things
from tests.support.hub_process import Hub


@pytest.fixture
def name(session_hub: Hub) -> str:
    """A deployment of the administrator's that nobody else sees."""
    app = create_app(Settings(MODELHUB_HOME=session_hub.home, _env_file=None), serves=False)  # type: ignore[call-arg]
    with app.app_context():
        owner = people.owner(app).id
        from api.extensions import db
        from api.models import Deployment

        found = db.session.get(Deployment, things.make("deployment", owner))
        assert found
        return found.name


def test_share_says_and_changes_who_sees_it(terminal: Terminal, session_hub: Hub, name: str) -> None:
    terminal.environment |= {"MODELHUB_URL": session_hub.url, "MODELHUB_TOKEN": session_hub.token}
    assert "is private (it belongs to Administrator)" in terminal.run("share", name).out
    assert "shared with everybody" in terminal.run("share", name, "--public").out
    assert terminal.run("share", name, "--json").json["visibility"] == "public"
    team = terminal.run("teams", "create", "Sharers", "--json").json
    assert "shared with the team Sharers" in terminal.run("share", name, "--team", "sharers").out
    assert terminal.run("share", name, "--json").json["team_id"] == team["id"]
    assert terminal.run("share", name, "--team", "Sharers", "--public").code == 2
    assert terminal.run("share", name, "--team", "nobody").code == 5
    assert terminal.run("share", "--model", name, "--private").out.startswith("The model ")
