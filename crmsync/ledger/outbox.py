"""Dirty marks: which local rows may have to be pushed, coalesced by mapping and key."""

import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, connections

from crmsync.ledger import queue
from crmsync.models import OutboxEntry


@dataclass(frozen=True, slots=True)
class Reader:
    """A model whose mapped fields may read another row: ``via`` are its foreign keys that lead there, "" its own."""

    model_label: str
    via: str = ""


# One statement finds the mappings and marks them, so that no cached list of mappings can be stale.
_OWN = "FROM crmsync_mapping WHERE LOWER(model_label) = %s AND state <> 'draft' AND direction <> 'pull'"
# The same with what reads the row: ``w`` numbers the readers, 0 is the row's own mappings, {one} is a CASE that
# names one text for each. A mapping reads what its fields push, its match keys and its rules. A CASE because a bare
# parameter makes SQLite plan every LIKE anew; ``!`` because a backslash means something else to each database.
_CONCERNED = (
    "FROM (SELECT m.id, m.model_label, {one} AS via FROM crmsync_mapping m CROSS JOIN ({numbers}) w"
    " WHERE LOWER(m.model_label) = {one} AND m.state <> 'draft' AND m.direction <> 'pull' AND (w.n = 0"
    " OR EXISTS (SELECT 1 FROM crmsync_fieldmapping f WHERE f.mapping_id = m.id AND f.is_active"
    " AND f.direction <> 'pull' AND f.local LIKE {one} ESCAPE '!')"
    " OR EXISTS (SELECT 1 FROM crmsync_matchkey k WHERE k.mapping_id = m.id AND k.local LIKE {one} ESCAPE '!')"
    " OR EXISTS (SELECT 1 FROM crmsync_rulecondition c JOIN crmsync_syncrule r ON r.id = c.rule_id"
    " WHERE r.mapping_id = m.id AND r.is_active AND c.side = 'local' AND c.field LIKE {one} ESCAPE '!'))"
    ") AS concerned WHERE 1 = 1"
)
# Readers a statement: SQLite joins at most 500 SELECTs to one.
_MANY = 200
# Rows a chunk: what mark_many holds in memory at a time.
_CHUNK = 2000
_KEY = ("via", "local_pk")


def mark(
    model_label: str, local_pk: str, now: datetime, *, readers: Sequence[Reader] = (), using: str = "default"
) -> int:
    """Mark one local row in every pushing mapping of its model, and once a mapping for all rows that read it.

    In the caller's transaction, by one statement. How many marks were made.
    """
    if readers:
        return mark_readers([Reader(model_label), *readers], local_pk, now, using=using)
    at = connections[using].ops.adapt_datetimefield_value(now)
    values = [local_pk, at, at, model_label.lower()]
    return queue.upsert(OutboxEntry, _OWN, "id, '', %s, %s, %s", values, key=_KEY, using=using)


def mark_readers(readers: Sequence[Reader], local_pk: str, now: datetime, *, using: str = "default") -> int:
    """Mark for these readers only, once a mapping; how many marks were made."""
    at, made = connections[using].ops.adapt_datetimefield_value(now), 0
    for source, texts in _sources(readers):
        values = [local_pk, at, at, *texts]
        made += queue.upsert(OutboxEntry, source, "id, via, %s, %s, %s", values, key=_KEY, using=using)
    return made


def concerned(readers: Sequence[Reader]) -> dict[Reader, list[int]]:
    """The mappings that a change seen by these readers goes to; one query."""
    known = {(one.model_label.lower(), one.via): one for one in readers}
    found: dict[Reader, list[int]] = {}
    with connection.cursor() as cursor:
        for source, texts in _sources(readers):
            cursor.execute(f"SELECT id, model_label, via {source}", texts)
            for mapping_id, label, via in cursor.fetchall():
                found.setdefault(known[label.lower(), via], []).append(mapping_id)
    return found


def _sources(readers: Sequence[Reader]) -> Iterator[tuple[str, list[str]]]:
    """FROM clauses of the mappings concerned, each with its values; nearly always one."""
    for start in range(0, len(readers), _MANY):
        some = readers[start : start + _MANY]
        vias = [one.via for one in some]
        paths = [via.replace("_", "!_") + "!_!_%" for via in vias]
        labels = [one.model_label.lower() for one in some]
        yield _source(tuple(n if via else 0 for n, via in enumerate(vias, 1))), [*vias, *labels, *paths * 3]


@functools.cache
def _source(numbers: tuple[int, ...]) -> str:
    one = " ".join(["CASE w.n", *[f"WHEN {n} THEN %s" for n in numbers], "END"])
    return _CONCERNED.format(one=one, numbers=" UNION ALL ".join(f"SELECT {n} AS n" for n in numbers))


def mark_many(mapping_ids: Iterable[int], local_pks: Iterable[str], now: datetime) -> int:
    """Mark many rows of given mappings; how many marks were made."""
    return mark_keys([(mapping_id, "") for mapping_id in mapping_ids], local_pks, now)


def mark_keys(keys: Sequence[tuple[int, str]], local_pks: Iterable[str], now: datetime) -> int:
    """Mark many rows under each key, a mapping and the path they are read along; how many marks were made."""
    pks, marks = iter(local_pks), 0
    while chunk := list(itertools.islice(pks, _CHUNK)):
        rows = [
            OutboxEntry(mapping_id=mapping_id, via=via, local_pk=pk, due_at=now, captured_at=now)
            for mapping_id, via in keys
            for pk in chunk
        ]
        OutboxEntry.objects.bulk_create(rows, batch_size=500, **on_conflict(*_KEY))
        marks += len(rows)
    return marks


def on_conflict(*key: str) -> dict[str, object]:
    """bulk_create's arguments that make an existing queue row due again instead of failing."""
    target = {} if connections["default"].vendor == "mysql" else {"unique_fields": ["mapping", *key]}
    return {
        "update_conflicts": True,
        "update_fields": ["state", "due_at", "attempts", "lease", "leased_until"],
        **target,
    }
