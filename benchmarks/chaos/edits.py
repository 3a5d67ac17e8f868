"""Users on both sides who type, seeded: each value once, so that whoever sees it knows who typed it."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection

from benchmarks.chaos import oracle
from benchmarks.chaos.cells import COLUMNS, TABLES, Cell, Column, key_of, key_property
from project.demo.hub import Hub

HOT, HOT_SHARE = 24, 0.35  # a few cells that everybody edits
CHASE_SHARE = 0.25  # edits of the very cell that somebody just edited, most likely on the other side


@dataclass(frozen=True, slots=True)
class Place:
    """A cell and where it is on both sides."""

    cell: Cell
    column: Column
    pk: int
    remote_id: str


@dataclass(frozen=True, slots=True)
class Typed:
    """One line of the users' own journal: what was typed where, and when it was stored (seconds)."""

    at: float
    side: str
    cell: Cell
    value: str


@dataclass
class Desk:
    """What the typists share: the cells, the hot ones, the last one edited, and the journal."""

    places: Sequence[Place]
    hot: Sequence[Place]
    last: Place
    journal: list[Typed]

    def choose(self, rng: random.Random) -> Place:
        draw = rng.random()
        if draw < CHASE_SHARE:
            return self.last
        return rng.choice(self.hot if draw < CHASE_SHARE + HOT_SHARE else self.places)

    def note(self, side: str, place: Place, value: str) -> None:
        self.journal.append(Typed(time.monotonic(), side, place.cell, value))
        self.last = place


def make_desk(hub: Hub, rng: random.Random) -> Desk:
    """Every watched field of every record that both sides have."""
    places = [
        Place(Cell(kind, key, column.local), column, pk, remote_id)
        for kind in TABLES
        for key, pk, remote_id in _pairs(hub, kind)
        for column in COLUMNS
        if column.object_type == kind
    ]
    hot = rng.sample(places, min(HOT, len(places)))
    return Desk(places, hot, hot[0], [])


def _pairs(hub: Hub, kind: str) -> list[tuple[str, int, str]]:
    remote = {record["properties"].get(key_property(kind)): record["id"] for record in hub.records(kind)}
    rows = {key_of(kind, row): row.pk for row in TABLES[kind][0].objects.order_by("pk")}
    return [(key, pk, remote[key]) for key, pk in rows.items() if key in remote]


def make_value(column: Column, number: int) -> object:
    """A value of the column's type that no other number gives."""
    if column.local == "employees":
        return 100_000 + number
    if column.local in ("credit", "annual_revenue"):
        return Decimal(100_000 + number) + Decimal("0.25")
    if column.local == "birth_date":
        return date(1901, 1, 1) + timedelta(days=number)
    return f"{column.local.replace('_', ' ')} no. {number}"


class Typist(threading.Thread):
    """A user of one side who types until told to stop, or ``edits`` times."""

    def __init__(self, side: str, desk: Desk, *, seed: str, pause: float, hub_url: str, edits: int = 0) -> None:
        super().__init__(name=f"typist-{side}", daemon=True)
        self.side, self.desk, self.pause, self.edits = side, desk, pause, edits
        self.rng = random.Random(f"{side}:{seed}")
        self.hub = Hub(hub_url)
        self.is_over = threading.Event()
        self.error: Exception | None = None
        self.done = 0

    def run(self) -> None:
        type_in: Callable[[Place, object], None] = self._save if self.side == oracle.LOCAL else self._edit
        try:
            while not self.is_over.is_set() and (not self.edits or self.done < self.edits):
                place = self.desk.choose(self.rng)
                value = self._new_value(place.column)
                type_in(place, value)
                self.desk.note(self.side, place, place.column.read(value))
                self.done += 1
                time.sleep(self.rng.expovariate(1 / self.pause) if self.pause else 0)
        except Exception as error:  # told by whoever joins
            self.error = error
        finally:
            connection.close()

    def _new_value(self, column: Column) -> object:
        """Odd numbers are typed in Django, even ones in HubSpot."""
        return make_value(column, 2 * self.done + (self.side == oracle.LOCAL))

    def _save(self, place: Place, value: object) -> None:
        """As a view would: read the row, set the field, save it. Only that column, because a whole row saved from an
        old reading would undo others' changes with or without a sync."""
        row = place.column.model.objects.get(pk=place.pk)
        setattr(row, place.column.local, value)
        row.save(update_fields=[place.column.local, "updated_at"])

    def _edit(self, place: Place, value: object) -> None:
        self.hub.update(place.column.object_type, {place.remote_id: {place.column.remote: str(value)}})


def join(typists: Sequence[Typist]) -> None:
    """Wait for all; raises what stopped one of them."""
    for typist in typists:
        typist.join()
    for typist in typists:
        if typist.error is not None:
            raise typist.error
