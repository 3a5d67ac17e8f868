"""One measurement's notebook: values by goal, what they were made of, and profiles of a run that is not counted."""

import cProfile
import gc
import io
import pstats
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

TOP = 30


@dataclass
class Trial:
    """``size`` 0 leaves the size to the measurement; ``name`` is also the first word of its goals' keys."""

    name: str
    database: str
    runs: int = 3
    size: int = 0
    wants_profile: bool = False
    values: dict[str, list[float]] = field(default_factory=dict)
    facts: dict[str, list[str]] = field(default_factory=dict)
    profiles: dict[str, str] = field(default_factory=dict)

    def put(self, what: str, value: float, fact: str = "") -> None:
        """One run's value of a goal; ``fact`` says what it was made of."""
        key = f"{self.name}.{what}"
        self.values.setdefault(key, []).append(value)
        self.facts.setdefault(key, []).append(fact)

    def put_rates(self, what: str, count: int, seconds: float, bare_seconds: float, bare_count: int = 0) -> None:
        """A rate against the rate of its anchor: more is better."""
        ours, bare = count / seconds, (bare_count or count) / bare_seconds
        self.put(what, ours / bare, f"{ours:,.0f}/s against {bare:,.0f}/s{_cpu(seconds, bare_seconds)}")

    def put_times(self, what: str, seconds: float, bare_seconds: float, count: int) -> None:
        """A time against the time of its anchor: less is better."""
        rates = f"{count / seconds:,.0f}/s against {count / bare_seconds:,.0f}/s"
        fact = f"{rates}{_cpu(seconds, bare_seconds)}"
        self.put(what, seconds / bare_seconds, fact)

    @contextmanager
    def profiled(self, what: str) -> Iterator[None]:
        """A profile of what happens within, in this thread."""
        profile = cProfile.Profile()
        with profile:
            yield
        self.profiles[f"{self.name}.{what}"] = to_text(profile)

    def profile(self, what: str, act: Callable[[], Any]) -> None:
        """Run ``act`` once more under a profile, if profiles are wanted; its time counts for nothing."""
        if self.wants_profile:
            with self.profiled(what):
                act()


class Seconds(float):
    """Seconds on the wall, and ``cpu``: of this process's processor, which other people's load hardly touches."""

    cpu: float = 0.0

    def __add__(self, other: float) -> "Seconds":
        total = Seconds(float(self) + other)
        total.cpu = self.cpu + getattr(other, "cpu", 0.0)
        return total


def timed(act: Callable[[], Any]) -> Seconds:
    """How long ``act`` takes, beginning without other people's garbage."""
    gc.collect()
    start, cpu = time.perf_counter(), time.process_time()
    act()
    seconds = Seconds(time.perf_counter() - start)
    seconds.cpu = time.process_time() - cpu
    return seconds


def _cpu(ours: float, bare: float) -> str:
    """How many times the anchor's processor time was used, where both are known."""
    used, anchor = getattr(ours, "cpu", 0.0), getattr(bare, "cpu", 0.0)
    return f"; {used / anchor:.1f} × its CPU" if used and anchor else ""


def to_text(profile: cProfile.Profile) -> str:
    """The top by cumulative and by own time."""
    out = io.StringIO()
    stats = pstats.Stats(profile, stream=out).strip_dirs()
    for order in ("cumulative", "tottime"):
        stats.sort_stats(order).print_stats(TOP)
    return out.getvalue()
