"""Versions, names and what deleting frees, from the command line."""

import pytest

from api import create_app
from api.config import Settings
from api.extensions import db
from api.models import HubModel
from api.unit_of_work import unit_of_work
from tests.cli.conftest import Terminal
from tests.support import people, things
from tests.support.hub_process import Hub

FILES = [{"path": "a.bin", "size": 10, "sha256": "a" * 64}, {"path": "b.bin", "size": 20, "sha256": "b" * 64}]
LATER = [{"path": "a.bin", "size": 10, "sha256": "a" * 64}, {"path": "c.bin", "size": 30, "sha256": "c" * 64}]
NEWER = {
    "commit": "f" * 40, "revision": "main", "checked_at": "2026-01-31T00:00:00Z", "added": 1, "removed": 0,
    "changed": 2, "same": 3, "files": {"added": [], "removed": [], "changed": []}, "bytes_to_fetch": 5000,
}  # fmt: skip


@pytest.fixture
def model(session_hub: Hub) -> str:
    """A model of the administrator's with two versions, of which its source has a newer one."""
    app = create_app(Settings(MODELHUB_HOME=session_hub.home, _env_file=None), serves=False)  # type: ignore[call-arg]
    with app.app_context(), unit_of_work():
        owner = people.owner(app).id
        id = things.model(owner, kind="gguf", tags=["mine"])
        row = db.session.get_one(HubModel, id)
        row.newer, row.outdated = NEWER, True
        things.version(id, commit="1" * 40, files=FILES, kind="gguf")
        things.version(id, commit="2" * 40, files=LATER, kind="gguf")
        return str(row.name)


def test_versions_names_and_news(terminal: Terminal, session_hub: Hub, model: str) -> None:
    terminal.environment |= {"MODELHUB_URL": session_hub.url, "MODELHUB_TOKEN": session_hub.token}
    versions = terminal.run("versions", "list", model, "--json").json["items"]
    assert [version["commit"][0] for version in versions] == ["2", "1", "0"]
    compared = terminal.run("versions", "compare", model, "1111", "2222")
    assert compared.out.splitlines()[1:] == ["+\tc.bin\t30 B", "-\tb.bin\t20 B"]
    assert "1 files are the same" in compared.err
    assert "now at 111111111111" in terminal.run("versions", "activate", model, "1111").out
    assert terminal.run("versions", "remove", model, "1111").code == 1, "it is active"
    assert terminal.run("versions", "remove", model, "2222").code == 0
    assert terminal.run("versions", "remove", model, "2222").code == 5

    assert f"{model} *\t" in terminal.run("list", "--kind", "gguf", "--mine").out
    assert f"{model}\t" in terminal.run("outdated").out
    assert "ffffffffffff, 5.0 kB to fetch" in terminal.run("show", model).out

    name = f"renamed-{model[-8:]}"
    said = terminal.run("edit", model, "--name", name, "--tag", f"tag-{name}", "--description", "For tests")
    assert said.out == f"{name} is changed.\n"
    assert [
        item["name"] for item in terminal.run("list", "--tag", f"tag-{name}", "--json").json["items"]
    ] == [name]
    assert terminal.run("edit", name).code == 2
    refused = terminal.run("offload", name)
    assert "MODELHUB_STORAGE" in refused.err and refused.code == 1
    assert terminal.run("rm", name, "--yes").out == f"The model {name} is deleted.\n"
