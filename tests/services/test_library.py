"""Versions, names, lists, and what deleting a model would do."""

import hashlib
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from api.extensions import db, settings
from api.models import Blob, BlobRef, Deployment, HubModel
from api.services import library, store
from api.unit_of_work import unit_of_work
from tests.support import things
from tests.support.library import bytes_on_disk, shelve
from tests.support.people import Person, audit_log, user

SHARED, FIRST, SECOND = b"shared " * 1000, b"first " * 500, b"second " * 700


@pytest.fixture
def ann(app: Flask) -> Person:
    return user(app, "ann")


def two_versions(owner: Person) -> tuple[str, str]:
    first = shelve({"a.bin": SHARED, "b.bin": FIRST, "gone.txt": b"old"}, owner.id)
    second = shelve({"a.bin": SHARED, "b.bin": SECOND, "sub/new.txt": b"new"}, owner.id, of=first)
    return first, second


def test_a_second_version_is_the_active_one_and_the_first_stays(ann: Person) -> None:
    first, second = two_versions(ann)
    model = ann.data(f"models/{first}")
    assert model["active_version_id"] == second and model["file_count"] == 3
    listed = ann.data(f"models/{first}/versions")["items"]
    assert [(item["id"], item["active"]) for item in listed] == [(second, True), (first, False)]
    one = ann.data(f"models/{first}/versions/{first}")
    assert [file["path"] for file in one["files"]] == ["a.bin", "b.bin", "gone.txt"]
    assert (Path(one["path"]) / "b.bin").read_bytes() == FIRST


def test_two_versions_are_compared_file_by_file(ann: Person) -> None:
    first, second = two_versions(ann)
    found = ann.data(f"models/{first}/versions/compare?a={first}&b={second}")
    assert [file["path"] for file in found["added"]] == ["sub/new.txt"]
    assert [file["path"] for file in found["removed"]] == ["gone.txt"]
    assert found["changed"] == [{"path": "b.bin", "a": len(FIRST), "b": len(SECOND)}]
    assert [file["path"] for file in found["same"]] == ["a.bin"]
    assert set(found["facts"]) == {"commit", "size"}
    assert ann.get(f"models/{first}/versions/compare?a={first}&b={'0' * 32}").status_code == 404
    other = shelve({"x": b"x"}, ann.id)
    assert ann.get(f"models/{first}/versions/compare?a={first}&b={other}").status_code == 404


def test_going_back_to_a_version_and_letting_the_other_go_frees_what_only_it_held(ann: Person) -> None:
    first, second = two_versions(ann)
    assert ann.delete(f"models/{first}/versions/{second}").status_code == 409, "it is active"
    assert ann.made(f"models/{first}/versions/{first}/activate")["active_version_id"] == first
    before = bytes_on_disk(settings().home / "blobs")
    assert ann.delete(f"models/{first}/versions/{second}").status_code == 200
    assert before - bytes_on_disk(settings().home / "blobs") == len(SECOND) + len(b"new")
    assert not (settings().models_dir / second).exists()
    assert (settings().models_dir / first / "a.bin").read_bytes() == SHARED
    assert ann.delete(f"models/{first}/versions/{second}").status_code == 404


def test_a_version_that_runs_is_not_let_go_and_its_deployment_says_that_it_is_older(ann: Person) -> None:
    first, _second = two_versions(ann)
    with unit_of_work():
        db.session.add(Deployment(
            name="d", model_id=first, version_id=first, runtime="process", status="running", user_id=ann.id
        ))  # fmt: skip
    refused = ann.delete(f"models/{first}/versions/{first}")
    assert refused.status_code == 409 and refused.get_json()["details"] == {"deployments": ["d"]}
    assert ann.data("deployments")["items"][0]["outdated"]
    assert ann.data(f"models/{first}/versions/{first}")["deployments"] == ["d"]
    with unit_of_work():
        row = db.session.query(Deployment).one()
        row.status = row.wanted = "stopped"
    assert not ann.data("deployments")["items"][0]["outdated"]
    assert ann.delete(f"models/{first}/versions/{first}").status_code == 200


