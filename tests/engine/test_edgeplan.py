"""Associations are decided three-way: both sides agree after one round, and nothing is removed that is not ours."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine import edgeplan, edgeterms, spec, terms

BOTH, PUSH, PULL = edgeterms.Ways(True, True), edgeterms.Ways(True, False), edgeterms.Ways(False, True)
FK = spec.AssociationSpec(1, "organisation", 2, "companies")
MANY = dataclasses.replace(FK, local="groups", is_several=True)
A, B, C = (edgeterms.Other(f"l{n}", f"r{n}") for n in range(3))
MADE, LEFT, REFUSED = terms.EdgeState.MADE, terms.EdgeState.LEFT, terms.EdgeState.REFUSED
MOVE = terms.EdgeMove


def base(other: edgeterms.Other, *, ours: bool = True, **facts: object) -> edgeterms.Known:
    return edgeterms.Known(other.local_pk, other.remote_id, MADE, ours, **facts)


def moves(one: spec.AssociationSpec, ways: edgeterms.Ways = BOTH, **seen: object) -> list[tuple[str, str, str]]:
    steps = edgeplan.decide(one, edgeterms.Seen(**seen), ways)
    return [(step.move, step.local_pk, step.remote_id) for step in steps]


def test_a_blank_side_is_filled_at_first_contact() -> None:
    assert moves(FK, local=(A,)) == [(MOVE.ADD_REMOTE, "l0", "r0")]
    assert moves(FK, remote=(A,)) == [(MOVE.ADD_LOCAL, "l0", "r0")]
    assert moves(FK, PUSH, remote=(A,)) == []
    assert moves(FK, PULL, local=(A,)) == []


def test_of_two_partners_hubspots_counts_unless_we_made_the_record() -> None:
    assert moves(FK, local=(A,), remote=(B,)) == [(MOVE.ADD_LOCAL, "l1", "r1")]
    assert moves(FK, local=(A,), remote=(B,), is_made_by_us=True) == [(MOVE.ADD_REMOTE, "l0", "r0")]
    assert moves(FK, PUSH, local=(A,), remote=(B,)) == [(MOVE.ADD_REMOTE, "l0", "r0")]
    assert moves(FK, PULL, local=(A,), remote=(B,), is_made_by_us=True) == [(MOVE.ADD_LOCAL, "l1", "r1")]


def test_a_cleared_foreign_key_removes_only_what_we_made() -> None:
    """F19: removing the local relation removes only edges the sync made; the other is left and stays left."""
    assert moves(FK, remote=(A,), known=(base(A),)) == [(MOVE.CUT_REMOTE, "l0", "r0")]
    assert moves(FK, remote=(A,), known=(base(A, ours=False),)) == [(MOVE.LEAVE, "l0", "r0")]
    left = edgeterms.Known("l0", "r0", LEFT)
    assert moves(FK, remote=(A,), known=(left,)) == [(MOVE.LEAVE, "l0", "r0")]
    assert moves(FK, local=(A,), remote=(A,), known=(left,)) == [(MOVE.KEEP, "l0", "r0")]


def test_a_removal_in_hubspot_clears_the_key_or_is_refused_where_it_is_required() -> None:
    known = (base(A, ours=False),)
    assert moves(FK, local=(A,), known=known) == [(MOVE.CUT_LOCAL, "l0", "r0")]
    required = dataclasses.replace(FK, is_required=True)
    steps = edgeplan.decide(required, edgeterms.Seen(local=(A,), known=known), BOTH)
    assert [(one.move, one.reason) for one in steps] == [(MOVE.REFUSE, edgeterms.REQUIRED)]
    assert "organisation" in steps[0].detail
    kept = edgeterms.Known("l0", "r0", REFUSED, reason=edgeterms.REQUIRED)
    assert moves(required, local=(A,), known=(kept,)) == [(MOVE.REFUSE, "l0", "r0")]
    assert moves(required, local=(A,), remote=(A,), known=(kept,)) == [(MOVE.KEEP, "l0", "r0")]


def test_several_partners_keep_the_present_one_or_wait_for_a_person() -> None:
    assert moves(FK, local=(A,), remote=(A, B), known=(base(A),)) == [(MOVE.KEEP, "l0", "r0")]
    steps = edgeplan.decide(FK, edgeterms.Seen(remote=(A, B)), BOTH)
    assert [(one.move, one.reason) for one in steps] == [(MOVE.REFUSE, edgeterms.SEVERAL)]
    assert "r0, r1" in steps[0].detail


def test_an_association_is_put_back_three_times_and_then_left_to_a_person() -> None:
    """F19: re-asserted after HubSpot's own automation, at most three times."""
    known, seen = base(A), 0
    for _ in range(6):
        (step,) = edgeplan.decide(FK, edgeterms.Seen(local=(A,), remote=(B,), known=(known,)), PUSH)
        if step.move is MOVE.REFUSE:
            known = edgeterms.Known("l0", "r0", REFUSED, True, step.asserted, step.reason)
            continue
        seen += 1
        known = base(A, asserted=step.asserted)
    assert seen == 3
    assert known.reason == edgeterms.TAKEN_BACK


def test_hubspots_automation_is_answered_and_a_users_choice_is_taken() -> None:
    facts = {"local": (A,), "remote": (B,), "known": (base(A),)}
    assert moves(FK, **facts) == [(MOVE.ADD_LOCAL, "l1", "r1")]
    assert moves(FK, automatic=frozenset({"r1"}), **facts) == [(MOVE.ADD_REMOTE, "l0", "r0")]


