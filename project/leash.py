"""Run a command that cannot outlive its parent: ``python -m project.leash PARENT_PID COMMAND ARGUMENT…``.

On Linux the kernel kills it (parent-death signal, which survives exec); elsewhere a thread watches the parent. A
Python command runs inside this very process, so that what it forks is tied to it in turn: a worker that is killed
with SIGKILL takes the job process it forked along, which would otherwise go on beside its successor.
"""

import ctypes
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1  # prctl(2)
WATCH_SECONDS = 0.2  # only where the kernel does not tell


def make_command(argv: Sequence[str]) -> list[str]:
    """`argv` on a leash held by this process; to be started in the folder that holds `project`."""
    return [sys.executable, "-m", "project.leash", str(os.getpid()), *argv]


def tie_to(parent: int, signal_number: int = signal.SIGKILL) -> None:
    """Send this process `signal_number` as soon as its parent, process `parent`, is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number)
        if os.getppid() != parent:  # it went before the kernel was asked
            os.kill(os.getpid(), signal_number)
    else:
        watch_parent(parent, signal_number)


def watch_parent(parent: int, signal_number: int = signal.SIGKILL) -> None:
    """The same by looking again and again, for systems without a parent-death signal."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os.kill(os.getpid(), signal_number)

    threading.Thread(target=watch, name="leash", daemon=True).start()


def tie_forks() -> None:
    """Tie every process that this one forks from now on, and theirs."""
    pid, forked_by_main = os.getpid(), True

    def before() -> None:
        nonlocal forked_by_main
        forked_by_main = threading.current_thread() is threading.main_thread()

    def after_in_child() -> None:
        nonlocal pid
        parent, pid = pid, os.getpid()
        # The kernel's signal comes when the forking *thread* ends; a passing thread must not take the child along.
        (tie_to if forked_by_main else watch_parent)(parent)

    os.register_at_fork(before=before, after_in_child=after_in_child)


def is_python_program(argv: Sequence[str]) -> bool:
    """Is it ``python -m module …`` or ``python script …`` of this very interpreter?"""
    return argv[0] == sys.executable and (argv[1] == "-m" or not argv[1].startswith("-"))


def run_python(argv: Sequence[str]) -> None:
    """Run the module or script in this process, as the interpreter would."""
    if argv[1] == "-m":
        sys.argv = list(argv[2:])
        runpy.run_module(argv[2], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(argv[1:])
        sys.path[0] = os.path.dirname(os.path.abspath(argv[1]))
        runpy.run_path(argv[1], run_name="__main__")


def run_beside(argv: Sequence[str], parent: int) -> int:
    """Run a foreign program as a child, and end it with the parent; for systems where no leash survives exec."""
    child = subprocess.Popen(argv)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    watch_parent(parent, signal.SIGTERM)
    return child.wait()


def main() -> int:
    parent, argv = int(sys.argv[1]), sys.argv[2:]
    if is_python_program(argv):
        tie_to(parent)
        tie_forks()
        run_python(argv)
        return 0
    if sys.platform == "linux":
        tie_to(parent)
        os.execvp(argv[0], argv)
    return run_beside(argv, parent)


if __name__ == "__main__":
    sys.exit(main())
