"""The planner against two worlds that normalise: everything generated comes to rest, and nothing is lost.

Each example is one record of many fields. A field has a kind (types and value pools), a direction, write mode,
policy for conflicts and for blanks, a base and two values. The plan is applied to two sides in memory, what they
answer becomes the base, and so on until nothing more is planned.
"""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmsync.engine import changes, convert, errors, terms
from tests.engine import worlds

L = terms.LocalType
R = terms.RemoteType
LOCAL = terms.SideName.LOCAL
REMOTE = terms.SideName.REMOTE
THOROUGH = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


NUMBERS = st.integers(0, 59)
DRAWS = st.builds(
    worlds.Draw,
    st.sampled_from(worlds.KINDS),
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
        maps_to_blank = world.draws[one.id].kind.facts.get("value_map") is worlds.BLANKING
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
    settle(worlds.World(draws, direction, ages).fill())


@THOROUGH
@given(RECORDS, DIRECTIONS, AGES, st.sampled_from([terms.Direction.PUSH, terms.Direction.PULL]))
def test_a_run_of_one_direction_first_changes_nothing_of_the_end(draws, direction, ages, wanted):
    """I11, I12: what such a run leaves is still there for the next, and then everything is at rest."""
    world = worlds.World(draws, direction, ages).fill()
    planned = world.plan(wanted)
    assert not (planned.local_writes if wanted is terms.Direction.PUSH else planned.remote_writes)
    settle(world, wanted)


@THOROUGH
@given(RECORDS, DIRECTIONS, AGES)
def test_no_user_value_is_lost_over_two_rounds_of_edits(draws, direction, ages):
    """I10, by an oracle of its own: what a user wrote stands on that side, or is in a clash."""
    world = worlds.World(draws, direction, ages).fill()
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
    world = worlds.World([replace(draw, is_known=False) for draw in draws], direction).fill()
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


@pytest.mark.parametrize("kind", worlds.KINDS, ids=lambda kind: f"{kind.local_type}-{kind.remote_type}")
def test_every_value_of_a_pool_is_at_rest_with_every_other(kind):
    """I8, I12, A14: the whole product of values for a two-way field, without chance."""
    draws = [
        worlds.Draw(
            kind, terms.Direction.BOTH, mode, terms.ConflictPolicy.PREFER_LOCAL, blanks, (base, 0, 0), True, (0, 0)
        )
        for mode in terms.WriteMode
        for blanks in terms.BlankPolicy
        for base in range(len(kind.local) * len(kind.remote))
    ]
    for local in range(len(kind.local)):
        world = worlds.World(draws, terms.Direction.BOTH).fill()
        for number, draw in enumerate(draws):
            base = draw.picks[0]
            world.local[f"f{number}"] = kind.local[local]
            world.remote[f"p{number}"] = kind.remote[base // len(kind.local) % len(kind.remote)]
        settle(world)
