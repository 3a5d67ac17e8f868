"""The planner against two worlds that normalise: everything generated comes to rest, and nothing is lost.

Each example is one record of many fields. A field has a kind (types and value pools), a direction, write mode,
policy for conflicts and for blanks, a base and two values. The plan is applied to two sides in memory, what they
answer becomes the base, and so on until nothing more is planned.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmsync.engine import changes, convert, errors, plan, record, spec, terms

L = terms.LocalType
R = terms.RemoteType
LOCAL = terms.SideName.LOCAL
REMOTE = terms.SideName.REMOTE
NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
EXAMPLES = int(os.environ.get("CRMSYNC_EXAMPLES", "0"))  # a nightly run sets thousands, and then no two are alike
THOROUGH = settings(
    max_examples=EXAMPLES or 200,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


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


NUMBERS = st.integers(0, 59)
DRAWS = st.builds(
    Draw,
    st.sampled_from(KINDS),
    st.sampled_from([*terms.Direction, terms.Direction.BOTH, terms.Direction.BOTH]),
    st.sampled_from([*terms.WriteMode, terms.WriteMode.OVERWRITE, terms.WriteMode.OVERWRITE]),
    st.sampled_from(list(terms.ConflictPolicy)),
    st.sampled_from(list(terms.BlankPolicy)),
    st.tuples(NUMBERS, NUMBERS, NUMBERS),
    st.sampled_from([True, True, True, False]),
    st.tuples(NUMBERS, NUMBERS),
)
RECORDS = st.lists(DRAWS, min_size=30, max_size=50)
DIRECTIONS = st.sampled_from([terms.Direction.BOTH, terms.Direction.BOTH, *terms.Direction])
AGES = st.tuples(st.sampled_from([None, -1, 0, 1]), st.sampled_from([None, -1, 0, 1]))


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


def check_writes(world, planned):
    """What every write must be: new to its side, in its direction, allowed by mode and blanks, and announced."""
    clashes = {clash.field_id: clash for clash in planned.clashes}
    for side, writes in ((LOCAL, planned.local_writes), (REMOTE, planned.remote_writes)):
        for write in writes:
            one = world.fields[write.field_id]
            flows = world.mapping.pulls(one) if side is LOCAL else world.mapping.pushes(one)
            assert flows, "against the direction"
            new = becomes(world, one, side, write)
            old = world.text(side, one)
            assert new != old, "a write that changes nothing"
            assert write.old == old
            check_mode(one, planned, old, new)
            check_announced(world, one, side, old, new, clashes)


def becomes(world, one, side, write):
    if side is LOCAL:
        return convert.local_text(write.value, one)
    if one.remote_type is R.CHECKBOXES and write.value.startswith(";"):
        return convert.remote_text(f"{world.remote[one.remote]}{write.value}", one)
    return convert.remote_text(write.value, one)


def check_mode(one, planned, old, new):
    if planned.creates:
        return
    assert new is not None or (one.blanks is terms.BlankPolicy.CLEAR and one.write_mode is terms.WriteMode.OVERWRITE)
    assert one.write_mode is not terms.WriteMode.IF_NEW
    if one.write_mode is terms.WriteMode.IF_EMPTY:
        assert old is None
    if one.write_mode is terms.WriteMode.APPEND and old is not None:
        assert set(parts(one, old)) <= set(parts(one, new)), "appending lost something"


def parts(one, text):
    if L.MULTI is one.local_type or one.remote_type is R.CHECKBOXES:
        return text.split(";")
    return [line.strip() for line in text.splitlines() if line.strip()]


def check_announced(world, one, side, old, new, clashes):
    """I10, I11: a value nobody agreed on is only ever replaced with a clash that keeps it."""
    known = world.base.get(one.id)
    agreed = None if known is None else (known.local if side is LOCAL else known.remote)
    if old is None or (known is not None and agreed == old) or one.write_mode is terms.WriteMode.APPEND:
        return
    clash = clashes[one.id]
    assert (clash.local if side is LOCAL else clash.remote) == old
    assert clash.winner is not side
    if known is not None:
        other = REMOTE if side is LOCAL else LOCAL
        other_agreed = known.remote if side is LOCAL else known.local
        assert world.text(other, one) != other_agreed, "a pending change was replaced by an old value"


def is_equal(world, one):
    """Equal as far as the sides can hold the same: what one says is what the other has."""
    kind = world.draws[one.id].kind
    try:
        sent = convert.to_remote(world.local.get(one.local), one)
        if convert.remote_text(kind.keeps(sent) if sent else "", one) == world.text(REMOTE, one):
            return True
    except errors.ConvertError:
        pass
    try:
        read = kind.saves(convert.from_remote(world.remote.get(one.remote), one))
        return convert.local_text(read, one) == world.text(LOCAL, one)
    except errors.ConvertError:
        return False


def check_rest(world, planned, moved):
    """I9: a field that was touched and may be overwritten both ways is equal, or is listed, or a blank kept out."""
    listed = {problem.field_id for problem in planned.problems} | {clash.field_id for clash in planned.clashes}
    for one in world.fields:
        both = world.mapping.pushes(one) and world.mapping.pulls(one)
        if one.id not in moved or one.id in listed or not both or one.write_mode is not terms.WriteMode.OVERWRITE:
            continue
        is_blank = world.text(LOCAL, one) is None or world.text(REMOTE, one) is None
        maps_to_blank = world.draws[one.id].kind.facts.get("value_map") is BLANKING
        if one.blanks is terms.BlankPolicy.KEEP and (is_blank or maps_to_blank):
            continue
        assert is_equal(world, one), one


def find_moved(world):
    """Fields that are not as their base says; only those can be expected to end equal."""
    return {
        one.id
        for one in world.fields
        if world.base.get(one.id) != changes.BaseValue(world.text(LOCAL, one), world.text(REMOTE, one))
    }


def settle(world, wanted=terms.Direction.BOTH, rounds=1):
    """Rounds until rest; the round after the last must plan nothing, and the one after that neither."""
    moved = find_moved(world)
    for way in (
        [wanted, *[terms.Direction.BOTH] * rounds] if wanted is not terms.Direction.BOTH else [wanted] * rounds
    ):
        planned = world.plan(way)
        check_writes(world, planned)
        world.apply(planned)
    for _ in range(2):
        rest = world.plan()
        assert not rest.is_write, "an echo"
        assert not rest.settles
        assert rest.outcome in (terms.Outcome.UNCHANGED, terms.Outcome.CONFLICT, terms.Outcome.FAILED)
        world.apply(rest)
    check_rest(world, rest, moved)


@THOROUGH
@given(RECORDS, DIRECTIONS, AGES)
def test_every_field_is_at_rest_after_one_round(draws, direction, ages):
    """I5, I8, I9, I10, I11, I12, A14, U1, L8: over all types, modes and policies."""
    settle(World(draws, direction, ages).fill())


@THOROUGH
@given(RECORDS, DIRECTIONS, AGES, st.sampled_from([terms.Direction.PUSH, terms.Direction.PULL]))
def test_a_run_of_one_direction_first_changes_nothing_of_the_end(draws, direction, ages, wanted):
    """I11, I12: what such a run leaves is still there for the next, and then everything is at rest."""
    world = World(draws, direction, ages).fill()
    planned = world.plan(wanted)
    assert not (planned.local_writes if wanted is terms.Direction.PUSH else planned.remote_writes)
    settle(world, wanted)


@THOROUGH
@given(RECORDS, DIRECTIONS, AGES)
def test_no_user_value_is_lost_over_two_rounds_of_edits(draws, direction, ages):
    """I10, by an oracle of its own: what a user wrote stands on that side, or is in a clash."""
    world = World(draws, direction, ages).fill()
    settle(world)
    world.clashes.clear()
    meant = world.edit()
    settle(world)
    for (side, number), text in meant.items():
        one = world.fields[number]
        if text is None or world.text(side, one) == text:
            continue
        told = [clash.local if side is LOCAL else clash.remote for clash in world.clashes if clash.field_id == number]
        as_kept = (draws[number].kind.saves if side is LOCAL else draws[number].kind.keeps)(text)
        is_kept = one.write_mode is terms.WriteMode.APPEND and set(parts(one, as_kept)) <= set(
            parts(one, world.text(side, one))
        )
        assert text in told or is_kept, one


@THOROUGH
@given(RECORDS, DIRECTIONS, st.sampled_from([LOCAL, REMOTE]), st.booleans())
def test_a_new_record_is_at_rest_after_three_rounds(draws, direction, missing, has_defaults):
    """I8, I12: also where the new record comes with defaults of its own."""
    world = World([replace(draw, is_known=False) for draw in draws], direction).fill()
    world.is_linked, world.exists[missing] = False, False
    if not has_defaults:
        (world.local if missing is LOCAL else world.remote).clear()
    first = world.plan()
    check_writes_of_create(world, first, missing)
    world.apply(first)
    if first.creates is not None:
        settle(world, rounds=2)


def check_writes_of_create(world, planned, missing):
    writes = planned.local_writes if missing is LOCAL else planned.remote_writes
    assert not (planned.remote_writes if missing is LOCAL else planned.local_writes)
    assert (planned.creates is missing) is bool(writes)
    assert all(write.value not in (None, "") for write in writes)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.local_type}-{kind.remote_type}")
def test_every_value_of_a_pool_is_at_rest_with_every_other(kind):
    """I8, I12, A14: the whole product of values for a two-way field, without chance."""
    draws = [
        Draw(kind, terms.Direction.BOTH, mode, terms.ConflictPolicy.PREFER_LOCAL, blanks, (base, 0, 0), True, (0, 0))
        for mode in terms.WriteMode
        for blanks in terms.BlankPolicy
        for base in range(len(kind.local) * len(kind.remote))
    ]
    for local in range(len(kind.local)):
        world = World(draws, terms.Direction.BOTH).fill()
        for number, draw in enumerate(draws):
            base = draw.picks[0]
            world.local[f"f{number}"] = kind.local[local]
            world.remote[f"p{number}"] = kind.remote[base // len(kind.local) % len(kind.remote)]
        settle(world)
