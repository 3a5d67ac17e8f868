"""The doorbell: rung once, answered before the work, harmless when Redis is away."""

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from crmsync import jobs
from crmsync.models import Cursor, OutboxEntry, Run
from project.demo.models import Person

needs_redis = pytest.mark.skipif(not django_settings.RQ_QUEUES, reason="REDIS_URL names no Redis")


@pytest.fixture
def queue(settings):
    import django_rq

    settings.CRMSYNC = {**settings.CRMSYNC, "RUNNER": "rq", "BURST_PER_10_SECONDS": 0}
    jobs._sulks_until = 0.0
    found = django_rq.get_queue("crmsync")
    found.empty()
    found.connection.delete("crmsync:bell:crmsync")
    yield found
    found.empty()
    found.connection.delete("crmsync:bell:crmsync")


@needs_redis
def test_many_saves_ring_one_job(sync, queue) -> None:
    """A job carries nothing, and a second is not enqueued before the first was answered."""
    for number in range(20):
        Person.objects.create(email=f"r{number}@example.com")
    assert len(queue) == 1
    (job,) = queue.jobs
    assert (job.func_name, job.args, job.kwargs) == ("crmsync.jobs.drain", (), {})


@needs_redis
def test_a_lost_job_is_harmless(sync, queue) -> None:
    """I3, Fault 6: the work is in the database; the next tick finds it."""
    Person.objects.create(email="lost@example.com")
    queue.connection.flushdb()
    assert len(queue) == 0
    assert jobs.tick() > 0
    assert len(sync.contacts()) == 1


@needs_redis
def test_an_answered_bell_rings_again(sync, queue) -> None:
    """What comes while a job runs rings anew, so that nothing waits for the sweep."""
    Person.objects.create(email="one@example.com")
    queue.empty()
    jobs.drain()
    Person.objects.create(email="two@example.com")
    assert len(queue) == 1


def test_redis_away_is_sulked_over(sync, settings, monkeypatch) -> None:
    """Fault 5: a ring that cannot be heard raises nothing, and is not tried again at once."""
    settings.CRMSYNC = {**settings.CRMSYNC, "RUNNER": "rq"}
    tried = []

    def refuse(name: str) -> bool:
        tried.append(name)
        raise ConnectionError

    monkeypatch.setattr(jobs, "_ring", refuse)
    monkeypatch.setattr(jobs, "_sulks_until", 0.0)
    Person.objects.create(email="a@example.com")
    Person.objects.create(email="b@example.com")
    assert len(tried) == 1
    assert OutboxEntry.objects.count() == 2


def test_the_database_runner_does_everything(sync) -> None:
    """No Redis: one loop pushes, polls and works on runs that staff started."""
    Person.objects.create(email="solo@example.com")
    sync.hub.ui_create("companies", {"name": "Quiet", "domain": "quiet.example.com"})
    sync.hub.webhooks.lose = 1.0
    Cursor.objects.all().delete()
    turns = iter([False, False, False])
    jobs.run_forever(lambda: next(turns, True))
    assert len(sync.contacts()) == 1
    assert Cursor.objects.filter(position__lte=timezone.now()).count() == 6


def test_a_run_that_staff_started_is_worked_on(sync) -> None:
    """A28: the worker takes up a run, page by page, and finishes it."""
    from crmsync.flows import backfill

    sync.hub.set_webhooks(lose=1.0)
    for number in range(150):
        sync.hub.ui_create("contacts", {"email": f"c{number}@example.com"})
    backfill.start(sync.people, "backfill_pull")
    while not jobs.work(5.0)[1]:
        continue
    run = Run.objects.get()
    assert (run.state, run.done) == ("finished", 150)
    assert Person.objects.count() == 150
