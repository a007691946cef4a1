"""The audit log as an administrator reads it: what an entry says, search, export, who may."""

import csv
import io
import json
from datetime import timedelta

import pytest
from flask import Flask

from api.extensions import db
from api.models.base import utcnow
from api.security import audit as writing
from api.services import audit
from tests.support.people import Person, audit_log, owner, user


@pytest.fixture
def admin(app: Flask) -> Person:
    return owner(app)


def actions(admin: Person, query: str) -> list[str]:
    return [item["action"] for item in admin.data(f"audit?{query}")["items"]]


def test_an_entry_says_who_what_from_where_and_in_which_request(app: Flask, admin: Person) -> None:
    headers = {"X-Request-ID": "request-7", "User-Agent": "tests/1"}
    answer = admin.call(
        "POST", "teams", {"name": "Speech"}, headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.9"}
    )
    team = answer.get_json()["data"]["id"]
    entry = admin.data("audit?limit=1")["items"][0]
    assert entry["at"].endswith("Z") and len(entry["hash"]) == 64
    assert {name: entry[name] for name in entry if name not in ("seq", "at", "hash")} == {
        "actor_kind": "machine",
        "actor_id": admin.id,
        "actor_name": "this machine",
        "key_id": None,
        "action": "team.create",
        "object_type": "team",
        "object_id": team,
        "object_name": "Speech",
        "result": "done",
        "address": "192.0.2.9",
        "user_agent": "tests/1",
        "request_id": "request-7",
        "details": {"description": ""},
    }


def test_a_change_by_a_key_names_the_key_and_its_owner(app: Flask, admin: Person) -> None:
    made = admin.made("api-keys", {"name": "ci", "scopes": ["teams.manage"]})
    Person(app, made["key"]).made("teams", {"name": "Speech"})
    entry = admin.data("audit?action=team.create")["items"][0]
    assert (entry["actor_kind"], entry["actor_id"], entry["key_id"]) == ("key", admin.id, made["id"])
    assert actions(admin, f"actor={made['id']}") == ["team.create"]


def test_who_was_refused_is_noted_once_a_minute(app: Flask, admin: Person) -> None:
    anna = user(app, "anna")
    for _ in range(3):
        assert anna.get("audit").status_code == 403
    assert anna.post("teams", {"name": "x"}).status_code == 403
    items = admin.data("audit?result=denied")["items"]
    assert [(item["actor_name"], item["details"]["permission"]) for item in items] == [
        ("anna", "teams.manage"),
        ("anna", "audit.read"),
    ]


def test_every_filter_finds_what_it_names(app: Flask, admin: Person) -> None:
    anna = user(app, "anna")
    key = anna.made("api-keys", {"name": "50%_off", "scopes": ["models.read"]})
    team = admin.made("teams", {"name": "Speech"})["id"]
    admin.patch(f"teams/{team}", {"description": "x"})
    anna.delete(f"teams/{team}")
    assert actions(admin, f"object_id={team}") == ["team.change", "team.create"]
    assert actions(admin, f"actor={anna.id}&action=key.*") == ["key.create"]
    assert actions(admin, "actor=ANN&result=done") == ["key.create"]
    assert actions(admin, "action=team.*") == ["team.change", "team.create"]
    assert actions(admin, "action=team.c") == [] and actions(admin, "action=team.create") == ["team.create"]
    assert actions(admin, "q=50%25_") == ["key.create"] and actions(admin, "q=50__") == []
    assert actions(admin, f"q={key['id']}") == ["key.create"]
    assert actions(admin, "result=denied") == ["access.deny"]
    middle = audit_log()[-2]
    assert len(actions(admin, f"request_id={middle.request_id}")) == 1
    at = middle.at.isoformat().replace("+", "%2B")
    assert actions(admin, f"since={at}")[-1] == middle.action == actions(admin, f"until={at}")[0]
    assert actions(admin, f"since={at}&until={at}") == [middle.action]
    assert actions(admin, f"since={middle.at.replace(tzinfo=None).isoformat()}")[-1] == middle.action  # UTC
    assert actions(admin, "since=2999-01-01T00:00:00Z") == [] == actions(admin, "address=192.0.2.77")


