"""What the library lacks comes from upstream while it is asked for: once, proven, and kept."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import RepositoryNotFoundError

from tests.support.fixtures import model_shelf  # noqa: F401
from tests.support.hub import Hub as StandIn
from tests.support.hub_process import Hub, start_hub
from tests.support.tiny_models import padding

BIG = "org/padded-llama"


LATE = "org/late"
MIB = 1 << 20


@pytest.fixture(scope="module")
def shelf(model_shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """The models of all tests, and one more with a large file."""
    root = tmp_path_factory.mktemp("upstream") / "shelf"
    shutil.copytree(model_shelf, root, copy_function=os.link)
    padding(root / LATE, 40, seed=1)
    return root


@pytest.fixture(scope="module")
def upstream(shelf: Path) -> Iterator[StandIn]:
    with StandIn(shelf) as running:
        yield running


@pytest.fixture(scope="module")
def hub(upstream: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    mirrored = json.dumps(["org/*", "gated/*", "private/*"])
    environment = {"HF_ENDPOINT": upstream.url, "MODELHUB_MIRROR": mirrored}
    running = start_hub(tmp_path_factory.mktemp("hub"), environment)
    yield running
    running.stop()


def key(hub: Hub, *scopes: str) -> str:
    return str(hub.post("/api-keys", {"name": "clients", "scopes": list(scopes)})["key"])


@pytest.fixture(scope="module")
def reader(hub: Hub) -> str:
    return key(hub, "models.read", "downloads.write")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def largest(shelf: Path, ref: str) -> Path:
    files = (path for path in (shelf / ref).rglob("*") if path.is_file())
    return max(files, key=lambda path: path.stat().st_size)


def test_eight_clients_at_once_cost_upstream_each_byte_once(
    hub: Hub,
    upstream: StandIn,
    reader: str,
    model_shelf: Path,  # noqa: F811
) -> None:
    original = largest(model_shelf, BIG)
    url = f"{hub.url}/hf/{BIG}/resolve/main/{original.name}"
    upstream.clear()
    upstream.rate = 30_000_000

    def ask(_: int) -> str:
        digest = hashlib.sha256()
        with httpx.stream("GET", url, headers={"Authorization": f"Bearer {reader}"}, timeout=60) as answer:
            assert answer.status_code == 200, answer.read()
            for piece in answer.iter_bytes():
                digest.update(piece)
        return digest.hexdigest()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {sha256(original)}
    assert upstream.bytes_sent("cdn") == original.stat().st_size
    upstream.clear()
    assert ask(0) == sha256(original)
    assert upstream.bytes_sent("cdn") == 0, "it lies here now"


def test_the_hubs_client_brings_a_model_that_nobody_has_brought(
    hub: Hub,
    upstream: StandIn,
    reader: str,
    model_shelf: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    ref, options = "org/tiny-llama", {"endpoint": f"{hub.url}/hf", "token": reader}
    folder = Path(snapshot_download(ref, cache_dir=tmp_path, **options))  # type: ignore[arg-type]
    for path in (model_shelf / ref).rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            assert sha256(folder / path.relative_to(model_shelf / ref)) == sha256(path)
    whole = len([path for path in folder.rglob("*") if path.is_file()])

    def all_here(page: dict[str, Any]) -> bool:
        return any(m["ref"] == ref and len(m["files"]) == whole for m in page["items"])

    mine = hub.until("/models?limit=200", all_here)
    models = [model for model in mine["items"] if model["ref"] == ref]
    assert len(models) == 1 and models[0]["architecture"] == "LlamaForCausalLM"
    assert models[0]["visibility"] == "public"
    upstream.clear()
    snapshot_download(ref, cache_dir=tmp_path / "again", **options)  # type: ignore[arg-type]
    assert not [entry for entry in upstream.requests() if "resolve" in entry["path"] and entry["bytes"]]


def test_only_what_is_listed_for_who_may_and_for_everybody_upstream(
    hub: Hub, reader: str, tmp_path: Path
) -> None:
    api = HfApi(endpoint=f"{hub.url}/hf", token=reader)
    for ref in ("gated/tiny-llama", "private/tiny-llama", "other/model"):
        with pytest.raises(RepositoryNotFoundError):
            api.model_info(ref)
    with pytest.raises(RepositoryNotFoundError):
        HfApi(endpoint=f"{hub.url}/hf", token=key(hub, "models.read")).model_info("org/tiny-bert")


def test_wrong_bytes_are_never_given_out_whole(hub: Hub, upstream: StandIn, reader: str) -> None:
    upstream.clear()
    upstream.fault("wrong_bytes", match="*", on="any", times=0, at=10)
    url = f"{hub.url}/hf/org/tiny-llama-gguf/resolve/main"
    files = HfApi(endpoint=f"{hub.url}/hf", token=reader).list_repo_files("org/tiny-llama-gguf")
    name = next(path for path in files if path.endswith(".gguf"))
    whole = False
    try:
        answer = httpx.get(f"{url}/{name}", headers={"Authorization": f"Bearer {reader}"}, timeout=60)
        whole = answer.status_code == 200
    except httpx.HTTPError:
        pass
    assert not whole
    upstream.clear()
    assert not [m for m in hub.get("/models?limit=200")["items"] if m["ref"] == "org/tiny-llama-gguf"]
    path = hf_hub_download(
        "org/tiny-llama-gguf", name, endpoint=f"{hub.url}/hf", token=reader, local_dir=hub.home / "x"
    )
    assert Path(path).read_bytes()[:4] == b"GGUF"


def broken_off(hub: Hub, url: str, headers: dict[str, str], after: int) -> tuple[bytes, str]:
    """What of `url` had come when web was killed, `after` bytes or a little more, and its ETag."""
    got = bytearray()
    with httpx.stream("GET", url, headers=headers, timeout=60) as answer:
        assert answer.status_code == 200, answer.read()
        killed = False
        with pytest.raises(httpx.TransportError):
            for piece in answer.iter_raw(65536):
                got += piece
                if len(got) >= after and not killed:
                    killed = True
                    for process in hub.parts("gunicorn"):
                        process.kill()
    hub.until("/models", lambda page: "items" in page)
    return bytes(got), answer.headers["ETag"]


def test_web_is_killed_in_the_middle_of_a_stream(
    hub: Hub, upstream: StandIn, reader: str, shelf: Path
) -> None:
    """What upstream had sent is not asked for again, and the client goes on where it stood."""
    headers = {"Authorization": f"Bearer {reader}"}
    upstream.clear()
    upstream.rate = 12_000_000
    name = HfApi(endpoint=f"{hub.url}/hf", token=reader).list_repo_files(LATE)[0]
    url = f"{hub.url}/hf/{LATE}/resolve/main/{name}"
    original = (shelf / LATE / name).read_bytes()
    for state in ("while it is brought", "when it lies here"):
        begun, etag = broken_off(hub, url, headers, 4 * MIB)
        assert 0 < len(begun) < len(original), state
        rest = httpx.get(
            url, headers={**headers, "Range": f"bytes={len(begun)}-", "If-Range": etag}, timeout=60
        )
        assert rest.status_code == 206, state
        assert begun + rest.content == original, state
    assert upstream.bytes_sent("cdn") == len(original)
