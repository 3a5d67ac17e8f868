"""Rehearse: reads compared under two versions, and recent writes judged by the next one's rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine import discovered, rehearse

P = discovered.PropertyFacts
KNOWN = {
    "name": P(),
    "created": P("datetime", is_read_only=True),
    "gone": P(exists=False),
    "colour": P("enumeration", frozenset({"red", "blue"})),
    "stage": P("enumeration"),
    "reason": P(),
}
RULE = rehearse.RuleFacts("reason", "CONDITIONALLY_REQUIRED", {"stage": frozenset({"lost", "dead"})})
PAGES = st.dictionaries(
    st.sampled_from("123"), st.dictionaries(st.sampled_from("ab"), st.none() | st.sampled_from("xy"))
)


def test_the_same_answers_in_another_order_do_not_differ():
    """F22: order of records and properties, and a null against an absent one, are no difference."""
    old = [("1", {"a": "x", "b": None}), ("2", {})]
    new = [("2", {"a": None}), ("1", {"a": "x"})]
    assert rehearse.compare_pages(old, new) == ()


def test_differences_are_named_by_record_and_property():
    """F22: rehearsal reports what reads would answer otherwise."""
    old = [("1", {"a": "1", "b": "y"}), ("2", {"a": "x"})]
    new = [("3", {"a": "x"}), ("1", {"a": "1.0", "c": ""})]
    found = rehearse.compare_pages(old, new)
    assert [(one.id, one.property, one.old, one.new) for one in found] == [
        ("1", "a", "1", "1.0"),
        ("1", "b", "y", None),
        ("1", "c", None, ""),
        ("2", "", "there", "absent"),
        ("3", "", "absent", "there"),
    ]


@given(PAGES, PAGES)
def test_a_page_differs_from_another_as_that_one_from_it(one, other):
    there = rehearse.compare_pages(list(one.items()), list(other.items()))
    back = rehearse.compare_pages(list(other.items()), list(one.items()))
    assert [(d.id, d.property, d.new, d.old) for d in there] == [(d.id, d.property, d.old, d.new) for d in back]
    assert rehearse.compare_pages(list(one.items()), list(reversed(one.items()))) == ()


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ({"name": "Ada"}, []),
        ({"nothing": "1"}, [("nothing", "unknown_property")]),
        ({"gone": "1"}, [("gone", "unknown_property")]),
        ({"created": "1"}, [("created", "read_only")]),
        ({"colour": "green"}, [("colour", "option_unknown")]),
        ({"colour": "red"}, []),
        ({"colour": "red;blue"}, []),
        ({"colour": ";blue"}, []),
        ({"colour": "red;green"}, [("colour", "option_unknown")]),
        ({"colour": ""}, []),
        ({"stage": "anything"}, []),
        ({"z": "1", "a": "1"}, [("a", "unknown_property"), ("z", "unknown_property")]),
    ],
)
def test_what_a_write_would_meet(values, kinds):
    """F22: unknown, read-only and option-less writes are found without sending them."""
    found = rehearse.check_write(values, KNOWN, [])
    assert [(one.property, one.kind) for one in found] == kinds


@pytest.mark.parametrize(
    ("values", "held", "is_found"),
    [
        ({"stage": "lost"}, None, True),
        ({"stage": "won"}, None, False),
        ({"name": "x"}, None, False),
        ({"stage": "lost", "reason": "price"}, None, False),
        ({"stage": "lost"}, {"reason": "price"}, False),
        ({"stage": "lost"}, {"reason": None}, True),
        ({"reason": ""}, {"stage": "dead", "reason": "price"}, True),
        ({"name": "x"}, {"stage": "lost"}, False),
        ({"stage": "won"}, {"stage": "lost"}, False),
    ],
)
def test_a_property_that_is_required_under_a_condition(values, held, is_found):
    """F22, Fault 32: a create must satisfy every rule, an update those that it touches."""
    found = rehearse.check_write(values, KNOWN, [RULE], held=held)
    assert [one.kind for one in found] == (["required"] if is_found else [])
    if is_found:
        assert found[0].message == "reason must have a value when stage is “dead” or “lost”."


def test_rules_without_a_condition_and_of_other_kinds():
    """F22: required is always in force; what is not understood is not judged."""
    always, other = rehearse.RuleFacts("reason"), rehearse.RuleFacts("name", "REGEX")
    found = rehearse.check_write({"stage": "won"}, KNOWN, [always, other])
    assert [one.message for one in found] == ["reason must have a value."]
    assert rehearse.check_write({"name": "x"}, KNOWN, [always], held={}) == ()


def test_without_a_discovered_property_nothing_is_unknown():
    assert rehearse.check_write({"name": "x"}, {}, []) == ()


def test_no_finding_tells_a_value():
    """F22: a report may be sent around; what was written stays here."""
    found = rehearse.check_write({"colour": "canary"}, KNOWN, [])
    assert "canary" not in found[0].message
