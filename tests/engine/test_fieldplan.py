"""One field's decision: every direction, write mode, blank and conflict policy, as tables."""

from datetime import UTC, datetime, timedelta

import pytest

from crmsync.engine import changes, fieldplan, routes, spec, terms

D = terms.Direction
M = terms.WriteMode
P = terms.ConflictPolicy
B = terms.BlankPolicy
LOCAL = terms.SideName.LOCAL
REMOTE = terms.SideName.REMOTE
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
AGREED = changes.BaseValue("old", "old")
STAGES = spec.ValueMap({"prospect": "lead", "new": "lead", "won": "customer"}, {"lead": "new", "customer": "won"})


def field(direction=D.BOTH, **facts):
    return spec.FieldSpec(1, "one", "uno", direction, **facts)


def decide(one, local, remote, base=AGREED, *, mapping_direction=D.BOTH, match=(), **around):
    mapping = spec.MappingSpec(1, 1, 1, "demo.person", "contacts", mapping_direction, (one,), match=match)
    [route] = routes.make_routes(mapping)
    return fieldplan.decide(route, fieldplan.Seen(local, remote, base), fieldplan.Around(**around))


def summary(plan):
    """What is written where, or what else becomes of the field."""
    if plan.push and plan.pull:
        return ("both", plan.push.value, plan.pull.value)
    if plan.push or plan.pull:
        write = plan.push or plan.pull
        return ("push" if plan.push else "pull", write.value)
    if plan.problem:
        return ("problem", plan.problem.code)
    if plan.clash:
        return ("ask",)
    if plan.waits:
        return ("waits",)
    return ("settle",) if plan.settles else ("nothing",)


@pytest.mark.parametrize(
    ("one", "local", "remote", "expected"),
    [
        # two ways
        (field(), "old", "old", ("nothing",)),
        (field(), "new", "old", ("push", "new")),
        (field(), "old", "new", ("pull", "new")),
        (field(), "new", "new", ("settle",)),
        # one way: the other side's change stays where it is
        (field(D.PUSH), "new", "old", ("push", "new")),
        (field(D.PUSH), "old", "new", ("settle",)),
        (field(D.PULL), "old", "new", ("pull", "new")),
        (field(D.PULL), "new", "old", ("settle",)),
        # blanks never clear, unless told to
        (field(), None, "old", ("settle",)),
        (field(), "old", None, ("settle",)),
        (field(blanks=B.CLEAR), None, "old", ("push", "")),
        (field(blanks=B.CLEAR), "old", None, ("pull", None)),
        (field(D.PUSH, blanks=B.CLEAR), "old", None, ("settle",)),
        # write modes
        (field(write_mode=M.IF_EMPTY), "new", "old", ("settle",)),
        (field(write_mode=M.IF_EMPTY, blanks=B.CLEAR), None, "old", ("settle",)),
        (field(write_mode=M.IF_NEW), "new", "old", ("settle",)),
        (field(write_mode=M.IF_NEW), "old", "new", ("settle",)),
        (field(write_mode=M.APPEND), "new", "old", ("push", "old\nnew")),
        (field(write_mode=M.APPEND), "old", "new", ("pull", "old\nnew")),
        (field(write_mode=M.APPEND), "old\nnew", "old", ("push", "old\nnew")),
        (field(write_mode=M.APPEND, blanks=B.CLEAR), None, "old", ("settle",)),
        # what cannot be said is held back
        (field(remote_type=terms.RemoteType.NUMBER), "new", "old", ("problem", "type")),
        (field(max_length=3), "old", "longer", ("problem", "too_long")),
        (field(D.PUSH, max_length=3), "old", "longer", ("settle",)),
        (field(write_mode=M.IF_NEW, max_length=3), "old", "longer", ("settle",)),
    ],
)
def test_one_side_changed(one, local, remote, expected):
    """C1, U1, I11: the changed side's value goes over; the other side's never comes back."""
    assert summary(decide(one, local, remote)) == expected


def test_if_empty_fills_a_blank():
    base = changes.BaseValue("old", None)
    one = field(write_mode=M.IF_EMPTY)
    assert summary(decide(one, "new", None, base)) == ("push", "new")
    assert summary(decide(one, None, "new", changes.BaseValue(None, "old"))) == ("pull", "new")


