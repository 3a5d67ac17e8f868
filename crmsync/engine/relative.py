"""Relative dates: is a day or moment within so many days of now, and which values pass a boundary meanwhile?

A day is compared with UTC's, as HubSpot keeps it; a moment exactly, and its days have 24 hours.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeVar

from crmsync.engine import canonical, terms

_When = TypeVar("_When", date, datetime)

O = terms.Operator  # noqa: E741
OPERATORS: Final = frozenset({O.NEXT_DAYS, O.PAST_DAYS, O.AFTER_DAYS, O.BEFORE_DAYS})
MOST_DAYS: Final = 36_500  # a hundred years: farther dates are slips of the keyboard


def parse_days(text: str) -> int:
    """The number of days that a condition names; ValueError for what is no whole number up to ``MOST_DAYS``."""
    text = text.strip()
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(MOST_DAYS)) or int(text) > MOST_DAYS:
        raise ValueError(f"not a whole number of days from 0 to {MOST_DAYS}")
    return int(text)


def is_met(operator: terms.Operator, actual: str | None, days: str, now: datetime) -> bool:
    """Whether a canonical text is a day or moment as the operator wants it; a blank or another text never is."""
    if actual is None or not canonical.is_day(actual[:10]):
        return False
    try:
        span = timedelta(days=parse_days(days))
        if canonical.is_day(actual):
            return _holds(operator, canonical.parse_date(actual), now.astimezone(UTC).date(), span)
        return _holds(operator, canonical.parse_datetime(actual), now, span)
    except ValueError:
        return False


def _holds(operator: terms.Operator, value: _When, now: _When, span: timedelta) -> bool:
    if operator is O.NEXT_DAYS:
        return now <= value <= now + span
    if operator is O.PAST_DAYS:
        return now - span <= value <= now
    return value > now + span if operator is O.AFTER_DAYS else value < now - span


def make_windows(
    operator: terms.Operator, days: str, since: datetime, until: datetime
) -> tuple[tuple[datetime, datetime], ...]:
    """The ranges, ends included, of values whose answer may have changed between two looks by time alone."""
    try:
        span = timedelta(days=parse_days(days))
    except ValueError:
        return ()
    nothing = timedelta()
    offsets = {
        O.NEXT_DAYS: (nothing, span),
        O.PAST_DAYS: (-span, nothing),
        O.AFTER_DAYS: (span,),
        O.BEFORE_DAYS: (-span,),
    }[operator]
    return tuple((since + one, until + one) for one in dict.fromkeys(offsets))
