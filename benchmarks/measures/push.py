"""Rows to HubSpot as new records and as updates, against the barest loop of batch calls."""

from benchmarks import records
from benchmarks.trial import Trial, timed
from benchmarks.world import PUSH, World
from crmsync.flows import capture
from project.demo.models import Person

SIZE = 10_000
SAVES = 10


def measure(trial: Trial) -> None:
    world, count = World(), trial.size or SIZE
    rows = [records.to_properties(records.make_person(number)) for number in range(count)]
    for _ in range(trial.runs):
        bare_create, bare_update = _bare(world, rows)
        _create(trial, world, count, bare_create)
        _update(trial, world, count, bare_update)
        _saves(trial, world, count)
    if trial.wants_profile:
        _profile(trial, world, count)


def _bare(world: World, rows: list[records.Properties]) -> tuple[float, float]:
    """Seconds of the anchors, with the values at hand: no database at all."""
    world.reset()
    ids: list[str] = []
    create = timed(lambda: ids.extend(world.bare.create(rows)))
    return create, timed(lambda: world.bare.update(ids, lambda number: {"city": f"Bare {number}"}))


def _create(trial: Trial, world: World, count: int, bare: float) -> None:
    _stand_ready(world, count)
    before = world.calls()
    seconds = timed(lambda: world.backfill(PUSH))
    world.demand(count)
    trial.put_rates("create", count, seconds, bare)
    _put_calls(trial, world, "create", before, count)


def _stand_ready(world: World, count: int) -> None:
    world.reset()
    records.store_people(count)


def _update(trial: Trial, world: World, count: int, bare: float) -> None:
    for what, verifies in (("update", True), ("blind", False)):
        world.use(VERIFY_WRITES=verifies)
        dirty(what)
        before = world.calls()
        seconds = timed(world.push_all)
        world.demand(count)
        trial.put_rates(what, count, seconds, bare)
        _put_calls(trial, world, what, before, count)
    world.use(VERIFY_WRITES=True)


def dirty(city: str) -> None:
    """One field of every row, and the marks that a save leaves."""
    Person.objects.update(city=city)
    capture.capture_many(Person.objects.all(), "demo.Person")


def _saves(trial: Trial, world: World, count: int) -> None:
    """A tenth of the people, in whole hundreds, saved ten times each before anything is pushed."""
    people = list(Person.objects.order_by("pk")[: max(count // SAVES // 100, 1) * 100])
    for number in range(SAVES):
        for person in people:
            person.city = f"Saved {number}"
            person.save()
    before = world.calls()
    world.push_all()
    world.demand(count)
    _put_calls(trial, world, "saves", before, SAVES * len(people))


def _put_calls(trial: Trial, world: World, what: str, before: tuple[int, int], count: int) -> None:
    calls, writes = (now - then for now, then in zip(world.calls(), before, strict=True))
    trial.put(f"{what}_calls", calls / count, f"{calls} calls")
    if what != "blind":
        trial.put(f"{what}_writes", writes / count, f"{writes} calls")


def _profile(trial: Trial, world: World, count: int) -> None:
    _stand_ready(world, count)
    trial.profile("create", lambda: world.backfill(PUSH))
    dirty("profiled")
    trial.profile("update", world.push_all)
