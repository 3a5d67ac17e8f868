"""Deliveries as they came, and the due pulls they were split into."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, models, transaction

from crmsync.engine import terms
from crmsync.ledger import outbox, queue
from crmsync.models import Delivery, InboxEvent, Mapping, Portal


def store(body: str, now: datetime) -> None:
    """One row for a whole verified delivery: the cheapest durable acknowledgement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO crmsync_delivery (received_at, body, events, note) VALUES (%s, %s, 0, '')",
            [connection.ops.adapt_datetimefield_value(now), body],
        )


def has_unsplit() -> bool:
    return Delivery.objects.filter(split_at__isnull=True).exists()


def take_unsplit(limit: int) -> list[Delivery]:
    """Unsplit deliveries, oldest first, locked for the caller's transaction."""
    rows = Delivery.objects.filter(split_at__isnull=True).order_by("id")
    return list(queue.skip_locked(rows)[:limit])


def mark_split(deliveries: list[Delivery], now: datetime) -> None:
    """Remember that deliveries were split; their bodies (personal values) are not kept."""
    for one in deliveries:
        one.split_at = now
        one.body = ""
    Delivery.objects.bulk_update(deliveries, ["split_at", "body", "events", "note"], batch_size=100)


def mappings_by_type() -> dict[tuple[int, str], list[int]]:
    """(hub id, object type) -> mappings that are not drafts."""
    found: dict[tuple[int, str], list[int]] = {}
    rows = Mapping.objects.exclude(state=terms.MappingState.DRAFT).filter(portal__hub_id__isnull=False)
    for pk, hub_id, object_type in rows.values_list("pk", "portal__hub_id", "object_type"):
        found.setdefault((hub_id, object_type), []).append(pk)
    return found


def put(keys: Iterable[tuple[int, str]], now: datetime) -> int:
    """Make (mapping id, remote id) keys due; an existing row is made due again. How many."""
    rows = [
        InboxEvent(mapping_id=mapping_id, remote_id=remote_id, due_at=now, captured_at=now)
        for mapping_id, remote_id in sorted(set(keys))
    ]
    with transaction.atomic():
        InboxEvent.objects.bulk_create(rows, batch_size=500, **outbox.on_conflict("remote_id"))
    return len(rows)


def touch_portals(hub_ids: Iterable[int], now: datetime) -> None:
    """Remember when each portal last sent a webhook."""
    Portal.objects.filter(hub_id__in=list(hub_ids)).update(webhook_at=now)


def oldest_due(model: type[models.Model]) -> datetime | None:
    return model._default_manager.filter(state=terms.QueueState.DUE).aggregate(at=models.Min("captured_at"))["at"]
