"""The launcher leaves no process behind, whatever happens to it or to what it runs. Needs nothing of crmsync."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from project import launch, leash, supervisor
from project.supervisor import HOME, Process, Supervisor
from project.world import WorldError, find_free_ports

pytestmark = pytest.mark.processes
T = TypeVar("T")

# Like a worker of RQ: forks a child that leaves the process group, and waits for it.
FORKER = """
import os, sys, time
name, folder = sys.argv[1:]
def note(name):
    with open(f"{folder}/{name}.{os.getpid()}.pid", "w"): pass
if os.fork() == 0:
    os.setpgrp()
    note(f"{name}-fork")
else:
    note(name)
time.sleep(600)
"""

HOST = """
import sys, threading
from pathlib import Path
from typing import TypeVar
from project import launch
from project.supervisor import Process, Supervisor
folder = Path(sys.argv[1])
specs = [
    Process("foreign", ("sh", "-c", f"touch {folder}/foreign.$$.pid; exec sleep 600")),
    Process("first", (sys.executable, f"{folder}/forker.py", "first", str(folder))),
    Process("second", (sys.executable, f"{folder}/forker.py", "second", str(folder))),
]
launch.end_by_signal()
try:
    with Supervisor(specs, logs=folder / "logs", report=launch.say):
        threading.Event().wait()
except KeyboardInterrupt:
    sys.exit(launch.INTERRUPTED)
"""


def wait_for(look: Callable[[], T], seconds: float = 15) -> T:
    """What `look` says as soon as it says yes; fails when it never does."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
    return seen


def is_alive(pid: int) -> bool:
    """Is there such a process, other than one that ended and that nobody collected?"""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return state.stdout.strip()[:1] not in ("", "Z")


def pids(folder: Path, name: str = "*") -> set[int]:
    """Ids of the processes that noted themselves under this name."""
    return {int(path.suffixes[-2][1:]) for path in folder.glob(f"{name}.*.pid")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "forker.py").write_text(FORKER)
    return tmp_path


