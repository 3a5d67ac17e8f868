"""The only file that knows RQ: a doorbell to rings, one drain for all work, and the plain database runner.

Jobs carry nothing: what is to be done is in the database, so a lost, doubled or late job is harmless.
"""

import functools
import logging
import os
import time
from collections.abc import Callable

from django.db import DEFAULT_DB_ALIAS, OperationalError, close_old_connections, transaction

from crmsync import conf
from crmsync.flows import (
    across,
    alive,
    backfill,
    carry,
    discover,
    intake,
    meter,
    poll,
    prune,
    pull,
    push,
    spread,
    timed,
)
from crmsync.ledger import readers

logger = logging.getLogger(__name__)

# A job works at most this long and then rings again, so that a worker can stop and others get their turn.
_SLICE_SECONDS = 20.0
# The bell is down from a ring until a worker answers it; a lost job keeps it down no longer than this.
_BELL_SECONDS = 5
_BELL = "crmsync:bell:{}"
# Polls a tick makes at most, so that live work is not kept waiting by many mappings.
_POLLS = 10
# After Redis refused, saves do not try it again for this long: the sweep finds their work anyway.
_SULK_SECONDS = 5.0
# How long the database runner sleeps when there is nothing to do.
_NAP_SECONDS = 0.2
# How long a step waits when the database did not answer.
_DATABASE_NAP_SECONDS = 2.0

_sulks_until = 0.0


def ring_on_commit(using: str = DEFAULT_DB_ALIAS) -> None:
    """Ring once this transaction is committed; many changes in one transaction ring once."""
    if conf.current().RUNNER != "rq":
        return  # the database runner looks for itself
    connection = transaction.get_connection(using)
    waiting = connection.run_on_commit
    if connection.in_atomic_block and waiting and waiting[-1][1] is ring:
        return
    transaction.on_commit(ring, using=using, robust=True)


def ring() -> bool:
    """Wake a worker, unless one was rung for and has not answered yet. Never raises.

    It waits no longer than the Redis address's ``socket_connect_timeout``: set one.
    """
    global _sulks_until  # noqa: PLW0603  (one number a process: until when Redis is left alone)
    options = conf.current()
    if options.RUNNER != "rq" or time.monotonic() < _sulks_until:
        return False
    try:
        return _ring(options.QUEUE)
    except Exception:  # whatever Redis is doing, the change is committed and the sweep will find it
        _sulks_until = time.monotonic() + _SULK_SECONDS
        logger.warning("could not ring a worker; the sweep will find the work")
        return False


def _ring(name: str) -> bool:
    queue = _queue(name, os.getpid())
    if not queue.connection.set(_BELL.format(name), "1", nx=True, ex=_BELL_SECONDS):
        return False
    queue.enqueue(drain, result_ttl=0, failure_ttl=3600, job_timeout=600)
    return True


@functools.lru_cache(maxsize=8)
def _queue(name: str, pid: int):
    """One queue and connection a process: opening one costs more than the ring (and none crosses a fork)."""
    import django_rq  # sites without Redis need not configure django-rq

    return django_rq.get_queue(name)


def is_answering() -> bool:
    """Whether the Redis that rings workers answers; for whoever examines an installation."""
    try:
        return bool(_queue(conf.current().QUEUE, os.getpid()).connection.ping())
    except Exception:  # whatever it is, Redis did not answer: the checks name a wrong set-up
        return False


def _answer() -> None:
    """Lift the bell before looking for work: what comes from now on rings again."""
    if conf.current().RUNNER != "rq":
        return
    try:
        _queue(conf.current().QUEUE, os.getpid()).connection.delete(_BELL.format(conf.current().QUEUE))
    except Exception:  # Redis is away: the bell falls by itself
        logger.warning("could not answer the bell")


def drain() -> int:
    """The job: work until nothing is due or the slice is over; how much was done."""
    _answer()
    alive.beat("worker")
    done, finished = work(_SLICE_SECONDS)
    if not finished:
        ring()
    return done


def tick() -> int:
    """The dispatcher's job, every few seconds: polls that are due, and whatever a lost bell left behind."""
    _answer()
    alive.beat("scheduler")
    _guarded(readers.refresh_all)
    done = 0
    for _ in range(_POLLS):
        put = _guarded(poll.poll_due)
        if put < 0:
            break
        done += put
    done += max(_guarded(timed.look_due), 0)
    return done + drain()


def work(seconds: float) -> tuple[int, bool]:
    """Drain all queues in the order people wait for them; (how much was done, whether nothing is left).

    Webhooks are split first, then pulls and pushes of live edits, then a slice of a backfill. Associated records
    are spread before the pulls and related rows before the pushes, which then send all that changed; what was
    captured in other databases is carried over before both.
    """
    end, total = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        steps = (
            intake.split,
            across.spread_due,
            pull.pull_due,
            carry.carry_due,
            spread.spread_due,
            push.push_due,
        )
        done = sum(_guarded(step) for step in steps)
        if not done:
            done = _guarded(lambda: backfill.work_on_runs(2.0))
        total += done
        if not done:
            meter.write()
            return total, True
    meter.write()
    return total, False


def _guarded(step: Callable[[], int]) -> int:
    """The outermost net: a step that fails is logged, and the others go on."""
    try:
        return step()
    except OperationalError:
        logger.error("the database is busy or away; the work waits")
        close_old_connections()
        time.sleep(_DATABASE_NAP_SECONDS)
    except Exception:
        logger.exception("a step of the drain failed")
        close_old_connections()
    return 0


def run_forever(is_stopped: Callable[[], bool]) -> None:
    """The database runner: no Redis, no scheduler; drains and polls until told to stop."""
    swept = pruned = 0.0
    while not is_stopped():
        _guarded(alive.beat_both)
        done, _ = work(_SLICE_SECONDS)
        if time.monotonic() - swept > min(conf.current().SWEEP_SECONDS, 5):
            swept = time.monotonic()
            _guarded(readers.refresh_all)
            done += max(_guarded(poll.poll_due), 0) + max(_guarded(timed.look_due), 0)
        if time.monotonic() - pruned > 3600:
            pruned = time.monotonic()
            _guarded(tidy)
        if not done:
            close_old_connections()
            time.sleep(_NAP_SECONDS)


def tidy() -> int:
    """The hourly job: delete a slice of what was kept long enough, and read fields again that were read long ago."""
    return _guarded(prune.prune) + _guarded(carry.tidy) + _guarded(discover.discover_due)


def schedule() -> None:
    """Register the dispatcher with RQ's cron; call it in the module given to ``manage.py rqcron``."""
    from rq import cron

    options = conf.current()
    every = options.SWEEP_SECONDS
    cron.register(
        tick, queue_name=options.QUEUE, interval=every, ttl=every, job_timeout=600, result_ttl=0, failure_ttl=3600
    )
    cron.register(
        tidy, queue_name=options.QUEUE, interval=3600, ttl=600, job_timeout=600, result_ttl=0, failure_ttl=3600
    )
