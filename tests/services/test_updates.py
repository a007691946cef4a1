"""Newer revisions: found by hashes, fetched by what is missing, from a Hub that speaks the real protocol."""

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from api.extensions import db, settings
from api.models import HubModel
from api.models.base import utcnow
from api.services import updates
from api.unit_of_work import unit_of_work
from tests.support import things
from tests.support.downloads import WEIGHTS, build_model, weights
from tests.support.hub import Hub
from tests.support.library import work_off
from tests.support.people import Person, user

REF = "org/model"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    build_model(tmp_path / "shelf" / "org" / "model", weights_bytes=300_000)
    (tmp_path / "shelf" / REF / "second.safetensors").write_bytes(weights(200_000, 7))
    return tmp_path / "shelf" / "org" / "model"


@pytest.fixture
def hub(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub(shelf.parents[1]) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


@pytest.fixture
def ann(app: Flask, hub: Hub) -> Person:
    settings().hf_endpoint = hub.url
    return user(app, "ann")


def bring(who: Person, **more: object) -> str:
    download = who.made("downloads", {"source": "huggingface", "ref": REF, **more})
    work_off()
    return str(who.data(f"downloads/{download['id']}")["model_id"])


def revise(shelf: Path) -> None:
    """Another README, one file of weights anew, one file more, one less."""
    (shelf / "README.md").write_text("---\nlicense: mit\n---\n# Model, second edition\n")
    (shelf / WEIGHTS).write_bytes(weights(300_000, 9))
    (shelf / "extra.json").write_text("{}")
    (shelf / "empty.txt").unlink()


def test_news_are_found_shown_and_brought_in_by_what_is_missing(ann: Person, hub: Hub, shelf: Path) -> None:
    id = bring(ann)
    assert ann.made(f"models/{id}/check")["newer"] is None
    assert ann.post(f"models/{id}/update").status_code == 409, "there is nothing newer"
    revise(shelf)
    newer = ann.made(f"models/{id}/check")["newer"]
    assert (newer["added"], newer["removed"], newer["changed"], newer["same"]) == (1, 1, 2, 3)
    assert [file["path"] for file in newer["files"]["changed"]] == ["README.md", WEIGHTS]
    fresh = sum((shelf / name).stat().st_size for name in ("README.md", WEIGHTS, "extra.json"))
    assert newer["bytes_to_fetch"] == fresh
    assert [item["id"] for item in ann.data("models?outdated=true")["items"]] == [id]

    hub.clear()
    download = ann.made(f"models/{id}/update")
    assert download["update_of"] == id
    assert ann.post(f"models/{id}/update").status_code == 409, "one is under way"
    work_off()
    fetched = {entry["path"].rpartition("/")[2] for entry in hub.requests() if "/resolve/" in entry["path"]}
    assert fetched == {"README.md", WEIGHTS, "extra.json"}
    model = ann.data(f"models/{id}")
    assert model["newer"] is None and model["active_version_id"] == download["id"] and model["id"] == id
    for file in model["files"]:
        assert (Path(model["path"]) / file["path"]).read_bytes() == (shelf / file["path"]).read_bytes()
    old, new = (Path(version["path"]) for version in reversed(ann.data(f"models/{id}/versions")["items"]))
    assert (old / "second.safetensors").samefile(new / "second.safetensors"), "one copy"
    assert (old / "README.md").read_text() != (new / "README.md").read_text()


def test_an_update_takes_what_was_taken(ann: Person, shelf: Path) -> None:
    id = bring(ann, include=["*.safetensors"], exclude=["second*"])
    assert [file["path"] for file in ann.data(f"models/{id}")["files"]] == [WEIGHTS]
    revise(shelf)
    newer = ann.made(f"models/{id}/check")["newer"]
    assert (newer["added"], newer["removed"], newer["changed"]) == (0, 0, 1)
    ann.made(f"models/{id}/update")
    work_off()
    assert [file["path"] for file in ann.data(f"models/{id}")["files"]] == [WEIGHTS]
    assert ann.data(f"models/{id}/versions/{id}")["file_count"] == 1


def test_what_an_update_brought_is_in_the_library(ann: Person, shelf: Path) -> None:
    id = bring(ann)
    revise(shelf)
    ann.made(f"models/{id}/update")
    work_off()
    refused = ann.post("downloads", {"source": "huggingface", "ref": REF})
    assert refused.status_code == 409 and refused.get_json()["details"]["model_id"] == id


def test_who_may_only_see_a_model_does_not_update_it(app: Flask, ann: Person) -> None:
    id = bring(ann, visibility="private")
    with unit_of_work():
        db.session.get_one(HubModel, id).visibility = "public"
    bob = user(app, "bob")
    assert bob.post(f"models/{id}/update").status_code == bob.post(f"models/{id}/check").status_code == 403


def test_a_source_without_revisions_says_so(ann: Person) -> None:
    with unit_of_work():
        id = things.model(ann.id, source="starter")
    assert ann.post(f"models/{id}/check").get_json()["error"] == "UNSUPPORTED"


def test_beat_looks_when_it_is_time_and_a_few_at_once(ann: Person, shelf: Path, hub: Hub) -> None:
    id = bring(ann)
    assert updates.look() == 0, "it has just come from there"
    revise(shelf)
    long_ago = utcnow() - timedelta(hours=27)
    with unit_of_work():
        db.session.get_one(HubModel, id).checked_at = long_ago
        for _ in range(updates.A_LOOK + 2):
            things.model(
                ann.id, source="huggingface", ref="org/gone", checked_at=utcnow() - timedelta(days=2)
            )
    assert updates.look() == updates.A_LOOK
    assert updates.look() == updates.A_LOOK, "the longest waiting first: two that are gone, and ours"
    assert ann.data(f"models/{id}")["newer"]["changed"] == 2
    assert updates.look() == 0
    with unit_of_work():
        db.session.get_one(HubModel, id).checked_at = long_ago
    settings().update_check_hours = 0
    assert updates.look() == 0


def test_a_source_that_is_away_is_asked_again(ann: Person, shelf: Path, hub: Hub) -> None:
    id = bring(ann)
    long_ago = utcnow() - timedelta(hours=27)
    with unit_of_work():
        db.session.get_one(HubModel, id).checked_at = long_ago
    os.environ["HF_ENDPOINT"] = "http://127.0.0.1:1"
    assert updates.look() == 1
    assert db.session.get_one(HubModel, id).checked_at == long_ago
    os.environ["HF_ENDPOINT"] = hub.url
    shutil.rmtree(shelf)
    assert updates.look() == 1
    db.session.expire_all()
    assert db.session.get_one(HubModel, id).checked_at > long_ago, "it said no; that is an answer"
