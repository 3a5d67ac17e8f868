"""Dirty marks: which local rows may have to be pushed, coalesced by mapping and key.

Where ``using`` is not crmsync's own database, slips are left there instead: one transaction has one database.
"""

import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connections

from crmsync.engine import terms
from crmsync.ledger import places, queue, slips
from crmsync.models import OutboxEntry, Reader

# One indexed look-up finds the mappings of a save; state and direction are asked of the mapping itself.
_READERS = (
    "FROM crmsync_reader r JOIN crmsync_mapping m ON m.id = r.mapping_id"
    " WHERE r.target_label = %s AND m.state IN ('live', 'paused') AND m.direction <> 'pull'"
)
# Which of them, by (is_own, is_read).
_SOURCES = {
    (True, True): _READERS,
    (True, False): f"{_READERS} AND r.via = ''",
    (False, True): f"{_READERS} AND r.via <> ''",
}
# Rows a chunk: what mark_many holds in memory at a time.
_CHUNK = 2000
_KEY = ("via", "local_pk")


def mark(
    model_label: str,
    local_pk: str,
    now: datetime,
    *,
    is_own: bool = True,
    is_read: bool = True,
    ends: Sequence[str] = (),
    using: str = places.OWN,
) -> int:
    """Mark one local row in the pushing mappings of its model, and once a mapping and path all rows that read it.

    ``is_own`` and ``is_read`` False leave out the one and the other; ``ends``: of the paths only those whose last
    relation is called so. In the caller's transaction, by one statement. How many marks were made.
    """
    if not places.is_own(using):
        return slips.leave_row(model_label, local_pk, now, is_own=is_own, is_read=is_read, ends=ends, using=using)
    at = connections[using].ops.adapt_datetimefield_value(now)
    values, source = [local_pk, at, at, model_label.lower()], _SOURCES[is_own, is_read]
    if ends and is_read:
        source += f" AND (r.via = ''{' OR r.via = %s OR r.via LIKE %s' * len(ends)})"
        values += [text for end in ends for text in (end, f"%__{end}")]  # any two characters: marks too much at worst
    return queue.upsert(OutboxEntry, source, "m.id, r.via, %s, %s, %s", values, key=_KEY, using=using)


def find_readers(model_label: str) -> list[Reader]:
    """The pushing mappings that a change of this model concerns, each with the path it reads along; one query."""
    found = Reader.objects.filter(target_label=model_label.lower()).select_related("mapping")
    found = found.filter(mapping__state__in=[one for one in terms.MappingState if one.is_started])
    return list(found.exclude(mapping__direction=terms.Direction.PULL))


def mark_many(
    mapping_ids: Iterable[int],
    local_pks: Iterable[str],
    now: datetime,
    *,
    is_asked: bool = False,
    using: str = places.OWN,
) -> int:
    """Mark many rows of given mappings; how many marks were made. ``is_asked``: another record or a person needs
    them, so rules do not keep them from being made. ``using``: the database of the change, if it is not committed."""
    keys = [(mapping_id, "") for mapping_id in mapping_ids]
    return mark_keys(keys, local_pks, now, is_asked=is_asked, using=using)


def mark_keys(
    keys: Sequence[tuple[int, str]],
    local_pks: Iterable[str],
    now: datetime,
    *,
    is_asked: bool = False,
    using: str = places.OWN,
    since: datetime | None = None,
) -> int:
    """Mark many rows under each key, a mapping and the path they are read along; how many marks were made.

    ``since``: when they changed, if that was before now.
    """
    if not places.is_own(using):
        return slips.leave_entries(keys, local_pks, now, is_asked=is_asked, using=using)
    pks, marks, at = iter(local_pks), 0, since or now
    while chunk := list(itertools.islice(pks, _CHUNK)):
        rows = [
            OutboxEntry(mapping_id=mapping_id, via=via, local_pk=pk, due_at=now, captured_at=at, is_asked=is_asked)
            for mapping_id, via in keys
            for pk in chunk
        ]
        OutboxEntry.objects.bulk_create(rows, batch_size=500, **on_conflict(*_KEY, is_asked=is_asked))
        marks += len(rows)
    return marks


def on_conflict(*key: str, is_asked: bool = False) -> dict[str, object]:
    """bulk_create's arguments that make an existing queue row due again instead of failing; once asked for, a row
    stays so."""
    target = {} if connections["default"].vendor == "mysql" else {"unique_fields": ["mapping", *key]}
    return {
        "update_conflicts": True,
        "update_fields": [
            "state",
            "due_at",
            "attempts",
            "lease",
            "leased_until",
            *(["is_asked"] if is_asked else []),
        ],
        **target,
    }
