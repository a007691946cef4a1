"""The source that needs no internet: what it lists, and what it refuses."""

import subprocess
import sys

import pytest

from integrations.errors import InvalidRef, NotFound, RevisionNotFound, Unsupported
from integrations.sources import SOURCES
from integrations.sources.base import SearchQuery
from integrations.sources.starter import FILES, REF, Starter

source = Starter()


def test_it_is_registered() -> None:
    assert SOURCES["starter"].child_module == "training.starter"


@pytest.mark.parametrize("text", ["", "starter", "ModelHub", "tiny chat"])
def test_search_finds_it(text: str) -> None:
    (item,) = source.search(SearchQuery(text=text)).items
    assert item.ref == REF
    assert item.license == "apache-2.0"
    assert item.parameters and item.parameters > 2_000_000


@pytest.mark.parametrize(
    "query",
    [
        SearchQuery(text="llama"),
        SearchQuery(author="somebody"),
        SearchQuery(task="translation"),
        SearchQuery(library="gguf"),
        SearchQuery(license="mit"),
        SearchQuery(gated=True),
        SearchQuery(cursor="2"),
    ],
)
def test_words_and_filters_speak_against_it(query: SearchQuery) -> None:
    assert source.search(query).items == []


def test_card_listing_and_plan_agree() -> None:
    card = source.card(REF, None)
    assert card.metadata["pipeline_tag"] == "text-generation"
    assert card.text.startswith("# ModelHub starter")
    listing = source.listing(REF, "main")
    assert [file.path for file in listing.files] == list(FILES)
    plan = source.plan(REF, listing.commit, None, None)
    assert plan.estimated
    assert plan.commit == listing.commit == source.revisions(REF)[0].commit
    assert len(plan.commit) == 40
    assert plan.bytes_total == sum(FILES.values())


def test_refusals_say_the_right_name() -> None:
    with pytest.raises(NotFound, match=REF):
        source.listing("modelhub/other", None)
    with pytest.raises(InvalidRef):
        source.card("../x", None)
    with pytest.raises(RevisionNotFound, match="main"):
        source.plan(REF, "v2", None, None)
    with pytest.raises(Unsupported):
        source.plan(REF, None, ["*.json"], None)


def test_listing_it_loads_no_torch() -> None:
    program = (
        "import sys, integrations.sources.starter as s; s.Starter().listing(s.REF, None);"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
