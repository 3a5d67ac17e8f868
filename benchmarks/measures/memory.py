"""Peak memory of a backfill at a small and at a large size: each in a process that does nothing else."""

import json
import subprocess
import sys

from benchmarks import records
from benchmarks.trial import Trial
from benchmarks.world import World

SMALL, LARGE = 10_000, 300_000


def measure(trial: Trial) -> None:
    """Once a size: memory does not vary with the machine's load."""
    world, large = World(), trial.size or LARGE
    world.use_save(False)
    sizes = (min(SMALL, max(large // 10, 1)), large)
    for way in ("pull", "push"):
        small_peak, large_peak = (_peak(world, way, size) for size in sizes)
        fact = f"{small_peak:.0f} MiB at {sizes[0]:,}, {large_peak:.0f} MiB at {sizes[1]:,}"
        trial.put(way, large_peak / small_peak, fact)
        trial.put(f"{way}_mib", large_peak)


def _peak(world: World, way: str, size: int) -> float:
    world.reset()
    if way == "pull":
        world.plant(size)
    else:
        records.store_people(size)
    peak = peak_of(way)
    world.demand(size)
    return peak


def peak_of(way: str) -> float:
    """MiB of a process that does one backfill and nothing else."""
    argv = [sys.executable, "-m", "benchmarks.peak", way]
    ended = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
    return float(json.loads(ended.stdout)["peak_mib"])
