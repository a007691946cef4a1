"""The Hub's routes, as huggingface_hub 2.x calls them."""

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

from tests.support.hub import xet
from tests.support.hub.faults import Fault
from tests.support.hub.repos import Repo

if TYPE_CHECKING:
    from tests.support.hub.server import HubHandler

TOKEN = "hf_ok"
REFUSED = {
    "hf_bad": "Invalid credentials in Authorization header",
    "hf_expired": 'User Access Token "mine" is expired',
}
"""Tokens nobody accepts, and what the Hub says to them (401)."""
WEAK = {
    "hf_new": "Access to model {ref} is restricted and you are not in the authorized list. Visit it to ask.",
    "hf_waiting": "Your request to access model {ref} is awaiting a review from the repo authors.",
    "hf_rejected": "Your request to access model {ref} has been rejected by the repo's authors.",
    "hf_fine": "Please enable access to public gated repositories in your fine-grained token settings.",
}
"""Good tokens that may not read a gated model, and why (403)."""
NAME = r"(?P<ref>[^/]+/[^/]+)"
SORTS = {"downloads", "likes", "lastModified", "createdAt", "trendingScore"}


def answer(request: "HubHandler", fault: Fault | None) -> None:
    for pattern, action in ROUTES:
        if match := re.fullmatch(pattern, request.route):
            given = {name: value for name, value in match.groupdict().items() if value is not None}
            return action(request, fault=fault, **given)
    return request.reply(404, {"error": "Sorry, we can't find the page you are looking for."})


def authorised(request: "HubHandler") -> bool:
    return request.headers.get("Authorization") == f"Bearer {TOKEN}"


def bearer(request: "HubHandler") -> str:
    return str(request.headers.get("Authorization") or "").removeprefix("Bearer ")


def whoami(request: "HubHandler", fault: Fault | None) -> None:
    if not authorised(request):
        return request.reply(401, {"error": "Invalid username or password."})
    token = {"role": "read", "displayName": "stand-in"}
    return request.reply(200, {"type": "user", "name": "tester", "orgs": [], "auth": {"accessToken": token}})


def _number(text: str) -> int:
    units = {"K": 10**3, "M": 10**6, "B": 10**9}
    return int(text[:-1]) * units[text[-1]] if text[-1] in units else int(text)


def within(counted: dict[str, Any], wanted: str) -> bool:
    """`min:6B,max:128B` of the parameters the Hub counted; what it counted none of is in no range."""
    total = (counted.get("safetensors") or counted.get("gguf") or {}).get("total")
    ends = dict(end.split(":") for end in wanted.split(","))
    if total is None:
        return False
    return bool(_number(ends.get("min", "0")) <= total <= _number(ends.get("max", str(total))))


def models(request: "HubHandler", fault: Fault | None) -> None:
    """Search: `search`, repeated `filter`, `author`, `pipeline_tag`, `num_parameters`, `gated`, `sort`,
    `limit`, Link paging."""
    one = {key: values[-1] for key, values in request.query.items()}
    found = []
    for ref in request.hub.shelf.refs():
        repo = request.hub.shelf.repo(ref)
        if repo is None or (repo.private and not authorised(request)):
            continue
        model = repo.description()
        if (
            one.get("search", "").lower() in ref.lower()
            and one.get("author", model["author"]) == model["author"]
            and one.get("pipeline_tag", model["pipeline_tag"]) == model["pipeline_tag"]
            and all(tag in model["tags"] for tag in request.query.get("filter", []))
            and ("num_parameters" not in one or within(model, one["num_parameters"]))
            and ("gated" not in one or (one["gated"].lower() == "true") == bool(model["gated"]))
        ):
            found.append(model)
    if sort := one.get("sort"):
        if sort not in SORTS:
            return request.reply(400, {"error": f"unknown sort {sort}"})
        found.sort(key=lambda model: model.get(sort) or 0, reverse=True)
    limit, start = int(one.get("limit", 1000)), int(one.get("cursor", 0))
    headers = {}
    if start + limit < len(found):
        again = {key: values for key, values in request.query.items() if key != "cursor"}
        query = urlencode(again | {"cursor": [str(start + limit)]}, doseq=True)
        headers["Link"] = f'<{request.hub.url}/api/models?{query}>; rel="next"'
    wanted = request.query.get("expand", [])
    page = found[start : start + limit]
    if wanted:
        page = [{k: v for k, v in model.items() if k in {"_id", "id", "modelId", *wanted}} for model in page]
    return request.reply(200, page, **headers)


