"""A backfill from a portal that answers after 20 ms, against fetching alone: does anybody wait twice?"""

from benchmarks.trial import Trial, timed
from benchmarks.world import PULL, World

SIZE = 5000
DELAY = 0.02


def measure(trial: Trial) -> None:
    world, count = World(), trial.size or SIZE
    world.reset()
    world.plant(count)
    world.use_save(False)
    world.hub.post("faults", {"kind": "slow", "delay": DELAY, "times": None})
    for _ in range(trial.runs):
        fetch = timed(world.bare.fetch)
        world.empty()
        seconds = timed(lambda: world.backfill(PULL))
        world.demand(count)
        trial.put_rates("pull", count, seconds, fetch)
