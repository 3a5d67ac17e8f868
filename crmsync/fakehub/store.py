"""The records of a portal: create, update, archive, restore, merge, purge and associate, each told to watchers.

A watcher is called with a ``Change`` after it happened; ledger, search index, webhooks and journal are watchers.
Nothing is checked here: what may be written is decided in ``drafts``.
"""

import bisect
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from crmsync.fakehub import clock, graph, objecttypes, portal, records

FIRST_ID = 1001
EMAILS = "hs_additional_emails"


@dataclass(slots=True)
class Change:
    """What happened to one record. ``values`` are (old, new) by property; ``what`` is created, updated,
    archived, restored, merged, created_by_merge, purged, associated or planted."""

    what: str
    record: records.Record
    at: int
    source: records.Source
    values: dict[str, tuple[str, str]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


class Table:
    """The records of one object type. ``taken`` finds a record by a unique value."""

    def __init__(self, kind: objecttypes.ObjectType) -> None:
        self.kind = kind
        self.records: dict[int, records.Record] = {}
        self.live: list[int] = []
        self.archived: list[int] = []
        self.aliases: dict[int, int] = {}  # ids of merged records -> survivor
        self.taken: dict[str, dict[str, int]] = {}
        self.last_id = FIRST_ID - 1

    def page(self, after: int, limit: int, archived: bool) -> list[records.Record]:
        ids = self.archived if archived else self.live
        start = bisect.bisect_left(ids, after)
        return [self.records[number] for number in ids[start : start + limit]]

    def move(self, number: int, source: list[int], target: list[int] | None) -> None:
        place = bisect.bisect_left(source, number)
        if place < len(source) and source[place] == number:
            del source[place]
        if target is not None:
            bisect.insort(target, number)


class Store:
    def __init__(self, home: portal.Portal, time: clock.Clock, rng: random.Random) -> None:
        self.portal = home
        self.time = time
        self._rng = rng
        self.tables: dict[str, Table] = {}
        self.graph = graph.Graph(home.catalogue)
        self.watchers: list[Callable[[Change], None]] = []

    def table(self, kind: objecttypes.ObjectType) -> Table:
        if kind.id not in self.tables:
            self.tables[kind.id] = Table(kind)
        return self.tables[kind.id]

    def get(self, kind: objecttypes.ObjectType, number: int, *, follow: bool = False) -> records.Record | None:
        """A record by id; ``follow`` leads from the id of a merged record to its survivor."""
        table = self.table(kind)
        while follow and number in table.aliases:
            number = table.aliases[number]
        return table.records.get(number)

    def holder(self, kind: objecttypes.ObjectType, name: str, value: str) -> records.Record | None:
        """The live record that has a unique value; contacts also by a secondary e-mail."""
        number = self.table(kind).taken.get(name, {}).get(value)
        return None if number is None else self.table(kind).records[number]

    def create(
        self, kind: objecttypes.ObjectType, values: dict[str, str], source: records.Source, **facts: Any
    ) -> records.Record:
        """``facts``: ``at`` backdates the record, ``what`` names the change (default "created")."""
        table = self.table(kind)
        at = facts.pop("at", None) or self.time.now_ms()
        table.last_id += self._rng.randint(1, 9)
        number = table.last_id
        props = {name: value for name, value in values.items() if value}
        props |= {
            kind.created: clock.iso(at),
            kind.modified: clock.iso(at),
            "hs_object_id": str(number),
            "hs_object_source": source.change,
            "hs_object_source_id": source.id,
            "hs_object_source_label": source.label or source.change,
        }
        record = records.Record(kind, number, props, records.Setting("", at, source))
        table.records[number] = record
        table.live.append(number)
        self._take(record, props, {})
        set_values = {name: ("", value) for name, value in values.items() if value}
        self._tell(Change(facts.pop("what", "created"), record, at, source, set_values, facts))
        return record

    def update(self, record: records.Record, values: dict[str, str], source: records.Source) -> bool:
        """Write what differs ("" clears); False, and no trace of it, if nothing does."""
        before = record.props
        changed = {name: value for name, value in values.items() if before.get(name, "") != value}
        if not changed:
            return False
        at = self.time.now_ms()
        record.write(changed, at, source)
        record.touch(at)
        self._take(record, record.props, before)
        pairs = {name: (before.get(name, ""), value) for name, value in changed.items()}
        self._tell(Change("updated", record, at, source, pairs))
        return True

    def archive(self, record: records.Record, source: records.Source) -> None:
        table = self.table(record.kind)
        record.archived_at = self.time.now_ms()
        table.move(record.id, table.live, table.archived)
        self._take(record, {}, record.props)
        self._tell(Change("archived", record, record.archived_at, source))

    def restore(self, record: records.Record, source: records.Source) -> None:
        table = self.table(record.kind)
        record.archived_at = None
        record.touch(self.time.now_ms())
        table.move(record.id, table.archived, table.live)
        self._take(record, record.props, {})
        self._tell(Change("restored", record, self.time.now_ms(), source))

    def purge(self, record: records.Record, source: records.Source) -> None:
        """Forget a record for good, as the privacy deletion does."""
        self.drop(record)
        for target, other, _ in self.graph.neighbours(record.kind.id, record.id):
            self.graph.set((record.kind.id, record.id, target, other), ())
        self._tell(Change("purged", record, self.time.now_ms(), source))

    def merge(self, primary: records.Record, other: records.Record, source: records.Source) -> records.Record:
        """One record out of two: the primary's values, filled up with the other's."""
        kind, at = primary.kind, self.time.now_ms()
        filled = merge_values(primary, other)
        origin = records.Source("MERGE_OBJECTS", source.id, source.label, source.user)
        self.drop(other)
        if self.portal.preserve_primary_id:
            survivor = primary
            self.update(primary, filled, origin)
        else:
            self.drop(primary)
            values = {name: value for name, value in primary.props.items() if not self._automatic(kind, name)}
            survivor = self.create(kind, {**values, **filled}, origin, what="created_by_merge")
        table = self.table(kind)
        for old in (primary, other):
            if old.id != survivor.id:
                table.aliases[old.id] = survivor.id
                self._inherit(old, survivor)
        facts = {"primary": primary.id, "others": [other.id], "moved": len(filled)}
        self._tell(Change("merged", survivor, at, source, {}, facts))
        return survivor

    def associate(self, ends: graph.Ends, numbers: tuple[int, ...], source: records.Source, **facts: Any) -> None:
        """Make ``numbers`` the types of one edge; none removes it."""
        before = self.graph.types(ends)
        if set(before) == set(numbers):
            return
        self.graph.set(ends, numbers)
        record = self.tables[ends[0]].records[ends[1]]
        facts |= {"ends": ends, "before": before, "after": numbers}
        self._tell(Change("associated", record, self.time.now_ms(), source, {}, facts))

    def watch(self, *watchers: Callable[[Change], None]) -> None:
        self.watchers.extend(watchers)

    def _automatic(self, kind: objecttypes.ObjectType, name: str) -> bool:
        return name in kind.always or name.startswith("hs_object_source")

    def occupy(self, record: records.Record) -> None:
        """Claim the unique values of a record that was put in without telling anybody."""
        self._take(record, record.props, {})

    def drop(self, record: records.Record) -> None:
        """Take a record out without telling anybody."""
        table = self.table(record.kind)
        table.records.pop(record.id, None)
        table.move(record.id, table.live, None)
        table.move(record.id, table.archived, None)
        self._take(record, {}, record.props)

    def _inherit(self, old: records.Record, survivor: records.Record) -> None:
        for target, other, types in self.graph.neighbours(old.kind.id, old.id):
            self.graph.set((old.kind.id, old.id, target, other), ())
            if (target, other) != (survivor.kind.id, survivor.id):
                self.graph.set((survivor.kind.id, survivor.id, target, other), types)

    def _take(self, record: records.Record, now: dict[str, str], before: dict[str, str]) -> None:
        """Keep ``taken`` true after the record's values went from ``before`` to ``now``."""
        taken = self.table(record.kind).taken
        for name in self.portal.unique_names(record.kind):
            index = taken.setdefault(name, {})
            for value in unique_values(name, before):
                if index.get(value) == record.id:
                    del index[value]
            for value in unique_values(name, now):
                index[value] = record.id

    def _tell(self, change: Change) -> None:
        for watcher in self.watchers:
            watcher(change)


def unique_values(name: str, props: dict[str, str]) -> Iterable[str]:
    """What a record occupies in one unique index: for ``email`` the secondary addresses, too."""
    found = [props[name]] if name in props else []
    if name == "email" and EMAILS in props:
        found += props[EMAILS].split(";")
    return found


def merge_values(primary: records.Record, other: records.Record) -> dict[str, str]:
    """What the merged record has beyond the primary's own values."""
    filled = {name: value for name, value in other.props.items() if name not in primary.props}
    ids = [primary.props.get("hs_merged_object_ids", ""), other.props.get("hs_merged_object_ids", "")]
    merged = ";".join(part for part in [*ids, str(primary.id), str(other.id)] if part)
    filled["hs_merged_object_ids"] = merged
    if primary.kind.id == "0-1":
        filled["hs_calculated_merged_vids"] = merged
        held = [*unique_values("email", primary.props), *unique_values("email", other.props)]
        first = primary.props.get("email") or other.props.get("email")
        second = [email for email in held if email != first]
        if second:
            filled[EMAILS] = ";".join(dict.fromkeys(second))
    return filled
