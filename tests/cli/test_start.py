"""Help, usage, doctor: what works with no hub at all, and what it must not import."""

import json
import subprocess
import sys

import click
import pytest

from cli.main import COMMANDS, root
from tests.cli.conftest import ROOT, Terminal


def test_help_needs_nothing_heavy(terminal: Terminal) -> None:
    """Start-up time is what is imported: measured 0.09 s for --help, against 0.25 s with httpx and rich."""
    code = (
        "import sys\ntry:\n    from cli.main import main; main(['--help'])\n"
        "except SystemExit:\n    print(','.join(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=terminal.environment, capture_output=True, text=True
    )
    loaded = set(done.stderr.split(","))
    assert "click" in loaded
    assert not loaded & {"httpx", "rich", "torch", "flask", "pydantic", "psutil", "sqlite3", "asyncio"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_speaks_json(terminal: Terminal, name: str) -> None:
    command = root.commands.get(name) or root.get_command(None, name)  # type: ignore[arg-type]
    assert command
    assert command.help
    assert {"hub", "json"} <= {parameter.name for parameter in command.params}
    assert all(parameter.help for parameter in command.params if isinstance(parameter, click.Option))


def test_no_module_of_the_server_is_imported() -> None:
    for path in (ROOT / "cli").rglob("*.py"):
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] in (["import"], ["from"]):
                assert words[1].split(".")[0] not in (
                    "api",
                    "integrations",
                    "tasks",
                    "training",
                    "inference",
                    "torch",
                ), path


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["lst"], "Did you mean 'list'?"),
        (["pull"], "Missing argument 'REF'"),
        (["list", "--nope"], "--nope"),
        (["deploy", "x", "-o", "threads"], "KEY=VALUE"),
        (["run", "x", "--json"], "PROMPT"),
        (["run", "x"], "PROMPT"),
        (["up", "--json"], "--detach"),
        (["up", "--port", "70000"], "70000"),
    ],
)
def test_wrong_usage(terminal: Terminal, words: list[str], hint: str) -> None:
    done = terminal.run(*words)
    assert done.code == 2
    assert hint in done.err
    assert done.out == ""


def test_wrong_usage_in_json(terminal: Terminal) -> None:
    done = terminal.run("list", "--json", "--nope")
    assert done.code == 2
    assert done.problem["exit_code"] == 2


def test_versions(terminal: Terminal) -> None:
    assert terminal.run("--version").out.startswith("modelhub ")
    said = terminal.run("version", "--json", "--hub", "http://127.0.0.1:1").json
    assert said["hub"] is None
    assert said["cli"] in terminal.run("--version").out


def test_doctor_works_without_a_hub(terminal: Terminal) -> None:
    done = terminal.run("doctor", "--json", "--hub", "http://127.0.0.1:1", OLLAMA_HOST="127.0.0.1:1")
    checks = {check["name"]: check for check in done.json["checks"]}
    assert list(checks) == [
        *("Python", "Data directory", "Disk", "Memory", "Hub", "Redis", "Database"),
        *("Inference", "torch", "GPU", "Docker", "Ollama", "Node"),
    ]
    assert checks["Hub"]["status"] == "warn"
    assert "modelhub up" in checks["Hub"]["advice"]
    assert checks["Ollama"]["detail"] == "does not answer at http://127.0.0.1:1"
    assert all(check["advice"] for check in checks.values() if check["status"] != "ok")
    assert done.code == (0 if done.json["ok"] else 1)
    assert not terminal.home.exists(), "looking changes nothing"


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "Redis"),
        ({"DATABASE_URL": "postgresql://someone:secret-word@127.0.0.1:1/hub"}, "Database"),
        ({"MODELHUB_HOME": "/proc/modelhub"}, "Data directory"),
        ({"MODELHUB_PORT": "many"}, "Settings"),
    ],
)
def test_doctor_finds_what_is_broken(terminal: Terminal, variables: dict[str, str], name: str) -> None:
    done = terminal.run("doctor", "--json", **variables)
    assert done.code == 1
    failed = {check["name"]: check for check in done.json["checks"] if check["status"] == "fail"}
    assert name in failed
    assert failed[name]["advice"]
    assert "secret-word" not in done.out + done.err


def test_doctor_sees_a_broken_database(terminal: Terminal) -> None:
    terminal.home.mkdir(mode=0o700)
    (terminal.home / "modelhub.db").write_bytes(b"SQLite format 3\0" + b"not a database" * 100)
    done = terminal.run("doctor", "--json")
    assert {check["name"]: check["status"] for check in done.json["checks"]}["Database"] == "fail"


def test_our_docker_folder_is_not_taken_for_the_sdk(terminal: Terminal, tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "docker").mkdir()
    code = (
        "import sys\n"
        "sys.path = [sys.argv[1], *(path for path in sys.path if 'site-packages' not in path)]\n"
        "from cli.checks import engines; print(engines.docker(None))"
    )
    environment = terminal.environment | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=environment, capture_output=True, text=True, cwd=ROOT
    )
    assert "the Python SDK is not installed" in done.stdout, done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(terminal: Terminal, shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from cli.main import main; main()"],
        env=terminal.environment | {"_MODELHUB_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert "_MODELHUB_COMPLETE" in done.stdout


def test_usage_errors_do_not_print_twice(terminal: Terminal) -> None:
    assert terminal.run("lst").err.count("Did you mean") == 1
    assert json.dumps("Traceback") not in terminal.run("lst").err
