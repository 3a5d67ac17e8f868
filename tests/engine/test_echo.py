"""L8: a value that has crossed and come out as another one is never written back by itself."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine import changes, echo, plan, prove, record, spec, terms, valuemap

D = terms.Direction
LOCAL = terms.SideName.LOCAL
NOW = datetime(2024, 5, 1, tzinfo=UTC)


def keep(text, one):
    """A HubSpot that changes nothing."""
    return text


def lower(text, one):
    return text.strip().lower()


def field(**facts):
    return spec.FieldSpec(1, "status", "stage", **facts)


def mapping(one):
    return spec.MappingSpec(3, 7, 1, "demo.person", "contacts", D.BOTH, (one,))


def prove_one(one, settle=keep):
    return prove.prove(mapping(one), settle=settle).fields[0]


LOCALS, REMOTES = "abcdef", "ABCD"
SHARED_OUT = st.dictionaries(st.sampled_from(LOCALS), st.sampled_from(REMOTES), min_size=5)
SHARED_IN = st.dictionaries(st.sampled_from(REMOTES), st.sampled_from("ab"), min_size=3)
ANY_OUT = st.dictionaries(st.sampled_from(LOCALS), st.sampled_from(REMOTES))
ANY_IN = st.dictionaries(st.sampled_from(REMOTES), st.sampled_from(LOCALS))
MAPS = st.one_of(
    st.builds(spec.ValueMap, SHARED_OUT, ANY_IN, st.booleans()),
    st.builds(spec.ValueMap, ANY_OUT, SHARED_IN, st.booleans()),
)
FIELDS = st.builds(
    lambda value_map, **facts: field(value_map=value_map, **facts),
    MAPS,
    conflict=st.sampled_from(list(terms.ConflictPolicy)),
    blanks=st.sampled_from(list(terms.BlankPolicy)),
    write_mode=st.sampled_from(list(terms.WriteMode)),
)


def planned(one, local, remote, base, wanted=D.BOTH):
    here = record.Record(record.RecordKey("demo.person", "1"), {one.local: local})
    there = record.Record(record.RecordKey("contacts", "1"), {one.remote: remote})
    pair = changes.Pair(here, there, changes.LinkState(1, base), wanted=wanted)
    return plan.make_plan(mapping(one), [pair], NOW).pairs[0]


def crossed(one, local, remote):
    """A value and what it became, with the base that the planner itself leaves behind."""
    base = {one.id: changes.BaseValue(None, None)}
    made = planned(one, local, remote, base)
    for write in made.local_writes:
        local = write.value
    for write in made.remote_writes:
        remote = write.value
    here = record.Record(record.RecordKey("demo.person", "1"), {one.local: local})
    there = record.Record(record.RecordKey("contacts", "1"), {one.remote: remote})
    return local, remote, base | plan.make_bases(mapping(one), made, local=here, remote=there)


@given(FIELDS)
def test_an_echo_never_moves_the_value_it_started_from(one):
    """L6, L7, L8, I8: whatever the two tables say, (base, local, remote) after the trip plan no write.

    Asked of the planner itself, in both directions and in each alone, and also without the base.
    """
    assert not (valuemap.is_injective(one.value_map.to_remote) and valuemap.is_injective(one.value_map.to_local))
    starts = [(text, "") for text in LOCALS] + [(None, text) for text in REMOTES]
    for start in starts:
        local, remote, base = crossed(one, *start)
        assert local == start[0] or start[0] is None
        assert remote == start[1] or start[1] == ""
        for wanted in D:
            assert not planned(one, local, remote, base, wanted).is_write, start
        if local and remote:
            assert not planned(one, local, remote, {}).is_write, start


@given(FIELDS)
def test_the_prover_finds_what_the_tables_say(one):
    """F5: by an oracle of its own; and none of it is ever written by itself."""
    found = prove_one(one)
    known = set(one.value_map.to_remote) | set(one.value_map.to_local.values())
    unstable = set(valuemap.find_unstable(one.value_map))
    if one.value_map.strict:
        unstable |= known - set(one.value_map.to_remote)
        assert {each.start for each in found.findings if each.starts is LOCAL} == unstable
    assert {each.echo for each in found.findings} <= {echo.Echo.NEVER}


def test_a_base_that_held_what_was_sent_would_move_the_value():
    """L8, I8: the proof has teeth: the same echo is written where the base is not what each side answered."""
    sent = {1: changes.BaseValue("Ann@X.org", "Ann@X.org")}
    answered = {1: changes.BaseValue("Ann@X.org", "ann@x.org")}
    assert planned(field(), "Ann@X.org", "ann@x.org", sent).is_write
    assert not planned(field(), "Ann@X.org", "ann@x.org", answered).is_write


def test_the_prover_would_say_so_if_it_wrote(monkeypatch):
    """L8: a planner whose base forgets the answers is caught: the finding says that it writes each time."""

    def forget(mapping, done, **_answers):
        return {write.field_id: changes.BaseValue(write.value, write.value) for write in done.remote_writes}

    monkeypatch.setattr(plan, "make_bases", forget)
    found = prove_one(field(), settle=lower)
    assert {one.echo for one in found.findings if one.start.startswith("Mixed")} == {echo.Echo.ALWAYS}
