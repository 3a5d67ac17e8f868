"""Keep a set of processes running, and leave none behind.

Each process runs in a session of its own (Ctrl-C in the terminal reaches only us) and on a leash (when we are killed
with SIGKILL, it goes too). It knows nothing of what the processes do.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from project import leash

HOME = Path(__file__).resolve().parent.parent  # where `python -m project.leash` is found
LOOK_SECONDS = 0.1
FIRST_DELAY, LONGEST_DELAY = 0.5, 10.0  # seconds before a process that ended is started again
STEADY_SECONDS = 10.0  # a process that ran so long is not failing over and over
GRACE_SECONDS = 8.0  # for all processes together: a worker may finish its job, nobody waits for ever
LEAST_GRACE_SECONDS = 1.0  # for each, also after one that used up the rest


@dataclass(frozen=True, slots=True)
class Process:
    """What to run: a command, and the whole environment it sees (ours if None)."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] | None = None
    restart: bool = True


@dataclass(slots=True)
class Child:
    """A process as it runs now."""

    spec: Process
    popen: subprocess.Popen[bytes]
    started_at: float  # by the monotonic clock, as all times here
    failures: int = 0
    restart_at: float | None = None
    is_held: bool = False


class Supervisor:
    """Starts processes, starts again what ends by itself, and stops all in reverse order.

    Start it from a thread that lives as long as the program: the kernel's leash is held by the starting thread.
    """

    def __init__(self, specs: Iterable[Process] = (), *, logs: Path, report: Callable[[str], None] = print) -> None:
        self._specs = list(specs)
        self._logs = logs
        self._report = report
        self._children: dict[str, Child] = {}
        self._lock = threading.RLock()
        self._is_over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        for spec in self._specs:
            self.add(spec)
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def add(self, spec: Process) -> int:
        """Start one more process; its process id."""
        with self._lock:
            popen = self._spawn(spec)
            self._children[spec.name] = Child(spec=spec, popen=popen, started_at=time.monotonic())
            return popen.pid

    def names(self) -> list[str]:
        return list(self._children)

    def pid(self, name: str) -> int:
        """The id of the process that runs, or ran last, under this name."""
        return self._children[name].popen.pid

    def failures(self, name: str) -> int:
        """How often in a row it ended soon after its start."""
        return self._children[name].failures

    def is_running(self, name: str) -> bool:
        return self._children[name].popen.poll() is None

    def kill(self, name: str, signal_number: int = signal.SIGKILL) -> None:
        """Send a signal to one process; what ends by it is started again as after any end."""
        self._children[name].popen.send_signal(signal_number)

    def hold(self, name: str) -> None:
        """End one process and do not start it again until `release`."""
        with self._lock:
            child = self._children[name]
            child.is_held, child.restart_at = True, None
        self._end([child])

    def release(self, name: str) -> int:
        """Start a held process again; its process id."""
        return self.add(self._children[name].spec)

    def read_log(self, name: str, lines: int = 20) -> str:
        """The last lines the process wrote."""
        with suppress(FileNotFoundError):
            text = self._log_path(name).read_text(errors="replace")
            return "\n".join(text.splitlines()[-lines:])
        return ""

    def stop(self) -> None:
        """End every process, the last started first; after it none is left."""
        with self._lock:
            for child in self._children.values():
                child.is_held, child.restart_at = True, None
        self._end(list(reversed(self._children.values())))
        self._is_over.set()
        if self._watcher.ident:
            self._watcher.join()

    def _log_path(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _spawn(self, spec: Process) -> subprocess.Popen[bytes]:
        with self._log_path(spec.name).open("ab") as log:
            return subprocess.Popen(
                leash.make_command(spec.argv),
                env=None if spec.env is None else dict(spec.env),
                cwd=HOME,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _end(self, children: list[Child]) -> None:
        """Ask each to end, one after the other, then end by force what is left of its group."""
        deadline = time.monotonic() + GRACE_SECONDS
        for child in children:
            child.popen.terminate()
            with suppress(subprocess.TimeoutExpired):
                child.popen.wait(max(LEAST_GRACE_SECONDS, deadline - time.monotonic()))
            kill_group(child.popen.pid)
            child.popen.wait()

    def _watch(self) -> None:
        while not self._is_over.wait(LOOK_SECONDS):
            with self._lock:
                for child in self._children.values():
                    if not child.is_held:
                        self._look_after(child, time.monotonic())

    def _look_after(self, child: Child, now: float) -> None:
        if child.restart_at is not None:
            if now >= child.restart_at:
                child.popen, child.started_at, child.restart_at = self._spawn(child.spec), now, None
        elif child.popen.poll() is not None:
            kill_group(child.popen.pid)
            self._note_end(child, now)

    def _note_end(self, child: Child, now: float) -> None:
        how = describe_end(child.popen.returncode)
        if not child.spec.restart:
            child.is_held = True
            self._report(f"{child.spec.name} ended ({how})")
            return
        child.failures = child.failures + 1 if now - child.started_at < STEADY_SECONDS else 1
        delay = min(FIRST_DELAY * 2 ** (child.failures - 1), LONGEST_DELAY)
        child.restart_at = now + delay
        self._report(f"{child.spec.name} ended ({how}), starting it again in {delay:g} s")


def kill_group(pid: int) -> None:
    """Kill what is left of the process group that process `pid` led."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def describe_end(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"
