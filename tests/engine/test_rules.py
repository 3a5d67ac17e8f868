"""Sync rules: operators over both sides' fields, and which rules meet which records."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crmsync.engine import record, rules, spec, terms

O = terms.Operator  # noqa: E741
LOCAL = terms.SideName.LOCAL
REMOTE = terms.SideName.REMOTE


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
    assert rules.decide(rule(where(operator, wanted)), local(f=actual), None).passed is passes


def test_every_operator_has_a_meaning_for_every_value():
    for operator in O:
        for value in (None, "", "x", "5", "2024-05-01", "\0", "1e9999"):
            for wanted in ("", "x", "5", "2024-05-01"):
                rules.decide(rule(where(operator, wanted)), local(f=value), None)


def test_a_failed_rule_tells_the_values_that_failed():
    """A7: the gate that kept a record out is shown with what it saw."""
    conditions = (where(O.EQUALS, "Qualified", REMOTE, "qualification"), where(O.NOT_EMPTY, field="email"))
    result = rules.decide(rule(*conditions), local(email=None), remote(qualification="New"))
    assert [one.actual for one in result.failed] == ["New", None]
    assert result.detail == (
        'HubSpot qualification is "New"; wanted: equals "Qualified"; Django email is blank; wanted: is not empty'
    )


def test_any_needs_one_condition_and_all_needs_every_one():
    conditions = (where(O.EQUALS, "1", field="a"), where(O.EQUALS, "1", field="b"))
    assert rules.decide(rule(*conditions, join=terms.Join.ANY), local(a="0", b="1"), None).passed
    assert not rules.decide(rule(*conditions, join=terms.Join.ALL), local(a="0", b="1"), None).passed
    assert len(rules.decide(rule(*conditions, join=terms.Join.ANY), local(), None).failed) == 2


def test_a_rule_without_conditions_keeps_nobody_out():
    assert rules.decide(rule(join=terms.Join.ANY), None, None).passed
    assert rules.decide(rule(), None, None).passed


def test_a_side_that_is_not_there_has_blanks():
    assert not rules.decide(rule(where(O.EQUALS, "x", REMOTE)), local(f="x"), None).passed
    assert rules.decide(rule(where(O.IS_EMPTY, "", REMOTE)), local(f="x"), None).passed


def test_every_rule_of_a_direction_must_pass():
    """L10: rules for pull and push are apart."""
    push = rule(where(O.EQUALS, "x"), direction=terms.Direction.PUSH)
    pull = rule(where(O.EQUALS, "y"), direction=terms.Direction.PULL)
    one = local(f="x")
    assert rules.decide_all(mapping(push, pull), terms.Direction.PUSH, one, None, False).passed
    assert not rules.decide_all(mapping(push, pull), terms.Direction.PULL, one, None, False).passed
    assert not rules.decide_all(mapping(push, rule(where(O.EQUALS, "z"))), terms.Direction.PUSH, one, None).passed


def test_updates_meet_only_rules_that_gate_them():
    """L13: rules gate creation only, unless told otherwise."""
    creation = rule(where(O.EQUALS, "x"))
    always = rule(where(O.EQUALS, "x"), gates_updates=True)
    one = local(f="y")
    assert rules.decide_all(mapping(creation), terms.Direction.PUSH, one, None, is_update=True).passed
    assert not rules.decide_all(mapping(always), terms.Direction.PUSH, one, None, is_update=True).passed
