"""The huggingface source against the stand-in, through the real client."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from integrations.errors import FileNotInRepo, GatedModel, InvalidRef, NotFound, RevisionNotFound, Unsupported
from integrations.sources import SOURCES
from integrations.sources.base import SearchItem, SearchQuery, Source
from integrations.sources.cards import MAX_NODES, parse_card
from integrations.sources.huggingface import _in_range, search_params
from integrations.sources.refs import check_ref, check_revision
from tests.support.downloads import build_model, content
from tests.support.hub import TOKEN, Hub

source: Source = SOURCES["huggingface"]


def add(root: Path, ref: str, front: str, **description: object) -> Path:
    folder = root / ref
    folder.mkdir(parents=True)
    (folder / "README.md").write_text(f"---\n{front}\n---\n# {ref}\n")
    (folder / "config.json").write_text("{}")
    (folder / ".standin.json").write_text(json.dumps(description))
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    build_model(root / "org" / "model", weights_bytes=200_000)
    shutil.copytree(root / "org" / "model", root / "org" / "model@v1.0")
    (root / "org" / "model@v1.0" / "config.json").write_text('{"old": true}')
    shutil.copytree(root / "org" / "model", root / "org" / "model@draft")
    for n in range(7):
        add(
            root,
            f"many/llama-{n}",
            f"license: {'mit' if n % 2 else 'apache-2.0'}",
            downloads=100 - n,
            likes=n,
        )
    add(root, "many/bert", "pipeline_tag: fill-mask\nlibrary_name: keras", downloads=5000)
    add(
        root,
        "sized/half",
        "language: [en, zh]\ntags: [moe]",
        safetensors={"total": 500_000_000, "parameters": {}},
    )
    add(root, "sized/seven", "language: en", safetensors={"total": 7_000_000_000, "parameters": {}})
    add(root, "sized/unknown", "license: mit", safetensors=None)
    quants = root / "org" / "quants"
    quants.mkdir()
    for name in ("m-Q2_K.gguf", "m-Q4_K_M.gguf", "m-Q8_0-00001-of-00002.gguf", "m-Q8_0-00002-of-00002.gguf"):
        (quants / name).write_text(name)
    (quants / "README.md").write_text("# many")
    add(root, "gated/model", "license: llama3")
    add(root, "private/model", "license: mit")
    both = root / "org" / "both"
    for name in (
        "model.safetensors",
        "pytorch_model.bin",
        "tf_model.h5",
        "onnx/model.onnx",
        "original/x.pth",
        "config.json",
    ):
        (both / name).parent.mkdir(parents=True, exist_ok=True)
        (both / name).write_text(name)
    (root / "org" / "pickles").mkdir()
    (root / "org" / "pickles" / "pytorch_model.bin").write_text("x")
    return root


@pytest.fixture
def hub(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub(root) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


def found(**query: object) -> list[str]:
    return [item.ref for item in source.search(SearchQuery(**query)).items]


def test_search_by_text_author_task_library_and_license(hub: Hub) -> None:
    assert found(text="bert") == ["many/bert"]
    assert set(found(author="org")) == {"org/model", "org/both", "org/pickles", "org/quants"}
    assert found(task="fill-mask") == ["many/bert"]
    assert found(library="keras") == ["many/bert"]
    assert found(text="llama", license="mit") == ["many/llama-1", "many/llama-3", "many/llama-5"]
    assert found(gated=True) == ["gated/model"]
    assert "gated/model" not in found(gated=False)
    assert found(text="nothing is called this") == []


def test_search_by_language_tags_and_parameters(hub: Hub) -> None:
    assert found(author="sized", language="zh") == ["sized/half"]
    assert found(author="sized", language="en", tags=["moe"]) == ["sized/half"]
    assert found(author="sized", min_parameters=1_000_000_000) == ["sized/seven"]
    assert found(author="sized", max_parameters=1_500_000_000) == ["sized/half"]
    assert found(author="sized", min_parameters=10**9, max_parameters=6 * 10**9) == []


def test_a_mirror_that_ignores_the_range_of_parameters_is_not_believed() -> None:
    wanted = SearchQuery(min_parameters=10**9, max_parameters=8 * 10**9)
    assert search_params(wanted)["num_parameters"] == "min:1B,max:8B"
    assert search_params(SearchQuery(min_parameters=1_500_000_000))["num_parameters"] == "min:1500M"
    counts = {10**8: False, 7 * 10**9: True, 9 * 10**9: False, None: True}
    for count, wants in counts.items():
        assert _in_range(SearchItem(ref="a/b", name="b", parameters=count), wanted) is wants


def test_search_sorts(hub: Hub) -> None:
    assert found(sort="downloads", author="many")[:3] == ["many/bert", "many/llama-0", "many/llama-1"]
    assert found(sort="likes", author="many", text="llama")[0] == "many/llama-6"
    with pytest.raises(Unsupported, match="downloads"):
        found(sort="beauty")


def test_search_pages_by_cursor_without_gap_or_repeat(hub: Hub) -> None:
    seen: list[str] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        page = source.search(SearchQuery(author="many", sort="downloads", limit=3, cursor=cursor))
        seen += [item.ref for item in page.items]
        cursor, pages = page.next_cursor, pages + 1
    assert pages == 3
    assert seen == ["many/bert", *(f"many/llama-{n}" for n in range(7))]


def test_search_tells_what_the_hub_tells(hub: Hub) -> None:
    [item] = source.search(SearchQuery(text="llama-1")).items
    assert (item.name, item.author, item.license, item.downloads, item.likes) == (
        "llama-1",
        "many",
        "mit",
        99,
        1,
    )
    assert item.task == "text-generation"
    assert item.updated_at is not None
    assert not item.gated


def test_private_models_are_found_with_the_token_only(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(author="private") == []
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert found(author="private") == ["private/model"]


def test_card(hub: Hub) -> None:
    card = source.card("many/bert", None)
    assert card.text == "# many/bert\n"
    assert card.metadata == {"pipeline_tag": "fill-mask", "library_name": "keras"}
    assert source.card("org/pickles", "main").text == "", "a model without a README has an empty card"
    assert source.card("gated/model", None).text == ""


def test_listing_is_pinned_and_carries_hashes(hub: Hub, root: Path) -> None:
    listing = source.listing("org/model", None)
    assert len(listing.commit) == 40
    files = {file.path: file for file in listing.files}
    assert set(files) == set(content(root / "org" / "model"))
    assert files["model.safetensors"].sha256 == content(root / "org" / "model")["model.safetensors"]
    assert files["config.json"].git_sha1 and files["config.json"].sha256 is None
    assert files["empty.txt"].size == 0
    assert source.listing("org/model", listing.commit).commit == listing.commit
    assert source.listing("org/model", "v1.0").commit != listing.commit


def test_revisions(hub: Hub) -> None:
    named = {(revision.name, revision.kind): revision.commit for revision in source.revisions("org/model")}
    assert list(named) == [("main", "branch"), ("draft", "branch"), ("v1.0", "tag")]
    assert named["v1.0", "tag"] == source.listing("org/model", "v1.0").commit


def paths(ref: str, **globs: list[str]) -> list[str]:
    plan = source.plan(ref, None, globs.get("include"), globs.get("exclude"))
    assert plan.bytes_total == sum(file.size or 0 for file in plan.files)
    return [file.path for file in plan.files]


def test_plan_prefers_safetensors(hub: Hub) -> None:
    assert paths("org/both") == ["config.json", "model.safetensors"]
    assert paths("org/pickles") == ["pytorch_model.bin"], "what there is, when there is nothing better"


def test_plan_with_globs(hub: Hub) -> None:
    assert paths("org/both", include=["*.bin", "onnx/"]) == ["onnx/model.onnx", "pytorch_model.bin"]
    assert paths("org/both", exclude=["*.json"]) == ["model.safetensors"]
    assert paths("org/model", include=["nested/*", "config.json"], exclude=["*.json"]) == [
        "nested/deep/notes with spaces & ünïcode.txt"
    ]
    with pytest.raises(FileNotInRepo, match=r"no such\*"):
        paths("org/both", include=["config.json", "no such*"])
    with pytest.raises(FileNotInRepo, match="Nothing is left"):
        paths("org/both", exclude=["*"])


def test_plan_takes_one_quantisation(hub: Hub) -> None:
    plan = source.plan("org/quants", None, None, None)
    assert [file.path for file in plan.files] == ["README.md", "m-Q4_K_M.gguf"]
    assert plan.note and "Of 3 quantisations Q4_K_M was chosen" in plan.note
    again = source.plan("org/quants", None, None, None, source.Options.model_validate(plan.options))
    assert again.files == plan.files and again.note is None, "what was chosen once stays chosen"
    other = source.plan("org/quants", None, None, ["*.md"], source.Options.model_validate({"quant": "q8_0"}))
    assert [file.path[-18:] for file in other.files] == [
        "00001-of-00002.gguf"[-18:],
        "00002-of-00002.gguf"[-18:],
    ]
    assert paths("org/quants", include=["*Q2*", "*Q4*"]) == ["m-Q2_K.gguf", "m-Q4_K_M.gguf"]
    with pytest.raises(FileNotInRepo, match="Q2_K, Q4_K_M, Q8_0"):
        source.plan("org/quants", None, None, None, source.Options.model_validate({"quant": "Q9"}))
    with pytest.raises(Unsupported, match="not both"):
        source.plan("org/quants", None, ["*"], None, source.Options.model_validate({"quant": "Q8_0"}))


def test_plan_refuses_hostile_names(hub: Hub, root: Path) -> None:
    folder = add(root, "org/hostile", "license: mit")
    (folder / "aux.py").write_text("")
    try:
        with pytest.raises(InvalidRef, match="Windows"):
            source.plan("org/hostile", None, None, None)
        assert source.plan("org/hostile", None, None, ["aux.py"]).files
    finally:
        shutil.rmtree(folder)


def test_gated_and_private(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GatedModel, match=f"{hub.url}/gated/model"):
        source.plan("gated/model", None, None, None)
    assert source.listing("gated/model", None).gated, "what it consists of is no secret"
    with pytest.raises(NotFound, match="HF_TOKEN"):
        source.plan("private/model", None, None, None)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert source.plan("gated/model", None, None, None).files
    assert source.plan("private/model", None, None, None).files
    assert source.listing("private/model", None).private


def test_unknown_model_and_revision(hub: Hub) -> None:
    for ask in (source.listing, source.card):
        with pytest.raises(NotFound, match="no model 'org/none'"):
            ask("org/none", None)
        with pytest.raises(RevisionNotFound, match="no revision 'v9'"):
            ask("org/model", "v9")
    with pytest.raises(NotFound):
        source.revisions("org/none")


BAD_REFS = [
    "", " ", "../x", "..", ".", "/", "a/b/c", "/a/b", "a/", "/b", "http://x/y",
    "https://huggingface.co/gpt2", "a b", "a/b c",
    "a\n/b", "a/b\0", "-a/b", "a/.b", "a--b/c", "a..b/c", "a/b.git", "a/b?x=1", "a/b#c", "a/b%2e", "ä/b",
    "a/模型", "a@b/c",
    "x" * 97, "x" * 10_000, "a\\b", "~/x", "hf://a/b", "a:b", "$(id)/x",
]  # fmt: skip
BAD_REVISIONS = [
    "../x",
    "a b",
    "x" * 10_000,
    "a..b",
    "/a",
    "a/",
    "a//b",
    "-x",
    "a\n",
    "a?b",
    "a#b",
    "a\\b",
    "x.lock",
    "ä",
]


@pytest.mark.parametrize("ref", BAD_REFS)
def test_refs_nobody_could_mean_ask_nobody(hub: Hub, ref: str) -> None:
    for ask in (source.listing, source.card):
        with pytest.raises(InvalidRef, match="owner/name") as caught:
            ask(ref, None)
        assert len(str(caught.value)) < 300
    with pytest.raises(InvalidRef):
        source.revisions(ref)
    with pytest.raises(InvalidRef):
        source.plan(ref, None, None, None)
    assert hub.requests() == []


@pytest.mark.parametrize("revision", BAD_REVISIONS)
def test_revisions_nobody_could_mean_ask_nobody(hub: Hub, revision: str) -> None:
    with pytest.raises(InvalidRef, match="revision"):
        source.listing("org/model", revision)
    assert hub.requests() == []


@pytest.mark.parametrize("ref", ["gpt2", "org/model", "A-b_c.d/E.f-g_h", "x" * 96, "01-ai/Yi-6B", "a/_b"])
def test_refs_the_hub_allows(ref: str) -> None:
    assert check_ref(ref) == ref


def test_revisions_the_hub_allows() -> None:
    for revision in ("main", "v1.0", "refs/pr/1", "feature/x-y_z", "a" * 40, "1.0+cpu"):
        assert check_revision(revision) == revision
    assert check_revision(None) == check_revision("") == "main"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", ("plain", {})),
        ("---\na: 1\nwhen: 2024-01-01\n---\nbody", ("body", {"a": 1, "when": "2024-01-01"})),
        ("---\n- a\n---\nbody", ("body", {})),
        ("---\na: [\n---\nbody", ("body", {})),
        ("---\na: !!python/object/apply:os.system [id]\n---\nbody", ("body", {})),
        ("---\n---\n", ("---\n---\n", {})),
        ("", ("", {})),
    ],
)
def test_front_matter_of_strangers(text: str, expected: tuple[str, dict[str, object]]) -> None:
    assert parse_card(text) == expected


def test_a_yaml_bomb_is_no_metadata() -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert MAX_NODES < 10**10
    assert parse_card("---\n" + "\n".join(lines) + "\n---\nbody") == ("body", {})