def test_a_model_is_renamed_described_and_tagged(ann: Person) -> None:
    id = shelve({"a.bin": FIRST}, ann.id)
    changes = {"name": "Mine", "description": "For *tests*", "tags": ["b", "a", "b "]}
    changed = ann.patch(f"models/{id}", changes).get_json()["data"]
    assert changed["name"] == "Mine" and changed["tags"] == ["b", "a"]
    assert audit_log()[-1].action == "model.change" and audit_log()[-1].details["fields"]
    assert [item["id"] for item in ann.data("models?tag=a&q=min")["items"]] == [id]
    ann.patch(f"models/{id}", {"tags": ["c"]})
    assert ann.data("models?tag=a")["items"] == [] and len(ann.data("models?tag=c")["items"]) == 1
    again = ann.data(f"models/{id}")
    assert again["description"] == "For *tests*" and again["version"] == changed["version"] + 1


def test_two_models_of_one_owner_are_not_called_the_same(app: Flask, ann: Person) -> None:
    shelve({"a.bin": FIRST}, ann.id, name="taken")
    mine, theirs = shelve({"a.bin": FIRST}, ann.id), shelve({"a.bin": FIRST}, user(app, "bob").id)
    assert ann.patch(f"models/{mine}", {"name": "taken"}).status_code == 409
    assert user(app, "root", "admin").patch(f"models/{theirs}", {"name": "taken"}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [{"name": ""}, {"name": " x"}, {"name": "a\nb"}, {"tags": [""]}, {"tags": ["x" * 201]}, {"path": "/"}],
)
def test_what_no_model_can_be_called_is_refused(ann: Person, body: Any) -> None:
    assert ann.patch(f"models/{shelve({'a.bin': FIRST}, ann.id)}", body).status_code == 422


def test_lists_are_filtered_and_paged_in_every_order(app: Flask, ann: Person) -> None:
    bob = user(app, "bob").id
    sizes = {"Beta": 30, "alpha": 10, "gamma": 20, "delta": 20, "Epsilon": 20}
    with unit_of_work():
        for name, size in sizes.items():
            time.sleep(0.002)  # ids of one millisecond are in no order
            things.model(ann.id, name=name, size=size, kind="gguf" if size == 10 else "base", tags=[name[0]])
        time.sleep(0.002)
        things.model(bob, name="beta of bob", visibility="public", quantization="Q4_K_M")
    for sort, wanted in {
        "created": ["beta of bob", "Epsilon", "delta", "gamma", "alpha", "Beta"],
        "name": ["alpha", "Beta", "beta of bob", "delta", "Epsilon", "gamma"],
        "-name": ["gamma", "Epsilon", "delta", "beta of bob", "Beta", "alpha"],
        "size": ["beta of bob", "alpha", "gamma", "delta", "Epsilon", "Beta"],
        "-size": ["Beta", "Epsilon", "delta", "gamma", "alpha", "beta of bob"],
    }.items():
        found, after = [], ""
        while after is not None:
            page = ann.data(
                f"models?sort={sort}&limit=2&after={after}" if after else f"models?sort={sort}&limit=2"
            )
            found += [item["name"] for item in page["items"]]
            after = page["next"]
        assert found == wanted, sort
    for query, names in {
        "q=ET": {"Beta", "beta of bob"},
        "q=et&owner=me": {"Beta"},
        "kind=gguf": {"alpha"},
        "shared=true": {"beta of bob"},
        "visibility=public&quantization=Q4_K_M": {"beta of bob"},
        "tag=g": {"gamma"},
        "q=100%25": set(),
        "outdated=true": set(),
        "status=damaged": set(),
        "source=huggingface": set(),
    }.items():
        assert {item["name"] for item in ann.data(f"models?{query}")["items"]} == names, query


@pytest.mark.parametrize("after", ["x", "WzFd", "WzEsIDJd", "bnVsbA==", "é"])
def test_a_cursor_of_another_list_is_refused_with_a_sentence(ann: Person, after: str) -> None:
    refused = ann.get("models", query_string={"sort": "name", "after": after})
    assert refused.status_code == 422 and "after" in refused.get_json()["message"]
    assert ann.get("models?sort=path").status_code == 422


