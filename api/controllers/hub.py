"""/hf: the library in the dialect of the Hugging Face Hub, so that its clients bring models from here:
`HF_ENDPOINT=http://hub:5000/hf`, an API key as `HF_TOKEN`. Reading only."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from urllib.parse import urlencode

from flask import Flask, Response, current_app, jsonify, request
from flask_restful import Resource

from api.controllers.contract import contract
from api.controllers.stream import while_allowed
from api.extensions import db
from api.schemas.hub import HubModelsQuery, HubPaths, HubTreeQuery
from api.security.authorise import current
from api.services import hub_api, hub_listing, mirror
from api.services.blocking import in_thread
from api.services.hub_api import Served

JSON = "application/json"
OCTETS = "application/octet-stream"
BLOCK = 1024**2
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def _json(value: object, link: str | None = None) -> Response:
    db.session.rollback()
    response = jsonify(value)
    if link:
        response.headers["Link"] = f'<{link}>; rel="next"'
    return response


def _following(cursor: str) -> str:
    """The address of the page after this one."""
    asked = {**request.args.to_dict(flat=False), "cursor": [cursor]}
    return f"{request.base_url}?{urlencode(asked, doseq=True)}"


class WhoAmIResource(Resource):
    @contract("models.read", envelope=False, streams=JSON)
    def get(self) -> Response:
        """Whose key this is."""
        who = current()
        auth = {"type": "access_token", "accessToken": {"displayName": "modelhub", "role": "read"}}
        return _json({"type": "user", "id": who.user_id, "name": who.name, "orgs": [], "auth": auth})


class ModelsResource(Resource):
    @contract("models.read", query=HubModelsQuery, envelope=False, streams=JSON)
    def get(self, query: HubModelsQuery) -> Response:
        """The library's models, newest first."""
        found, after = hub_listing.models(query, min(query.limit, 100), current())
        link = _following(after) if after else None
        return _json([hub_api.described(model, hub_api.commit_of(model)) for model in found], link)


class ModelResource(Resource):
    @contract("models.read", envelope=False, streams=JSON, errors=(404,))
    def get(self, namespace: str, name: str, revision: str | None = None) -> Response:
        """One model with its files, at `main` or at a revision."""
        blobs = request.args.get("blobs", "").lower() in ("1", "true")
        return _json(hub_api.info(f"{namespace}/{name}", revision, current(), blobs=blobs))


class TreeResource(Resource):
    @contract("models.read", query=HubTreeQuery, envelope=False, streams=JSON, errors=(404,))
    def get(self, query: HubTreeQuery, namespace: str, name: str, revision: str, under: str = "") -> Response:
        """Files of one revision, with sizes and hashes."""
        entries = hub_api.tree(f"{namespace}/{name}", revision, under, current(), recursive=query.recursive)
        page = entries[query.cursor : query.cursor + query.limit]
        link = None
        if query.cursor + query.limit < len(entries):
            link = _following(str(query.cursor + query.limit))
        return _json(page, link)


class RefsResource(Resource):
    @contract("models.read", envelope=False, streams=JSON, errors=(404,))
    def get(self, namespace: str, name: str) -> Response:
        """The revisions there are."""
        return _json(hub_api.refs(f"{namespace}/{name}", current()))


class AuthCheckResource(Resource):
    @contract("models.read", envelope=False, streams=JSON, errors=(404,))
    def get(self, namespace: str, name: str) -> Response:
        """Whether one may have this model."""
        hub_api.look(f"{namespace}/{name}", None, current())
        return _json({})


class PathsInfoResource(Resource):
    @contract("models.read", body=HubPaths, envelope=False, streams=JSON, errors=(404,))
    def post(self, body: HubPaths, namespace: str, name: str, revision: str) -> Response:
        """Size and hash of chosen files."""
        return _json(hub_api.paths_info(f"{namespace}/{name}", revision, body.paths, current()))


class ResolveResource(Resource):
    @contract("models.read", envelope=False, streams=OCTETS, errors=(404, 416, 502))
    def get(self, namespace: str, name: str, rest: str) -> Response:
        """A file's bytes, or a range of them; with a mirror, brought from upstream while they are sent."""
        served = hub_api.file(f"{namespace}/{name}", rest, current())
        try:
            return _answer(served)
        except mirror.Arrived:
            return _answer(hub_api.file(f"{namespace}/{name}", rest, current()))


def _answer(served: Served) -> Response:
    etag = f'"{served.etag}"' if served.etag else None
    span = _span(served.size, etag)
    headers = {"X-Repo-Commit": served.commit, "Accept-Ranges": "bytes"}
    if etag:
        headers |= {"ETag": etag, "X-Linked-Etag": etag, "X-Linked-Size": str(served.size)}
    if span == "unsatisfiable":
        return Response(status=416, headers={**headers, "Content-Range": f"bytes */{served.size}"})
    start, end, status = (0, served.size, 200) if span is None else (*span, 206)  # type: ignore[misc]
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{served.size}"
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    pieces = _body(app, served, start, end) if request.method == "GET" else iter(())
    db.session.rollback()
    body = while_allowed(app, current(), pieces)
    response = Response(body, status=status, content_type=OCTETS, direct_passthrough=True)
    response.headers.update({**headers, "Content-Length": str(end - start)})
    return response


def _body(app: Flask, served: Served, start: int, end: int) -> Iterator[bytes]:
    if served.path is not None:
        return _pieces(served.path, start, end)
    assert served.listing and served.file  # noqa: S101 - for the type checker
    download_id = mirror.bring(served.listing, served.file, current())

    def look(id: str) -> None:
        with app.app_context():
            mirror.still(id)

    coming = mirror.stream(download_id, served.file, start, end, look)
    first = next(coming, b"")  # what goes wrong before the first byte is still a plain error
    return chain([first], coming)


def _span(size: int, etag: str | None) -> tuple[int, int] | str | None:
    """The one range that is asked for: [start, end), None for the whole, or that there are no such bytes."""
    asked = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    only_if = request.headers.get("If-Range", "").strip()
    if asked is None or asked.groups() == ("", "") or (only_if and only_if != etag):
        return None
    first, last = asked.groups()
    if len(first) > 18 or len(last) > 18:
        return "unsatisfiable"
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    return (start, end) if start < end else "unsatisfiable"


def _pieces(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < end:
            piece = in_thread(file.read, min(BLOCK, end - start))
            if not piece:
                return  # shorter than it was: the client sees that the answer broke off
            start += len(piece)
            yield piece


MODEL = "/hf/api/models/<namespace>/<name>"
ROUTES = [
    (WhoAmIResource, "/hf/api/whoami-v2"),
    (ModelsResource, "/hf/api/models"),
    (ModelResource, MODEL),
    (ModelResource, f"{MODEL}/revision/<path:revision>"),
    (TreeResource, f"{MODEL}/tree/<revision>"),
    (TreeResource, f"{MODEL}/tree/<revision>/<path:under>"),
    (RefsResource, f"{MODEL}/refs"),
    (AuthCheckResource, f"{MODEL}/auth-check"),
    (PathsInfoResource, f"{MODEL}/paths-info/<revision>"),
    (ResolveResource, "/hf/<namespace>/<name>/resolve/<path:rest>"),
]