def test_wrong_queries_are_refused(admin: Person) -> None:
    for query in ("limit=0", "limit=201", "after=0", "after=x"):
        assert admin.get(f"audit?{query}").status_code == 422, query
    edges = ("since=0001-01-01T00:00:00%2B14:00", "until=9999-12-31T23:59:59-14:00")
    for query in ("since=yesterday", "since=0", "until=-1.5", "result=maybe", "who=me", *edges):
        assert admin.get(f"audit?{query}").status_code == 422, query
        assert admin.get(f"audit/export?{query}").status_code == 422, query


def test_pages_follow_each_other_without_gap_or_overlap(app: Flask, admin: Person) -> None:
    for number in range(7):
        writing.note_now("test.page", number=number)
    seen, after = [], ""
    while True:
        page = admin.data(f"audit?limit=3&action=test.page{after}")
        seen += [item["details"]["number"] for item in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == [6, 5, 4, 3, 2, 1, 0]


def test_json_lines_hold_everything_in_order_and_the_export_is_noted_first(
    admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "BATCH", 4)
    for number in range(10):
        writing.note_now("test.row", number=number)
    answer = admin.get("audit/export?action=test.*")
    assert answer.content_type.startswith("application/x-ndjson")
    assert 'filename="modelhub-audit-' in answer.headers["Content-Disposition"]
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["details"]["number"] for row in rows] == list(range(10))
    assert rows == admin.data("audit?action=test.*")["items"][::-1]
    entry = audit_log()[-1]
    assert entry.action == "audit.export" and entry.details["filter"] == {"action": "test.*"}
    assert entry.details["format"] == "jsonl" and entry.details["up_to"] == rows[-1]["seq"]


def test_no_transaction_is_open_while_a_piece_is_on_its_way(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "BATCH", 2)
    for number in range(5):
        writing.note_now("test.row", number=number)
    pieces = audit.export(audit.AuditExportQuery())
    for _ in pieces:
        assert not db.session().in_transaction()
        writing.note_now("test.meanwhile")
    assert audit.verify().ok


def test_no_cell_of_the_spreadsheet_is_a_formula(admin: Person) -> None:
    evil = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", 'say "hi", you', "line\nbreak", "harmless"]
    for name in evil:
        writing.note_now("test.cell", ("thing", "1", name), name=name)
    answer = admin.get("audit/export?format=csv&action=test.cell")
    assert answer.content_type.startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))
    names = [row["object_name"] for row in rows]
    assert names == ["'" + name for name in evil[:7]] + evil[7:]
    assert json.loads(rows[0]["details"]) == {"name": "=1+1"}
    for row in rows:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())


def test_an_empty_search_exports_an_empty_file(admin: Person) -> None:
    future = (utcnow() + timedelta(days=1)).isoformat().replace("+00:00", "Z")
    assert admin.get(f"audit/export?since={future}").text == ""
    assert admin.get(f"audit/export?format=csv&since={future}").text.count("\n") == 1


def test_verification_over_the_api(app: Flask, admin: Person) -> None:
    admin.made("teams", {"name": "Speech"})
    verdict = admin.data("audit/verify")
    assert verdict == {"ok": True, "entries": len(audit_log()), "first_bad": None, "reason": ""}
    db.session.execute(db.text("UPDATE audit_entries SET actor_name = 'nobody' WHERE action = 'team.create'"))
    db.session.commit()
    verdict = admin.data("audit/verify")
    assert verdict["ok"] is False and verdict["first_bad"] == audit_log()[-1].seq
    assert "team.create by nobody" in verdict["reason"]


def test_only_who_may_read_the_log_reads_it(app: Flask) -> None:
    for role in ("viewer", "user", "operator"):
        person = user(app, role, role)
        for path in ("audit", "audit/export", "audit/verify"):
            assert person.get(path).status_code == 403
