"""The append-only record of every request, every change of a record's state and every webhook delivery.

It is written by the portal itself and shares no code with any client: tests may take it as a witness.
One sequence of numbers runs through all three kinds of rows; times are milliseconds since 1970 UTC.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

from crmsync.fakehub import clock, store

RECORD_WRITES = {"write", "association"}


class RequestRow(NamedTuple):
    """One request. ``family`` is read, search, write, association, schema or other; ``applied`` says that the
    portal did what was asked, whatever the caller got to see; ``fault`` names a planted fault that hit it."""

    seq: int
    time: int
    method: str
    path: str
    query: str
    body: str
    status: int
    applied: bool
    seconds: float
    family: str
    operation: str
    fault: str


class ChangeRow(NamedTuple):
    """One changed value. Property "*" is the record's own life: created, planted, created_by_merge, archived,
    restored, purged or merged:<id>; "associations/<type>/<id>" holds the type numbers of an edge."""

    seq: int
    time: int
    type: str
    id: str
    property: str
    old: str
    new: str
    source: str


class DeliveryRow(NamedTuple):
    """One webhook request, or events that were lost on purpose (status 0, note "lost")."""

    seq: int
    time: int
    url: str
    events: list[int]
    attempt: int
    status: int
    seconds: float
    note: str


Row = RequestRow | ChangeRow | DeliveryRow
AnyRow = TypeVar("AnyRow", RequestRow, ChangeRow, DeliveryRow)
SORTS: dict[str, Any] = {"request": RequestRow, "change": ChangeRow, "delivery": DeliveryRow}


class Ledger:
    def __init__(self, time: clock.Clock) -> None:
        self._time = time
        self.rows: list[Row] = []
        self.counts: dict[str, int] = {}  # requests by family
        self.writes_made = 0
        self.unsaved = 0  # rows before this place are in the journal

    @property
    def last_seq(self) -> int:
        return len(self.rows)

    def add(self, sort: type[AnyRow], *facts: Any, at: int | None = None) -> AnyRow:
        row = sort(len(self.rows) + 1, self._time.now_ms() if at is None else at, *facts)
        self.keep(row)
        return row

    def keep(self, row: Row) -> None:
        self.rows.append(row)
        if isinstance(row, RequestRow):
            self.counts[row.family] = self.counts.get(row.family, 0) + 1
            self.writes_made += is_write(row)

    def since(self, seq: int = 0, sort: str = "") -> Iterator[Row]:
        return (row for row in self.rows[seq:] if not sort or isinstance(row, SORTS[sort]))

    def requests(self, operation: str = "", family: str = "", path: str = "", since: int = 0) -> list[RequestRow]:
        """Requests, narrowed by operation ("batch.create"), family, a part of the path, or a sequence number."""
        return [
            row
            for row in self.rows[since:]
            if isinstance(row, RequestRow)
            and (not operation or row.operation == operation)
            and (not family or row.family == family)
            and path in row.path
        ]

    def writes(self, since: int = 0) -> list[RequestRow]:
        """Calls that wrote CRM records or associations and were applied."""
        return [row for row in self.rows[since:] if isinstance(row, RequestRow) and is_write(row)]

    def changes(self, since: int = 0) -> list[ChangeRow]:
        return [row for row in self.rows[since:] if isinstance(row, ChangeRow)]

    def deliveries(self, since: int = 0) -> list[DeliveryRow]:
        return [row for row in self.rows[since:] if isinstance(row, DeliveryRow)]

    def watch(self, change: store.Change) -> None:
        """The store's watcher: one row a changed value, one for a change of life."""
        kind, number = change.record.kind.name, str(change.record.id)
        source = f"{change.source.change}:{change.source.id}"

        def note(who: str, name: str, old: str, new: str) -> None:
            self.add(ChangeRow, kind, who, name, old, new, source, at=change.at)

        if change.what == "associated":
            edge = change.facts
            name = f"associations/{edge['ends'][2]}/{edge['ends'][3]}"
            note(number, name, _numbers(edge["before"]), _numbers(edge["after"]))
        elif change.what == "merged":
            for old in (change.facts["primary"], *change.facts["others"]):
                note(str(old), "*", "live", f"merged:{number}")
        elif change.what != "updated":
            note(number, "*", "", change.what)
        if change.what != "planted":
            for name, (old, new) in change.values.items():
                note(number, name, old, new)


def sort_of(row: Row) -> str:
    """The word for a row's kind."""
    return next(sort for sort, kind in SORTS.items() if isinstance(row, kind))


def is_write(row: RequestRow) -> bool:
    return row.applied and row.family in RECORD_WRITES


def _numbers(types: tuple[int, ...]) -> str:
    return ";".join(str(number) for number in types)


def show(row: Row) -> dict[str, Any]:
    return {"kind": sort_of(row), **row._asdict()}