@pytest.mark.parametrize(
    ("one", "local", "remote", "expected", "rule"),
    [
        (field(conflict=P.PREFER_LOCAL), "mine", "theirs", ("push", "mine"), "prefer_local"),
        (field(conflict=P.PREFER_HUBSPOT), "mine", "theirs", ("pull", "theirs"), "prefer_hubspot"),
        (field(conflict=P.ASK), "mine", "theirs", ("ask",), "ask"),
        (field(conflict=P.NEWEST), "mine", "theirs", ("pull", "theirs"), "newest_by_clock"),
        (field(D.PUSH, conflict=P.PREFER_HUBSPOT), "mine", "theirs", ("push", "mine"), "one_way"),
        (field(D.PULL, conflict=P.PREFER_LOCAL), "mine", "theirs", ("pull", "theirs"), "one_way"),
        (field(D.PUSH), None, "theirs", ("settle",), None),
        (field(D.PUSH, blanks=B.CLEAR), None, "theirs", ("push", ""), "one_way"),
        # where a blank does not clear, the value wins whatever the policy
        (field(conflict=P.PREFER_LOCAL), None, "theirs", ("pull", "theirs"), "not_blank"),
        (field(conflict=P.PREFER_HUBSPOT), "mine", None, ("push", "mine"), "not_blank"),
        (field(conflict=P.ASK), "mine", None, ("push", "mine"), "not_blank"),
        (field(conflict=P.PREFER_LOCAL, blanks=B.CLEAR), None, "theirs", ("push", ""), "prefer_local"),
        (field(conflict=P.PREFER_HUBSPOT, blanks=B.CLEAR), "mine", None, ("pull", None), "prefer_hubspot"),
        (field(conflict=P.ASK, blanks=B.CLEAR), "mine", None, ("ask",), "ask"),
        # modes that write to blanks only have nothing to contest
        (field(write_mode=M.IF_EMPTY, conflict=P.ASK), "mine", "theirs", ("settle",), None),
        (field(write_mode=M.IF_EMPTY, blanks=B.CLEAR), "mine", None, ("push", "mine"), "not_blank"),
        (field(write_mode=M.IF_NEW, conflict=P.ASK), "mine", "theirs", ("settle",), None),
        (field(write_mode=M.IF_NEW), "mine", None, ("settle",), None),
        # appending keeps both
        (
            field(write_mode=M.APPEND, conflict=P.ASK),
            "mine",
            "theirs",
            ("both", "theirs\nmine", "theirs\nmine"),
            None,
        ),
        (field(write_mode=M.APPEND, blanks=B.CLEAR), None, "theirs", ("pull", "theirs"), "not_blank"),
        (field(D.PUSH, write_mode=M.APPEND), "mine", "theirs", ("push", "theirs\nmine"), "one_way"),
    ],
)
def test_both_sides_changed(one, local, remote, expected, rule):
    """I10: whatever is replaced is in a clash, with both values and the rule."""
    plan = decide(one, local, remote)
    assert summary(plan) == expected
    assert (plan.clash.rule if plan.clash else None) == rule
    if plan.clash:
        assert (plan.clash.local, plan.clash.remote, plan.clash.base) == (local, remote, AGREED)
        assert plan.clash.winner is {"push": LOCAL, "pull": REMOTE, "ask": None}[expected[0]]
        assert not plan.settles


@pytest.mark.parametrize(
    ("one", "local", "remote", "expected", "rule"),
    [
        (field(), "same", "same", ("settle",), None),
        (field(), None, None, ("settle",), None),
        (field(), "mine", None, ("push", "mine"), None),
        (field(), None, "theirs", ("pull", "theirs"), None),
        (field(blanks=B.CLEAR), None, "theirs", ("pull", "theirs"), None),
        (field(D.PUSH), None, "theirs", ("settle",), None),
        (field(D.PUSH, blanks=B.CLEAR), None, "theirs", ("settle",), None),
        (field(D.PULL), "mine", None, ("settle",), None),
        (field(conflict=P.PREFER_LOCAL), "mine", "theirs", ("push", "mine"), "prefer_local"),
        (field(conflict=P.PREFER_HUBSPOT), "mine", "theirs", ("pull", "theirs"), "prefer_hubspot"),
        (field(conflict=P.ASK), "mine", "theirs", ("ask",), "ask"),
        (field(D.PUSH, conflict=P.ASK), "mine", "theirs", ("push", "mine"), "one_way"),
        (field(D.PULL, conflict=P.ASK), "mine", "theirs", ("pull", "theirs"), "one_way"),
        (field(write_mode=M.IF_EMPTY), "mine", None, ("push", "mine"), None),
        (field(write_mode=M.IF_EMPTY), "mine", "theirs", ("settle",), None),
        (field(write_mode=M.IF_NEW), "mine", None, ("settle",), None),
        (field(write_mode=M.APPEND), "mine", "theirs", ("both", "theirs\nmine", "theirs\nmine"), None),
    ],
)
def test_first_contact(one, local, remote, expected, rule):
    """Unknown base: equal settles, a blank is filled, two values are a clash and never overwritten silently."""
    plan = decide(one, local, remote, None)
    assert summary(plan) == expected
    assert (plan.clash.rule if plan.clash else None) == rule


def test_values_that_found_each_other_are_one_value_at_first_contact():
    """A match by e-mail, whatever its case, must not be told as a conflict about it."""
    email = spec.MatchSpec("one", "uno", terms.Normaliser.EMAIL)
    one = field(conflict=P.ASK)
    assert summary(decide(one, "Ann@X.org", "ann@x.org", None, match=(email,))) == ("settle",)
    assert summary(decide(one, "Ann@X.org", "bob@x.org", None, match=(email,))) == ("ask",)
    assert summary(decide(one, "Ann@X.org", "ann@x.org", match=(email,))) == ("ask",)


