"""Deletes what was kept long enough: split deliveries and old log entries."""

from datetime import timedelta

from django.utils import timezone

from crmsync import conf
from crmsync.ledger import journal
from crmsync.models import Delivery, LogEntry


def prune() -> int:
    """A bounded slice of each; how many rows."""
    now, options = timezone.now(), conf.current()
    return journal.prune(Delivery, "split_at", now - timedelta(days=options.KEEP_DELIVERIES_DAYS)) + journal.prune(
        LogEntry, "at", now - timedelta(days=options.KEEP_LOG_DAYS)
    )