def test_a_list_shows_the_files_of_small_models_only(ann: Person) -> None:
    small = shelve({"a.bin": FIRST}, ann.id)
    large = shelve({f"{number}.txt": b"x" * number for number in range(60)}, ann.id)
    listed = {item["id"]: item for item in ann.data("models")["items"]}
    assert len(listed[small]["files"]) == 1
    assert listed[large]["files"] == [] and listed[large]["file_count"] == 60
    assert len(ann.data(f"models/{large}")["files"]) == 60
    assert ann.data(f"models/{large}/versions")["items"][0]["files"] == []


def test_deleting_says_what_it_frees_and_frees_that(ann: Person) -> None:
    first, second = two_versions(ann)
    other = shelve({"x.bin": SHARED}, ann.id)
    found = ann.data(f"models/{first}/impact")
    alone = len(FIRST) + len(SECOND) + len(b"old") + len(b"new")
    assert found["versions"] == 2 and not found["refused"]
    assert (found["bytes_freed"], found["bytes_shared"]) == (alone, len(SHARED))
    assert found["bytes_total"] == alone + len(SHARED)
    before = bytes_on_disk(settings().home / "blobs")
    assert ann.delete(f"models/{first}").status_code == 200
    assert before - bytes_on_disk(settings().home / "blobs") == alone
    assert bytes_on_disk(settings().home / "blobs") == len(SHARED)
    assert db.session.query(Blob).count() == db.session.query(BlobRef).count() == 1
    assert not (settings().models_dir / second).exists()
    assert (settings().models_dir / other / "x.bin").read_bytes() == SHARED


def test_what_is_needed_is_not_deleted(app: Flask, ann: Person) -> None:
    base = shelve({"a.bin": FIRST}, ann.id)
    with unit_of_work():
        child = things.model(ann.id, name="adapter", parent_id=base)
        update = things.download(ann.id, "running", update_of=base)
        chat = Deployment(name="d", model_id=base, runtime="process", status="stopped", user_id=ann.id)
        db.session.add(chat)
        db.session.flush()
    refused = ann.delete(f"models/{base}")
    said = refused.get_json()
    assert refused.status_code == 409 and all(word in said["message"] for word in ("adapter", "d", "x"))
    assert said["details"]["deployments"] == ["d"]
    assert [thing["id"] for thing in said["details"]["children"] + said["details"]["downloads"]] == [
        child,
        update,
    ]
    # Of somebody else's it is only said that they are there.
    bob = user(app, "bob")
    with unit_of_work():
        db.session.get(HubModel, base).visibility = "public"
    seen = bob.data(f"models/{base}/impact")
    assert seen["hidden"] == 3 and not seen["deployments"] and "somebody else" in seen["reason"]


def test_one_copy_across_sources_and_either_may_go(ann: Person) -> None:
    """The same file from three models lies on the disk once, and whoever is deleted last frees it."""
    models = [shelve({f"{number}.bin": SHARED}, ann.id, source=source) for number, source in enumerate(
        ("huggingface", "upload", "folder")
    )]  # fmt: skip
    sha256 = hashlib.sha256(SHARED).hexdigest()
    blob = store.blobs().path(sha256)
    root = settings().home
    assert bytes_on_disk(settings().models_dir) == len(SHARED) and blob.stat().st_nlink == 4
    for left in (2, 1):
        assert ann.delete(f"models/{models.pop(0)}").status_code == 200
        for id in models:
            [file] = (root / "models" / id).iterdir()
            assert file.read_bytes() == SHARED
        assert blob.stat().st_nlink == left + 1
    assert ann.delete(f"models/{models[0]}").status_code == 200
    assert not blob.exists() and not list((root / "models").iterdir())


def test_the_last_version_of_a_model_is_described_by_its_facts(ann: Person) -> None:
    first, second = two_versions(ann)
    row = db.session.get_one(HubModel, first)
    assert row.path == second and library.directory(row).name == second
