"""The API against its own description: `python -m tests.contract.fuzz --requests 50000`.

Schemathesis makes requests from the OpenAPI document, good ones and bad ones, and checks every answer. They
go over HTTP to the real web server with a real Redis, on SQLite and on PostgreSQL, as nobody, each role and
an API key. Upstream stand-ins (the Hub, an engine) are up: no answer is the fault of their absence.

Exit code 0 without a finding. `--json FILE` writes counts and findings.
"""

import argparse
import contextlib
import itertools
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import requests
import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup

from api.extensions import db
from tests.contract.actors import Actor, Shelf, actors, fill
from tests.support.hub import Hub
from tests.support.ollama_server import OllamaServer, library_model
from tests.support.servers import postgres
from tests.support.web_process import Web, web_with_engine

DATABASES = ("sqlite", "postgresql")
NOT_OURS = (502, 503, 507)
"""Statuses that say that something behind the hub is away; documented, and counted apart."""
_CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_schema_conformance", "unsupported_method", "negative_data_rejection",
)  # fmt: skip
_AUTH_PROBES = 3
"""How often per operation a request that succeeded is sent again without its token, and with a wrong one."""


@dataclass
class Report:
    database: str
    seed: int
    requests: int = 0
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    actors: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "database": self.database,
            "seed": self.seed,
            "requests": self.requests,
            "seconds": round(self.seconds, 1),
            "server_errors": sum(
                n for status, n in self.statuses.items() if status >= 500 and status not in NOT_OURS
            ),
            "upstream": {status: self.statuses[status] for status in NOT_OURS if self.statuses[status]},
            "statuses": dict(sorted(self.statuses.items())),
            "actors": dict(self.actors),
            "operations": dict(sorted(self.operations.items())),
            "findings": self.findings,
        }


