"""Quota: when HubSpot's day ends, how many calls a day needs, and how many of them are ours to use.

The daily limit belongs to the account, is shared by all its apps, and starts anew at midnight in the
account's own time zone. HubSpot: API usage guidelines.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

LEAST_DAYS: Final = 3  # a line through two points fits always and says nothing
LONGEST_OUTLOOK: Final = 730  # days; a straight line is no forecast for longer than two years


def is_known_zone(zone: str) -> bool:
    """Whether the time zone database has this name."""
    return _find_zone(zone) is not None


def day_of(now: datetime, zone: str) -> date:
    """The account's own day: the one a call of ``now`` counts to. A zone that is not known counts as UTC."""
    return _to_aware(now).astimezone(_find_zone(zone) or UTC).date()


def next_midnight(now: datetime, zone: str) -> datetime:
    """The first instant, as aware UTC, whose date in ``zone`` is later than that of ``now``.

    Right for days of 23 and 25 hours, for days that start at 01:00 because midnight is skipped, and for whole
    days that a zone skipped. A zone that is not known counts as UTC: see ``is_known_zone``. ``now`` is aware,
    else ValueError.
    """
    home: tzinfo = _find_zone(zone) or UTC
    today = _to_aware(now).astimezone(home).date()
    wall = datetime.combine(today + timedelta(days=1), time(), home)
    # A clock set back over midnight shows it twice, a clock set forward never: then neither is exact.
    both = sorted(wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    first = next(one for one in both if one > now and one.astimezone(home).date() > today)
    is_shown = first.astimezone(home).replace(tzinfo=None) == wall.replace(tzinfo=None)
    return first if is_shown else _find_jump(max(both[0], now.astimezone(UTC)), first, today, home)


@dataclass(frozen=True, slots=True)
class Reading:
    """The calls of one whole day, in the account's time zone."""

    day: date
    calls: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a day needs now and how that grows, in calls.

    ``days`` it is made of. Without any reading there is no mean and no peak; under ``LEAST_DAYS`` days no
    growth is claimed. ``level`` is where the line stands on the last day: the mean where there is no line.
    ``reaches_limit_on`` is a date, the last day or later, on which the line is at the limit; None also where
    that is more than ``LONGEST_OUTLOOK`` days away. ``share_of_limit`` is the mean's, 1.0 for all of it.
    """

    days: int = 0
    mean_per_day: float | None = None
    growth_per_day: float | None = None
    level: float | None = None
    peak_day: Reading | None = None
    reaches_limit_on: date | None = None
    share_of_limit: float | None = None

    def expected_in(self, days: int) -> int | None:
        """Calls a day, so many days after the last reading; None where nothing is known."""
        if self.level is None:
            return None
        return max(0, math.ceil(self.level + (self.growth_per_day or 0.0) * days))


def forecast(readings: Sequence[Reading], limit: int | None) -> Forecast:
    """A straight line through the days that were read, by least squares; days without a reading are not zero.

    Readings of the same day are added up. Leave out a day that is not over yet: it would look like a decline.
    """
    days: Counter[date] = Counter()
    for one in readings:
        days[one.day] += one.calls
    if not days:
        return Forecast()
    last = max(days)
    mean = sum(days.values()) / len(days)
    growth = _slope(days, mean) if len(days) >= LEAST_DAYS else None
    middle = sum(one.toordinal() for one in days) / len(days)
    level = mean + (growth or 0.0) * (last.toordinal() - middle)
    peak = max(days, key=lambda one: (days[one], one))
    return Forecast(
        days=len(days),
        mean_per_day=mean,
        growth_per_day=growth,
        level=level,
        peak_day=Reading(peak, days[peak]),
        reaches_limit_on=_find_full_day(last, level, growth, limit),
        share_of_limit=mean / limit if limit else None,
    )


def left_for_us(limit: int, remaining: int, share: float) -> int:
    """How many more calls crmsync may make today; never negative.

    ``limit`` and ``remaining`` are HubSpot's own numbers for the account, so what other apps use counts as it
    happens. ``share``, 0 to 1, is crmsync's: of ``limit``, ``1 - share`` stays untouched for the others.
    """
    ours = math.floor(round(limit * min(max(share, 0.0), 1.0), 6))  # 0.29 of 100 is 29, not 28.999…
    return max(0, remaining - (limit - ours))


def _to_aware(now: datetime) -> datetime:
    if now.utcoffset() is None:  # astimezone would take the machine's own zone without a word
        raise ValueError("now must be aware")
    return now


def _find_zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such name, no name at all, or a folder of the database
        return None


def _find_jump(before: datetime, after: datetime, today: date, home: tzinfo) -> datetime:
    """The second at which the date leaves ``today``, between an instant before it and one after it."""
    low, high = math.floor(before.timestamp()), math.ceil(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, home).date() > today:
            high = middle
        else:
            low = middle
    return datetime.fromtimestamp(high, UTC)


def _slope(days: Counter[date], mean: float) -> float:
    middle = sum(one.toordinal() for one in days) / len(days)
    width = sum((one.toordinal() - middle) ** 2 for one in days)
    return sum((one.toordinal() - middle) * (calls - mean) for one, calls in days.items()) / width


def _find_full_day(last: date, level: float, growth: float | None, limit: int | None) -> date | None:
    if not limit:
        return None
    if level >= limit:
        return last
    if growth is None or growth <= 0:
        return None
    days = math.ceil((limit - level) / growth)
    return last + timedelta(days=days) if days <= LONGEST_OUTLOOK else None
