"""The state of a portal in one append-only file of JSON lines, so that a killed process can go on where it was.

Each line is ``[word, facts…]``: portal, clock, record, gone, edge, row, parcel, done. One request's lines are
written at once, before it is answered; a torn last line is ignored when the file is read.
"""

import json
import pathlib
from typing import Any

from crmsync.fakehub import exchange, ledger, records, snapshot, store


class Journal:
    """Collects what changed and appends it on ``commit``."""

    def __init__(self, hub: Any, path: str) -> None:
        self._hub = hub
        self._path = pathlib.Path(path)
        self._dirty: dict[tuple[str, int], records.Record] = {}
        self._lines: list[list[Any]] = []
        self._revision = -1
        self._ahead = 0.0
        self._settings = ""
        if self._path.exists():
            self._load()
        self._file = self._path.open("ab")

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
        lines += [["row", row.sort, *row] for row in hub.ledger.rows[hub.ledger.unsaved :]]
        lines += [["parcel", one.number, one.due, one.attempt, one.event] for one in hub.webhooks.fresh]
        if hub.webhooks.done:
            lines.append(["done", list(hub.webhooks.done)])
        self._dirty.clear()
        self._lines.clear()
        hub.webhooks.fresh.clear()
        hub.webhooks.done.clear()
        hub.ledger.unsaved = len(hub.ledger.rows)
        if lines:
            self._file.write("".join(exchange.encode(line) + "\n" for line in lines).encode("utf-8", "surrogatepass"))
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
        if hub.clock.ahead != self._ahead:
            self._ahead = hub.clock.ahead
            lines.append(["clock", self._ahead])
        settings = exchange.encode(snapshot.dump_settings(hub))
        if hub.portal.revision != self._revision or settings != self._settings:
            self._revision, self._settings = hub.portal.revision, settings
            lines.append(["portal", snapshot.dump_portal(hub.portal), snapshot.dump_settings(hub)])
        return lines

    def _load(self) -> None:
        hub, waiting = self._hub, {}
        for line in self._path.read_bytes().split(b"\n"):
            try:
                word, *facts = json.loads(line.decode("utf-8", "surrogatepass"))
            except ValueError:
                continue  # the torn end of a killed process
            if word == "parcel":
                waiting[facts[0]] = facts
            elif word == "done":
                for number in facts[0]:
                    waiting.pop(number, None)
            else:
                LOADERS[word](hub, *facts)
        for number, due, attempt, event in waiting.values():
            hub.webhooks.put(event, due, attempt, number)
        hub.ledger.unsaved = len(hub.ledger.rows)
        snapshot.index_all(hub)
        self._revision, self._ahead = hub.portal.revision, hub.clock.ahead
        self._settings = exchange.encode(snapshot.dump_settings(hub))


def _load_row(hub: Any, sort: str, *facts: Any) -> None:
    row = ledger.SORTS[sort](*facts)
    hub.ledger.keep(row)
    if isinstance(row, ledger.DeliveryRow):
        hub.webhooks.announcer.last_id = max(hub.webhooks.announcer.last_id, *row.events)


def _load_clock(hub: Any, ahead: float) -> None:
    hub.clock.ahead = ahead


LOADERS = {
    "portal": snapshot.load_portal,
    "clock": _load_clock,
    "record": snapshot.load_record,
    "gone": snapshot.load_gone,
    "edge": snapshot.load_edge,
    "row": _load_row,
}