def open_repo(request: "HubHandler", ref: str, revision: str | None = None) -> Repo | None:
    """The revision asked for; on refusal answers as the Hub does and returns None."""
    if said := REFUSED.get(bearer(request)):
        request.reply(401, {"error": said}, X_Error_Message=said)
        return None
    repo = request.hub.shelf.repo(ref)
    if repo is None or (repo.private and not authorised(request)):
        status = 404 if authorised(request) else 401
        request.reply(status, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
        return None
    content = not request.route.startswith("/api/") or request.route.endswith("/auth-check")
    if content and repo.gated and not authorised(request):  # what a gated model consists of is no secret
        known = WEAK.get(bearer(request), "")
        message = known.format(ref=ref) or f"Access to model {ref} is restricted."
        status = 403 if known else 401
        request.reply(status, {"error": message}, X_Error_Code="GatedRepo", X_Error_Message=message)
        return None
    found = request.hub.shelf.at(ref, revision) if revision else repo
    if found is None:
        request.reply(404, {"error": f"Invalid rev id: {revision}"}, X_Error_Code="RevisionNotFound")
    return found


def model(request: "HubHandler", fault: Fault | None, ref: str, revision: str = "main") -> None:
    if repo := open_repo(request, ref, revision):
        blobs = request.query.get("blobs", ["false"])[0].lower() in ("true", "1")
        siblings = [repo.sibling(path, blobs) for path in repo.paths()]
        request.reply(200, repo.description() | {"siblings": siblings})


def in_xet(request: "HubHandler", entry: dict[str, Any]) -> dict[str, Any]:
    """The entry of a file, with its name in Xet storage when it lies there."""
    name = request.hub.xet.by_sha256.get((entry.get("lfs") or {}).get("oid", ""))
    return entry | ({"xetHash": name} if name else {})


def tree(request: "HubHandler", fault: Fault | None, ref: str, revision: str, under: str = "") -> None:
    if repo := open_repo(request, ref, revision):
        under = under.strip("/")
        inside = [path for path in repo.paths() if not under or path.startswith(under + "/")]
        if under and not inside:
            return request.reply(404, {"error": "no such folder"}, X_Error_Code="EntryNotFound")
        recursive = request.query.get("recursive", ["false"])[0].lower() in ("true", "1")
        depth = under.count("/") + 1 if under else 0
        folders = {"/".join(path.split("/")[: depth + 1]) for path in inside if path.count("/") > depth}
        entries: list[dict[str, Any]] = [
            {"type": "directory", "path": f, "oid": "0" * 40, "size": 0} for f in folders
        ]
        entries += [
            in_xet(request, repo.entry(path)) for path in inside if recursive or path.count("/") == depth
        ]
        limit, start = (
            int(request.query.get("limit", ["1000"])[0]),
            int(request.query.get("cursor", ["0"])[0]),
        )
        headers = {}
        if start + limit < len(entries):
            query = urlencode({"recursive": recursive, "limit": limit, "cursor": start + limit})
            headers["Link"] = f'<{request.hub.url}{request.route}?{query}>; rel="next"'
        return request.reply(200, entries[start : start + limit], **headers)
    return None


def refs(request: "HubHandler", fault: Fault | None, ref: str) -> None:
    if open_repo(request, ref) is None:
        return
    branches, tags = [], []
    for name in request.hub.shelf.revisions(ref):
        tag = re.match(r"v\d", name)
        commit = Repo(request.hub.shelf.root, ref, name).commit()
        kind = "tags" if tag else "heads"
        (tags if tag else branches).append(
            {"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": commit}
        )
    request.reply(200, {"branches": branches, "tags": tags, "converts": []})


def auth_check(request: "HubHandler", fault: Fault | None, ref: str) -> None:
    if open_repo(request, ref):
        request.reply(200, {})


def paths_info(request: "HubHandler", fault: Fault | None, ref: str, revision: str) -> None:
    body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
    if repo := open_repo(request, ref, revision):
        if "json" in request.headers.get("Content-Type", ""):
            wanted = json.loads(body).get("paths", [])
        else:
            wanted = parse_qs(body.decode()).get("paths", [])
        request.reply(200, [repo.entry(path) for path in repo.paths() if path in wanted])


def resolve(request: "HubHandler", fault: Fault | None, ref: str, revision: str, path: str) -> None:
    """A file: small ones from here, LFS ones by a redirect to a signed address on the CDN."""
    repo = open_repo(request, ref, revision)
    if repo is None:
        return None
    commit = repo.commit()
    if path not in repo.paths():
        return request.reply(
            404, {"error": "Entry not found"}, X_Error_Code="EntryNotFound", X_Repo_Commit=commit
        )
    file = repo.folder / path
    fields = {"X-Repo-Commit": commit}
    if not repo.is_lfs(path):
        return request.send_file(file, repo.etag(path), fault, fields)
    fields["X-Linked-Etag"] = f'"{repo.etag(path)}"'
    fields["X-Linked-Size"] = str(file.stat().st_size)
    folder = str(repo.folder.relative_to(repo.root))
    query = urlencode({"folder": folder, "path": path, "signature": request.hub.generation})
    address = f"{request.hub.cdn_url}/blobs/{repo.etag(path)}?{query}"
    etag = f'"{repo.etag(path)}"'
    return request.head(302, {**fields, "ETag": etag, "Location": address, "Content-Length": "0"})


def xet_token(request: "HubHandler", fault: Fault | None, ref: str, revision: str) -> None:
    if open_repo(request, ref, revision):
        body, fields = xet.token(request.hub)
        request.reply(200, body, **fields)


ROUTES: list[tuple[str, Any]] = [
    (r"/api/whoami-v2", whoami),
    (r"/api/models", models),
    (rf"/api/models/{NAME}", model),
    (rf"/api/models/{NAME}/revision/(?P<revision>.+)", model),
    (rf"/api/models/{NAME}/tree/(?P<revision>[^/]+)(?P<under>/.*)?", tree),
    (rf"/api/models/{NAME}/refs", refs),
    (rf"/api/models/{NAME}/auth-check", auth_check),
    (rf"/api/models/{NAME}/paths-info/(?P<revision>[^/]+)", paths_info),
    (rf"/api/models/{NAME}/xet-read-token/(?P<revision>[^/]+)", xet_token),
    (rf"/{NAME}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", resolve),
]
