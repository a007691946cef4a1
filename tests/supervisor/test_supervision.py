"""Order, crashes and stops, with stand-in parts run by the real loop in a real process."""

import os
import re
import signal

from tests.supervisor.stage import Stage, is_alive, wait_until


def ready(stage: Stage) -> bool:
    return "all ready" in stage.output


def test_parts_start_when_what_they_need_is_ready_and_stop_backwards(stage: Stage) -> None:
    hub = stage.supervise(
        stage.with_ready_file("store"),
        stage.part("prepare", "--once", "0", kind="at_start"),
        stage.part("last", "--once", "0", kind="at_stop"),
        stage.part("web", after=["store", "prepare"]),
        stage.part("worker", after=["store", "prepare"]),
    )
    wait_until(lambda: ready(stage) and len(stage.notes("start")) == 4)
    assert {name for _, name, _ in stage.notes("start")[:2]} == {"store", "prepare"}
    hub.send_signal(signal.SIGTERM)
    assert hub.wait(30) == 0
    assert [name for _, name, _ in stage.notes("stop")] == ["prepare", "worker", "web", "last", "store"]
    assert not [pid for pid in stage.pids() if is_alive(pid)]
    assert re.search(r"^web +\| web says hello$", stage.output, re.MULTILINE)
    assert (stage.home / "logs" / "web.log").read_text() == "web says hello\n"


def test_a_crashed_part_comes_back_later_each_time(stage: Stage) -> None:
    stage.supervise(stage.part("steady"), stage.part("weak", "--die-after", "0"))
    wait_until(lambda: len([row for row in stage.notes("start") if row[1] == "weak"]) >= 4)
    delays = re.findall(r"weak ended \(exit code 7\) after \d+ s; restart in ([\d.]+) s", stage.output)
    assert [float(delay) for delay in delays[:3]] == [0.25, 0.5, 1.0]
    assert len([row for row in stage.notes("start") if row[1] == "steady"]) == 1


def test_a_killed_part_takes_its_forks_with_it_before_it_is_replaced(stage: Stage) -> None:
    stage.supervise(stage.part("web", "--fork"))
    wait_until(lambda: stage.notes("start"))
    helper, web = stage.pids("helper")[0], stage.pids("start")[0]
    os.kill(web, signal.SIGKILL)
    wait_until(lambda: len(stage.notes("start")) == 2)
    assert not is_alive(helper)


def test_stop_kills_who_does_not_listen_and_all_they_forked(stage: Stage) -> None:
    hub = stage.supervise(stage.part("web", "--deaf", "--fork", grace=0.2), stage.part("worker"))
    wait_until(lambda: ready(stage) and len(stage.notes("start")) == 2)
    hub.send_signal(signal.SIGINT)
    assert hub.wait(30) == 0
    assert not [pid for pid in stage.pids() if is_alive(pid)]
    assert "web had not ended" in stage.output


def test_a_second_signal_stops_at_once(stage: Stage) -> None:
    hub = stage.supervise(stage.part("web", "--deaf", grace=600.0))
    wait_until(lambda: stage.notes("start"))
    hub.send_signal(signal.SIGINT)
    assert hub.poll() is None
    wait_until(lambda: hub.poll() is not None or hub.send_signal(signal.SIGINT))
    assert not [pid for pid in stage.pids() if is_alive(pid)]


def test_kill_9_leaves_no_part_but_children_of_their_own_session(stage: Stage) -> None:
    hub = stage.supervise(
        stage.part("store", death_signal=int(signal.SIGTERM)),
        stage.part("worker", "--own-session"),
        stage.part("web", "--deaf"),
    )
    wait_until(lambda: ready(stage) and len(stage.notes("start")) == 3)
    hub.kill()
    hub.wait()
    wait_until(lambda: not [pid for pid in stage.pids("start") if is_alive(pid)])
    survivor = stage.pids("survivor")[0]
    assert is_alive(survivor)
    os.kill(survivor, signal.SIGKILL)


def test_a_part_that_never_gets_ready_ends_the_start_with_one_sentence(stage: Stage) -> None:
    hub = stage.supervise(
        stage.part("store"),
        stage.part("web", "--once", "5", "--say", "bad luck", ready_file=str(stage.directory / "never")),
    )
    _, stderr = hub.communicate(timeout=30)
    assert hub.returncode == 2
    assert stderr.count("\n") == 1 and "web ended while starting (exit code 5): bad luck" in stderr
    assert not [pid for pid in stage.pids() if is_alive(pid)]


def test_the_sentence_of_the_preparation_is_the_only_word_on_stderr(stage: Stage) -> None:
    hub = stage.supervise(
        stage.with_ready_file("store"),
        stage.part("prepare", "--once", "2", "--say", "The database cannot be reached.", kind="at_start"),
        stage.part("web", after=["store", "prepare"]),
    )
    _, stderr = hub.communicate(timeout=30)
    assert (hub.returncode, stderr) == (2, "The database cannot be reached.\n")
    assert "web" not in {name for _, name, _ in stage.notes("start")}
    assert not [pid for pid in stage.pids() if is_alive(pid)]


def test_a_second_hub_is_refused_while_the_first_runs(stage: Stage) -> None:
    first = stage.supervise(stage.part("web"))
    wait_until(lambda: ready(stage))
    second = stage.supervise(stage.part("web"))
    _, stderr = second.communicate(timeout=30)
    assert second.returncode == 2
    assert f"already running in {stage.home} (pid {first.pid}, http://127.0.0.1:1)" in stderr
    assert stderr.count("\n") == 1 and first.poll() is None


def test_a_start_after_kill_9_waits_for_the_old_parts_and_ends_those_that_stay(stage: Stage) -> None:
    # SIGTERM as the death signal of a part that ignores it: what a hung Redis would look like.
    first = stage.supervise(stage.part("store", "--deaf", death_signal=int(signal.SIGTERM)))
    wait_until(lambda: ready(stage) and stage.notes("start"))
    first.kill()
    first.wait()
    old = stage.pids("start")[0]
    assert is_alive(old)
    second = stage.supervise(stage.part("store"))
    wait_until(lambda: len(stage.notes("start")) == 2 or second.poll() is not None)
    assert second.poll() is None and not is_alive(old)
