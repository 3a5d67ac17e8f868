"""The pace of a portal: whatever asks, no ten rolling seconds exceed HubSpot's limit."""

import itertools

import pytest

from crmsync.sides import remote


@pytest.mark.parametrize("limit", [1, 10, 100, 110, 190, 250])
def test_no_ten_seconds_exceed_the_limit(limit: int) -> None:
    """A22: with callers that always wait as told, and come as fast as they may."""
    tat = now = 0.0
    times: list[float] = []
    for _ in range(limit * 5):
        step = remote.pace("burst", now, burst_per_10=limit, search_per_second=4)
        tat, wait = step(tat)
        now += wait
        times.append(now)
    for first, later in zip(times, times[limit:], strict=False):
        assert later - first > 10.0


def test_searches_are_spread() -> None:
    """Search is 5 a second for the whole account: four, and never two at once."""
    tat = now = 0.0
    times = []
    for _ in range(40):
        tat, wait = remote.pace("search", now, burst_per_10=190, search_per_second=4)(tat)
        now += wait
        times.append(now)
    assert min(b - a for a, b in itertools.pairwise(times)) >= 0.249