def test_an_unlinked_record_is_waited_for_on_the_side_that_has_it() -> None:
    ours, theirs = edgeterms.Other("l7"), edgeterms.Other("", "r7")
    assert moves(FK, local=(ours,)) == [(MOVE.WAIT, "l7", "")]
    assert moves(FK, remote=(theirs,)) == [(MOVE.WAIT, "", "r7")]
    assert moves(FK, local=(A,), remote=(theirs,), known=(base(A),)) == [
        (MOVE.KEEP, "l0", "r0"),
        (MOVE.WAIT, "", "r7"),
    ]
    assert moves(MANY, local=(ours,), remote=(theirs,)) == [(MOVE.WAIT, "l7", ""), (MOVE.WAIT, "", "r7")]


def test_what_waited_for_our_record_is_associated_although_hubspot_chose_another_meanwhile() -> None:
    waited = edgeterms.Known("l0", "", terms.EdgeState.WAITING, is_ours=True)
    assert moves(FK, local=(A,), remote=(B,), known=(waited,)) == [(MOVE.ADD_REMOTE, "l0", "r0")]


def test_a_moved_key_makes_the_new_edge_before_the_old_one_goes() -> None:
    assert moves(FK, local=(B,), remote=(A,), known=(base(A),)) == [
        (MOVE.ADD_REMOTE, "l1", "r1"),
        (MOVE.CUT_REMOTE, "l0", "r0"),
    ]


OTHERS = [edgeterms.Other(f"l{n}", f"r{n}") for n in range(5)]
some = st.lists(st.sampled_from(OTHERS), unique=True, max_size=5).map(tuple)
one_or_none = st.lists(st.sampled_from(OTHERS), max_size=1).map(tuple)
ways_ = st.sampled_from([BOTH, PUSH, PULL])


def apply(seen: edgeterms.Seen, steps: tuple[edgeplan.Step, ...], *, single: bool) -> edgeterms.Seen:
    """Both worlds and the memory after every step succeeded."""
    local, remote = {o.local_pk: o for o in seen.local}, {o.remote_id: o for o in seen.remote}
    known = []
    for step in steps:
        other = edgeterms.Other(step.local_pk, step.remote_id)
        if step.move is MOVE.ADD_LOCAL:
            local = {other.local_pk: other} if single else {**local, other.local_pk: other}
        elif step.move is MOVE.CUT_LOCAL:
            local.pop(other.local_pk)
        elif step.move is MOVE.ADD_REMOTE:
            remote[other.remote_id] = other
        elif step.move is MOVE.CUT_REMOTE:
            remote.pop(other.remote_id)
        state = STATES.get(step.move)
        if state is not None:
            known.append(
                edgeterms.Known(
                    step.local_pk, step.remote_id, state, step.is_ours, step.asserted, step.reason, step.detail
                )
            )
    return edgeterms.Seen(tuple(local.values()), tuple(remote.values()), tuple(known))


STATES = {
    MOVE.KEEP: MADE,
    MOVE.ADD_REMOTE: MADE,
    MOVE.ADD_LOCAL: MADE,
    MOVE.WAIT: terms.EdgeState.WAITING,
    MOVE.LEAVE: LEFT,
    MOVE.REFUSE: REFUSED,
}


@given(some, some, some, st.sets(st.sampled_from(OTHERS)), ways_)
def test_many_to_many_converges_and_is_at_rest_after_one_round(local, remote, agreed, ours, ways) -> None:
    known = tuple(base(other, ours=other in ours) for other in agreed)
    first = edgeterms.Seen(local, remote, known)
    steps = edgeplan.decide(MANY, first, ways)
    after = apply(first, steps, single=False)
    again = edgeplan.decide(MANY, after, ways)
    assert not edgeplan.changes(again, terms.SideName.LOCAL) + edgeplan.changes(again, terms.SideName.REMOTE)
    assert len({(step.local_pk, step.remote_id) for step in steps}) == len(steps)
    cut = {step.remote_id for step in steps if step.move is MOVE.CUT_REMOTE}
    assert cut <= {other.remote_id for other in ours & set(agreed)}
    if ways is BOTH:
        left = {one.remote_id for one in after.known if one.state is LEFT}
        assert {o.remote_id for o in after.local} == {o.remote_id for o in after.remote} - left


@given(one_or_none, some, one_or_none, st.booleans(), ways_, st.booleans(), st.booleans())
def test_a_foreign_key_is_at_rest_after_one_round(local, remote, agreed, ours, ways, required, made) -> None:
    one = dataclasses.replace(FK, is_required=required)
    first = edgeterms.Seen(local, remote, tuple(base(other, ours=ours) for other in agreed), made)
    steps = edgeplan.decide(one, first, ways)
    after = apply(first, steps, single=True)
    again = edgeplan.decide(one, after, ways)
    assert not edgeplan.changes(again, terms.SideName.LOCAL) + edgeplan.changes(again, terms.SideName.REMOTE)
    assert len({(step.local_pk, step.remote_id) for step in steps}) == len(steps)
    if not ours:
        assert all(step.move is not MOVE.CUT_REMOTE for step in steps)
    if required and local:
        assert after.local
