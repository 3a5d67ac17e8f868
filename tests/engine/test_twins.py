"""Twins: one row pushes a property that another row pulls; any two tables, any policy, and nothing echoes."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmsync.engine import changes, combined, plan, record, routes, spec, terms, twins
from tests.engine.worlds import LOCAL, NOW, REMOTE

THOROUGH = settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
OURS, KINDS, STAGES = ("new", "open", "won"), ("x", "y"), ("lead", "mql", "customer")
PAIRS = [f"{status} + {kind}" for status in OURS for kind in KINDS]
PUSH_MAPS = st.builds(spec.ValueMap, st.dictionaries(st.sampled_from(PAIRS), st.sampled_from(STAGES)))
PULL_MAPS = st.builds(spec.ValueMap, st.just({}), st.dictionaries(st.sampled_from(STAGES), st.sampled_from(OURS)))


class World:
    """A row with a status and a kind, a record with a stage; one field pushes the pair, one pulls the status."""

    def __init__(self, out, back, policy, ages):
        self.push = spec.FieldSpec(1, "status+kind", "stage", terms.Direction.PUSH, value_map=out, conflict=policy)
        self.pull = spec.FieldSpec(2, "status", "stage", terms.Direction.PULL, value_map=back)
        fields = (self.push, self.pull)
        self.mapping = spec.MappingSpec(1, 1, 1, "demo.deal", "deals", terms.Direction.BOTH, fields)
        self.twins = twins.find(routes.make_routes(self.mapping))
        self.local, self.stage, self.base = {"status": "new", "kind": "x"}, None, {}
        self.ages, self.clashes = [NOW + timedelta(minutes=age) for age in ages], []

    def records(self):
        values = {**self.local, "status+kind": combined.text_of(self.local.values())}
        here = record.Record(record.RecordKey("demo.deal", "1"), values, self.ages[0])
        return here, record.Record(record.RecordKey("deals", "1"), {"stage": self.stage}, self.ages[1])

    def plan(self, wanted=terms.Direction.BOTH):
        pair = changes.Pair(*self.records(), changes.LinkState(1, dict(self.base)), wanted=wanted)
        return plan.make_plan(self.mapping, [pair], NOW).pairs[0]

    def apply(self, planned):
        assert not (planned.local_writes and planned.remote_writes), "each would undo the other one"
        for write in planned.local_writes:
            self.local["status"] = write.value
        for write in planned.remote_writes:
            self.stage = write.value
        here, there = self.records()
        is_answered, is_written = bool(planned.remote_writes), bool(planned.local_writes)
        self.base |= plan.make_bases(
            self.mapping, planned, local=here if is_written else None, remote=there if is_answered else None
        )
        self.base |= twins.rebase(
            self.twins, planned, local=here, remote=there.values, is_answered=is_answered, is_written=is_written
        )
        self.clashes += planned.clashes

    def settle(self, rounds=2):
        for _ in range(rounds):
            self.apply(self.plan())
        rest = self.plan()
        assert not rest.is_write
        assert not rest.settles
        return rest


WORLDS = st.builds(
    World,
    PUSH_MAPS,
    PULL_MAPS,
    st.sampled_from(list(terms.ConflictPolicy)),
    st.tuples(st.integers(-1, 1), st.integers(-1, 1)),
)


def test_a_circle_is_known_from_a_reader():
    one = World(spec.ValueMap(), spec.ValueMap(), terms.ConflictPolicy.ASK, (0, 0))
    assert [twin.is_circle for twin in one.twins] == [True]
    other = spec.FieldSpec(3, "kind2", "pipeline+stage", terms.Direction.PULL)
    (twin,) = twins.find(
        [routes.Route(one.push, pushes=True, pulls=False), routes.Route(other, pushes=False, pulls=True)]
    )
    assert not twin.is_circle


@THOROUGH
@given(WORLDS, st.sampled_from(OURS), st.sampled_from(KINDS), st.sampled_from([None, *STAGES]))
def test_two_records_that_meet_come_to_rest(world, status, kind, stage):
    """L8, I8, I12: also where nothing is known of what they agreed on."""
    world.local, world.stage = {"status": status, "kind": kind}, stage
    world.settle()


@THOROUGH
@given(WORLDS, st.sampled_from(OURS), st.sampled_from(KINDS))
def test_records_that_agree_already_are_not_moved(world, status, kind):
    """L8: HubSpot has what would be pushed, so what it would come in as does not matter, base or none."""
    stage = world.push.value_map.to_remote.get(f"{status} + {kind}")
    world.local, world.stage = {"status": status, "kind": kind}, stage
    world.settle()
    assert stage is None or (world.local, world.stage) == ({"status": status, "kind": kind}, stage)


@THOROUGH
@given(WORLDS, st.sampled_from(OURS), st.sampled_from(KINDS), st.sampled_from([*terms.Direction]))
def test_what_is_pushed_never_moves_what_it_came_from(world, status, kind, wanted):
    """L8"""
    world.settle()
    world.local = {"status": status, "kind": kind}
    world.apply(world.plan(wanted))
    world.settle()
    assert world.local == {"status": status, "kind": kind}


@THOROUGH
@given(WORLDS, st.sampled_from(STAGES), st.sampled_from([*terms.Direction]))
def test_what_is_pulled_never_moves_what_it_came_from(world, stage, wanted):
    """L8"""
    world.settle()
    world.stage = stage
    world.apply(world.plan(wanted))
    world.settle()
    assert world.stage == stage


@THOROUGH
@given(WORLDS, st.sampled_from(OURS), st.sampled_from(STAGES), st.sampled_from([*terms.Direction]))
def test_no_value_of_a_user_is_lost_in_silence(world, status, stage, wanted):
    """I10: after edits on both sides each value stands, or is in a clash."""
    world.settle()
    old = (world.local["status"], world.stage)
    world.clashes.clear()
    world.local["status"], world.stage = status, stage
    world.apply(world.plan(wanted))
    world.settle()
    told = {text for clash in world.clashes for text in (clash.local, clash.remote)}
    if status != old[0] and world.local["status"] != status:
        assert told & {status, f"{status} + {world.local['kind']}"}
    if stage != old[1] and world.stage != stage:
        assert stage in told


def test_the_pushing_rows_policy_decides():
    """I10, Fault 5"""
    out = spec.ValueMap({"won + x": "customer", "new + x": "lead"})
    back = spec.ValueMap({}, {"lead": "new", "mql": "open", "customer": "won"})
    for policy, end, winner in (
        (terms.ConflictPolicy.PREFER_LOCAL, ("won", "customer"), LOCAL),
        (terms.ConflictPolicy.PREFER_HUBSPOT, ("open", "mql"), REMOTE),
        (terms.ConflictPolicy.ASK, ("won", "mql"), None),
    ):
        world = World(out, back, policy, (0, 0))
        world.settle()
        world.local["status"], world.stage = "won", "mql"
        world.settle()
        assert (world.local["status"], world.stage) == end
        assert world.clashes[0].winner is winner
