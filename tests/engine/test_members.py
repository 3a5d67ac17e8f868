"""Plans of records that do not take part: another mapping's, unlinked ones, and what new records get."""

from dataclasses import replace

import pytest

from crmsync.engine import changes, plan, spec, terms
from tests.engine import pairs

D, OUT = terms.Direction, terms.Outcome
MEMBERS = replace(
    pairs.rule("kind", "retail", gates_updates=True),
    conditions=(
        spec.ConditionSpec(pairs.LOCAL, "kind", terms.Operator.EQUALS, "retail"),
        spec.ConditionSpec(pairs.REMOTE, "pipeline", terms.Operator.EQUALS, "jobs"),
    ),
    is_membership=True,
)
FIXED = (
    spec.FixedSpec(pairs.LOCAL, "kind", "retail"),
    spec.FixedSpec(pairs.REMOTE, "pipeline", "jobs"),
    spec.FixedSpec(pairs.REMOTE, "firstname", "Nobody"),
)
UNLINKING = replace(pairs.rule("name", "Ann", D.PUSH), unlinks=True)


def ours(direction=D.BOTH, **facts):
    return pairs.mapping(direction, rules=(MEMBERS,), fixed=FIXED, **facts)


def test_a_new_hubspot_record_gets_its_sides_fixed_values():
    """A9: those of the other side stay there; a field's own value goes before one that is given at first."""
    made = pairs.plan_one(ours(), local=pairs.local(kind="retail", email="a@x"))
    assert made.creates is pairs.REMOTE
    assert {one.field: one.value for one in made.fixed} == {"pipeline": "jobs", "firstname": "Nobody"}
    named = pairs.plan_one(ours(), local=pairs.local(kind="retail", email="a@x", name="Ann"))
    assert [one.field for one in named.fixed] == ["pipeline"]


def test_a_new_row_gets_its_sides_fixed_values():
    """A3."""
    made = pairs.plan_one(ours(), remote=pairs.remote(pipeline="jobs", email="a@x"))
    assert (made.creates, [(one.field, one.value) for one in made.fixed]) == (pairs.LOCAL, [("kind", "retail")])


def test_fixed_values_alone_make_no_record():
    made = pairs.plan_one(ours(), local=pairs.local(kind="retail"))
    assert (made.outcome, made.reason) == (OUT.EXCLUDED, terms.Reason.BLANK)


@pytest.mark.parametrize("is_asked", [False, True])
@pytest.mark.parametrize(
    "sides",
    [
        {"local": pairs.local(kind="school", email="a@x")},
        {"remote": pairs.remote(pipeline="default", email="a@x")},
        {"local": pairs.local(kind="retail", email="a@x"), "remote": pairs.remote(pipeline="default", email="a@x")},
        {"local": pairs.local(kind="school", email="a@x"), "remote": pairs.remote(pipeline="jobs", email="a@x")},
    ],
)
def test_another_mappings_record_is_left_alone(sides, is_asked):
    """A3, A5: neither made nor linked, also where another record asks for it."""
    made = pairs.plan_one(ours(), **sides, is_asked=is_asked)
    assert (made.outcome, made.reason, made.is_write) == (OUT.EXCLUDED, terms.Reason.OTHER_MAPPING, False)


def test_a_linked_record_that_belongs_elsewhere_by_now_is_not_written_and_stays_linked():
    sides = {"local": pairs.local(kind="retail", name="Ann"), "remote": pairs.remote(pipeline="default")}
    made = pairs.plan_one(ours(), **sides, link=pairs.linked(name="Bob"))
    assert (made.outcome, made.reason) == (OUT.EXCLUDED, terms.Reason.OTHER_MAPPING)
    assert not made.is_write
    assert not made.unlinks
    assert "pipeline" in made.detail


def test_a_record_that_belongs_elsewhere_is_not_archived_with_its_partner():
    one = ours(deletes_remote=terms.DeletePolicy.ARCHIVE)
    made = pairs.plan_one(one, remote=pairs.remote(pipeline="default", email="a@x"), link=pairs.linked(email="a@x"))
    assert (made.outcome, made.archives) == (OUT.UNLINKED, None)
    mine = pairs.plan_one(one, remote=pairs.remote(pipeline="jobs", email="a@x"), link=pairs.linked(email="a@x"))
    assert (mine.outcome, mine.archives) == (OUT.ARCHIVED, pairs.REMOTE)


def test_a_linked_record_that_fails_an_unlinking_rule_is_unlinked():
    """L13: nothing is written on the way out; the detail names the value."""
    one = pairs.mapping(rules=(UNLINKING,))
    made = pairs.plan_one(one, local=pairs.local(name="Bob"), remote=pairs.remote(), link=pairs.linked(name="Ann"))
    assert (made.outcome, made.reason, made.unlinks) == (OUT.UNLINKED, terms.Reason.FILTER, True)
    assert not made.is_write
    assert '"Bob"' in made.detail


def test_records_kept_apart_rest_until_they_match_again():
    """L13: the ended link is left as it is, then taken up with what changed meanwhile."""
    one, link = pairs.mapping(rules=(UNLINKING,)), replace(pairs.linked(name="Ann", age="1"), ended=True)
    there = pairs.remote(firstname="Ann", age="1")
    apart = pairs.plan_one(one, local=pairs.local(name="Bob", age=1), remote=there, link=link)
    assert (apart.outcome, apart.is_at_rest, apart.unlinks) == (OUT.EXCLUDED, True, False)
    again = pairs.plan_one(one, local=pairs.local(name="Ann", age=2), remote=there, link=link)
    assert (again.outcome, again.adopts, again.is_at_rest) == (OUT.ADOPTED, True, False)
    assert pairs.sent(again) == {"age": "2"}


def test_a_match_that_would_be_unlinked_at_once_is_not_linked():
    one = pairs.mapping(rules=(UNLINKING,))
    made = pairs.plan_one(one, local=pairs.local(name="Bob"), remote=pairs.remote(firstname="Bob"))
    assert (made.outcome, made.reason) == (OUT.EXCLUDED, terms.Reason.FILTER)


def test_relative_dates_count_from_the_plans_moment():
    """C4: one plan, one now."""
    near = spec.ConditionSpec(pairs.LOCAL, "day", terms.Operator.NEXT_DAYS, "1")
    one = pairs.mapping(rules=(replace(pairs.rule("x", "y"), conditions=(near,)),))
    pair = changes.Pair(pairs.local(email="a@x", day="2024-05-02"), None)
    assert plan.make_plan(one, [pair], pairs.NOW).pairs[0].outcome is OUT.CREATED
    assert plan.make_plan(one, [pair], pairs.NOW.replace(month=4)).pairs[0].outcome is OUT.EXCLUDED
