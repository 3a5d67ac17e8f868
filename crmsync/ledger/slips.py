"""Slips: left in the transaction of a change where that is in another database, taken from there, deleted."""

import contextlib
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from django.db import connections, models, transaction

from crmsync.ledger import queue
from crmsync.models import Link, Mapping, Slip
from crmsync.models.slip import SlipKind as Kind

# Rows a statement, and keys in one query.
_CHUNK = 500


# --- Left -------------------------------------------------------------------------------------------------------


def leave_row(
    model_label: str, local_pk: str, now: datetime, *, is_own: bool, is_read: bool, ends: Sequence[str], using: str
) -> int:
    """A row changed; what that means for mappings is found out when the slip is carried. One statement."""
    facts = {"is_own": is_own, "is_read": is_read, "ends": " ".join(ends)}
    return _leave(using, [Slip(kind=Kind.ROW, model_label=model_label, local_pk=local_pk, captured_at=now, **facts)])


def leave_gone(model_label: str, local_pk: str, now: datetime, using: str) -> int:
    """A row is about to be deleted; records associated with it lose it."""
    return _leave(using, [Slip(kind=Kind.GONE, model_label=model_label, local_pk=local_pk, captured_at=now)])


def leave_entries(
    keys: Sequence[tuple[int, str]], local_pks: Iterable[str], now: datetime, *, is_asked: bool, using: str
) -> int:
    """Outbox entries of these mappings and paths are due; constant memory."""
    pks, count = iter(local_pks), 0
    while chunk := list(itertools.islice(pks, _CHUNK)):
        facts = {"kind": Kind.ENTRY, "captured_at": now, "is_asked": is_asked}
        count += _leave(
            using, [Slip(mapping_id=one, via=via, local_pk=pk, **facts) for one, via in keys for pk in chunk]
        )
    return count


def leave_made(mapping: Mapping, made: Iterable[tuple[str, str]], now: datetime, using: str) -> int:
    """Rows (HubSpot id, primary key) were just made, whose links are stored in a transaction of their own: if a crash
    comes between, this alone knows whose partner they are."""
    facts = {"kind": Kind.MADE, "mapping_id": mapping.pk, "account": mapping.portal.hub_id, "captured_at": now}
    return _leave(using, [Slip(remote_id=remote_id, local_pk=pk, **facts) for remote_id, pk in made])


def _leave(using: str, rows: list[Slip]) -> int:
    Slip.objects.using(using).bulk_create(rows, batch_size=_CHUNK)
    return len(rows)


# --- Taken ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def taken(using: str, limit: int) -> Iterator[list[Slip]]:
    """The oldest slips to be carried, for nobody else while the block runs, where the database can see to that.

    SQLite is not locked: two that carry the same slips mark the same rows twice.
    """
    rows = Slip.objects.using(using).exclude(kind=Kind.MADE).order_by("id")
    if not connections[using].features.has_select_for_update:
        yield list(rows[:limit])
        return
    with transaction.atomic(using=using):
        yield list(queue.skip_locked(rows)[:limit])


def drop(using: str, rows: Collection[Slip]) -> None:
    """Delete slips that were carried. Others were left meanwhile, so only these."""
    Slip.objects.using(using).filter(pk__in=[row.pk for row in rows]).delete()


def is_ready(using: str) -> bool:
    """Whether this database has the table; DatabaseError where it does not answer."""
    return Slip._meta.db_table in connections[using].introspection.table_names()


def waiting(using: str) -> tuple[int, datetime | None]:
    """How many wait to be carried, and since when the oldest does; DatabaseError where there is no such table."""
    found = Slip.objects.using(using).exclude(kind=Kind.MADE).aggregate(models.Count("pk"), models.Min("captured_at"))
    return found["pk__count"], found["captured_at__min"]


# --- Rows made without a link -------------------------------------------------------------------------------------


def find_made(
    mapping: Mapping, local_pks: Collection[str], remote_ids: Collection[str], using: str
) -> list[tuple[str, str]]:
    """(HubSpot id, primary key) of rows made for these records, the latest last."""
    either = models.Q(local_pk__in=local_pks) | models.Q(remote_id__in=remote_ids)
    rows = _made(using).filter(either, mapping_id=mapping.pk, account=mapping.portal.hub_id)
    return list(rows.order_by("id").values_list("remote_id", "local_pk"))


def forget_made(mapping_id: int, local_pks: Collection[str], using: str) -> None:
    """The links of these rows are stored."""
    _made(using).filter(mapping_id=mapping_id, local_pk__in=local_pks).delete()


def tidy_made(before: datetime, using: str) -> int:
    """Forget rows made before this moment that have their link, or whose mapping or account is another by now; how
    many. What a crash left without a link stays."""
    rows = _made(using).filter(captured_at__lt=before).order_by("id")
    gone = [pk for chunk in _chunks(rows) for pk in _is_over(chunk)]
    for start in range(0, len(gone), _CHUNK):
        Slip.objects.using(using).filter(pk__in=gone[start : start + _CHUNK]).delete()
    return len(gone)


def _made(using: str) -> models.QuerySet[Slip]:
    return Slip.objects.using(using).filter(kind=Kind.MADE)


def _chunks(rows: models.QuerySet[Slip]) -> Iterator[list[Slip]]:
    rest = rows.iterator(chunk_size=_CHUNK)
    while chunk := list(itertools.islice(rest, _CHUNK)):
        yield chunk


def _is_over(rows: Sequence[Slip]) -> list[int]:
    ids = {row.mapping_id for row in rows}
    accounts = dict(Mapping.objects.filter(pk__in=ids).values_list("pk", "portal__hub_id"))
    linked = set(
        Link.objects.filter(mapping_id__in=ids, local_pk__in={row.local_pk for row in rows})
        .exclude(remote_id=None)
        .values_list("mapping_id", "local_pk")
    )
    return [
        row.pk
        for row in rows
        if (row.mapping_id, row.local_pk) in linked or accounts.get(row.mapping_id) != row.account
    ]
