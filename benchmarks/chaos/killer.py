"""A seeded killer: ends workers, and the job processes they forked, with SIGKILL, and empties Redis.

When a kill lands differs from run to run, because processes do; how many, of what kind and how aimed does not.
"""

import math
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import redis

from benchmarks.chaos.stage import Stage, wait_until
from project.demo.hub import Hub

PATIENCE = 6.0  # seconds an aimed kill waits for its moment before it is done anyway
RESTLESS = (0.4, 5.0)  # seconds between two kills


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: of a worker, the process of its job, or both; now, or as soon as HubSpot has applied a write."""

    worker: str
    target: str
    is_aimed: bool
    after: float


class Killer(threading.Thread):
    """Kills until as many are done as are allowed by now: `allow` lets loose, each time up to a share of all."""

    def __init__(self, stage: Stage, kills: int, *, flushes: int = 0) -> None:
        super().__init__(name="killer", daemon=True)
        rng = random.Random(f"killer:{stage.options.seed}")
        self.stage = stage
        self.hub = Hub(stage.world.fakehub_url)
        self.kills = [make_kill(rng, stage) for _ in range(kills)]
        places = rng.sample(range(kills), min(flushes, kills)) if stage.world.redis_url else []
        self.flush_after = set(places)
        self.allowed = 0
        self.is_over = threading.Event()
        self.done = 0

    @property
    def left(self) -> int:
        return len(self.kills) - self.done

    def allow(self, share: float) -> None:
        self.allowed = math.ceil(share * len(self.kills))

    def run(self) -> None:
        for number, kill in enumerate(self.kills):
            self._rest(kill.after, number)
            if self.is_over.is_set():
                return
            said = strike(self.stage, self.hub, kill)
            self.done = number + 1
            self.stage.say(f"kill {self.done} of {len(self.kills)}: {said}")
            if number in self.flush_after:
                flush(self.stage)

    def _rest(self, seconds: float, number: int) -> None:
        """Wait until this kill is allowed, then so many seconds."""
        while (number >= self.allowed or seconds > 0) and not self.is_over.wait(0.05):
            seconds -= 0.05 if number < self.allowed else 0

    def finish(self) -> None:
        self.is_over.set()
        self.join(timeout=30)


def make_kill(rng: random.Random, stage: Stage) -> Kill:
    targets = ("worker", "job", "both") if stage.world.redis_url else ("worker",)
    return Kill(
        worker=rng.choice(stage.world.workers),
        target=rng.choice(targets),
        is_aimed=rng.random() < 0.6,
        after=rng.uniform(*RESTLESS),
    )


def strike(stage: Stage, hub: Hub, kill: Kill) -> str:
    """Do one kill; what was done."""
    supervisor = stage.world.supervisor
    wait_until(lambda: supervisor.is_running(kill.worker), 30.0, 0.05)
    how = "right after a write" if kill.is_aimed and await_write(hub) else "at a random moment"
    pid = supervisor.pid(kill.worker)
    jobs = children(pid) if kill.target != "worker" else []
    if kill.target in ("worker", "both") or not jobs:
        end(pid)
    for job in jobs:
        end(job)
    what = {"worker": kill.worker, "job": f"job of {kill.worker}", "both": f"{kill.worker} and its job"}[kill.target]
    return f"{what} {how}" + ("" if jobs or kill.target == "worker" else " (had no job: the worker)")


def await_write(hub: Hub) -> bool:
    """Wait for the next write call that HubSpot applies; its answer is then being read, stored, or not yet."""
    before = hub.writes()
    return wait_until(lambda: hub.writes() > before, PATIENCE, 0.005)


def children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = (line.split() for line in listed.splitlines())
    return [int(child) for child, parent in pairs if int(parent) == pid]


def end(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def flush(stage: Stage) -> None:
    """Empty the whole Redis, which is ours alone."""
    with redis.Redis.from_url(stage.world.redis_url) as client:
        keys = client.dbsize()
        client.flushall()
    stage.say(f"FLUSHALL, with {keys} keys in Redis")


def run_and_kill(start: Callable[[], subprocess.Popen], aims: list[Callable[[], object]]) -> int:
    """Run a command to its end, killing one process after the other as the aims say; how many were killed."""
    killed = 0
    for aim in aims:
        process = start()
        while process.poll() is None and not aim():
            time.sleep(0.005)
        if process.poll() is None:
            process.kill()
            killed += 1
        elif process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)
        process.wait()
    process = start()
    if process.wait():
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return killed
