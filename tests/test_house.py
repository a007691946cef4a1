"""The house agrees with itself: docs, settings, routes, events, Makefile, versions and sizes."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from flask import Flask

from api.config import VERSION, Settings
from api.controllers.openapi import contracts, document
from api.security.permissions import ALL
from api.services import jobs
from api.websockets import EVENTS, NAMESPACES

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("api", "tasks", "integrations", "training", "inference", "cli", "supervisor")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def tracked() -> list[Path]:
    names = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_every_setting_is_documented_with_its_default_and_sentence() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", read("docs/settings.md"), re.M)
    documented = {name: (default, sentence) for name, default, sentence in rows}
    assert set(documented) == {str(field.alias) for field in Settings.model_fields.values()}
    for field in Settings.model_fields.values():
        default, sentence = documented[str(field.alias)]
        assert sentence == field.description
        shown = str(field.default)
        shown = shown.lower() if isinstance(field.default, bool) else shown
        assert default == ("(empty)" if field.default is None else f"`{shown}`")


def test_the_example_environment_names_every_setting_and_no_other() -> None:
    names = set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", read(".env.example"), re.M))
    assert names == {str(field.alias) for field in Settings.model_fields.values()}


def test_architecture_names_every_folder_and_no_ghost() -> None:
    text = read("ARCHITECTURE.md")
    named = set(re.findall(r"^\| `(\w+)/` \|", text, re.M))
    there = {path.relative_to(ROOT).parts[0] for path in tracked() if len(path.relative_to(ROOT).parts) > 1}
    assert named == {name for name in there if not name.startswith(".")}
    for path in re.findall(r"`((?:api|tasks|integrations|tests|bench)/[\w./]+)`", text):
        assert (ROOT / path).exists(), f"ARCHITECTURE.md speaks of {path}, which is not there"


def test_every_route_is_described_and_permitted(app: Flask) -> None:
    described = document(app)["paths"]
    count = 0
    for rule, method, declared in contracts(app):
        count += 1
        assert declared.permission in ALL
        assert declared.summary, f"{method} {rule.rule} has no docstring"
        path = re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)
        assert described[path][method.lower()]["summary"] == declared.summary
    assert count > 30


def test_the_console_knows_the_api_as_it_is(app: Flask) -> None:
    types = read("console/src/types/api.ts")
    described = document(app)
    for path, methods in described["paths"].items():
        assert f'"{path}": {{' in types, f"{path} is new to the console: run `make types`"
        for operation in methods.values():
            assert f"{operation['operationId']}: {{" in types, f"run `make types` for {path}"
    for name, schema in described["components"]["schemas"].items():
        block = re.search(rf"^        {name}: \{{$(.*?)^        \}};$", types, re.M | re.S)
        assert block or not schema.get("properties"), f"{name} is new to the console: run `make types`"
        for field in schema.get("properties", {}) if block else ():
            assert re.search(rf"^            {field}\??:", block.group(1), re.M), (
                f"{name}.{field}: run `make types`"
            )


def test_every_socket_namespace_lists_its_events() -> None:
    assert set(EVENTS) == set(NAMESPACES)


def test_every_kind_of_job_has_a_task_that_exists() -> None:
    from tasks.worker import celery

    celery.loader.import_default_modules()
    assert set(jobs.TASKS.values()) <= set(celery.tasks)


def test_makefile_describes_itself_and_stays_small() -> None:
    text = read("Makefile")
    targets = re.findall(r"^([a-z-]+):", text, re.M)
    described = re.findall(r"^([a-z-]+):.*## ", text, re.M)
    assert targets == described and len(targets) <= 15
    for word in re.findall(r"`make ([a-z]+)`", read("README.md") + read("CONTRIBUTING.md")):
        assert word in targets, f"the docs speak of `make {word}`, which is no target"


def test_versions_agree() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    newest = re.search(r"^## (\d+\.\d+\.\d+)", read("CHANGELOG.md"), re.M)
    assert newest and project == VERSION == newest.group(1)


def test_links_in_the_docs_lead_somewhere() -> None:
    for page in [path for path in tracked() if path.suffix == ".md" and "tests" not in path.parts]:
        for target in re.findall(r"\]\(((?!https?:|#|mailto:)[^)#\s]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def test_files_stay_small_enough_to_read() -> None:
    code = [path for path in tracked() if path.suffix in (".py", ".ts", ".tsx")]
    generated = ("console/src/types/api.ts", "migrations/versions")
    large = {
        str(path.relative_to(ROOT)): lines
        for path in code
        if not str(path.relative_to(ROOT)).startswith(generated)
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 450
    }
    assert not large, f"split by reason to change: {large}"


def test_no_large_file_and_no_foreign_address_in_lock_files() -> None:
    for path in tracked():
        assert path.stat().st_size <= 1_000_000, f"{path} is over 1 MB"
    assert "resolved" not in read("console/package-lock.json")


@pytest.mark.parametrize("module", ["api.wsgi", "tasks.worker", "tasks.beat", "cli.main", "supervisor"])
def test_no_long_lived_process_loads_a_model_library(module: str, tmp_path: Path) -> None:
    script = (
        f"import sys; import {module}; "
        "print([n for n in ('torch','transformers','peft','xllamacpp') if n in sys.modules])"
    )
    out = subprocess.check_output(
        [sys.executable, "-c", script],
        cwd=ROOT,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "MODELHUB_HOME": str(tmp_path / "home")},
    )
    assert out.strip().splitlines()[-1] == "[]"


def test_the_import_law_holds() -> None:
    from importlinter.cli import lint_imports

    assert lint_imports(config_filename=str(ROOT / ".importlinter"), no_cache=True) == 0
