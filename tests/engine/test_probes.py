"""The values that are tried on a field: its choices and options, and the boundaries of its types."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from crmsync.engine import convert, probes, spec, terms

L = terms.LocalType
R = terms.RemoteType
ZONES = (ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata"))
SHARED = spec.ValueMap({"a": "A", "b": "A"}, {"A": "a", "C": "c"})


def field(local_type=L.TEXT, remote_type=R.STRING, **facts):
    return spec.FieldSpec(1, "one", "uno", local_type=local_type, remote_type=remote_type, **facts)


def test_the_boundary_days_are_tried():
    """F5: a leap day, the first and the last year."""
    days = probes.local_values(field(L.DATE, R.DATE), ())
    assert {None, date(2024, 2, 29), date(1, 1, 1), date(9999, 12, 31)} <= set(days)


def test_boundary_moments_are_tried_in_every_zone():
    """F5: nights of summer time both ways, microseconds, the first and the last year where they exist in UTC."""
    said = {
        convert.local_text(value, field(L.DATETIME))
        for value in probes.local_values(field(L.DATETIME, R.DATETIME), ZONES)
    }
    assert {
        "0001-01-01T00:00:00.000Z",
        "0001-01-01T04:56:02.000Z",  # New York's own time, before there were zones
        "9999-12-31T23:59:59.999Z",
        "9999-12-31T18:29:59.999Z",
        "2024-11-03T05:30:00.000Z",
        "2024-11-03T06:30:00.000Z",
        "2024-05-01T12:30:15.123Z",
    } <= said
    assert not any(text and text.startswith("10000") for text in said)


def test_decimals_are_tried_to_the_column_s_ends():
    """F5, Fault 42: digits, places, exponents, sign, zero; nothing that the column could not hold."""
    one = field(L.DECIMAL, R.NUMBER, max_digits=5, decimal_places=2)
    values = probes.local_values(one, ())
    assert {Decimal(0), Decimal("0.01"), Decimal("-999.99"), Decimal("1E+2"), None} <= set(values)
    narrow = probes.local_values(replace(one, max_digits=2), ())
    assert Decimal("1E+2") not in narrow


def test_texts_are_tried_to_both_limits():
    """F5: the column's length, HubSpot's length, emoji, right to left, NUL, CRLF."""
    here = probes.local_values(field(max_length=50), ())
    there = probes.remote_texts(field(max_length=50), ())
    assert max(len(text) for text in here if text) == 50
    assert max(map(len, there)) == 65_536
    for part in ("\0", "\r\n", "👧", "ש"):
        assert any(part in text for text in here if text)
        assert any(part in text for text in there)


@pytest.mark.parametrize(
    ("one", "here", "there"),
    [
        (field(value_map=SHARED), [None, "a", "b", "c"], ["", "A", "C"]),
        (field(value_map=SHARED, local_choices=frozenset("xy")), [None, "x", "y"], ["", "A", "C"]),
        (field(value_map=SHARED, options=frozenset("XY")), [None, "a", "b", "c"], ["", "X", "Y"]),
        (field(L.BOOLEAN, R.BOOL), [None, True, False], ["", "true", "false"]),
        (field(L.USER, R.OWNER, value_map=spec.ValueMap({"1": "10"}, {"10": "1"})), [None, "1"], ["", "10"]),
        (
            field(L.MULTI, R.CHECKBOXES, options=frozenset("ab"), local_choices=frozenset("xy")),
            [None, ("x",), ("y",), ("x", "y")],
            ["", "a", "b", "a;b"],
        ),
        (field(L.INTEGER, R.ENUMERATION, local_choices=frozenset({"1", "odd"})), [None, 1, "odd"], [""]),
    ],
)
def test_where_values_are_chosen_each_of_them_is_tried_and_no_other(one, here, there):
    """F5: every option of every enumeration, every local choice, owners through user links, and blank."""
    assert probes.local_values(one, ZONES) == here
    assert probes.remote_texts(one, ZONES) == there


def test_a_map_that_lets_values_pass_is_tried_with_others_too():
    """F5: what no line names crosses unchanged, so it must come back as well."""
    one = field(value_map=replace(SHARED, strict=False))
    assert probes.ODD in probes.local_values(one, ())
    assert probes.ODD in probes.remote_texts(one, ())


@pytest.mark.parametrize("remote_type", list(R))
@pytest.mark.parametrize("local_type", list(L))
def test_there_are_probes_for_every_pair_of_types(local_type, remote_type):
    """F5: none of them fails, blanks come first, and none is there that the column cannot be asked about."""
    one = field(local_type, remote_type, max_length=20, max_digits=8, decimal_places=2)
    assert probes.local_values(one, ZONES)[0] is None
    assert probes.remote_texts(one, ZONES)[0] == ""
