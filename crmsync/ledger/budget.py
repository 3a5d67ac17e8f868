"""The shared pace of a portal: one row a lane, so that all workers together stay under HubSpot's limits."""

from collections.abc import Callable

from django.db import connection, transaction

from crmsync.models import RateSlot

# From a slot's theoretical arrival time to (its new one, the seconds to wait): the arithmetic is not ours.
Step = Callable[[float], tuple[float, float]]


def reserve(portal_id: int, lane: str, step: Step) -> float:
    """Reserve one call; the seconds to wait before making it."""
    with transaction.atomic():
        slot = _slot(portal_id, lane)
        tat, wait = step(slot.tat)
        RateSlot.objects.filter(pk=slot.pk).update(tat=tat)
    return wait


def hold_back(portal_id: int, lane: str, tat: float) -> None:
    """After a 429: move the slot to at least ``tat``, so that no worker calls too early."""
    with transaction.atomic():
        slot = _slot(portal_id, lane)
        if slot.tat < tat:
            RateSlot.objects.filter(pk=slot.pk).update(tat=tat)


def _slot(portal_id: int, lane: str) -> RateSlot:
    rows = RateSlot.objects.filter(portal_id=portal_id, lane=lane)
    if connection.features.has_select_for_update:
        rows = rows.select_for_update()
    slot = rows.first()
    if slot is None:
        RateSlot.objects.bulk_create([RateSlot(portal_id=portal_id, lane=lane)], ignore_conflicts=True)
        slot = rows.get()
    return slot
