"""What search can see: the live records as they were some seconds ago.

Changes wait in a queue until ``lag`` seconds have passed; archived records vanish at once.
"""

import bisect
import collections

from crmsync.fakehub import clock, records, store

Props = dict[str, str]
Entry = tuple[records.Record, Props, int]  # a record, its visible values, and when they were set (ms)
STALE_SHARE = 4  # rebuild the time order when it is this many times longer than the records


class Shelf:
    """The visible values of one object type, by id and in the order of their modified dates."""

    def __init__(self) -> None:
        self.seen: dict[int, Entry] = {}
        self.order: list[tuple[int, int]] = []  # (modified ms, id); entries of older values stay behind

    def put(self, record: records.Record, props: Props, at: int) -> None:
        self.seen[record.id] = (record, props, at)
        entry = (at, record.id)
        if not self.order or self.order[-1] <= entry:
            self.order.append(entry)
        else:
            bisect.insort(self.order, entry)
        if len(self.order) > STALE_SHARE * (len(self.seen) + 1000):
            self.order = sorted((when, number) for number, (_, _, when) in self.seen.items())

    def since(self, at: float) -> list[Entry]:
        """Values modified at or after ``at``."""
        found = {number for _, number in self.order[bisect.bisect_left(self.order, (at, 0)) :]}
        entries = [self.seen[number] for number in found if number in self.seen]
        return [entry for entry in entries if entry[2] >= at]


class Index:
    def __init__(self, time: clock.Clock, lag: float) -> None:
        self._time = time
        self.lag = lag
        self._waiting: collections.deque[tuple[int, records.Record, Props | None, int]] = collections.deque()
        self._shelves: dict[str, Shelf] = {}

    def watch(self, change: store.Change) -> None:
        """The store's watcher."""
        record = change.record
        if change.what == "associated":
            return
        if change.what == "merged":
            for old in (change.facts["primary"], *change.facts["others"]):
                if old != record.id:
                    self.forget(record.kind.id, old)
        gone = change.what in {"archived", "purged"}
        at = clock.to_ms(record.props[record.kind.modified]) if change.what == "restored" else change.at
        self._waiting.append((self._time.now_ms(), record, None if gone else record.props, at))

    def forget(self, kind_id: str, number: int) -> None:
        self._shelf(kind_id).seen.pop(number, None)
        self._waiting = collections.deque(
            entry for entry in self._waiting if (entry[1].kind.id, entry[1].id) != (kind_id, number)
        )

    def settle(self, *, everything: bool = False) -> None:
        """Let in what has waited long enough."""
        due = self._time.now_ms() - round(self.lag * 1000)
        while self._waiting and (everything or self._waiting[0][0] <= due):
            _, record, props, at = self._waiting.popleft()
            shelf = self._shelf(record.kind.id)
            if props is None:
                shelf.seen.pop(record.id, None)
            else:
                shelf.put(record, props, at)

    def visible(self, kind_id: str, since_ms: float | None = None) -> list[Entry]:
        """What search may answer with; fewer than all when a bound of the modified date is known."""
        self.settle()
        shelf = self._shelf(kind_id)
        found = shelf.seen.values() if since_ms is None else shelf.since(since_ms)
        return [entry for entry in found if entry[0].archived_at is None]

    def _shelf(self, kind_id: str) -> Shelf:
        return self._shelves.setdefault(kind_id, Shelf())
