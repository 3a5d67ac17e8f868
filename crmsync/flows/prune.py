"""Deletes what was kept long enough: split deliveries, old log entries, old counts of calls, old revisions.

The last entry of a record that waits for somebody to choose its partner is kept until that is done.
"""

from datetime import timedelta

from django.utils import timezone

from crmsync import conf
from crmsync.flows import candidates
from crmsync.ledger import journal, steps, usage
from crmsync.models import Delivery, LogEntry


def prune() -> int:
    """A bounded slice of each; how many rows."""
    now, options = timezone.now(), conf.current()
    usage.forget_before(now.date() - timedelta(days=options.KEEP_USAGE_DAYS))
    steps.prune(options.KEEP_REVISIONS)
    deliveries, entries = Delivery.objects.all(), LogEntry.objects.exclude(candidates.is_waiting())
    return sum(
        journal.prune(rows, field, now - timedelta(days=days))
        for rows, field, days in (
            (deliveries, "split_at", options.KEEP_DELIVERIES_DAYS),
            (entries, "at", options.KEEP_LOG_DAYS),
        )
    )
