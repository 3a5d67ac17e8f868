"""Claim, finish, postpone, park: the life of a queue row, by conditional UPDATE on every database.

A claim writes a random ``lease``. Capturing the key again empties it, so that whoever finishes late finds
its token gone and the row stays due: nothing that happened meanwhile is lost.
"""

import functools
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import connections, models, transaction

from crmsync.engine import terms
from crmsync.models.queue_item import QueueItem

Row = TypeVar("Row", bound=QueueItem)


def make_lease() -> str:
    """A token nobody else has."""
    return secrets.token_hex(16)


def free(now: datetime) -> models.Q:
    """Rows nobody holds now."""
    return models.Q(leased_until__isnull=True) | models.Q(leased_until__lt=now)


def due(queue: type[Row], now: datetime) -> models.QuerySet:
    """Rows whose time has come and that nobody holds, of live mappings in connected portals."""
    return queue._default_manager.filter(
        free(now),
        state=terms.QueueState.DUE,
        due_at__lte=now,
        mapping__state=terms.MappingState.LIVE,
        mapping__portal__state="connected",
    )


def due_mappings(queue: type[Row], now: datetime) -> list[int]:
    """The mappings that have due rows, longest waiting first."""
    rows = due(queue, now).order_by().values("mapping_id").annotate(oldest=models.Min("due_at"))
    return [row["mapping_id"] for row in sorted(rows, key=lambda row: row["oldest"])]


def claim(queue: type[Row], mapping_id: int, now: datetime, *, limit: int, seconds: int) -> tuple[str, list[Row]]:
    """Take up to ``limit`` due rows of a mapping for ``seconds``. Attempts are counted before the work."""
    lease = make_lease()
    with transaction.atomic():
        rows = list(skip_locked(due(queue, now).filter(mapping_id=mapping_id).order_by("due_at", "id"))[:limit])
        queue._default_manager.filter(pk__in=[row.pk for row in rows]).update(
            lease=lease, leased_until=now + timedelta(seconds=seconds), attempts=models.F("attempts") + 1
        )
    for row in rows:
        row.attempts += 1
    return lease, rows


def finish(queue: type[Row], pks: Collection[int], lease: str) -> None:
    """Delete rows that were settled, except those dirtied again since they were claimed.

    Rows that a host transaction has locked at this moment are left to their lease: planning them again
    finds nothing to do.
    """
    if not pks:
        return
    with transaction.atomic():
        held = skip_locked(queue._default_manager.filter(pk__in=pks, lease=lease))
        queue._default_manager.filter(pk__in=list(held.values_list("pk", flat=True)), lease=lease).delete()


def postpone(
    queue: type[Row],
    pks: Collection[int],
    lease: str,
    due_at: datetime,
    *,
    code: str = "",
    message: str = "",
    counts: bool = True,
) -> None:
    """Give rows back until ``due_at``; ``counts`` False takes the attempt back (nobody's fault)."""
    attempts = (
        models.F("attempts")
        if counts
        else models.Case(models.When(attempts__gt=0, then=models.F("attempts") - 1), default=0)
    )
    queue._default_manager.filter(pk__in=pks, lease=lease).update(
        due_at=due_at, lease="", leased_until=None, attempts=attempts, last_code=code, last_message=message
    )


def park(queue: type[Row], pks: Collection[int], lease: str, *, code: str, message: str) -> None:
    """Stop rows until a person retries them or their record changes again."""
    queue._default_manager.filter(pk__in=pks, lease=lease).update(
        state=terms.QueueState.PARKED, lease="", leased_until=None, last_code=code, last_message=message
    )


def retry(rows: models.QuerySet, now: datetime) -> int:
    """Make parked or waiting rows due now; how many."""
    return rows.update(state=terms.QueueState.DUE, due_at=now, attempts=0, lease="", leased_until=None)


def skip_locked(rows: models.QuerySet) -> models.QuerySet:
    """Lock rows for this transaction, passing over what others hold, where the database can."""
    features = connections[rows.db].features
    if not features.has_select_for_update:
        return rows
    return rows.select_for_update(skip_locked=features.has_select_for_update_skip_locked, of=_of(features))


def _of(features: object) -> Sequence[str]:
    return ("self",) if getattr(features, "has_select_for_update_of", False) else ()


def upsert(queue: type[Row], source: str, columns: str, values: Sequence[object], *, key: str, using: str) -> None:
    """One statement: a due row a source row, or the existing row made due again with its lease gone.

    ``source`` is a FROM/WHERE clause, ``columns`` what its SELECT yields for (mapping_id, key).
    """
    with connections[using].cursor() as cursor:
        cursor.execute(_upsert_sql(queue._meta.db_table, source, columns, key, connections[using].vendor), values)


@functools.cache
def _upsert_sql(table: str, source: str, columns: str, key: str, vendor: str) -> str:
    again = "state = 'due', attempts = 0, lease = '', leased_until = NULL, due_at = "
    if vendor == "mysql":
        tail = f"ON DUPLICATE KEY UPDATE {again} VALUES(due_at)"
    else:
        tail = f"ON CONFLICT (mapping_id, {key}) DO UPDATE SET {again} excluded.due_at"
    return (
        f"INSERT INTO {table}"
        f" (mapping_id, {key}, due_at, captured_at, state, attempts, lease, last_code, last_message)"
        f" SELECT {columns}, 'due', 0, '', '', '' {source} {tail}"
    )
