"""Relative dates: whole days in UTC, exact moments, and the ranges whose answer time alone may have changed."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.engine import canonical, relative, terms

O = terms.Operator  # noqa: E741
# The clocks of Europe go forward at 01:00 UTC on this night, and the next day is the last of March.
NOW = datetime(2024, 3, 31, 0, 30, tzinfo=UTC)
_operators = st.sampled_from(sorted(relative.OPERATORS))
_moments = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("operator", "days", "actual", "is_met"),
    [
        (O.NEXT_DAYS, "7", "2024-04-07", True),
        (O.NEXT_DAYS, "7", "2024-04-08", False),
        (O.NEXT_DAYS, "7", "2024-03-31", True),
        (O.NEXT_DAYS, "7", "2024-03-30", False),
        (O.NEXT_DAYS, "0", "2024-03-31", True),
        (O.PAST_DAYS, "0", "2024-03-31", True),
        (O.NEXT_DAYS, "7", "2024-04-07T00:30:00Z", True),
        (O.NEXT_DAYS, "7", "2024-04-07T00:30:00.001Z", False),
        (O.NEXT_DAYS, "1", "2024-04-01T00:30:00Z", True),
        (O.NEXT_DAYS, "7", "2024-03-31T00:29:59.999Z", False),
        (O.NEXT_DAYS, "7", "2024-03-31T02:30:00+02:00", True),
        (O.PAST_DAYS, "31", "2024-02-29", True),
        (O.PAST_DAYS, "30", "2024-02-29", False),
        (O.PAST_DAYS, "1", "2024-03-30T00:30:00Z", True),
        (O.PAST_DAYS, "1", "2024-03-30T00:29:59Z", False),
        (O.PAST_DAYS, "1", "2024-03-31T00:30:01Z", False),
        (O.AFTER_DAYS, "1", "2024-04-01", False),
        (O.AFTER_DAYS, "1", "2024-04-02", True),
        (O.AFTER_DAYS, "1", "2024-04-01T00:30:01Z", True),
        (O.BEFORE_DAYS, "31", "2024-02-29", False),
        (O.BEFORE_DAYS, "31", "2024-02-28", True),
        (O.BEFORE_DAYS, "0", "2024-03-31T00:29:59Z", True),
        (O.NEXT_DAYS, "7", None, False),
        (O.BEFORE_DAYS, "7", None, False),
        (O.NEXT_DAYS, "7", "5", False),
        (O.NEXT_DAYS, "7", "1711845000000", False),
        (O.NEXT_DAYS, "7", "soon", False),
        (O.NEXT_DAYS, "7", "2024-13-01", False),
        (O.NEXT_DAYS, "", "2024-04-01", False),
        (O.NEXT_DAYS, "a week", "2024-04-01", False),
        (O.NEXT_DAYS, "-7", "2024-04-01", False),
        (O.NEXT_DAYS, "7.5", "2024-04-01", False),
        (O.NEXT_DAYS, "99999999999", "2024-04-01", False),
    ],
)
def test_days_are_whole_and_moments_exact(operator, days, actual, is_met):
    """C4: around midnight, a leap day and the night the clocks change; a blank is never within."""
    assert relative.is_met(operator, actual, days, NOW) is is_met


def test_the_day_is_utcs_wherever_now_was_read():
    """C4: half past midnight in Berlin is still yesterday where HubSpot keeps its days."""
    berlin = datetime(2024, 7, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    assert relative.is_met(O.PAST_DAYS, "2024-06-30", "0", berlin)
    assert not relative.is_met(O.PAST_DAYS, "2024-07-01", "0", berlin)


@pytest.mark.parametrize("text", ["", " ", "x", "-1", "1.5", "36501", "9" * 30, "٣"])
def test_what_is_no_number_of_days_is_refused(text):
    with pytest.raises(ValueError, match="whole number of days"):
        relative.parse_days(text)


def test_a_number_of_days_may_have_blanks_around_it():
    assert relative.parse_days(" 7 ") == 7


@given(_operators, st.integers(0, 400), _moments, st.timedeltas(timedelta(), timedelta(days=900)), _moments)
def test_whatever_changes_its_answer_is_in_a_window(operator, days, since, passed, value):
    """C4: no moment or day slips between two looks."""
    until, text = since + passed, str(days)
    windows = relative.make_windows(operator, text, since, until)
    for actual in (canonical.datetime_text(value), value.date().isoformat()):
        if relative.is_met(operator, actual, text, since) is not relative.is_met(operator, actual, text, until):
            assert any(_is_in(actual, *window) for window in windows)


def _is_in(actual: str, since: datetime, until: datetime) -> bool:
    if canonical.is_day(actual):
        return since.date() <= date.fromisoformat(actual) <= until.date()
    return since <= canonical.parse_datetime(actual) <= until


def test_a_wrong_number_of_days_has_no_window():
    assert relative.make_windows(O.NEXT_DAYS, "soon", NOW, NOW) == ()
