"""The hub as a Hub: the Hub's own clients, transformers and a second ModelHub bring models from it."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import huggingface_hub
import pytest
from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

from tests.e2e.conftest import bring
from tests.support.fixtures import model_shelf  # noqa: F401
from tests.support.hub import Hub as StandIn
from tests.support.hub_process import Hub, start_hub

REF = "org/tiny-llama"


@pytest.fixture(scope="module")
def hub(model_shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:  # noqa: F811
    """A hub that has brought two models, and whose upstream is gone since."""
    with StandIn(model_shelf) as upstream:
        running = start_hub(tmp_path_factory.mktemp("hub"), {"HF_ENDPOINT": upstream.url})
        for ref in (REF, "org/padded-llama"):
            bring(running, ref)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def key(hub: Hub) -> str:
    return str(hub.post("/api-keys", {"name": "clients", "scopes": ["models.read"]})["key"])


@pytest.fixture
def client(hub: Hub, key: str) -> HfApi:
    return HfApi(endpoint=f"{hub.url}/hf", token=key)


def git_name(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def sums(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".cache" not in path.parts and not path.name.startswith(".")
    }


def test_the_library_is_listed_and_searched(client: HfApi) -> None:
    assert {model.id for model in client.list_models()} == {REF, "org/padded-llama"}
    assert [model.id for model in client.list_models(search="padded")] == ["org/padded-llama"]
    assert [model.id for model in client.list_models(author="nobody")] == []
    assert len(list(client.list_models(limit=1))) == 1
    assert client.whoami()["type"] == "user"


def test_a_model_is_described_with_hashes_that_clients_verify(client: HfApi, hub: Hub) -> None:
    ours = next(m for m in hub.get("/models?limit=200")["items"] if m["ref"] == REF)
    info = client.model_info(REF, files_metadata=True)
    assert info.sha == ours["commit"] and info.siblings
    known = {file["path"]: file for file in ours["files"]}
    assert {s.rfilename for s in info.siblings} == set(known)
    large = {s.rfilename: s.lfs.sha256 for s in info.siblings if s.lfs}
    assert large and large == {path: known[path]["sha256"] for path in large}
    small = {s.rfilename: s.blob_id for s in info.siblings if not s.lfs}
    assert small == {path: git_name(Path(ours["path"], path).read_bytes()) for path in small}
    listed = list(client.list_repo_tree(REF, recursive=True))
    assert {entry.path for entry in listed} == set(known)
    assert client.get_paths_info(REF, ["config.json", "absent"])[0].size == known["config.json"]["size"]  # type: ignore[union-attr]
    assert client.list_repo_refs(REF).branches[0].target_commit == info.sha
    client.auth_check(REF)
    assert client.model_info(REF, revision=info.sha).sha == info.sha
    assert client.file_exists(REF, "config.json") and not client.file_exists(REF, "absent.json")


def test_refusals_are_those_the_clients_know(client: HfApi, hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(RepositoryNotFoundError):
        client.model_info("org/none")
    with pytest.raises(RevisionNotFoundError):
        client.model_info(REF, revision="0" * 40)
    with pytest.raises(EntryNotFoundError):
        hf_hub_download(REF, "absent.bin", endpoint=client.endpoint, token=client.token, cache_dir=tmp_path)
    with pytest.raises(huggingface_hub.errors.HfHubHTTPError) as refused:
        HfApi(endpoint=client.endpoint, token="mh_wrong").model_info(REF)
    assert refused.value.response.status_code == 401
    assert httpx.get(f"{hub.url}/hf/{REF}/resolve/main/config.json").status_code == 401


def test_hf_download_brings_it_and_asks_for_no_byte_twice(hub: Hub, key: str, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("hf")
    environment = {
        **os.environ,
        "HF_ENDPOINT": f"{hub.url}/hf",
        "HF_TOKEN": key,
        "HF_HOME": str(tmp_path / "home"),
    }
    into = tmp_path / "into"
    command = [str(program), "download", REF, "--local-dir", str(into)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ours = next(m for m in hub.get("/models?limit=200")["items"] if m["ref"] == REF)
    assert sums(into) == {file["path"]: file["sha256"] for file in ours["files"]}


def test_a_snapshot_is_cached_by_content(client: HfApi, tmp_path: Path) -> None:
    options: dict[str, Any] = {"endpoint": client.endpoint, "token": client.token, "cache_dir": tmp_path}
    first = snapshot_download(REF, **options)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("blobs/*")}
    assert snapshot_download(REF, **options) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("blobs/*")} == before
    offline = snapshot_download(REF, cache_dir=tmp_path, local_files_only=True)
    assert sums(Path(offline)) == sums(Path(first))


def test_ranges_are_sent_exactly(hub: Hub, key: str) -> None:
    url, auth = f"{hub.url}/hf/org/padded-llama/resolve/main/config.json", {"Authorization": f"Bearer {key}"}

    def ask(method: str = "GET", **fields: str) -> httpx.Response:
        headers = {**auth, **{name.replace("_", "-"): value for name, value in fields.items()}}
        return httpx.request(method, url, headers=headers)

    whole = ask()
    size, etag = len(whole.content), whole.headers["ETag"]
    assert whole.status_code == 200 and whole.headers["Accept-Ranges"] == "bytes"
    assert etag == f'"{git_name(whole.content)}"', "as the Hub has it, for a file that git holds itself"
    head = ask("HEAD")
    assert head.headers["Content-Length"] == str(size) and head.content == b""
    assert head.headers["X-Repo-Commit"] and head.headers["X-Linked-Etag"] == etag
    cases = {
        "bytes=0-9": (0, 10),
        "bytes=5-": (5, size),
        "bytes=-7": (size - 7, size),
        f"bytes=3-{size * 9}": (3, size),
    }
    for asked, (start, end) in cases.items():
        part = ask(Range=asked)
        assert part.status_code == 206 and part.content == whole.content[start:end], asked
        assert part.headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
    assert ask(Range="bytes=0-9", If_Range=etag).status_code == 206
    assert ask(Range="bytes=0-9", If_Range='"other"').content == whole.content
    assert ask(Range="bytes=0-1,4-5").status_code == 200
    beyond = ask(Range=f"bytes={size}-")
    assert beyond.status_code == 416 and beyond.headers["Content-Range"] == f"bytes */{size}"


def test_transformers_loads_a_model_from_the_hub(hub: Hub, key: str, tmp_path: Path) -> None:
    script = (
        "from transformers import AutoModelForCausalLM, AutoTokenizer as T\n"
        f"m = AutoModelForCausalLM.from_pretrained('{REF}'); t = T.from_pretrained('{REF}')\n"
        "print('parameters', m.num_parameters(), 'tokens', len(t('Hello there')['input_ids']) > 0)"
    )
    environment = {**os.environ, "HF_ENDPOINT": f"{hub.url}/hf", "HF_TOKEN": key, "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "parameters" in done.stdout and "tokens True" in done.stdout


def test_a_second_hub_brings_it_from_the_first(hub: Hub, key: str, tmp_path: Path) -> None:
    """Through its own search, plan and verified transfer, with several connections."""
    second = start_hub(tmp_path / "second", {"HF_ENDPOINT": f"{hub.url}/hf", "HF_TOKEN": key})
    try:
        found = second.get("/search?q=padded")
        assert [item["ref"] for item in found["items"]] == ["org/padded-llama"]
        model = bring(second, "org/padded-llama")
        first = next(m for m in hub.get("/models?limit=200")["items"] if m["ref"] == "org/padded-llama")
        assert model["commit"] == first["commit"]
        assert {f["path"]: f["sha256"] for f in model["files"]} == {
            f["path"]: f["sha256"] for f in first["files"]
        }
    finally:
        second.stop()
