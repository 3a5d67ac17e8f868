"""The arithmetic of waiting, against HubSpot's own windows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.hubspot import pacing

LIMITS = {
    ("burst", pacing.Tier.STANDARD): (100, 10),
    ("burst", pacing.Tier.PROFESSIONAL): (190, 10),
    ("burst", pacing.Tier.INCREASED): (250, 10),
    ("burst", pacing.Tier.MARKETPLACE): (110, 10),
    ("associations", pacing.Tier.STANDARD): (100, 10),
    ("associations", pacing.Tier.PROFESSIONAL): (150, 10),
    ("associations", pacing.Tier.INCREASED): (200, 10),
    ("search", pacing.Tier.STANDARD): (5, 1),
    ("search", pacing.Tier.INCREASED): (5, 1),
}


def call_times(budget, arrivals):
    tat, times = 0.0, []
    for now in arrivals:
        tat, wait = pacing.reserve(tat, now, per_second=budget.per_second, burst=budget.burst)
        times.append(now + wait)
    return times


def most_in(times, seconds):
    times = sorted(times)
    return max(sum(1 for t in times if start <= t < start + seconds) for start in times)


@pytest.mark.parametrize(("where", "limit"), LIMITS.items())
def test_a_greedy_caller_stays_under_hubspot_s_limit_and_uses_most_of_it(where, limit):
    """A22, C23, fault 9: bursts are respected, and at least four fifths of what is allowed is used."""
    count, seconds = limit
    times = call_times(pacing.budget(*where), [1000.0] * count * 4)
    assert count * 0.8 <= most_in(times, seconds) <= count


@settings(deadline=None)
@given(st.lists(st.floats(0, 30), min_size=1, max_size=300))
def test_no_pattern_of_arrivals_breaks_the_window(gaps):
    """A22: whatever comes when, no 10 s hold more than the budget says."""
    now, arrivals = 0.0, []
    for gap in gaps:
        now += gap / 30
        arrivals.append(now)
    budget = pacing.BURST[pacing.Tier.STANDARD]
    times = call_times(budget, arrivals)
    assert most_in(times, 10) <= 100
    assert times == sorted(times)  # nobody overtakes, nobody starves


def test_an_idle_budget_does_not_pile_up():
    tat, wait = pacing.reserve(0.0, 1_000_000.0, per_second=10, burst=5)
    assert wait == 0
    assert tat == pytest.approx(1_000_000.1)


def test_a_burst_of_one_spaces_every_call():
    assert call_times(pacing.SEARCH, [0.0] * 4) == pytest.approx([0.0, 0.25, 0.5, 0.75])
