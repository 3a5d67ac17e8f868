"""A portal full of newsletter contacts under a link-only mapping (U9): the rows left behind, and peak memory."""

from django.apps import apps

from benchmarks.measures import memory
from benchmarks.trial import Trial
from benchmarks.world import BenchError, World
from crmsync.models import Mapping, Run

SMALL, LARGE = 10_000, 1_000_000


def measure(trial: Trial) -> None:
    """Once a size: neither rows nor memory vary with the machine's load."""
    world, large = World(), trial.size or LARGE
    Mapping.objects.update(creates_local=False, creates_remote=False)
    peaks, rows = {}, 0
    for size in (min(SMALL, max(large // 10, 1)), large):
        world.reset()
        world.plant(size)
        before = _rows()
        peaks[size] = memory.peak_of("pull")
        found = Run.objects.latest("pk").counts
        if found != {"excluded": size}:
            raise BenchError(f"not every contact was looked at: {found}")
        rows = _rows() - before
    small, large = peaks
    fact = f"{peaks[small]:.0f} MiB at {small:,}, {peaks[large]:.0f} MiB at {large:,}"
    trial.put("rows", rows, f"of {large:,} contacts; the run and the count of calls apart")
    trial.put("peak", peaks[large] / peaks[small], fact)


def _rows() -> int:
    """Of every table of the product and of crmsync, but for the run and what counts the calls of each hour."""
    models = [model for label in ("crmsync", "demo") for model in apps.get_app_config(label).get_models()]
    return sum(model.objects.count() for model in models if model.__name__ not in {"Run", "ApiUsage"})
