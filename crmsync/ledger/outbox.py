"""Dirty marks: which local rows may have to be pushed, coalesced by mapping and key."""

import itertools
from collections.abc import Iterable
from datetime import datetime

from django.db import connections

from crmsync.engine import terms
from crmsync.ledger import queue
from crmsync.models import Mapping, OutboxEntry

# One statement finds the mappings and marks them, so that no cached list of mappings can be stale.
_FROM = "FROM crmsync_mapping WHERE LOWER(model_label) = %s AND state <> 'draft' AND direction <> 'pull'"


_CHUNK = 2000


def mark(model_label: str, local_pk: str, now: datetime, *, using: str = "default") -> None:
    """Mark one local row in every pushing mapping of its model, in the caller's transaction."""
    at = connections[using].ops.adapt_datetimefield_value(now)
    values = [local_pk, at, at, model_label.lower()]
    queue.upsert(OutboxEntry, _FROM, "id, %s, %s, %s", values, key="local_pk", using=using)


def mark_many(mapping_ids: Iterable[int], local_pks: Iterable[str], now: datetime) -> int:
    """Mark many rows of given mappings; how many marks were made."""
    mappings, pks, marks = list(mapping_ids), iter(local_pks), 0
    while chunk := list(itertools.islice(pks, _CHUNK)):
        rows = [
            OutboxEntry(mapping_id=mapping_id, local_pk=pk, due_at=now, captured_at=now)
            for mapping_id in mappings
            for pk in chunk
        ]
        OutboxEntry.objects.bulk_create(rows, batch_size=500, **on_conflict("local_pk"))
        marks += len(rows)
    return marks


def on_conflict(key: str) -> dict[str, object]:
    """bulk_create's arguments that make an existing queue row due again instead of failing."""
    target = {} if connections["default"].vendor == "mysql" else {"unique_fields": ["mapping", key]}
    return {
        "update_conflicts": True,
        "update_fields": ["state", "due_at", "attempts", "lease", "leased_until"],
        **target,
    }


def pushing(model_label: str) -> list[int]:
    """Mappings whose outbox a local change of this model goes to."""
    return list(
        Mapping.objects.filter(model_label__iexact=model_label)
        .exclude(state=terms.MappingState.DRAFT)
        .exclude(direction=terms.Direction.PULL)
        .values_list("pk", flat=True)
    )