@pytest.fixture
def host(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A launcher in a process of its own, with five under it: one foreign, two of Python and a fork of each."""
    process = subprocess.Popen([sys.executable, "-c", HOST, str(folder)], cwd=HOME, stdout=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: len(pids(folder)) == 5)
        yield process
    finally:
        process.kill()
        process.communicate()
        for pid in pids(folder):
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)


def make_supervisor(folder: Path, *specs: Process, lines: list[str] | None = None) -> Supervisor:
    return Supervisor(specs, logs=folder / "logs", report=[].append if lines is None else lines.append)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGHUP, 130), (signal.SIGKILL, -9)],
    ids=["Ctrl-C", "SIGTERM", "SIGHUP", "SIGKILL"],
)
def test_no_process_is_left_when_the_launcher_ends(
    host: subprocess.Popen[str], folder: Path, number: int, code: int
) -> None:
    host.send_signal(number)

    assert host.wait(15) == code
    wait_for(lambda: not any(is_alive(pid) for pid in pids(folder)))


def test_a_killed_process_is_started_again_and_takes_its_fork_along(
    host: subprocess.Popen[str], folder: Path
) -> None:
    [old], [old_fork] = pids(folder, "first"), pids(folder, "first-fork")
    os.kill(old, signal.SIGKILL)

    wait_for(lambda: not is_alive(old_fork))
    [new] = wait_for(lambda: pids(folder, "first") - {old})
    assert is_alive(new)
    assert len(pids(folder, "second")) == 1
    assert host.stdout is not None
    assert host.stdout.readline() == "first ended (signal 9), starting it again in 0.5 s\n"


def test_what_fails_over_and_over_is_started_ever_more_seldom(folder: Path) -> None:
    lines: list[str] = []
    with make_supervisor(folder, Process("bad", ("sh", "-c", "echo sorry; exit 3")), lines=lines) as running:
        wait_for(lambda: len(lines) == 3)
        assert running.failures("bad") == 3
        assert running.read_log("bad") == "sorry\nsorry\nsorry"
    assert lines == [f"bad ended (exit code 3), starting it again in {delay} s" for delay in ("0.5", "1", "2")]


def test_what_shall_not_be_started_again_is_not(folder: Path) -> None:
    lines: list[str] = []
    with make_supervisor(folder, Process("once", ("true",), restart=False), lines=lines):
        wait_for(lambda: lines)
        time.sleep(3 * supervisor.LOOK_SECONDS)
    assert lines == ["once ended (exit code 0)"]


def test_a_process_that_will_not_end_is_ended_by_force(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(supervisor, "LEAST_GRACE_SECONDS", 0.2)
    stubborn = ("sh", "-c", f"trap '' TERM; touch {folder}/stubborn.$$.pid; while :; do sleep 1; done")
    with make_supervisor(folder, Process("stubborn", stubborn)):
        [pid] = wait_for(lambda: pids(folder, "stubborn"))
    assert not is_alive(pid)


def test_a_held_process_stays_away_until_it_is_released(folder: Path) -> None:
    with make_supervisor(folder, Process("one", ("sleep", "600"))) as running:
        first = running.pid("one")
        running.hold("one")
        time.sleep(supervisor.FIRST_DELAY + 3 * supervisor.LOOK_SECONDS)
        assert not is_alive(first)
        assert not running.is_running("one")
        assert running.release("one") != first
        assert running.is_running("one")


def test_a_process_sees_the_environment_it_was_given(folder: Path) -> None:
    spec = Process("env", ("sh", "-c", "echo $GREETING"), env={**os.environ, "GREETING": "hello"}, restart=False)
    with make_supervisor(folder, spec) as running:
        wait_for(lambda: not running.is_running("env"))
        assert running.read_log("env") == "hello"


@pytest.mark.parametrize("way", ["watch_parent", "run_beside"])
def test_the_leash_holds_where_the_kernel_has_none(folder: Path, way: str) -> None:
    """The ways of systems without a parent-death signal, tried on whatever system this is."""
    held = {
        "watch_parent": "leash.watch_parent(os.getppid()); time.sleep(600)",
        "run_beside": f"leash.run_beside(['sh','-c','touch {folder}/child.$$.pid; exec sleep 600'], os.getppid())",
    }[way]
    code = f"import os, time\nfrom project import leash\nopen(f'{folder}/held.{{os.getpid()}}.pid', 'w')\n{held}"
    starter = f"import subprocess, sys\nsubprocess.run([sys.executable, '-W', 'ignore', '-c', {code!r}])"
    parent = subprocess.Popen([sys.executable, "-c", starter], cwd=HOME)
    wait_for(lambda: len(pids(folder)) == (1 if way == "watch_parent" else 2))

    parent.kill()
    parent.wait()

    wait_for(lambda: not any(is_alive(pid) for pid in pids(folder)))


def test_a_leash_without_its_parent_runs_nothing(folder: Path) -> None:
    """The launcher may die between starting a process and that process asking to be tied."""
    stranger = 1
    command = [sys.executable, "-m", "project.leash", str(stranger), "touch", str(folder / "ran")]
    code = subprocess.run(command, cwd=HOME, check=False).returncode

    assert code == -signal.SIGKILL
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(
    ("argv", "is_python"),
    [
        ((sys.executable, "-m", "http.server"), True),
        ((sys.executable, "manage.py", "check"), True),
        ((sys.executable, "-c", "pass"), False),
        (("redis-server", "--port", "0"), False),
    ],
)
def test_python_programs_run_inside_the_leash(argv: tuple[str, ...], is_python: bool) -> None:
    assert leash.is_python_program(argv) is is_python


def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    with (
        launch.open_directory(tmp_path / "demo", keep=False),
        pytest.raises(WorldError, match="Another demo runs"),
        launch.open_directory(tmp_path / "demo", keep=True),
    ):
        pass


def test_each_demo_starts_afresh_unless_told_to_keep(tmp_path: Path) -> None:
    for keep, is_kept in ((False, False), (True, True), (False, False)):
        with launch.open_directory(tmp_path / "demo", keep=keep) as directory:
            assert (directory / "data").exists() is is_kept
            (directory / "data").touch()


def test_a_folder_of_somebody_is_never_emptied(tmp_path: Path) -> None:
    (tmp_path / "letters").touch()
    with (
        pytest.raises(WorldError, match="not a demo's folder"),
        launch.open_directory(tmp_path, keep=False),
    ):
        pass
    assert (tmp_path / "letters").exists()


def test_free_ports_differ() -> None:
    assert len(set(find_free_ports(5))) == 5
