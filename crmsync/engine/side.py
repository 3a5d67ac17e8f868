"""The Side protocol: what the flows ask of a world of records, local or HubSpot.

A side does and tells; it decides nothing. What it returns for a write is what the other end *answered*,
because that becomes the base.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from crmsync.engine import record, spec, terms


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to be made; ``handle`` is the caller's own name for it, for HubSpot also the create key."""

    handle: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one write: the record as it is now, or why it was refused. Never both, never neither."""

    record: record.Record | None = None
    error: Exception | None = None


class Side(Protocol):
    """One world of records. Every method takes many and raises only if nothing at all could be done;
    what befalls one record is in its Answer."""

    name: terms.SideName

    def read(self, keys: Sequence[record.RecordKey]) -> Mapping[record.RecordKey, record.Record]:
        """The records as they are now, by key, archived ones marked. A missing key was looked for: gone."""
        ...

    def find(self, match: spec.MatchSpec, values: Sequence[str]) -> Mapping[str, Sequence[record.Record]]:
        """The records whose match field may equal each value, by value; ``match`` judges them."""
        ...

    def create(self, records: Sequence[NewRecord]) -> Mapping[str, Answer]:
        """Makes records; answers by handle. Safe to repeat with the same handle: the same record results."""
        ...

    def update(self, writes: Mapping[record.RecordKey, Mapping[str, object]]) -> Mapping[record.RecordKey, Answer]:
        """Writes the given fields and no others; answers by key."""
        ...

    def archive(self, keys: Sequence[record.RecordKey]) -> Mapping[record.RecordKey, Answer]:
        """Archives or deletes; a record that is gone already counts as done."""
        ...

    def changed_since(self, since: datetime, *, fields: Iterable[str] = ()) -> Iterator[record.Record]:
        """Records modified at or after an aware time, oldest first; may repeat some, must not skip any."""
        ...
