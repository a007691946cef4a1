"""About 1,000 requests made from the OpenAPI document: every answer is one that the document describes.

`python -m tests.contract.fuzz --requests 50000` is the same, longer.
"""

import json

import pytest

from tests.contract.actors import NAMES
from tests.contract.fuzz import DATABASES, fuzz

REQUESTS = 500
SEED = 20261120
"""Always the same here: a change is judged by what it changed. The long run takes another each time."""


@pytest.mark.timeout(280)
@pytest.mark.parametrize("database", DATABASES)
def test_every_answer_is_as_described(database: str) -> None:
    report = fuzz(database, REQUESTS, SEED)
    said = "\n".join(json.dumps(finding, ensure_ascii=False) for finding in report.findings[:20])
    assert not report.findings, f"{len(report.findings)} findings with seed {SEED}:\n{said}"
    assert report.requests >= REQUESTS and set(report.actors) == set(NAMES)
    assert not any(status >= 500 for status in report.statuses if status not in (502, 503, 507))
    assert {200, 401, 403, 404, 422} <= set(report.statuses), "not everything was tried"
