"""Cursors: which poll is due, and how far one got."""

from collections.abc import Collection
from datetime import datetime, timedelta

from crmsync.engine import terms
from crmsync.ledger import queue
from crmsync.models import Cursor, Mapping, RuleCondition, choices

Kind = choices.CursorKind
POLLS = (Kind.FAST, Kind.FULL)


def ensure(mapping_id: int, now: datetime) -> None:
    """A mapping that goes live polls from now on; what was before is the backfill's."""
    for kind in POLLS:
        start = {"started_at": now, "position": now, "due_at": now}
        Cursor.objects.get_or_create(mapping_id=mapping_id, kind=kind, defaults=start)


def ensure_timed(position: datetime, now: datetime, operators: Collection[str]) -> None:
    """Live mappings with conditions of these operators look at their dates again and again, first from a position
    on."""
    live = {"rule__is_active": True, "rule__mapping__state": terms.MappingState.LIVE}
    rows = RuleCondition.objects.filter(operator__in=operators, **live)
    rows = rows.exclude(rule__mapping__cursors__kind=Kind.TIMED)
    for mapping_id in set(rows.order_by().values_list("rule__mapping", flat=True)):
        start = {"started_at": now, "position": position, "due_at": now}
        Cursor.objects.get_or_create(mapping_id=mapping_id, kind=Kind.TIMED, defaults=start)


def claim_due(now: datetime, seconds: int, kinds: Collection[str] = POLLS) -> tuple[str, Cursor | None]:
    """Take the cursor that has been due longest, of mappings that may pull now."""
    for mapping_id in _live_without_cursor():
        ensure(mapping_id, now)
    rows = Cursor.objects.filter(queue.free(now), queue.open_mappings(now, terms.Direction.PULL), due_at__lte=now)
    rows = rows.filter(kind__in=kinds)
    token = queue.make_lease()
    for cursor in rows.order_by("due_at")[:5]:
        until = now + timedelta(seconds=seconds)
        if Cursor.objects.filter(queue.free(now), pk=cursor.pk).update(lease=token, leased_until=until):
            return token, cursor
    return token, None


def _live_without_cursor() -> list[int]:
    rows = Mapping.objects.filter(state=terms.MappingState.LIVE).exclude(cursors__kind=Kind.FULL)
    return list(rows.values_list("pk", flat=True))


def progress(cursor: Cursor, token: str, *, until: datetime, last_id: str, leased_until: datetime) -> bool:
    """Remember a committed page of the pass; False when the lease was lost."""
    return bool(
        Cursor.objects.filter(pk=cursor.pk, lease=token).update(
            until=until, last_id=last_id, leased_until=leased_until
        )
    )


def complete(cursor: Cursor, token: str, *, position: datetime, due_at: datetime) -> None:
    """The pass is done: everything before ``position`` is in the inbox."""
    Cursor.objects.filter(pk=cursor.pk, lease=token).update(
        position=position, until=None, last_id="", due_at=due_at, lease="", leased_until=None, last_message=""
    )


def fail(cursor: Cursor, token: str, *, due_at: datetime, message: str) -> None:
    """Give the pass back; it goes on from its last committed page."""
    Cursor.objects.filter(pk=cursor.pk, lease=token).update(
        due_at=due_at, lease="", leased_until=None, last_message=message
    )
