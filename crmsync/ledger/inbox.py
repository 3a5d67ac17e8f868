"""Deliveries as they came, and the due pulls they were split into."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction

from crmsync.engine import across, terms
from crmsync.ledger import outbox, queue
from crmsync.models import Delivery, FieldMapping, InboxEvent, Mapping, Portal


def store(body: str, now: datetime) -> None:
    """One row for a whole verified delivery: the cheapest durable acknowledgement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO crmsync_delivery (received_at, body, events, note) VALUES (%s, %s, 0, '')",
            [connection.ops.adapt_datetimefield_value(now), body],
        )


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
    """(hub id, object type) -> mappings that were switched on."""
    found: dict[tuple[int, str], list[int]] = {}
    started = [one for one in terms.MappingState if one.is_started]
    rows = Mapping.objects.filter(state__in=started, portal__hub_id__isnull=False)
    for pk, hub_id, object_type in rows.values_list("pk", "portal__hub_id", "object_type"):
        found.setdefault((hub_id, object_type), []).append(pk)
    return found


def mappings_reading() -> dict[tuple[int, str], list[int]]:
    """(hub id, object type) -> mappings that were switched on and take values over from associated records of it."""
    found: dict[tuple[int, str], list[int]] = {}
    started = [one for one in terms.MappingState if one.is_started]
    rows = FieldMapping.objects.filter(is_active=True, remote__contains=across.MARK, mapping__state__in=started)
    rows = rows.filter(mapping__portal__hub_id__isnull=False).exclude(mapping__direction=terms.Direction.PUSH)
    for pk, hub_id, remote in rows.values_list("mapping", "mapping__portal__hub_id", "remote").order_by("mapping"):
        several = found.setdefault((hub_id, across.split(remote)[0]), [])
        if pk not in several:
            several.append(pk)
    return found


def put(keys: Iterable[tuple[int, str]], now: datetime, *, via: str = "", is_asked: bool = False) -> int:
    """Make (mapping id, remote id) keys due; an existing row is made due again. How many.

    ``via``: the ids are of that other object type and stand for the records associated with them. ``is_asked``:
    another record or a person needs them, so rules do not keep them from being made.
    """
    rows = [
        InboxEvent(
            mapping_id=mapping_id, via=via, remote_id=remote_id, due_at=now, captured_at=now, is_asked=is_asked
        )
        for mapping_id, remote_id in sorted(set(keys))
    ]
    with transaction.atomic():
        InboxEvent.objects.bulk_create(
            rows, batch_size=500, **outbox.on_conflict("via", "remote_id", is_asked=is_asked)
        )
    return len(rows)


def touch_portals(hub_ids: Iterable[int], now: datetime) -> None:
    """Remember when each portal last sent a webhook."""
    Portal.objects.filter(hub_id__in=list(hub_ids)).update(webhook_at=now)
