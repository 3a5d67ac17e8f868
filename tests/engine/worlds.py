"""Two sides in memory that normalise what they are given, and the fields and values to try on them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from crmsync.engine import changes, convert, errors, plan, record, spec, terms

L = terms.LocalType
R = terms.RemoteType
LOCAL = terms.SideName.LOCAL
REMOTE = terms.SideName.REMOTE
NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def unchanged(value):
    return value


def strip(text):
    return text and text.strip()


def lower(text):
    return text.strip().lower()


def renumber(text):
    try:
        return format(Decimal(text).normalize(), "f")
    except ArithmeticError:
        return text


@dataclass(frozen=True)
class Kind:
    """A pair of types with values worth trying; ``saves`` and ``keeps`` are what each side makes of a value."""

    local_type: terms.LocalType
    remote_type: terms.RemoteType
    local: tuple[object, ...]
    remote: tuple[str | None, ...]
    facts: dict = field(default_factory=dict)
    saves: Callable = unchanged
    keeps: Callable = unchanged


SHARED = spec.ValueMap(
    {"prospect": "lead", "new": "lead", "won": "customer"}, {"lead": "new", "customer": "won", "mql": "new"}
)
BLANKING = spec.ValueMap({"none": "", "a": "A"}, {"A": "a", "nothing": ""}, strict=False)
OWNERS = spec.ValueMap({"1": "100", "2": "200"}, {"100": "1", "200": "2"})
CHOICES = spec.ValueMap({"x": "X", "y": "Y", "z": "Y"}, {"X": "x", "Y": "y"})
MOMENT = datetime(2024, 2, 29, 10, 30, 0, 123456, tzinfo=UTC)

KINDS = (
    Kind(L.TEXT, R.STRING, (None, "", "a", "b", "A ", "a\nb", "nul\0"), (None, "", "a", "b", "b\nc", "x" * 9),
         {"max_length": 8}),
    Kind(L.TEXT, R.STRING, (None, "Ann@X.org", "ann@x.org", " Bob@X "), (None, "ann@x.org", "bob@x", "Ann@x"),
         keeps=lower),
    Kind(L.TEXT, R.STRING, (None, "ab", "CD ", "ab "), (None, "ab", " ab", "EF"), saves=strip),
    Kind(L.TEXT, R.PHONE_NUMBER, (None, "+61 4", "4"), (None, "+61 4", "5")),
    Kind(L.TEXT, R.NUMBER, (None, "1.0", "2", "two"), (None, "1", "2.00", "3"), keeps=renumber),
    Kind(L.INTEGER, R.NUMBER, (None, 0, 1, 1000, 7), (None, "0", "1.0", "1e3", "1.5", "abc"), keeps=renumber),
    Kind(
        L.DECIMAL, R.NUMBER, (None, Decimal("1.50"), Decimal("2"), Decimal("1.005")),
        (None, "1.5", "2.00", "3.333", "99999", "0.1"), {"max_digits": 5, "decimal_places": 2}, keeps=renumber,
    ),
    Kind(L.DECIMAL, R.STRING, (None, Decimal("1.50"), Decimal("2")), (None, "1.50", "02", "x")),
    Kind(L.FLOAT, R.NUMBER, (None, 0.1, 1e21, -2.5), (None, "0.1000000000000000055", "-2.50", "1e400"),
         keeps=renumber),
    Kind(L.BOOLEAN, R.BOOL, (None, True, False), (None, "true", "FALSE", "maybe")),
    Kind(L.BOOLEAN, R.ENUMERATION, (None, True, False), (None, "Yes", "No", "true"),
         {"value_map": spec.ValueMap({"true": "Yes", "false": "No"}, {"Yes": "true", "No": "false"})}),
    Kind(L.DATE, R.DATE, (None, date(2024, 2, 29), date(1, 1, 1)),
         (None, "2024-02-29", "9999-12-31", "1709164800000")),
    Kind(L.DATE, R.DATETIME, (None, date(2024, 2, 29)), (None, "2024-02-29T00:00:00Z", "2024-02-29T10:00:00Z")),
    Kind(L.DATETIME, R.DATETIME, (None, MOMENT, datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1)),
         (None, "2024-02-29T10:30:00.123Z", "1704067200000", "2024-01-02T00:00:00+02:00")),
    Kind(L.DATETIME, R.DATE, (None, MOMENT, datetime(2024, 1, 1, tzinfo=UTC)), (None, "2024-01-01", "2024-02-29")),
    Kind(L.MULTI, R.CHECKBOXES, (None, (), ("a",), ("b", "a"), ("c", "zz")), (None, "a", "b;a", "c;a", "q"),
         {"options": frozenset("abc"), "local_choices": frozenset("abc")}),
    Kind(L.MULTI, R.CHECKBOXES, (None, ("x",), ("z", "x"), ("y",)), (None, "X", "Y;X", "Y"), {"value_map": CHOICES}),
    Kind(L.MULTI, R.STRING, (None, ("a",), ("b", "a")), (None, "a", "b;a", "c")),
    Kind(L.TEXT, R.CHECKBOXES, (None, "b;a", "c"), (None, "a;b", "c;b", "a")),
    Kind(L.TEXT, R.ENUMERATION, (None, "prospect", "new", "won", "odd"), (None, "lead", "customer", "mql", "odd"),
         {"value_map": SHARED}),
    Kind(L.TEXT, R.ENUMERATION, (None, "gold", "tin"), (None, "gold", "silver"),
         {"options": frozenset({"gold", "silver"}), "local_choices": frozenset({"gold", "tin"})}),
    Kind(L.TEXT, R.STRING, (None, "none", "a", "b"), (None, "A", "nothing", "b"), {"value_map": BLANKING}),
    Kind(L.USER, R.OWNER, (None, 1, 2, 3), (None, "100", "200", "300"), {"value_map": OWNERS}),
)  # fmt: skip


@dataclass(frozen=True)
class Draw:
    """One field as drawn; the numbers pick from its kind's pools."""

    kind: Kind
    direction: terms.Direction
    mode: terms.WriteMode
    conflict: terms.ConflictPolicy
    blanks: terms.BlankPolicy
    picks: tuple[int, int, int]
    is_known: bool
    edits: tuple[int, int]

    def spec(self, number):
        return spec.FieldSpec(
            number, f"f{number}", f"p{number}", self.direction, self.kind.local_type, self.kind.remote_type,
            self.mode, self.conflict, self.blanks, **self.kind.facts,
        )  # fmt: skip

    def local(self, pick):
        return self.kind.local[pick % len(self.kind.local)]

    def remote(self, pick):
        return self.kind.remote[pick % len(self.kind.remote)]