class Fuzzer:
    """Sends cases to one running hub and keeps the report."""

    def __init__(self, web: Web, database: str, seed: int) -> None:
        self.web = web
        self.report = Report(database, seed)
        self.chance = random.Random(seed)
        self.people = actors(web.app)
        self.shelf = Shelf(web, self.chance)
        load_all_checks()
        config = schemathesis.Config()
        described = requests.get(f"{web.url}/api/v1/openapi.json", timeout=30).json()
        self.schema = schemathesis.openapi.from_dict(described, config=config)
        self.schema.config.update(base_url=web.url)
        rejected = ["400", "401", "403", "404", "405", "409", "413", "414", "415", "422", "429", "503"]
        self.schema.config.checks.negative_data_rejection.expected_statuses = rejected
        self.operations = [found.ok() for found in self.schema.get_all_operations()]
        self.checks = CHECKS.get_by_names(list(_CHECKS))
        self.ignored_auth = CHECKS.get_by_names(["ignored_auth"])
        self._probed: Counter[str] = Counter()
        self._http = requests.Session()
        self._http.hooks["response"].append(self._count)

    def run(self, wanted: int) -> Report:
        """At least `wanted` requests: generated ones over every operation and actor, then edge cases."""
        start = time.monotonic()
        turn = itertools.cycle(self.people)
        each = max(3, min(30, wanted // (len(self.operations) * 2)))
        edges = {operation.label: self._edge_cases(operation) for operation in self.operations}
        while self.report.requests < wanted:
            for operation in self.chance.sample(self.operations, len(self.operations)):
                if self.report.requests >= wanted:
                    break
                self._generated(operation, turn, each // 2 + 1, GenerationMode.POSITIVE)
                self._generated(operation, turn, each // 3, GenerationMode.NEGATIVE)
                for case in itertools.islice(edges[operation.label], max(1, each // 3)):
                    self._send(case, next(turn))
            next(turn)  # else, with as many operations as actors, each would meet the same ones again
            counts = f"{self.report.requests} requests, {len(self.report.findings)} findings"
            print(f"{self.report.database}: {counts}", file=sys.stderr, flush=True)
        self.report.seconds = time.monotonic() - start
        return self.report

    def _generated(self, operation: Any, turn: Iterator[Actor], count: int, mode: GenerationMode) -> None:
        @hypothesis.seed(self.chance.randrange(2**32))
        @hypothesis.settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def send(case: Any) -> None:
            actor = next(turn)
            if mode is GenerationMode.POSITIVE:
                fill(case, actor, self.shelf)
            self._send(case, actor)

        # An operation without parameters has nothing that could be wrong with it.
        with contextlib.suppress(hypothesis.errors.Unsatisfiable):
            send()

    def _edge_cases(self, operation: Any) -> Iterator[Any]:
        """Boundaries of every field, methods that are not offered: what a generator rarely meets."""
        modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
        return iter(self.schema.iter_coverage_cases(
            operation, generation_modes=modes, generation_config=self.schema.config.generation
        ))  # fmt: skip

    def _send(self, case: Any, actor: Actor) -> None:
        label = case.operation.label
        self.report.actors[actor.name] += 1
        self.report.operations[label] += 1
        checks = list(self.checks)
        if actor.credential and self._probed[label] < _AUTH_PROBES:
            checks += self.ignored_auth
        try:
            response = case.call(session=self._http, headers=actor.headers, timeout=60)
        except requests.RequestException as error:
            self._found(label, actor, "no answer", repr(error))
            return
        if 200 <= response.status_code < 300:
            self._probed[label] += 1
        if response.status_code == 401 and actor.credential and case.operation.definition.raw.get("security"):
            actor.renew()  # it signed itself out, or changed its own account
        # Documented, and about something that is away: not a defect of the answer.
        if response.status_code in NOT_OURS:
            checks = [check for check in checks if check.__name__ != "not_a_server_error"]
        try:
            case.validate_response(
                response, checks=checks, headers=actor.headers, transport_kwargs={"session": self._http}
            )
        except FailureGroup as group:
            for failure in group.exceptions:
                said = f"{failure.title}: {failure.message}" if hasattr(failure, "title") else str(failure)
                self._found(label, actor, said, case.as_curl_command(), response)

    def _count(self, response: Any, *_: Any, **__: Any) -> None:
        self.report.requests += 1
        self.report.statuses[response.status_code] += 1

    def _found(self, label: str, actor: Actor, what: str, how: str, response: Any = None) -> None:
        finding = {"operation": label, "actor": actor.name, "what": what[:1500], "how": how[:3000]}
        if response is not None:
            finding |= {"status": response.status_code, "answer": response.text[:500]}
        self.report.findings.append(finding)


@contextlib.contextmanager
def hub(database: str) -> Iterator[Web]:
    """The web server on this database, with limits off: what is looked for is what comes after them."""
    with tempfile.TemporaryDirectory(prefix="mh-fuzz-") as directory, contextlib.ExitStack() as stack:
        shelf = Path(directory) / "hub"
        for name in ("acme/tiny", "gated/tiny", "private/tiny"):
            (shelf / name).mkdir(parents=True)
            (shelf / name / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
            (shelf / name / "model.safetensors").write_bytes(b"\0" * 2000)
        upstream = stack.enter_context(Hub(shelf))
        ollama = stack.enter_context(OllamaServer(Path(directory) / "ollama"))
        ollama.hold("tiny:1b", library_model(1000))
        settings = {
            "HF_ENDPOINT": upstream.url,
            "OLLAMA_HOST": ollama.url,
            "MODELHUB_REGISTRATION": "true",
            "MODELHUB_DISK_RESERVE": "0",
            "MODELHUB_RATE_LIMIT": "1000000/second",
            "MODELHUB_RATE_LIMIT_ANONYMOUS": "1000000/second",
            "MODELHUB_RATE_LIMIT_SIGN_IN": "1000000/second",
        }
        if database == "postgresql":
            settings["DATABASE_URL"] = stack.enter_context(postgres(Path(directory)))
        yield stack.enter_context(web_with_engine(settings=settings))


def fuzz(database: str, wanted: int, seed: int) -> Report:
    with hub(database) as web, web.app.app_context():
        try:
            report = Fuzzer(web, database, seed).run(wanted)
        finally:
            db.session.remove()
            db.engine.dispose()  # PostgreSQL ends when nobody is connected any more
        log = web.log("web")
    for line in log.splitlines():
        if any(level in line for level in ("[error ", "[critical ", "[ERROR]", "[CRITICAL]")):
            report.findings.append(
                {"operation": "?", "actor": "?", "what": "an error in the log", "how": line}
            )
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000, help="in all, shared by the databases")
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    databases = DATABASES if arguments.database == "both" else (arguments.database,)
    reports = [fuzz(each, arguments.requests // len(databases), arguments.seed) for each in databases]
    said = [report.as_json() for report in reports]
    if arguments.json:
        arguments.json.write_text(json.dumps(said, indent=1))
    for each in said:
        short = {key: value for key, value in each.items() if key not in ("operations", "findings")}
        print(json.dumps(short))
        for finding in each["findings"]:
            print(json.dumps(finding, ensure_ascii=False))
    return 1 if any(report.findings for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
