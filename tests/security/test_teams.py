"""Teams: who sees them, who changes them, and what becomes of things when a team or a member goes."""

import pytest
from flask import Flask

from api.extensions import db
from api.models import Deployment, Download, HubModel
from api.unit_of_work import unit_of_work
from tests.support.people import Person, audit_log, owner, user


@pytest.fixture
def admin(app: Flask) -> Person:
    return owner(app)


def shared_model(team: str, of: Person, name: str = "m") -> str:
    with unit_of_work():
        row = HubModel(
            name=name, source="starter", ref=name, revision="main", commit="0" * 40, path=name,
            user_id=of.id, visibility="team", team_id=team,
        )  # fmt: skip
        db.session.add(row)
    return row.id


def test_a_team_from_its_making_to_its_end(app: Flask, admin: Person) -> None:
    anna, ben = user(app, "anna"), user(app, "ben", "viewer")
    team = admin.made("teams", {"name": "Speech", "description": "Voices"})
    assert team["members"] == [] and audit_log()[-1].action == "team.create"
    path = f"teams/{team['id']}"
    admin.put(f"{path}/members/{anna.id}", {"manager": True})
    team = admin.put(f"{path}/members/{ben.email}", {}).get_json()["data"]
    assert [(m["name"], m["manager"]) for m in team["members"]] == [("anna", True), ("ben", False)]
    assert audit_log()[-1].action == "team.member.add" and audit_log()[-1].details["user_id"] == ben.id
    assert admin.patch(path, {"name": "Sound", "description": ""}).get_json()["data"]["name"] == "Sound"
    entry = audit_log()[-1]
    assert entry.details["before"] == {"name": "Speech", "description": "Voices"}
    assert admin.data("teams")["items"][0]["id"] == team["id"] == ben.data("teams")["items"][0]["id"]
    assert ben.data(path)["name"] == "Sound"
    before = len(audit_log())
    assert admin.patch(path, {"name": "Sound"}).status_code == 200
    assert admin.put(f"{path}/members/{ben.id}", {}).status_code == 200
    assert len(audit_log()) == before, "what changes nothing leaves no entry"
    assert admin.delete(f"{path}/members/{ben.id}").status_code == 200
    assert ben.data("teams")["items"] == [] and ben.get(path).status_code == 404
    assert admin.delete(f"{path}/members/{ben.id}").status_code == 404
    assert admin.delete(path).status_code == 200 and admin.get(path).status_code == 404
    assert audit_log()[-1].action == "team.delete" and audit_log()[-1].details["members"] == [anna.id]


def test_a_team_one_is_not_in_does_not_exist(app: Flask, admin: Person) -> None:
    anna, operator = user(app, "anna"), user(app, "op", "operator")
    team = admin.made("teams", {"name": "Speech"})["id"]
    for answer in (
        anna.get(f"teams/{team}"),
        anna.patch(f"teams/{team}", {"description": "mine"}),
        anna.put(f"teams/{team}/members/{anna.id}", {"manager": True}),
        anna.delete(f"teams/{team}/members/{anna.id}"),
        anna.get("teams/%00"),
        admin.put(f"teams/{team}/members/nobody", {}),
        admin.put(f"teams/{team}/members/%00", {}),
    ):
        assert answer.status_code == 404, answer.get_json()
    assert anna.post("teams", {"name": "Own"}).status_code == 403
    assert anna.delete(f"teams/{team}").status_code == 403
    assert operator.get(f"teams/{team}").status_code == 200  # all.read
    assert operator.patch(f"teams/{team}", {"description": "x"}).status_code == 403


def test_a_manager_changes_members_and_description_and_makes_himself_no_more(
    app: Flask, admin: Person
) -> None:
    manager, member, other = user(app, "manager"), user(app, "member"), user(app, "other")
    team = admin.made("teams", {"name": "Speech"})["id"]
    admin.put(f"teams/{team}/members/{manager.id}", {"manager": True})
    path = f"teams/{team}/members"
    assert manager.put(f"{path}/{member.id}", {}).status_code == 200
    assert manager.patch(f"teams/{team}", {"description": "Ours"}).status_code == 200
    for answer in (
        manager.patch(f"teams/{team}", {"name": "Everything"}),
        manager.put(f"{path}/{other.id}", {"manager": True}),
        manager.put(f"{path}/{member.id}", {"manager": True}),
        manager.post("teams", {"name": "More"}),
        manager.delete(f"teams/{team}"),
        member.put(f"{path}/{other.id}", {}),
        member.delete(f"{path}/{manager.id}"),
        member.delete(f"{path}/{member.id}"),
        member.patch(f"teams/{team}", {"description": "mine"}),
    ):
        assert answer.status_code == 403, answer.get_json()
    admin.put(f"{path}/{other.id}", {"manager": True})
    assert manager.delete(f"{path}/{other.id}").status_code == 403  # another manager
    assert manager.delete(f"{path}/{member.id}").status_code == 200
    assert manager.delete(f"{path}/{manager.id}").status_code == 200  # himself
    assert manager.get(f"teams/{team}").status_code == 404


def test_a_name_belongs_to_one_team(admin: Person) -> None:
    admin.made("teams", {"name": "Speech"})
    other = admin.made("teams", {"name": "Vision"})["id"]
    assert admin.post("teams", {"name": "speech"}).status_code == 409
    assert admin.patch(f"teams/{other}", {"name": "SPEECH"}).status_code == 409
    assert admin.patch(f"teams/{other}", {"name": "VISION"}).status_code == 200
    admin.made("teams", {"name": "Équipe"})
    assert admin.post("teams", {"name": "Équipe"}).status_code == 409
    assert admin.post("teams", {"name": "éQUIPE"}).status_code == 409
    assert admin.post("teams", {"name": ""}).status_code == 422


def test_deleting_a_team_makes_what_it_shared_private_at_once(app: Flask, admin: Person) -> None:
    anna, ben = user(app, "anna"), user(app, "ben")
    team = admin.made("teams", {"name": "Speech"})["id"]
    other = admin.made("teams", {"name": "Vision"})["id"]
    for person in (anna, ben):
        admin.put(f"teams/{team}/members/{person.id}", {})
    model, elsewhere = shared_model(team, anna), shared_model(other, anna, "n")
    with unit_of_work():
        common = {"user_id": anna.id, "visibility": "team", "team_id": team}
        deployment = Deployment(name="d", model_id=model, runtime="process", engine="x", **common)
        db.session.add(deployment)
    assert admin.delete(f"teams/{team}").status_code == 200
    db.session.expire_all()
    rows = [db.session.get(HubModel, model), db.session.get(Deployment, deployment.id)]
    assert [(row.visibility, row.team_id) for row in rows] == [("private", None)] * 2
    assert all(row.version == 2 for row in rows), "followers must hear of it"
    assert db.session.get(HubModel, elsewhere).visibility == "team"
    made_private = audit_log()[-1].details["made_private"]
    assert made_private == {"models": [model], "deployments": [deployment.id]}
    assert Download.__tablename__ not in made_private


def test_a_failed_deletion_leaves_everything_as_it_was(
    app: Flask, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = admin.made("teams", {"name": "Speech"})["id"]
    model = shared_model(team, admin)
    entries = len(audit_log())
    db.session.execute(
        db.text("CREATE TRIGGER no BEFORE DELETE ON teams BEGIN SELECT RAISE(ABORT, 'no'); END")
    )
    db.session.commit()
    with pytest.raises(Exception, match="no"):
        admin.delete(f"teams/{team}")
    db.session.expire_all()
    assert db.session.get(HubModel, model).visibility == "team" and len(audit_log()) == entries
