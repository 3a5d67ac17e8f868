"""Carries slips from the databases where capture left them into the outbox: first marked here, then deleted there."""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from crmsync.ledger import edges, outbox, places, queue, slips
from crmsync.models import Mapping, Reader, Slip
from crmsync.models.slip import SlipKind as Kind

logger = logging.getLogger(__name__)

_BATCH = 500
# A database that did not answer is left alone for this long, so that it holds up no other work.
_REST_SECONDS = 2.0
# Whoever makes a row forgets its slip at once; this one's own transaction may still be open.
_SETTLED = timedelta(hours=1)

_rests_until: dict[str, float] = {}


def carry_due() -> int:
    """A batch of every database that has slips; how many were carried. No query where all rows are in crmsync's."""
    return sum(_carry(alias) for alias in places.others() if time.monotonic() >= _rests_until.get(alias, 0.0))


def _carry(alias: str) -> int:
    try:
        return carry(alias)
    except (DatabaseError, InterfaceError):  # the net: slips stay where they are, and to mark twice does no harm
        logger.exception("slips of another database could not be carried", extra={"database": alias})
        connections[alias].close_if_unusable_or_obsolete()
        _rests_until[alias] = time.monotonic() + _REST_SECONDS
        return 0


def carry(alias: str) -> int:
    """A batch of one database. A crash between the two commits leaves slips, which are then carried once more."""
    with slips.taken(alias, _BATCH) as rows:
        if not rows:
            return 0
        now = timezone.now()
        with queue.brief():
            _mark_entries([row for row in rows if row.kind == Kind.ENTRY], now)
            _mark_rows([row for row in rows if row.kind == Kind.ROW], now)
            for row in rows:
                if row.kind == Kind.GONE:
                    edges.mark_losing(row.model_label, row.local_pk, now)
        slips.drop(alias, rows)
        return len(rows)


def _mark_entries(rows: list[Slip], now: datetime) -> None:
    """Those whose mapping was deleted since are nobody's any more."""
    groups: dict[tuple[int, str, bool], list[Slip]] = defaultdict(list)
    for row in rows:
        groups[row.mapping_id, row.via, row.is_asked].append(row)
    known = set(Mapping.objects.filter(pk__in={row.mapping_id for row in rows}).values_list("pk", flat=True))
    for (mapping_id, via, is_asked), group in sorted(groups.items()):
        if mapping_id in known:
            _mark([(mapping_id, via)], group, now, is_asked=is_asked)


def _mark_rows(rows: list[Slip], now: datetime) -> None:
    groups: dict[tuple[str, bool, bool, str], list[Slip]] = defaultdict(list)
    for row in rows:
        groups[row.model_label, row.is_own, row.is_read, row.ends].append(row)
    readers = {label: outbox.find_readers(label) for label in {row.model_label for row in rows}}
    for (label, *_), group in sorted(groups.items()):
        keys = [(one.mapping_id, one.via) for one in readers[label] if _is_meant(group[0], one)]
        _mark(keys, group, now)


def _is_meant(row: Slip, reader: Reader) -> bool:
    """As ``outbox.mark`` asks the database."""
    if not reader.via:
        return row.is_own
    ends = row.ends.split()
    return row.is_read and (not ends or reader.via.rpartition("__")[2] in ends)


def _mark(keys: Iterable[tuple[int, str]], group: list[Slip], now: datetime, *, is_asked: bool = False) -> None:
    pks, since = sorted({row.local_pk for row in group}), min(row.captured_at for row in group)
    outbox.mark_keys(sorted(set(keys)), pks, now, is_asked=is_asked, since=since)


def tidy() -> int:
    """Forget what was left of rows that have their links; how many slips."""
    return sum(slips.tidy_made(timezone.now() - _SETTLED, alias) for alias in places.others())
