"""Claim, finish, postpone, park: the life of a queue row, by conditional UPDATE on every database.

A claim writes a random ``lease``. Capturing the key again empties it, so that whoever finishes late finds
its token gone and the row stays due: nothing that happened meanwhile is lost.
"""

import contextlib
import functools
import secrets
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import connection, connections, models, transaction

from crmsync import conf
from crmsync.engine import terms
from crmsync.models import OutboxEntry
from crmsync.models.queue_item import QueueItem

Row = TypeVar("Row", bound=QueueItem)


def make_lease() -> str:
    """A token nobody else has."""
    return secrets.token_hex(16)


def free(now: datetime) -> models.Q:
    """Rows nobody holds now."""
    return models.Q(leased_until__isnull=True) | models.Q(leased_until__lt=now)


def open_mappings(now: datetime, held: str, prefix: str = "mapping__") -> models.Q:
    """Live mappings of connected portals that need not wait and do not hold back this direction ("push", "pull")."""
    if held == terms.Direction.PUSH and conf.current().READ_ONLY:
        return models.Q(pk__isnull=True)  # a rehearsal: what would be sent stays in the queue
    portal = f"{prefix}portal__"
    may_wait = models.Q(**{f"{portal}waits_until__isnull": True}) | models.Q(**{f"{portal}waits_until__lt": now})
    is_live = models.Q(**{f"{prefix}state": terms.MappingState.LIVE, f"{portal}state": "connected"})
    return is_live & may_wait & ~models.Q(**{f"{prefix}held": held}) & ~models.Q(**{f"{portal}held": held})


def due(queue: type[Row], now: datetime, *, related: bool = False) -> models.QuerySet:
    """Rows whose time has come, that nobody holds, and whose mapping may work now.

    ``related``: rows that stand for all records that read one; they are no records, and no other work may take
    them for one.
    """
    held = terms.Direction.PUSH if queue is OutboxEntry else terms.Direction.PULL
    rows = queue._default_manager.filter(
        free(now), open_mappings(now, held), state=terms.QueueState.DUE, due_at__lte=now
    )
    return rows.exclude(via="") if related else rows.filter(via="")


def due_mappings(queue: type[Row], now: datetime, *, related: bool = False) -> list[int]:
    """The mappings that have due rows, longest waiting first."""
    rows = due(queue, now, related=related).order_by().values("mapping_id").annotate(oldest=models.Min("due_at"))
    return [row["mapping_id"] for row in sorted(rows, key=lambda row: row["oldest"])]


def claim(
    queue: type[Row], mapping_id: int, now: datetime, *, limit: int, seconds: int, related: bool = False
) -> tuple[str, list[Row]]:
    """Take up to ``limit`` due rows of a mapping for ``seconds``. Attempts are counted before the work."""
    lease = make_lease()
    with transaction.atomic():
        mine = due(queue, now, related=related).filter(mapping_id=mapping_id)
        rows = list(skip_locked(mine.order_by("due_at", "id"))[:limit])
        queue._default_manager.filter(pk__in=[row.pk for row in rows]).update(
            lease=lease, leased_until=now + timedelta(seconds=seconds), attempts=models.F("attempts") + 1
        )
    for row in rows:
        row.attempts += 1
    return lease, rows


def renew(queue: type[Row], pks: Collection[int], lease: str, until: datetime) -> None:
    """Hold rows longer, except those dirtied again or locked by a host transaction at this moment."""
    with transaction.atomic():
        held = skip_locked(queue._default_manager.filter(pk__in=pks, lease=lease))
        mine = queue._default_manager.filter(pk__in=list(held.values_list("pk", flat=True)), lease=lease)
        mine.update(leased_until=until)


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


def wake(rows: models.QuerySet, codes: Collection[str], now: datetime) -> int:
    """Look again now at rows that waited for something that is gone; how many."""
    return rows.filter(state=terms.QueueState.DUE, last_code__in=codes, due_at__gt=now).update(due_at=now)


def skip_locked(rows: models.QuerySet) -> models.QuerySet:
    """Lock rows for this transaction, passing over what others hold, where the database can."""
    features = connections[rows.db].features
    if not features.has_select_for_update:
        return rows
    return rows.select_for_update(skip_locked=features.has_select_for_update_skip_locked, of=_of(features))


def _of(features: object) -> Sequence[str]:
    return ("self",) if getattr(features, "has_select_for_update_of", False) else ()


@contextlib.contextmanager
def brief() -> Iterator[None]:
    """A transaction that marks many rows and gives up, with an OperationalError, before a host waits for it.

    A host transaction that holds one of our rows and asks for another would else be ended by PostgreSQL as
    one half of a deadlock, which it looks for after a second. Other databases are left to their own time-outs.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '500ms'")
        yield


def upsert(
    queue: type[Row], source: str, columns: str, values: Sequence[object], *, key: tuple[str, ...], using: str
) -> int:
    """One statement: a due row a source row, or the existing row made due again with its lease gone; how many.

    ``source`` is a FROM/WHERE clause, ``columns`` what its SELECT yields for mapping_id, the key's columns,
    due_at and captured_at.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(_upsert_sql(queue._meta.db_table, source, columns, key, connections[using].vendor), values)
        return cursor.rowcount


@functools.cache
def _upsert_sql(table: str, source: str, columns: str, key: tuple[str, ...], vendor: str) -> str:
    again = "state = 'due', attempts = 0, lease = '', leased_until = NULL, due_at = "
    names = ", ".join(["mapping_id", *key])
    if vendor == "mysql":
        tail = f"ON DUPLICATE KEY UPDATE {again} VALUES(due_at)"
    else:
        tail = f"ON CONFLICT ({names}) DO UPDATE SET {again} excluded.due_at"
    return (
        f"INSERT INTO {table}"
        f" ({names}, due_at, captured_at, state, attempts, lease, last_code, last_message)"
        f" SELECT {columns}, 'due', 0, '', '', '' {source} {tail}"
    )