class World:
    """A local row and a HubSpot record that answer in their own way, the link's base, and what was told."""

    def __init__(self, draws, direction, ages=(0, 0)):
        self.draws = draws
        self.fields = tuple(draw.spec(number) for number, draw in enumerate(draws))
        self.mapping = spec.MappingSpec(1, 1, 1, "demo.person", "contacts", direction, self.fields)
        self.local, self.remote = {}, {}
        self.base: dict[int, changes.BaseValue] = {}
        self.ages = [None if age is None else NOW + timedelta(minutes=age) for age in ages]
        self.clashes: list[changes.Clash] = []
        self.exists = {LOCAL: True, REMOTE: True}
        self.is_linked = True

    def fill(self):
        for one, draw in zip(self.fields, self.draws, strict=True):
            base_pick, local_pick, remote_pick = draw.picks
            # two thirds of the values are the base's own, so that one-sided changes are common
            self.local[one.local] = draw.local(local_pick if local_pick % 3 else base_pick)
            self.remote[one.remote] = draw.remote(remote_pick if remote_pick % 3 else base_pick)
            if draw.is_known:
                self.base[one.id] = changes.BaseValue(
                    text_or_none(draw.local(base_pick), one), convert.remote_text(draw.remote(base_pick), one)
                )
        return self

    def edit(self):
        """A user on each side changes about half of the fields; returns the texts they meant.

        A value that is back at what both sides agreed on is no message to anybody.
        """
        meant = {}
        for one, draw in zip(self.fields, self.draws, strict=True):
            for side, pick in zip((LOCAL, REMOTE), draw.edits, strict=True):
                if pick % 2:
                    continue
                before = self.text(side, one)
                if side is LOCAL:
                    self.local[one.local] = draw.local(pick // 2)
                else:
                    self.remote[one.remote] = draw.remote(pick // 2)
                known = self.base.get(one.id)
                agreed = known and (known.local if side is LOCAL else known.remote)
                if self.text(side, one) not in (before, agreed):
                    meant[side, one.id] = self.text(side, one)
        return meant

    def text(self, side, one):
        if side is LOCAL:
            return text_or_none(self.local.get(one.local), one)
        return convert.remote_text(self.remote.get(one.remote), one)

    def plan(self, wanted=terms.Direction.BOTH):
        here = record.Record(record.RecordKey("demo.person", "1"), dict(self.local), self.ages[0])
        there = record.Record(record.RecordKey("contacts", "1"), dict(self.remote), self.ages[1])
        pair = changes.Pair(
            here if self.exists[LOCAL] else None,
            there if self.exists[REMOTE] else None,
            changes.LinkState(1, dict(self.base)) if self.is_linked else None,
            wanted=wanted,
        )
        made = plan.make_plan(self.mapping, [pair], NOW)
        assert sum(made.counts().values()) == 1
        return made.pairs[0]

    def apply(self, planned):
        for write in planned.local_writes:
            self.local[write.name] = self.draws[write.field_id].kind.saves(write.value)
        for write in planned.remote_writes:
            assert isinstance(write.value, str)
            self.remote[write.name] = self.keep(write)
        if planned.creates:
            self.exists[planned.creates] = True
        self.is_linked = self.is_linked or planned.creates is not None or planned.adopts
        here = record.Record(record.RecordKey("demo.person", "1"), dict(self.local))
        there = record.Record(record.RecordKey("contacts", "1"), dict(self.remote))
        self.base |= plan.make_bases(self.mapping, planned, local=here, remote=there)
        self.clashes += planned.clashes

    def keep(self, write):
        one, kind = self.fields[write.field_id], self.draws[write.field_id].kind
        value = write.value
        if one.remote_type is R.CHECKBOXES and value.startswith(";"):
            value = ";".join([*(self.remote.get(write.name) or "").split(";"), value[1:]]).strip(";")
        return kind.keeps(value) or None


def text_or_none(value, one):
    try:
        return convert.local_text(value, one)
    except errors.ConvertError:
        return None
