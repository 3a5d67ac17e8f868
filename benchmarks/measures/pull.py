"""A backfill into an empty table, against the barest scripts that do the same and against fetching alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

from benchmarks.trial import Trial, timed
from benchmarks.world import PULL, BenchError, World
from crmsync import receivers
from project.demo.models import Person

SIZE = 20_000


def measure(trial: Trial) -> None:
    world, count = World(), trial.size or SIZE
    world.reset()
    world.plant(count)
    world.bare.fetch()
    for _ in range(trial.runs):
        fetch = timed(world.bare.fetch)
        bare = _bare(world, world.bare.pull, count)
        _fast(trial, world, count, bare, fetch)
    for _ in range(trial.runs):
        _save(trial, world, count)
    _profile(trial, world)


def _fast(trial: Trial, world: World, count: int, bare: float, fetch: float) -> None:
    world.use_save(False)
    world.empty()
    before, _ = world.calls()
    first = timed(lambda: world.backfill(PULL))
    world.demand(count)
    trial.put("calls", (world.calls()[0] - before) * 1000 / count)
    trial.put_rates("fast", count, first, bare)
    trial.put_rates("fetch", count, first, fetch)
    world.age_links()
    with counted_writes() as writes:
        again = timed(lambda: world.backfill(PULL))
    world.demand(count)
    trial.put_times("again", again, first, count)
    trial.put("again_writes", len(writes))


def _save(trial: Trial, world: World, count: int) -> None:
    receivers.disconnect(Person)
    each = _bare(world, world.bare.pull_by_save, count)
    page = _bare(world, world.bare.pull_by_page, count)
    receivers.connect(Person)
    world.use_save(True)
    world.empty()
    seconds = timed(lambda: world.backfill(PULL))
    world.demand(count)
    trial.put_rates("save", count, seconds, each)
    trial.put_rates("save_page", count, seconds, page)


def _bare(world: World, pull: Callable[[], None], count: int) -> float:
    world.empty()
    seconds = timed(pull)
    if Person.objects.count() != count:
        raise BenchError("the anchor lost rows")
    return seconds


@contextmanager
def counted_writes() -> Iterator[list[str]]:
    """The statements that write the host's table."""
    found: list[str] = []
    table = f'"{Person._meta.db_table}"'

    def look(execute, sql, params, many, context):
        if table in sql and sql.split(None, 1)[0].upper() in ("INSERT", "UPDATE", "DELETE"):
            found.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield found


def _profile(trial: Trial, world: World) -> None:
    for what, uses_save in (("fast", False), ("save", True)):
        world.use_save(uses_save)
        world.empty()
        trial.profile(what, lambda: world.backfill(PULL))
        if not uses_save:
            world.age_links()
            trial.profile("again", lambda: world.backfill(PULL))
