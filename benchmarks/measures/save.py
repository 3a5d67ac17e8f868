"""``save()`` of a registered model against the same without crmsync's receivers, in small blocks turn by turn."""

from collections.abc import Callable
from contextlib import contextmanager

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from benchmarks import records
from benchmarks.trial import Seconds, Trial, timed
from benchmarks.world import World
from crmsync import receivers
from crmsync.models import OutboxEntry
from project.demo.models import Person

SIZE = 2000
BLOCK = 100
BULK = 1000
_FRAME = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def measure(trial: Trial) -> None:
    world, count = World(), trial.size or SIZE
    world.use(RUNNER="rq" if trial.name.endswith("_rq") else "database")
    bulk = min(trial.size or BULK, BULK)
    records.store_people(max(count, bulk))
    people = list(Person.objects.order_by("pk")[:count])
    _save_all(people, "city")
    for _ in range(trial.runs):
        _put(trial, "mapped", len(people), *_in_turns(people, "city"))
        _bulk(trial, bulk)
        if not trial.name.endswith("_rq"):
            _put(trial, "unmapped", len(people), *_in_turns(people, "bio"))
            _load(trial)
    _statements(trial, people[0])
    trial.profile("mapped", lambda: _save_all(people, "city"))


def _put(trial: Trial, what: str, count: int, ours: float, plain: float) -> None:
    trial.put_times(what, ours, plain, count)


@contextmanager
def unwatched():
    """Django's own saves, without crmsync."""
    receivers.disconnect(Person)
    try:
        yield
    finally:
        receivers.connect(Person)


def _in_turns(people: list[Person], name: str) -> tuple[Seconds, Seconds]:
    """Seconds with and without crmsync, a block at a time."""
    ours = plain = Seconds()
    for block in records.chunks(people, BLOCK):
        with unwatched():
            plain += timed(lambda part=block: _save_all(part, name))
        OutboxEntry.objects.all().delete()
        ours += timed(lambda part=block: _save_all(part, name))
    return ours, plain


_turn = iter(range(10**9))


def _save_all(people: list[Person], name: str) -> None:
    value = f"Value {next(_turn)}"
    for person in people:
        setattr(person, name, value)
        person.save()


def _bulk(trial: Trial, count: int) -> None:
    people = list(Person.objects.order_by("pk")[:count])
    ours, plain = _best_of(lambda: _save_in_one(people))
    _put(trial, "bulk", len(people), ours, plain)


def _best_of(act: Callable[[], None], turns: int = 3) -> tuple[Seconds, Seconds]:
    """Seconds of some turns with and without crmsync, summed."""
    ours = plain = Seconds()
    for _ in range(turns):
        with unwatched():
            plain += timed(act)
        OutboxEntry.objects.all().delete()
        ours += timed(act)
    return ours, plain


@transaction.atomic
def _save_in_one(people: list[Person]) -> None:
    _save_all(people, "city")


def _load(trial: Trial) -> None:
    def load() -> None:
        for _ in range(5):
            for _person in Person.objects.iterator():
                pass

    ours, plain = _best_of(load, 5)
    _put(trial, "load", Person.objects.count() * 25, ours, plain)


def _statements(trial: Trial, person: Person) -> None:
    """Statements of a save with crmsync less those without."""
    with unwatched():
        plain = _count(person)
    OutboxEntry.objects.all().delete()
    ours = _count(person)
    trial.put("statements", ours[0] - plain[0], f"and {ours[1] - plain[1]} of the transaction")


def _count(person: Person) -> tuple[int, int]:
    with CaptureQueriesContext(connection) as found:
        _save_all([person], "city")
    frame = sum(one["sql"].startswith(_FRAME) for one in found.captured_queries)
    return len(found) - frame, frame
