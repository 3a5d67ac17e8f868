"""Sync rules: operators over both sides' fields, and which rules meet which records."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from crmsync.engine import record, rules, spec, terms

O = terms.Operator  # noqa: E741
LOCAL = terms.SideName.LOCAL
REMOTE = terms.SideName.REMOTE
NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def local(**values):
    return record.Record(record.RecordKey("demo.person", "1"), values)


def remote(**values):
    return record.Record(record.RecordKey("contacts", "1"), values)


def rule(*conditions, direction=terms.Direction.BOTH, join=terms.Join.ALL, gates_updates=False):
    return spec.RuleSpec(1, "ready", direction, join, conditions, gates_updates)


def where(operator, value="", side=LOCAL, field="f"):
    return spec.ConditionSpec(side, field, operator, value)


def mapping(*some):
    return spec.MappingSpec(1, 1, 1, "demo.person", "contacts", terms.Direction.BOTH, (), rules=some)


@pytest.mark.parametrize(
    ("actual", "operator", "wanted", "passes"),
    [
        ("Gold", O.EQUALS, "gold", True),
        ("Gold", O.EQUALS, "silver", False),
        ("1.0", O.EQUALS, "1", True),
        (Decimal("1.50"), O.EQUALS, "1.5", True),
        ("007", O.EQUALS, "7", False),
        ("+61", O.EQUALS, "61", False),
        ("5", O.EQUALS, "five", False),
        (True, O.EQUALS, "True", True),
        (date(2024, 5, 1), O.EQUALS, "2024-05-01", True),
        (datetime(2024, 5, 1, 9, tzinfo=UTC), O.EQUALS, "2024-05-01", True),
        ("2024-05-01T09:00:00Z", O.EQUALS, "2024-05-01T11:00:00+02:00", True),
        (None, O.EQUALS, "", True),
        ("", O.EQUALS, "", True),
        (None, O.EQUALS, "x", False),
        ("x", O.EQUALS, "", False),
        ("Gold", O.NOT_EQUALS, "silver", True),
        (None, O.NOT_EQUALS, "x", True),
        (None, O.NOT_EQUALS, "", False),
        ("b", O.IN, "a; B ;c", True),
        ("1.0", O.IN, "1;2", True),
        (None, O.IN, "a;b", False),
        ("d", O.NOT_IN, "a;b", True),
        (None, O.NOT_IN, "a;b", True),
        ("a", O.NOT_IN, "a;b", False),
        ("Quote approved", O.CONTAINS, "APPROVED", True),
        (("x", "y"), O.CONTAINS, "y", True),
        (None, O.CONTAINS, "x", False),
        ("x", O.CONTAINS, "", False),
        ("Quote", O.STARTS_WITH, "quo", True),
        (None, O.STARTS_WITH, "q", False),
        ("Quote", O.STARTS_WITH, "", False),
        ("10", O.GREATER, "9", True),
        (9, O.GREATER, "9.0", False),
        ("9.5", O.LESS, "10", True),
        (None, O.GREATER, "0", False),
        (None, O.LESS, "0", False),
        ("5", O.GREATER, "", False),
        ("abc", O.GREATER, "5", False),
        ("5", O.LESS, "abc", False),
        ("b", O.GREATER, "A", True),
        (date(2024, 5, 2), O.GREATER, "2024-05-01", True),
        ("2024-05-01T09:00:00Z", O.GREATER, "2024-05-01", False),
        ("2024-05-01T09:00:00Z", O.GREATER, "2024-05-01T08:59:59Z", True),
        ("2024-13-01", O.GREATER, "2024-05-01", False),
        (None, O.IS_EMPTY, "", True),
        ("", O.IS_EMPTY, "", True),
        (0, O.IS_EMPTY, "", False),
        ((), O.IS_EMPTY, "", True),
        (False, O.NOT_EMPTY, "", True),
        (None, O.NOT_EMPTY, "", False),
    ],
)
def test_operators_compare_as_what_the_values_are(actual, operator, wanted, passes):
    """C4 and A29."""
    assert rules.decide(rule(where(operator, wanted)), local(f=actual), None, now=NOW).passed is passes


def test_every_operator_has_a_meaning_for_every_value():
    for operator in O:
        for value in (None, "", "x", "5", "2024-05-01", "\0", "1e9999"):
            for wanted in ("", "x", "5", "2024-05-01"):
                rules.decide(rule(where(operator, wanted)), local(f=value), None, now=NOW)


def test_a_failed_rule_tells_the_values_that_failed():
    """A7: the gate that kept a record out is shown with what it saw."""
    conditions = (where(O.EQUALS, "Qualified", REMOTE, "qualification"), where(O.NOT_EMPTY, field="email"))
    result = rules.decide(rule(*conditions), local(email=None), remote(qualification="New"), now=NOW)
    assert [one.actual for one in result.failed] == ["New", None]
    assert result.detail == (
        'HubSpot qualification is "New"; wanted: equals "Qualified"; Django email is blank; wanted: is not empty'
    )


def test_any_needs_one_condition_and_all_needs_every_one():
    conditions = (where(O.EQUALS, "1", field="a"), where(O.EQUALS, "1", field="b"))
    assert rules.decide(rule(*conditions, join=terms.Join.ANY), local(a="0", b="1"), None, now=NOW).passed
    assert not rules.decide(rule(*conditions, join=terms.Join.ALL), local(a="0", b="1"), None, now=NOW).passed
    assert len(rules.decide(rule(*conditions, join=terms.Join.ANY), local(), None, now=NOW).failed) == 2


def test_a_rule_without_conditions_keeps_nobody_out():
    assert rules.decide(rule(join=terms.Join.ANY), None, None, now=NOW).passed
    assert rules.decide(rule(), None, None, now=NOW).passed


def test_a_side_that_is_not_there_has_blanks():
    assert not rules.decide(rule(where(O.EQUALS, "x", REMOTE)), local(f="x"), None, now=NOW).passed
    assert rules.decide(rule(where(O.IS_EMPTY, "", REMOTE)), local(f="x"), None, now=NOW).passed


def test_every_rule_of_a_direction_must_pass():
    """L10: rules for pull and push are apart."""
    push = rule(where(O.EQUALS, "x"), direction=terms.Direction.PUSH)
    pull = rule(where(O.EQUALS, "y"), direction=terms.Direction.PULL)
    one = local(f="x")
    assert rules.decide_all(mapping(push, pull), terms.Direction.PUSH, one, None, False, now=NOW).passed
    assert not rules.decide_all(mapping(push, pull), terms.Direction.PULL, one, None, False, now=NOW).passed
    assert not rules.decide_all(
        mapping(push, rule(where(O.EQUALS, "z"))), terms.Direction.PUSH, one, None, now=NOW
    ).passed


def test_updates_meet_only_rules_that_gate_them():
    """L13: rules gate creation only, unless told otherwise."""
    creation = rule(where(O.EQUALS, "x"))
    always = rule(where(O.EQUALS, "x"), gates_updates=True)
    one = local(f="y")
    assert rules.decide_all(mapping(creation), terms.Direction.PUSH, one, None, is_update=True, now=NOW).passed
    assert not rules.decide_all(mapping(always), terms.Direction.PUSH, one, None, is_update=True, now=NOW).passed


# --- Groups -------------------------------------------------------------------------------------------------------

_TRUE, _FALSE = where(O.IS_EMPTY, field="blank"), where(O.NOT_EMPTY, field="blank")


@pytest.mark.parametrize("join", terms.Join)
@pytest.mark.parametrize("groups_join", terms.Join)
@pytest.mark.parametrize("first", list(itertools.product([True, False], repeat=2)))
@pytest.mark.parametrize("second", list(itertools.product([True, False], repeat=2)))
def test_groups_are_joined_as_told(join, groups_join, first, second):
    """A29: all 64 of two groups of two: (a and b) or (c and d), (a or b) and (c or d), and the plain ones."""
    conditions = [
        replace(_TRUE if one else _FALSE, group=number)
        for number, group in ((1, first), (7, second))
        for one in group
    ]
    within = {terms.Join.ALL: all, terms.Join.ANY: any}
    expected = within[groups_join]([within[join](first), within[join](second)])
    result = rules.decide(replace(rule(*conditions, join=join), groups_join=groups_join), local(), None, now=NOW)
    assert result.passed is expected
    assert bool(result.failed) is not expected


@pytest.mark.parametrize("join", terms.Join)
def test_one_group_is_joined_the_same_whatever_joins_groups(join):
    conditions = (_TRUE, _FALSE)
    results = {
        rules.decide(replace(rule(*conditions, join=join), groups_join=one), local(), None, now=NOW).passed
        for one in terms.Join
    }
    assert results == {join is terms.Join.ANY}


# --- Relative dates -----------------------------------------------------------------------------------------------


def test_a_failed_relative_date_is_said_in_words():
    """C4: with the value that failed and the days that are wanted."""
    result = rules.decide(
        rule(where(O.NEXT_DAYS, "7", REMOTE, "closedate")), None, remote(closedate="2026-01-05"), now=NOW
    )
    assert result.detail == 'HubSpot closedate is "2026-01-05"; wanted: is within the next 7 days'


@pytest.mark.parametrize(
    "value", [date(2024, 5, 3), datetime(2024, 5, 3, tzinfo=UTC), "2024-05-03", "2024-05-03T00:00:00Z"]
)
def test_relative_dates_read_both_sides_values(value):
    """C4: what Django holds and what HubSpot says alike."""
    assert rules.decide(rule(where(O.NEXT_DAYS, "2")), local(f=value), None, now=NOW).passed
    assert not rules.decide(rule(where(O.NEXT_DAYS, "2")), local(f=value), None, now=NOW - timedelta(days=2)).passed


# --- Membership ---------------------------------------------------------------------------------------------------


def member(*conditions):
    return replace(rule(*conditions, gates_updates=True), is_membership=True)


def test_membership_passes_a_side_that_has_no_record():
    """A3, A5: a new row has no deal yet, so its pipeline cannot keep it out; a deal of another one is."""
    one = mapping(member(where(O.EQUALS, "retail", field="kind"), where(O.EQUALS, "jobs", REMOTE, "pipeline")))
    assert rules.decide_membership(one, local(kind="retail"), None, now=NOW).passed
    assert rules.decide_membership(one, None, remote(pipeline="jobs"), now=NOW).passed
    assert not rules.decide_membership(one, local(kind="school"), None, now=NOW).passed
    result = rules.decide_membership(one, local(kind="retail"), remote(pipeline="default"), now=NOW)
    assert (result.passed, result.reason) == (False, terms.Reason.OTHER_MAPPING)


def test_unlinking_looks_only_at_rules_that_unlink_and_flow():
    """L13: a pull rule of a mapping that only pushes ends no link."""
    push = replace(rule(where(O.EQUALS, "x"), direction=terms.Direction.PUSH), unlinks=True)
    pull = replace(push, direction=terms.Direction.PULL)
    only_push = replace(mapping(pull, rule(where(O.EQUALS, "x"))), direction=terms.Direction.PUSH)
    assert rules.decide_unlinking(only_push, local(f="y"), None, now=NOW).passed
    assert not rules.decide_unlinking(mapping(push), local(f="y"), None, now=NOW).passed
