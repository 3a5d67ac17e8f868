"""Deletes what was kept long enough: split deliveries, old log entries, old counts of calls, old revisions."""

from datetime import timedelta

from django.utils import timezone

from crmsync import conf
from crmsync.ledger import journal, steps, usage
from crmsync.models import Delivery, LogEntry


def prune() -> int:
    """A bounded slice of each; how many rows."""
    now, options = timezone.now(), conf.current()
    usage.forget_before(now.date() - timedelta(days=options.KEEP_USAGE_DAYS))
    steps.prune(options.KEEP_REVISIONS)
    return journal.prune(Delivery, "split_at", now - timedelta(days=options.KEEP_DELIVERIES_DAYS)) + journal.prune(
        LogEntry, "at", now - timedelta(days=options.KEEP_LOG_DAYS)
    )
