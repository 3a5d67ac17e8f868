"""What staff typed for a rule or a fixed value: refused with a sentence where it can never be meant."""

import pytest

from crmsync.engine import terms, typed

O = terms.Operator  # noqa: E741
L = terms.LocalType
R = terms.RemoteType
STAGES = ("closedwon", "closedlost")


@pytest.mark.parametrize(
    ("operator", "value", "kind", "known", "words"),
    [
        (O.EQUALS, "closedwon", R.ENUMERATION, STAGES, None),
        (O.EQUALS, "won", R.ENUMERATION, STAGES, "“won” is not one of: closedlost, closedwon."),
        (O.IN, "closedwon; closedlost", R.ENUMERATION, STAGES, None),
        (O.NOT_IN, "closedwon;won", R.ENUMERATION, STAGES, "“won” is not one of"),
        (O.EQUALS, "", R.STRING, (), "Give the value to compare with"),
        (O.EQUALS, "  ", R.STRING, (), "Give the value to compare with"),
        (O.IS_EMPTY, "", R.STRING, (), None),
        (O.CONTAINS, "clo", R.ENUMERATION, STAGES, None),
        (O.GREATER, "5", L.INTEGER, (), None),
        (O.GREATER, "many", R.NUMBER, (), "“many” is no number"),
        (O.LESS, "2024-05-01", L.DATE, (), None),
        (O.LESS, "May", R.DATETIME, (), "“May” is no date"),
        (O.EQUALS, "1714521600000", R.DATE, (), "is no date"),
        (O.EQUALS, "yes", L.BOOLEAN, (), "not one of: true, false"),
        (O.EQUALS, "True", L.BOOLEAN, (), None),
        (O.NEXT_DAYS, "7", R.DATE, (), None),
        (O.NEXT_DAYS, "7", None, (), None),
        (O.NEXT_DAYS, "soon", R.DATE, (), "“soon” is no number of days. Write a whole number from 0 to 36500."),
        (O.NEXT_DAYS, "-1", R.DATETIME, (), "is no number of days"),
        (O.NEXT_DAYS, "7", R.STRING, (), "The field holds text"),
        (O.EQUALS, "anything", None, (), None),
    ],
)
def test_a_condition_fits_its_field(operator, value, kind, known, words):
    """C4: typed operators; an option, stage or number of days that cannot be is named with what could be."""
    fault = typed.find_condition_fault(operator, value, kind, known)
    assert fault is None if words is None else words in (fault or "")


def test_a_long_list_of_options_is_cut():
    fault = typed.find_value_fault("x", R.ENUMERATION, [f"option{n:03}" for n in range(500)])
    assert fault is not None
    assert fault.endswith("option019 and 480 more.")


def test_no_operator_and_type_raises():
    for operator in O:
        for kind in (None, *L, *R):
            for value in ("", "x", "5", "2024-05-01", "\0", "1e9999", ";", "true"):
                typed.find_condition_fault(operator, value, kind)