def test_our_own_new_record_takes_our_values():
    """A create that was answered by nobody: the record found by its key was made from the Django values."""
    for policy in P:
        plan = decide(field(conflict=policy), "mine", "theirs", None, is_made_by_us=True)
        assert summary(plan) == ("push", "mine")
        assert plan.clash.rule == "made_by_us"
    assert summary(decide(field(), None, "theirs", None, is_made_by_us=True)) == ("pull", "theirs")
    assert summary(decide(field(D.PULL), "mine", "theirs", None, is_made_by_us=True)) == ("pull", "theirs")


def test_newest_takes_the_record_modified_last():
    later = NOON + timedelta(seconds=1)
    one = field(conflict=P.NEWEST)
    assert summary(decide(one, "mine", "theirs", local_at=later, remote_at=NOON)) == ("push", "mine")
    assert summary(decide(one, "mine", "theirs", local_at=NOON, remote_at=later)) == ("pull", "theirs")


def test_a_change_against_the_direction_is_noted_and_not_reverted():
    """A6: the log says it was ignored because of direction."""
    plan = decide(field(D.PUSH), "old", "new")
    assert (plan.note.code, plan.settles, plan.problem) == ("direction", True, None)
    assert plan.note.message == "Changed in HubSpot, but the field flows to HubSpot only: left as it is."
    assert decide(field(D.PULL), "new", "old").note.code == "direction"
    assert decide(field(), "new", "old", mapping_direction=D.PULL).note.message.endswith(
        "flows from HubSpot only: left as it is."
    )


def test_a_run_of_one_direction_leaves_the_other_for_later():
    push_only = {"may_push": True, "may_pull": False}
    assert summary(decide(field(), "old", "new", **push_only)) == ("waits",)
    assert summary(decide(field(), "mine", "theirs", **push_only)) == ("waits",)
    assert summary(decide(field(conflict=P.PREFER_LOCAL), "mine", "theirs", **push_only)) == ("push", "mine")
    assert summary(decide(field(write_mode=M.APPEND), "mine", "theirs", **push_only)) == ("waits",)
    assert summary(decide(field(max_length=1), "old", "new", **push_only)) == ("waits",)
    assert summary(decide(field(), "new", "old", may_push=False)) == ("waits",)


@pytest.mark.parametrize("local", ["prospect", "new"])
def test_an_echo_never_moves_a_local_status_that_shares_its_hubspot_value(local):
    """L8 with L7: two local statuses share one stage; only a change in HubSpot moves the local status."""
    one = field(value_map=STAGES, remote_type=terms.RemoteType.ENUMERATION)
    agreed = changes.BaseValue(local, "lead")
    assert summary(decide(one, local, "lead", agreed)) == ("nothing",)
    assert summary(decide(one, local, "lead", None)) == ("settle",)
    assert summary(decide(one, local, "lead", changes.BaseValue("won", "customer"))) == ("settle",)
    assert summary(decide(one, "won", "lead", agreed)) == ("push", "customer")
    assert summary(decide(one, local, "customer", agreed)) == ("pull", "won")
    assert summary(decide(one, "prospect", "lead", changes.BaseValue("new", "lead"))) == ("settle",)


def test_a_value_that_maps_to_nothing_is_a_blank():
    to_blank = spec.ValueMap({"none": "", "old": "old"}, {"old": "old"})
    assert summary(decide(field(value_map=to_blank), "none", "old")) == ("settle",)
    assert summary(decide(field(value_map=to_blank, blanks=B.CLEAR), "none", "old")) == ("push", "")


def test_sets_are_appended_as_unions_and_sent_as_additions():
    one = field(write_mode=M.APPEND, local_type=terms.LocalType.MULTI, remote_type=terms.RemoteType.CHECKBOXES)
    base = changes.BaseValue("a", "a")
    assert summary(decide(one, "a;b", "a", base)) == ("push", ";b")
    assert summary(decide(one, "a", "a;c", base)) == ("pull", ("a", "c"))
    assert summary(decide(one, "a;b", "a;c", base)) == ("both", ";b", ("a", "b", "c"))
    assert summary(decide(one, None, "a", base)) == ("settle",)
    assert summary(decide(one, "b", None, base)) == ("push", "b")


def test_an_appended_text_that_gets_too_long_is_held_back_as_a_whole():
    one = field(write_mode=M.APPEND, max_length=8)
    assert summary(decide(one, "mine", "theirs")) == ("problem", "too_long")
    assert summary(decide(one, "long" * 20_000, "old")) == ("problem", "too_long")


def test_a_field_that_flows_no_way_is_left_alone():
    """X12."""
    mapping = spec.MappingSpec(1, 1, 1, "demo.person", "contacts", D.PUSH, (field(D.PULL),))
    assert routes.make_routes(mapping) == ()
