"""Many events about few contacts, some twice, in no order: until quiet, against a loop that obeys each delivery."""

import json
import math

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from benchmarks import deliveries, records
from benchmarks.bare import Bare
from benchmarks.trial import Trial, timed
from benchmarks.world import PULL, BenchError, World
from crmsync import jobs, receivers
from crmsync.models import Delivery
from project.demo.models import Person

SIZE = 20_000
EACH = 20


def measure(trial: Trial) -> None:
    """``size`` is the number of events; every contact has 20 of them."""
    settings.ROOT_URLCONF = "benchmarks.measures.webhook_urls"
    world, count = World(), trial.size or SIZE
    world.use(RUNNER="database")
    world.reset()
    ids = world.plant(max(count // EACH, 1))
    world.use_save(False)
    world.backfill(PULL)
    world.use_save(True)
    bodies = deliveries.make_storm(world.portal.hub_id, ids, count)
    for number in range(trial.runs):
        bare = _obey(world, ids, bodies, f"Bare {number}")
        world.age_links()
        world.backfill(PULL)  # learns what the loop did behind crmsync's back: a clash is not the storm's
        _weather(trial, world, ids, bodies, f"Stormy {number}", bare)
    _edit(world, ids, "profiled")
    _deliver(bodies)
    trial.profile("time", lambda: jobs.work(600.0))


def _edit(world: World, ids: list[str], city: str) -> None:
    """What the events are about."""
    for part in records.chunks(ids, 1000):
        world.hub.update("contacts", {key: {"city": city} for key in part})


def _obey(world: World, ids: list[str], bodies: list[bytes], city: str) -> float:
    """Seconds of the plain loop: a batch read a delivery, a save() a record read."""
    _edit(world, ids, city)
    receivers.disconnect(Person)
    people = {one.email: one.pk for one in Person.objects.all()}
    try:
        return timed(lambda: _read_and_save(world.bare, people, bodies))
    finally:
        receivers.connect(Person)


def _read_and_save(bare: Bare, people: dict[str, int], bodies: list[bytes]) -> None:
    for body in bodies:
        touched = {str(event["objectId"]) for event in json.loads(body)}
        for one in bare.read(touched):
            values = records.from_properties(one["properties"])
            Person(pk=people[values["email"]], **values).save(force_update=True)


def _weather(trial: Trial, world: World, ids: list[str], bodies: list[bytes], city: str, bare: float) -> None:
    """Seconds from the first delivery, already stored, until nothing is due."""
    _edit(world, ids, city)
    _deliver(bodies)
    before, _ = world.calls()
    seconds = timed(lambda: jobs.work(600.0))
    world.demand(len(ids))
    behind = Person.objects.exclude(city=city).count()
    unsplit = Delivery.objects.filter(split_at=None).count()
    if behind or unsplit:
        raise BenchError(f"the storm is not over: {behind} people behind, {unsplit} deliveries not split")
    calls = world.calls()[0] - before
    trial.put_times("time", seconds, bare, len(ids))
    trial.put("calls", calls / math.ceil(len(ids) / 100), f"{calls} calls for {len(ids):,} contacts")


def _deliver(bodies: list[bytes]) -> None:
    statuses = deliveries.answer_all(WSGIHandler(), [deliveries.sign(body) for body in bodies])
    if set(statuses) != {204}:
        raise BenchError(f"not all were acknowledged: {sorted(set(statuses))}")
