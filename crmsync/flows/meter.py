"""Counts the calls made to each portal and keeps what their answers tell: limits, what is left, HubSpot's clock."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import DatabaseError
from django.utils import timezone

from crmsync import conf
from crmsync.engine import quota
from crmsync.hubspot import types, wire
from crmsync.ledger import portals, usage
from crmsync.models import Portal

logger = logging.getLogger(__name__)

# Counts are written this often and when work pauses: a killed worker forgets no more than that.
_WRITE_SECONDS = 5.0
# HubSpot's Date header counts whole seconds, and an answer is under way for a while.
_CLOCK_TOLERANCE = 2.0

After = Callable[[types.CallRecord, wire.RateState | None], None]


@dataclass(slots=True)
class _Book:
    """What one process counted of one portal since it last wrote."""

    zone: str
    burst: int | None
    tallies: dict[tuple[str, str], usage.Tally] = field(default_factory=dict)
    told: dict[str, int | float | None] = field(default_factory=dict)
    written: float = field(default_factory=time.monotonic)


_books: dict[int, _Book] = {}
_lock = threading.Lock()


def of(portal: Portal) -> After:
    """The observer of a portal's calls."""
    portal_id = portal.pk
    with _lock:
        if portal_id not in _books:
            _books[portal_id] = _Book(portal.time_zone, portal.burst_limit)
    return lambda record, rate: _note(portal_id, record, rate)


def burst_of(portal_id: int, assumed: int) -> int:
    """Calls per ten seconds as HubSpot's headers say, or what is assumed until it has."""
    book = _books.get(portal_id)
    return (book and book.burst) or assumed


def _note(portal_id: int, record: types.CallRecord, rate: wire.RateState | None) -> None:
    with _lock:
        book = _books[portal_id]
        tally = book.tallies.setdefault((record.family, record.version), usage.Tally())
        tally.calls += 1
        tally.failed += bool(record.error)
        tally.limited += record.limited
        tally.seconds += record.seconds
        _remember(book, record, rate)
        is_due = time.monotonic() - book.written > _WRITE_SECONDS
    if rate is not None:
        _guard_share(portal_id, book, rate)
    if is_due:
        _write(portal_id)


def _remember(book: _Book, record: types.CallRecord, rate: wire.RateState | None) -> None:
    if record.served_at is not None:
        skew = (timezone.now() - record.served_at).total_seconds() - record.seconds / 2
        book.told["clock_skew"] = 0.0 if abs(skew) <= _CLOCK_TOLERANCE else round(skew, 1)
    if rate is None:
        return
    if record.lane == "burst" and rate.limit and rate.interval_ms == 10_000:
        book.burst = book.told["burst_limit"] = rate.limit
    if rate.daily_limit:
        book.told |= {"daily_limit": rate.daily_limit, "daily_remaining": rate.daily_remaining}


def _guard_share(portal_id: int, book: _Book, rate: wire.RateState) -> None:
    """Leave the other apps of the account their share of the day; what is left is HubSpot's count, not ours."""
    if not rate.daily_limit or rate.daily_remaining is None:
        return
    if quota.left_for_us(rate.daily_limit, rate.daily_remaining, conf.current().DAILY_SHARE) <= 0:
        portals.wait(portal_id, quota.next_midnight(timezone.now(), book.zone), "portal.quota_share")


def write() -> None:
    """Write what was counted and not written yet."""
    for portal_id in list(_books):
        _write(portal_id)


def _write(portal_id: int) -> None:
    with _lock:
        book = _books[portal_id]
        tallies, book.tallies = book.tallies, {}
        told, book.told = book.told, {}
        book.written = time.monotonic()
    if not tallies:
        return
    now = timezone.now()
    try:
        usage.add(portal_id, quota.day_of(now, book.zone), tallies)
        usage.tell(portal_id, now, **told)
    except DatabaseError:
        logger.warning("calls were not counted", extra={"portal": portal_id})
