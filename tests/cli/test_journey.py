"""From a name to a conversation on a real hub: every command as a person or a script uses it.

The hub is all its real processes; the models come from the stand-in for the Hugging Face Hub.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import Terminal
from tests.cli.screen import Screen
from tests.support.fixtures import model_shelf  # noqa: F401
from tests.support.hub import Hub as Source
from tests.support.hub_process import Hub, start_hub

LLAMA, PADDED = "org/tiny-llama", "org/padded-llama"


@pytest.fixture(scope="module")
def source(model_shelf: Path) -> Iterator[Source]:  # noqa: F811
    with Source(model_shelf) as running:
        yield running


@pytest.fixture(scope="module")
def hub(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    running = start_hub(tmp_path_factory.mktemp("hub") / "home", {"HF_ENDPOINT": source.url})
    yield running
    running.stop()


@pytest.fixture
def here(terminal: Terminal, hub: Hub) -> Terminal:
    """On the hub's own machine: nothing is said about where it is or who one is."""
    terminal.environment["MODELHUB_HOME"] = str(hub.home)
    return terminal


@pytest.fixture(scope="module")
def llama(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The id of org/tiny-llama, pulled once."""
    terminal = Terminal(tmp_path_factory.mktemp("puller"))
    terminal.environment["MODELHUB_HOME"] = str(hub.home)
    done = terminal.run("pull", LLAMA, "--json")
    assert done.code == 0, done.err
    assert done.lines[-1]["status"] == "completed"
    return str(done.lines[-1]["model_id"])


def test_search(here: Terminal) -> None:
    found = here.run("search", "tiny", "--json")
    assert LLAMA in [item["ref"] for item in found.json["items"]]
    assert here.run("search", "tiny").out.splitlines()[0].split("\t")[0] == "MODEL"
    assert here.run("search", "tiny", "--limit", "1").out.count("\n") == 2
    none = here.run("search", "nosuchword")
    assert (none.code, none.out) == (0, "")
    assert "Nothing fits" in none.err


def test_an_unknown_source_names_those_there_are(here: Terminal) -> None:
    refused = here.run("search", "x", "--source", "ftp", "--json")
    assert refused.code == 1
    assert refused.problem["error"] == "UNKNOWN_KIND"
    assert "huggingface" in refused.problem["message"]


def test_pull_list_show(here: Terminal, llama: str) -> None:
    again = here.run("pull", LLAMA, "--json")
    assert again.code == 0
    assert again.lines[-1]["model_id"] == llama, "a second pull finds the model here"
    assert here.run("list", "tiny-llama", "--json").json["items"][0]["id"] == llama
    for name in (llama, llama[:-1], LLAMA, "TINY-llama"):
        shown = here.run("show", name, "--json")
        assert shown.json["id"] == llama
    assert "model.safetensors" in here.run("show", LLAMA).out
    assert here.run("show", LLAMA, "--card").out.rstrip().endswith("real files, random weights.")


def test_looking_before_pulling(here: Terminal) -> None:
    there = here.run("show", LLAMA, "--source", "huggingface", "--revision", "v1.0", "--json").json
    assert there["revision"] == "v1.0"
    assert {file["path"] for file in there["files"]} >= {"config.json", "model.safetensors"}
    assert "first release" in here.run("show", LLAMA, "--revision", "v1.0", "--card").out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("pull", "org/nothing-here"), 5),
        (("pull", LLAMA, "--revision", "v9"), 5),
        (("pull", "../x"), 1),
        (("pull", "two words"), 1),
        (("pull", "x" * 10_000), 1),
        (("pull", "gated/tiny-llama"), 1),
        (("pull", "private/tiny-llama"), None),
        (("show", "nothing"), 5),
        (("run", "nothing", "Hello"), 5),
        (("run", "org/nothing-here", "Hello"), 5),
        (("run", PADDED, "Hello", "--no-pull"), 5),
        (("rm", "nothing", "--yes"), 5),
        (("logs", "nothing"), 5),
        (("stop", "nothing"), 5),
        (("pause", "nothing"), 5),
    ],
)
def test_bad_input_is_one_clear_sentence(here: Terminal, words: tuple[str, ...], code: int | None) -> None:
    done = here.run(*words)
    assert done.code == code or (code is None and done.code in (1, 5)), done.err
    assert done.out == ""
    said = [line for line in done.err.splitlines() if line.startswith("Error: ")]
    assert len(said) == 1
    assert len(said[0]) > 20


def test_from_a_model_to_a_conversation(here: Terminal, llama: str) -> None:
    asked = here.run("run", LLAMA, "Hello", "--temperature", "0", "--max-tokens", "8", "--json")
    assert asked.code == 0, asked.err
    whole = asked.lines[-1]["message"]
    assert whole["status"] == "complete"
    assert "".join(line["text"] for line in asked.lines[:-1]) == whole["content"]
    assert whole["completion_tokens"] == 8
    assert here.run("ps", "--json").json["items"][0]["model_id"] == llama

    again = here.run("run", "tiny-llama", "--temperature", "0", "--max-tokens", "8", stdin="Hello\n")
    assert again.out.strip() == whole["content"].strip(), "the same question, piped, on the same deployment"
    assert len(here.run("ps", "--json").json["items"]) == 1


def test_a_single_question_is_kept_only_when_asked_to(here: Terminal, hub: Hub, llama: str) -> None:
    def kept() -> int:
        return len(hub.get("/chat/sessions")["items"])

    before = kept()
    here.run("run", "tiny-llama", "Hello", "--max-tokens", "2")
    assert kept() == before
    here.run("run", "tiny-llama", "Hello", "--max-tokens", "2", "--keep")
    assert kept() == before + 1


def test_a_conversation_on_a_terminal(here: Terminal, hub: Hub, llama: str) -> None:
    screen = Screen(here.argv("run", "tiny-llama", "--max-tokens", "8", "-v"), here.environment)
    try:
        for question in ("One", "Two"):
            screen.see(">>> ")
            screen.type(f"{question}\n")
            screen.see(" tokens/s")
        screen.see(">>> ")
        screen.type("/bye\n")
        assert screen.end() == 0
    finally:
        screen.close()
    session = hub.get("/chat/sessions")["items"][0]
    messages = hub.get(f"/chat/sessions/{session['id']}")["messages"]
    assert [m["content"] for m in messages if m["role"] == "user"] == ["One", "Two"]


def test_the_life_of_a_deployment(here: Terminal, llama: str) -> None:
    made = here.run("deploy", llama, "--name", "second", "-o", "max_concurrent=2", "--json")
    assert made.code == 0, made.err
    assert made.json["status"] == "running"
    assert made.json["options"]["max_concurrent"] == 2
    assert here.run("logs", "second", "--json").lines
    assert here.run("logs", "second", "-n", "1").out.count("\n") == 1
    assert here.run("stop", "second", "--json").json["status"] == "stopped"
    assert here.run("start", "second", "--json").json["status"] == "running"
    taken = here.run("deploy", llama, "--name", "second", "--json")
    assert (taken.code, taken.problem["error"]) == (1, "CONFLICT")
    unasked = here.run("rm", "second")
    assert unasked.code == 2
    assert "--yes" in unasked.err
    assert here.run("rm", "second", "--yes", "--json").json["removed"][0]["kind"] == "deployment"
    assert here.run("show", "second").code == 5


def test_what_cannot_chat_is_refused_with_the_reason(here: Terminal) -> None:
    assert here.run("pull", "org/tiny-bert").code == 0
    refused = here.run("deploy", "org/tiny-bert", "--json")
    assert refused.code == 1
    assert len(refused.problem["message"]) > 30
    assert here.run("rm", "org/tiny-bert", "--yes").code in (0, 1)


def test_a_wrong_option_is_named(here: Terminal, llama: str) -> None:
    refused = here.run("deploy", llama, "--name", "third", "-o", "max_concurent=2", "--json")
    assert refused.code == 1
    assert "max_concurent" in refused.err


def test_a_model_and_its_deployment_go_together(here: Terminal, hub: Hub) -> None:
    assert here.run("run", "org/tiny-llama-gguf", "Hello", "--max-tokens", "4").code == 0
    needed = here.run("rm", "--model", "org/tiny-llama-gguf", "--yes", "--json")
    assert (needed.code, needed.problem["error"]) == (1, "CONFLICT")
    both = here.run("rm", "org/tiny-llama-gguf", "tiny-llama-gguf", "--yes", "--json")
    assert both.code == 0, both.err
    assert [item["kind"] for item in both.json["removed"]] == ["deployment", "model"]
    assert not [item for item in hub.get("/models")["items"] if item["ref"] == "org/tiny-llama-gguf"]


def test_pause_resume_cancel_retry(here: Terminal, hub: Hub, source: Source) -> None:
    source.rate = 200_000
    try:
        started = here.run("pull", PADDED, "--detach", "--json").json
        hub.until(f"/downloads/{started['id']}", lambda found: found["bytes_done"] > 0)
        paused = here.run("pause", PADDED, "--json").json
        assert paused["status"] == "paused"
        assert here.run("downloads", "--status", "paused", "--json").json["items"][0]["id"] == started["id"]
        assert here.run("resume", started["id"], "--json").code == 0
        hub.until(f"/downloads/{started['id']}", lambda found: found["status"] == "downloading")
        assert here.run("cancel", started["id"][:-2], "--json").json["status"] == "cancelled"
        source.rate = 0
        here.run("retry", started["id"])
        assert here.run("pull", PADDED, "--json").lines[-1]["status"] == "completed"
    finally:
        source.rate = 0
    assert here.run("rm", PADDED, "--yes").code == 0


def test_a_paused_pull_goes_on_when_pulled_again(here: Terminal, hub: Hub, source: Source) -> None:
    source.rate = 50_000
    screen = Screen(here.argv("pull", PADDED), here.environment)
    try:
        screen.see(" %  ")
        screen.interrupt()
        screen.see("the hub goes on")
        assert screen.end() == 130
        paused = here.run("pause", PADDED, "--json").json
        source.rate = 0
        done = here.run("pull", PADDED, "--json")
        assert done.code == 0, done.err
        assert done.lines[-1]["id"] == paused["id"]
        assert done.lines[-1]["status"] == "completed"
    finally:
        source.rate = 0
        screen.close()
    assert here.run("rm", PADDED, "--yes").code == 0


def test_signing_in_from_another_machine(terminal: Terminal, hub: Hub) -> None:
    assert terminal.run("list", "--hub", hub.url).code == 3
    login = ("login", hub.url, "--email", hub.email, "--password-stdin")
    assert terminal.run(*login, stdin="wrong\n").code == 3
    assert terminal.run(*login, stdin=f"{hub.password}\n").code == 0
    assert terminal.run("list").code == 0
    kept = terminal.config / "modelhub" / "credentials.json"
    for _ in range(3):  # the access token has run out; each time the refresh token is traded for the next
        content = terminal.credentials()
        content["hubs"][hub.url]["expires_at"] = 0
        kept.write_text(json.dumps(content))
        assert terminal.run("list").code == 0
    assert terminal.run("logout").code == 0
    assert terminal.run("list", "--hub", hub.url).code == 3


def test_doctor_version_jobs(here: Terminal, hub: Hub, llama: str) -> None:
    checks = {check["name"]: check for check in here.run("doctor", "--json").json["checks"]}
    assert (checks["Hub"]["status"], checks["Redis"]["status"], checks["Database"]["status"]) == ("ok",) * 3
    assert hub.url in checks["Hub"]["detail"]
    said = here.run("version", "--json").json
    assert said["hub"] == said["cli"]
    jobs = here.run("jobs", "--kind", "download", "--json").json["items"]
    assert llama in {item["model_id"] for item in hub.get("/downloads")["items"]}
    assert "completed" in {job["state"] for job in jobs}


def test_two_hubs_of_one_home_are_refused(here: Terminal, hub: Hub) -> None:
    refused = here.run("up", "-d", "--json")
    assert (refused.code, refused.problem["error"]) == (1, "ALREADY_RUNNING")
    assert hub.url in refused.problem["message"]
    in_front = here.run("up")
    assert in_front.code == 2
    assert "already running" in in_front.err


def is_alive(pid: int) -> bool:
    """A process that ended and that nobody asked about (in a container without an init) does not count."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_up_in_the_background_and_down(terminal: Terminal) -> None:
    started = terminal.run("up", "-d", "--port", "0", "--json")
    try:
        assert started.code == 0, started.err
        assert started.json["password"], "the first start tells the password, once"
        login = ("login", "--email", started.json["email"], "--json")
        assert terminal.run(*login, MODELHUB_PASSWORD=started.json["password"]).code == 0
        assert terminal.run("list").code == 0
    finally:
        stopped = terminal.run("down", "--json")
    assert stopped.json["was_running"]
    assert not is_alive(started.json["pid"])
    assert terminal.run("list").code == 4
    assert not terminal.run("down", "--json").json["was_running"]


def test_up_with_a_taken_port_says_who_has_it(terminal: Terminal, hub: Hub) -> None:
    port = hub.url.rpartition(":")[2]
    refused = terminal.run("up", "-d", "--port", port)
    assert refused.code == 1
    assert f"Port {port} on 127.0.0.1 is in use" in refused.err
