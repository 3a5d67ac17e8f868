"""Canonical texts of numbers, days, moments and sets of choices."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine import canonical, terms


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1.0", "1"),
        ("1.50", "1.5"),
        ("-0", "0"),
        ("0.00", "0"),
        ("1e3", "1000"),
        ("1E-3", "0.001"),
        ("100", "100"),
        (".5", "0.5"),
        ("5.", "5"),
        ("+7", "7"),
        ("-12.340", "-12.34"),
        ("0e9999", "0"),
        ("12345678901234567890.10", "12345678901234567890.1"),
    ],
)
def test_equal_numbers_have_one_text(number, text):
    assert canonical.number_text(canonical.parse_number(number)) == text


@pytest.mark.parametrize(
    "text", ["", "1,5", "1_000", "NaN", "Infinity", "1e99999", "٣", "0x10", "1 2", "--1", "9" * 900]
)
def test_what_is_not_a_number_is_refused(text):
    with pytest.raises(ValueError, match="not a number"):
        canonical.parse_number(text)


@pytest.mark.parametrize("number", [Decimal("NaN"), Decimal("Infinity"), Decimal("1e500"), Decimal("1e-500")])
def test_numbers_no_property_could_hold_are_refused(number):
    with pytest.raises(ValueError, match=r"finite|digits"):
        canonical.number_text(number)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_a_number_survives_its_text_and_the_text_is_stable(number):
    text = canonical.number_text(number)
    assert canonical.parse_number(text) == number
    assert canonical.number_text(canonical.parse_number(text)) == text
    assert "E" not in text


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-02-29T03:30:17.000Z", datetime(2020, 2, 29, 3, 30, 17, tzinfo=UTC)),
        ("2020-02-29T03:30:17Z", datetime(2020, 2, 29, 3, 30, 17, tzinfo=UTC)),
        ("2020-02-29T03:30:17.123456+02:00", datetime(2020, 2, 29, 1, 30, 17, 123456, tzinfo=UTC)),
        ("2020-02-29T03:30:17", datetime(2020, 2, 29, 3, 30, 17, tzinfo=UTC)),
        ("2020-02-29", datetime(2020, 2, 29, tzinfo=UTC)),
        ("1582947017123", datetime(2020, 2, 29, 3, 30, 17, 123000, tzinfo=UTC)),
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("-86400000", datetime(1969, 12, 31, tzinfo=UTC)),
        (" 86400000 ", datetime(1970, 1, 2, tzinfo=UTC)),
    ],
)
def test_moments_are_read_from_iso_text_and_milliseconds(text, moment):
    """Object APIs send ISO text, webhooks send milliseconds."""
    assert canonical.parse_datetime(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2020-02-30",
        "2020-2-3",
        "2020-W01-1",
        "20200229T000000",
        "999999999999999",
        "0001-01-01T00:00+01:00",
    ],
)
def test_what_is_not_a_moment_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        canonical.parse_datetime(text)


def test_moments_are_said_in_utc_milliseconds_cut_not_rounded():
    moment = datetime(2024, 5, 1, 12, 0, 0, 999999, tzinfo=timezone(timedelta(hours=2)))
    assert canonical.datetime_text(moment) == "2024-05-01T10:00:00.999Z"


def test_the_first_and_last_years_can_be_said():
    assert canonical.datetime_text(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000Z"
    assert canonical.parse_date("9999-12-31") == date(9999, 12, 31)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_survives_its_text_to_the_millisecond(moment):
    text = canonical.datetime_text(moment)
    assert canonical.is_canonical_datetime(text)
    assert canonical.parse_datetime(text) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def test_choices_are_a_sorted_set_and_none_when_there_are_none():
    assert canonical.choices_text(["b", "a", "b", ""]) == "a;b"
    assert canonical.choices_text(["", ""]) is None
    assert canonical.split_choices(";c;a") == ["c", "a"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", None),
        ("x", "x"),
        (terms.Direction.PUSH, "push"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (Decimal("1.50"), "1.5"),
        (1e22, "10000000000000000000000"),
        (float("nan"), "nan"),
        (date(2024, 1, 2), "2024-01-02"),
        (datetime(2024, 1, 2), "2024-01-02T00:00:00.000Z"),
        (("b", "a"), "a;b"),
        ([], None),
        (type("Row", (), {"pk": 7})(), "7"),
    ],
)
def test_any_value_has_a_plain_text(value, text):
    assert canonical.plain_text(value) == text
