"""Movement and policies for unmapped values, in two worlds: nothing goes back or echoes, all comes to rest."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmsync.engine import changes, convert, errors, fieldplan, movement, routes, spec, terms
from tests.engine import worlds

L, R = terms.LocalType.TEXT, terms.RemoteType.ENUMERATION
LOCAL, REMOTE = terms.SideName.LOCAL, terms.SideName.REMOTE
THOROUGH = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
STAGES = ("lead", "mql", "sql", "customer")
OURS = ("new", "prospect", "active", "won", "odd")
ORDER = st.sampled_from([(), STAGES, ("lead", "mql", "", "sql", "customer")])
# Tables of any shape: several to one in each direction, with gaps, and no inverses of each other.
OUT = st.dictionaries(st.sampled_from(OURS), st.sampled_from(STAGES))
BACK = st.dictionaries(st.sampled_from(STAGES), st.sampled_from(OURS))
MAPS = st.builds(
    spec.ValueMap,
    OUT,
    BACK,
    st.booleans(),
    st.sampled_from([None, "lead", "customer"]),
    st.sampled_from([None, "new", "won"]),
)


@st.composite
def kinds(draw):
    facts = {
        "value_map": draw(st.none() | MAPS),
        "options": draw(st.sampled_from([frozenset(), frozenset(STAGES)])),
        "local_choices": draw(st.sampled_from([frozenset(), frozenset(OURS)])),
        "movement": draw(st.sampled_from(list(terms.Movement))),
        "order": draw(ORDER),
        "adds_options": draw(st.booleans()),
    }
    return worlds.Kind(L, R, (None, *OURS, "lead"), (None, *STAGES, "new"), facts)


NUMBERS = st.integers(0, 59)
DRAWS = st.builds(
    worlds.Draw,
    kinds(),
    st.sampled_from([*terms.Direction, terms.Direction.BOTH]),
    st.just(terms.WriteMode.OVERWRITE),
    st.sampled_from(list(terms.ConflictPolicy)),
    st.sampled_from(list(terms.BlankPolicy)),
    st.tuples(NUMBERS, NUMBERS, NUMBERS),
    st.sampled_from([True, True, False]),
    st.tuples(NUMBERS, NUMBERS),
)
RECORDS = st.lists(DRAWS, min_size=10, max_size=25)


def place(one, text):
    """(pipeline, place) of a HubSpot value."""
    if not text or text not in one.order:
        return None
    return one.order[: one.order.index(text)].count(""), one.order.index(text)


def is_before(first, second):
    return first is not None and second is not None and first[0] == second[0] and first[1] < second[1]


def meaning(one, text):
    """The HubSpot value that a local text stands for, where its map names one."""
    return text if one.value_map is None else one.value_map.to_remote.get(text or "")


def check_forward(world, planned):
    for side, writes in ((LOCAL, planned.local_writes), (REMOTE, planned.remote_writes)):
        for write in writes:
            one = world.fields[write.field_id]
            if one.movement is terms.Movement.FORWARD and side is REMOTE:
                assert not is_before(place(one, write.value), place(one, world.text(REMOTE, one)))
            if one.movement is terms.Movement.FORWARD and side is LOCAL and write.value:
                held = place(one, meaning(one, world.text(LOCAL, one)))
                assert not is_before(place(one, world.text(REMOTE, one)), held)
            if side is REMOTE and one.movement is terms.Movement.CLEAR_FIRST:
                went_back = is_before(place(one, write.value), place(one, world.text(REMOTE, one)))
                assert write.clears_first is went_back


def settle(world):
    """At most three rounds, then nothing is planned any more."""
    for _ in range(3):
        planned = world.plan()
        check_forward(world, planned)
        world.apply(planned)
    rest = world.plan()
    assert not rest.is_write
    assert not rest.settles
    return rest


@THOROUGH
@given(RECORDS)
def test_every_policy_and_movement_comes_to_rest(draws):
    """L8, I8, I12, A17: any map, any policy, any edit of both sides."""
    world = worlds.World(draws, terms.Direction.BOTH).fill()
    settle(world)
    world.edit()
    settle(world)


@THOROUGH
@given(RECORDS)
def test_a_local_value_is_never_moved_by_its_own_echo(draws):
    """L8: pushed to a blank record, come back and looked at again: the starting value stands."""
    world = worlds.World(draws, terms.Direction.BOTH)
    for one, draw in zip(world.fields, draws, strict=True):
        world.local[one.local] = draw.local(draw.picks[1])
        world.remote[one.remote] = None
        world.base[one.id] = changes.BaseValue(None, None)
    before = {one.id: world.text(LOCAL, one) for one in world.fields}
    settle(world)
    assert {one.id: world.text(LOCAL, one) for one in world.fields} == before


@pytest.mark.parametrize(
    ("present", "wanted", "is_back"),
    [
        ("sql", "lead", True),
        ("lead", "sql", False),
        ("lead", "lead", False),
        ("sql", "unknown", False),
        ("unknown", "lead", False),
        (None, "lead", False),
        ("sql", None, False),
    ],
)
def test_back_is_known_only_between_two_values_of_the_order(present, wanted, is_back):
    """A17"""
    one = spec.FieldSpec(1, "a", "b", order=STAGES)
    assert movement.is_back(one, present=present, wanted=wanted) is is_back


def test_stages_of_two_pipelines_have_no_order_among_each_other():
    """A17, X16"""
    one = spec.FieldSpec(1, "a", "b", order=("a1", "a2", "", "b1", "b2"))
    assert not movement.is_back(one, present="b2", wanted="a1")
    assert movement.is_back(one, present="b2", wanted="b1")


def test_a_local_value_without_a_line_out_stands_where_it_comes_from():
    """A17: a field that is only pulled has no table out."""
    table = spec.ValueMap({}, {"lead": "new", "mql": "new", "sql": "active", "customer": "won"})
    facts = {"remote_type": R, "value_map": table, "movement": terms.Movement.FORWARD, "order": STAGES}
    route = routes.Route(spec.FieldSpec(1, "a", "b", terms.Direction.PULL, **facts), pushes=False, pulls=True)
    base = changes.BaseValue("active", "sql")
    stays = fieldplan.decide(route, fieldplan.Seen("active", "mql", base), fieldplan.Around())
    assert (stays.pull, stays.settles, stays.note.code) == (None, True, "movement")
    moves = fieldplan.decide(route, fieldplan.Seen("active", "customer", base), fieldplan.Around())
    assert moves.pull.value == "won"


@pytest.mark.parametrize("text", ["a;b", " a", "line\nbreak", "x" * 201])
def test_what_cannot_be_an_option_is_not_added(text):
    """Fault 41"""
    one = spec.FieldSpec(1, "a", "b", remote_type=R, options=frozenset({"z"}), adds_options=True)
    assert convert.outgoing("new option", one) == "new option"
    with pytest.raises(errors.ConvertError):
        convert.outgoing(text, one)
