"""Lists of models in the Hub's dialect: every name once, on whichever page."""

import hashlib
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from api.extensions import db
from api.models import HubModel, ModelVersion
from api.models.base import utcnow
from api.unit_of_work import unit_of_work
from tests.support import things
from tests.support.people import Person, user


@pytest.fixture
def reader(app: Flask) -> Person:
    """Sees nine models of six names; one of the three called `org/same` is its own, and the oldest."""
    reader, other = user(app, "reader"), user(app, "other")
    names = ["same", "m1", "same", "m2", "m3", "same", "m4", "same", "m5"]
    with app.app_context(), unit_of_work():
        for number, name in enumerate(names):
            owner = reader.id if number == 0 else other.id
            tags = ["own"] if number == 0 else ["theirs", "odd"] if number % 2 else ["theirs"]
            ref = f"org/{name}"
            things.model(
                owner, source="huggingface", ref=ref, name=ref, visibility="public", tags=tags, license="mit"
            )
        things.model(other.id, source="huggingface", ref="org/secret", visibility="private")
    return reader


def listed(reader: Person, query: str) -> list[dict[str, object]]:
    """All pages, one after the other."""
    found: list[dict[str, object]] = []
    path: str | None = f"/hf/api/models?{query}"
    for _ in range(20):
        assert path is not None
        with reader.app.app_context():
            answer = reader.app.test_client().get(path, headers={"Authorization": f"Bearer {reader.token}"})
        assert answer.status_code == 200, answer.get_json()
        found += answer.get_json()
        link = answer.headers.get("Link")
        if not link:
            return found
        where = urlsplit(link.split(">")[0].lstrip("<"))
        path = f"{where.path}?{where.query}"
    raise AssertionError("the pages do not end")


def test_every_name_comes_once_whatever_the_page_and_is_the_one_that_is_served(reader: Person) -> None:
    for limit in (1, 2, 3, 4, 100):
        names = [str(model["id"]) for model in listed(reader, f"limit={limit}")]
        assert sorted(names) == [f"org/m{n}" for n in range(1, 6)] + ["org/same"], limit
    same = next(model for model in listed(reader, "limit=100") if model["id"] == "org/same")
    assert "own" in same["tags"]  # type: ignore[operator]


def test_lists_are_narrowed_by_tags_and_sorted(reader: Person) -> None:
    def names(query: str) -> list[object]:
        return [model["id"] for model in listed(reader, query)]

    assert names("filter=absent") == []
    assert names("filter=own") == ["org/same"]
    assert set(names("filter=theirs&filter=odd")) == {"org/m1", "org/m2"}
    assert len(names("filter=license:mit")) == 6
    assert len(names("filter=transformers&pipeline_tag=text-generation")) == 6
    assert names("filter=gguf") == names("pipeline_tag=fill-mask") == []
    assert names("author=org&search=m1") == ["org/m1"]
    with reader.app.app_context():
        others = HubModel.ref.like("org/m_")
        newest = list(db.session.scalars(select(HubModel.ref).where(others).order_by(HubModel.id.desc())))
        newest.append("org/same")
    assert names("") == names("sort=createdAt") == names("limit=2&sort=likes") == newest
    with reader.app.app_context(), unit_of_work():
        model = db.session.scalars(select(HubModel).where(HubModel.ref == "org/m2")).one()
        model.updated_at = utcnow() + timedelta(hours=1)
    for limit in (1, 2, 100):
        assert names(f"sort=lastModified&limit={limit}")[0] == "org/m2"
        assert sorted(map(str, names(f"sort=lastModified&limit={limit}"))) == sorted(newest)


def test_what_came_otherwise_is_found_by_the_name_it_is_listed_under(reader: Person) -> None:
    with reader.app.app_context(), unit_of_work():
        for name in ("My Model (v2)", "my model  v2", "org/deep..er", "模型"):
            things.model(reader.id, source="upload", ref=name, name=name)
    names = [str(model["id"]) for model in listed(reader, "author=local")]
    assert len(names) == 3 and {"local/my-model-v2", "local/deep-er"} < {name.lower() for name in names}
    for name in names:
        with reader.app.app_context():
            answer = reader.app.test_client().get(
                f"/hf/api/models/{name}", headers={"Authorization": f"Bearer {reader.token}"}
            )
        assert answer.status_code == 200 and answer.get_json()["id"] == name


def test_a_file_that_is_not_what_was_adopted_is_not_sent(reader: Person, tmp_path: Path) -> None:
    content = b"weights as they were"
    (tmp_path / "w.gguf").write_bytes(content)
    known = {"path": "w.gguf", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    with reader.app.app_context(), unit_of_work():
        id = things.model(reader.id, source="folder", ref="adopted", name="adopted")
        version = db.session.get_one(ModelVersion, id)
        version.files, version.location, version.path = [known], "external", str(tmp_path)

    def ask() -> tuple[int, bytes]:
        with reader.app.app_context():
            answer = reader.app.test_client().get(
                "/hf/local/adopted/resolve/main/w.gguf", headers={"Authorization": f"Bearer {reader.token}"}
            )
            return answer.status_code, answer.data

    assert ask() == (200, content)
    for other in (content + b" and more", content[:-4]):
        (tmp_path / "w.gguf").write_bytes(other)
        status, said = ask()
        assert status == 404 and b"verify" in said, (status, said)
