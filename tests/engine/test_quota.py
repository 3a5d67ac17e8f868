"""Quota: midnight in any zone, an honest forecast, and the share that is ours."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.engine import quota

ZONES = sorted(available_timezones())
TRANSITIONS = [  # days on which clocks or calendars change, somewhere
    datetime(2026, 3, 8, tzinfo=UTC),
    datetime(2026, 3, 29, tzinfo=UTC),
    datetime(2026, 4, 24, tzinfo=UTC),
    datetime(2026, 9, 6, tzinfo=UTC),
    datetime(2026, 10, 25, tzinfo=UTC),
    datetime(2011, 12, 30, tzinfo=UTC),
]
ANY_TIME = st.datetimes(datetime(2006, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))
NEAR_TRANSITION = st.builds(
    lambda day, seconds: day + timedelta(seconds=seconds),
    st.sampled_from(TRANSITIONS),
    st.integers(-172_800, 172_800),
)
THOROUGH = settings(max_examples=400, deadline=None)


def walk(now, zone):
    """The same answer the slow way: minute by minute until the date is a later one."""
    home = ZoneInfo(zone)
    today = now.astimezone(home).date()
    moment = now.replace(second=0, microsecond=0)
    while moment.astimezone(home).date() <= today:
        moment += timedelta(minutes=1)
    return moment


@THOROUGH
@given(now=ANY_TIME | NEAR_TRANSITION, zone=st.sampled_from(ZONES))
def test_midnight_is_the_first_instant_of_the_next_date_in_every_zone(now, zone):
    """Fault 10: the reset time, over all zones; a day lasts 23 to 25 hours, 26 in Troll, 27 in Casey."""
    found = quota.next_midnight(now, zone)
    assert found.tzinfo is UTC
    assert found == walk(now, zone)
    assert timedelta() < found - now <= timedelta(hours=27)


@THOROUGH
@given(now=ANY_TIME | NEAR_TRANSITION, zone=st.sampled_from(ZONES), part=st.floats(0, 1, exclude_max=True))
def test_midnight_stays_the_same_until_it_comes(now, zone, part):
    """Fault 10: the shown resume time does not move while a portal waits."""
    found = quota.next_midnight(now, zone)
    later = now + (found - now) * part
    if later < found and quota.day_of(later, zone) == quota.day_of(now, zone):
        assert quota.next_midnight(later, zone) == found


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("US/Eastern", date(2026, 3, 8), 23),
        ("US/Eastern", date(2026, 11, 1), 25),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/Santiago", date(2026, 4, 4), 25),
        ("Asia/Kolkata", date(2026, 3, 29), 24),
        ("Antarctica/Troll", date(2026, 10, 25), 26),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
    ],
)
def test_days_of_odd_length(zone, day, hours):
    """Fault 10: DST nights, counted from one midnight to the next."""
    noon_before = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)) - timedelta(days=1)
    start = quota.next_midnight(noon_before, zone)
    assert quota.day_of(start, zone) == day
    assert quota.next_midnight(start, zone) - start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("zone", "now", "midnight"),
    [
        ("America/Santiago", datetime(2026, 9, 5, 12, tzinfo=UTC), datetime(2026, 9, 6, 4, tzinfo=UTC)),
        ("Africa/Cairo", datetime(2026, 4, 23, 12, tzinfo=UTC), datetime(2026, 4, 23, 22, tzinfo=UTC)),
        ("America/Toronto", datetime(1919, 3, 30, 12, tzinfo=UTC), datetime(1919, 3, 31, 4, 30, tzinfo=UTC)),
        ("Pacific/Apia", datetime(2011, 12, 30, 0, tzinfo=UTC), datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ],
    ids=["no midnight", "no midnight, by law", "half past eleven to half past midnight", "no such day at all"],
)
def test_a_midnight_that_does_not_exist_is_the_first_instant_of_the_new_day(zone, now, midnight):
    """Fault 10: zones whose clocks jump over midnight."""
    assert quota.next_midnight(now, zone) == midnight
    before = midnight - timedelta(seconds=1)
    assert quota.day_of(before, zone) == quota.day_of(now, zone)
    assert quota.next_midnight(before, zone) == midnight


def test_a_midnight_that_comes_twice_is_taken_once_from_each_side():
    """Newfoundland set its clocks back at 00:01 until 2011."""
    zone = "America/St_Johns"
    first, second = datetime(2010, 11, 7, 2, 30, tzinfo=UTC), datetime(2010, 11, 7, 3, 30, tzinfo=UTC)
    assert quota.next_midnight(first - timedelta(hours=1), zone) == first
    assert quota.next_midnight(second - timedelta(minutes=1), zone) == second


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "America", "../UTC", "/UTC", "\0", "é"])
def test_an_unknown_zone_counts_as_utc(zone):
    assert not quota.is_known_zone(zone)
    assert quota.next_midnight(datetime(2026, 1, 1, 5, tzinfo=UTC), zone) == datetime(2026, 1, 2, tzinfo=UTC)


def test_a_naive_now_is_refused():
    with pytest.raises(ValueError, match="aware"):
        quota.next_midnight(datetime(2026, 1, 1), "UTC")


def readings(*calls, first=date(2026, 3, 1)):
    return [quota.Reading(first + timedelta(days=n), one) for n, one in enumerate(calls)]


def test_nothing_is_known_of_nothing():
    """A23: no reading, no claim."""
    found = quota.forecast([], 1000)
    assert found == quota.Forecast()
    assert found.expected_in(30) is None


@pytest.mark.parametrize("calls", [(100,), (100, 900)])
def test_under_three_days_no_growth_is_claimed(calls):
    """A23: two points make a line through anything."""
    found = quota.forecast(readings(*calls), 1000)
    assert found.growth_per_day is None
    assert found.reaches_limit_on is None
    assert found.mean_per_day == sum(calls) / len(calls) == found.expected_in(30)
    assert found.peak_day.calls == max(calls)


def test_growth_reaches_the_limit_on_a_day():
    """A23: calls needed at present volume and growth."""
    found = quota.forecast(readings(100, 200, 300, 400), 1000)
    assert (found.days, found.mean_per_day, found.growth_per_day) == (4, 250, 100)
    assert found.level == 400
    assert found.share_of_limit == 0.25
    assert found.reaches_limit_on == date(2026, 3, 10)
    assert found.expected_in(6) == 1000


@pytest.mark.parametrize(
    ("calls", "limit", "day"),
    [
        ((400, 300, 200), 1000, None),
        ((500, 500, 500), 1000, None),
        ((500, 500, 500), None, None),
        ((500, 500, 500), 0, None),
        ((1000, 1000, 1000), 1000, date(2026, 3, 3)),
        ((10, 11, 12), 742, date(2028, 3, 2)),
        ((10, 11, 12), 743, None),
    ],
    ids=["shrinks", "steady", "no limit", "limit nought", "is there already", "in two years", "too far to tell"],
)
def test_when_the_limit_is_reached(calls, limit, day):
    assert quota.forecast(readings(*calls), limit).reaches_limit_on == day


def test_days_without_a_reading_are_not_days_without_calls():
    """A23: order and gaps change nothing, a day in two parts is one day."""
    sparse = [quota.Reading(date(2026, 3, day), day * 10) for day in (9, 1, 5)]
    split = [*sparse[1:], quota.Reading(date(2026, 3, 9), 40), quota.Reading(date(2026, 3, 9), 50)]
    assert quota.forecast(sparse, None).growth_per_day == pytest.approx(10)
    assert quota.forecast(split, None) == quota.forecast(sparse, None)


def test_a_shrinking_need_is_never_negative():
    assert quota.forecast(readings(300, 200, 100), None).expected_in(100) == 0


@pytest.mark.parametrize(
    ("limit", "remaining", "share", "left"),
    [
        (1000, 1000, 0.9, 900),
        (1000, 150, 0.9, 50),
        (1000, 100, 0.9, 0),
        (1000, 3, 0.9, 0),
        (1000, 400, 1.0, 400),
        (1000, 1000, 0.0, 0),
        (100, 100, 0.29, 29),
        (1000, 2000, 7.0, 2000),
        (0, 0, 0.5, 0),
    ],
)
def test_other_apps_keep_their_share(limit, remaining, share, left):
    """Fault 11: what others use counts, by HubSpot's own number, and their share is left alone."""
    assert quota.left_for_us(limit, remaining, share) == left


@given(limit=st.integers(0, 10**7), used=st.integers(0, 10**7), share=st.floats(0, 1))
def test_what_is_left_is_never_more_than_remains_and_never_eats_the_rest(limit, used, share):
    """Fault 11, I15."""
    remaining = max(0, limit - used)
    left = quota.left_for_us(limit, remaining, share)
    assert 0 <= left <= remaining
    assert left == 0 or remaining - left >= limit * (1 - share) - 1e-3
