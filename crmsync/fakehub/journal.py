"""The state of a portal in one append-only file of JSON lines, so that a killed process can go on where it was.

Each line holds all that one request changed, as ``[[word, facts…], …]`` with the words portal, grant, clock, record,
gone, edge, row, parcel and done. It is written before the request is answered; a torn last line is ignored when the
file is read, as if that request had never been made.
"""

import json
import pathlib
from collections.abc import Callable
from typing import Any

from crmsync.fakehub import exchange, ledger, records, snapshot, store, webhooks


class Journal:
    """Collects what changed and appends it on ``commit``."""

    def __init__(self, hub: Any, path: str) -> None:
        self._hub = hub
        self._path = pathlib.Path(path)
        self._dirty: dict[tuple[str, int], records.Record] = {}
        self._lines: list[list[Any]] = []
        self._revision = -1
        self._time = (0.0, 0.0)
        torn = self._load() if self._path.exists() else False
        self._file = self._path.open("ab")
        if torn:
            self._file.write(b"\n")

    def watch(self, change: store.Change) -> None:
        """The store's watcher."""
        record = change.record
        if change.what == "associated":
            edge = change.facts
            self._lines.append(["edge", *edge["ends"], list(edge["after"])])
            return
        if change.what == "merged":
            for old in (change.facts["primary"], *change.facts["others"]):
                if old != record.id:
                    self._lines.append(["gone", record.kind.id, old, record.id])
            for target, other, types in self._hub.store.graph.neighbours(record.kind.id, record.id):
                self._lines.append(["edge", record.kind.id, record.id, target, other, list(types)])
        if change.what == "purged":
            self._dirty.pop((record.kind.id, record.id), None)
            self._lines.append(["gone", record.kind.id, record.id, None])
            return
        self._dirty[record.kind.id, record.id] = record

    def commit(self) -> None:
        hub = self._hub
        lines = self._portal_lines()
        lines += [["record", *snapshot.dump_record(record)] for record in self._dirty.values()]
        lines += self._lines
        lines += [["row", ledger.sort_of(row), *row] for row in hub.ledger.rows[hub.ledger.unsaved :]]
        lines += [["parcel", one.number, one.due, one.attempt, one.event] for one in hub.webhooks.fresh]
        if hub.webhooks.done:
            lines.append(["done", list(hub.webhooks.done)])
        self._dirty.clear()
        self._lines.clear()
        hub.webhooks.fresh.clear()
        hub.webhooks.done.clear()
        hub.ledger.unsaved = len(hub.ledger.rows)
        if lines:
            self._file.write(exchange.encode(lines).encode("utf-8", "surrogatepass") + b"\n")
            self._file.flush()

    def clear(self) -> None:
        """Forget everything, for a portal that starts anew."""
        self._file.truncate(0)
        self._dirty.clear()
        self._lines.clear()
        self._revision = -1

    def close(self) -> None:
        self.commit()
        self._file.close()

    def _portal_lines(self) -> list[list[Any]]:
        hub, lines = self._hub, []
        if (hub.clock.ahead, hub.clock.skew) != self._time:
            self._time = (hub.clock.ahead, hub.clock.skew)
            lines.append(["clock", *self._time])
        if hub.portal.revision != self._revision:
            self._revision = hub.portal.revision
            lines.append(["portal", snapshot.dump_portal(hub.portal), snapshot.dump_settings(hub)])
        lines += [["grant", *facts] for facts in hub.portal.grants.dump()]
        return lines

    def _load(self) -> bool:
        """Read the file; True if its last line is torn."""
        hub = self._hub
        waiting: dict[int, webhooks.Parcel] = {}
        line = b""
        with self._path.open("rb") as file:
            for line in file:
                for word, *facts in _decode(line):
                    if word == "parcel":
                        waiting[facts[0]] = webhooks.Parcel(facts[1], facts[0], facts[3], facts[2])
                    elif word == "done":
                        _drop(waiting, facts[0])
                    else:
                        LOADERS[word](hub, *facts)
        for parcel in waiting.values():
            hub.webhooks.put(parcel)
            _know_event(hub, parcel.event["eventId"])
        hub.ledger.unsaved = len(hub.ledger.rows)
        snapshot.index_all(hub)
        self._revision, self._time = hub.portal.revision, (hub.clock.ahead, hub.clock.skew)
        return not line.endswith(b"\n") and line != b""


def _drop(waiting: dict[int, webhooks.Parcel], numbers: list[int]) -> None:
    for number in numbers:
        waiting.pop(number, None)


def _decode(line: bytes) -> list[Any]:
    try:
        found: list[Any] = json.loads(line.decode("utf-8", "surrogatepass"))
    except ValueError:
        return []  # the torn end of a killed process, further up since
    return found


def _know_event(hub: Any, *numbers: int) -> None:
    hub.webhooks.announcer.last_id = max(hub.webhooks.announcer.last_id, *numbers)


def _load_row(hub: Any, sort: str, *facts: Any) -> None:
    row = ledger.SORTS[sort](*facts)
    hub.ledger.keep(row)
    if isinstance(row, ledger.DeliveryRow):
        _know_event(hub, *row.events)


def _load_clock(hub: Any, ahead: float, skew: float = 0.0) -> None:
    hub.clock.ahead, hub.clock.skew = ahead, skew


def _load_grant(hub: Any, sort: str, *facts: Any) -> None:
    hub.portal.grants.load(sort, *facts)


LOADERS: dict[str, Callable[..., None]] = {
    "portal": snapshot.load_portal,
    "grant": _load_grant,
    "clock": _load_clock,
    "record": snapshot.load_record,
    "gone": snapshot.load_gone,
    "edge": snapshot.load_edge,
    "row": _load_row,
}
