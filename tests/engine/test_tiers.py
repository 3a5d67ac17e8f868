"""Tiers: guessed from rate headers, with limits and what is unavailable."""

import pytest

from crmsync.engine import tiers

T = tiers.Tier


@pytest.mark.parametrize(
    ("burst", "daily", "is_oauth", "tier"),
    [
        (100, 250_000, False, T.FREE_OR_STARTER),
        (190, 625_000, False, T.PROFESSIONAL),
        (190, 1_000_000, False, T.ENTERPRISE),
        (250, 2_000_000, False, T.INCREASED),
        (190, 1_625_000, False, T.INCREASED),
        (250, None, True, T.INCREASED),
        (110, None, True, T.MARKETPLACE),
        (100, None, True, T.FREE_OR_STARTER),
        (190, None, True, T.PROFESSIONAL_UP),
        (None, 625_000, False, T.PROFESSIONAL),
        (110, None, False, T.UNKNOWN),
        (150, 500_000, False, T.UNKNOWN),
        (None, None, True, T.UNKNOWN),
        (None, None, False, T.UNKNOWN),
        (0, 0, False, T.UNKNOWN),
    ],
)
def test_the_tier_by_the_headers(burst, daily, is_oauth, tier):
    """C23: rate limits follow the account's tier; C7: all of them are known."""
    assert tiers.guess(burst, daily, is_oauth) is tier


@pytest.mark.parametrize("tier", [one for one in T if tiers.limits_of(one).daily])
def test_the_limits_of_a_tier_give_it_away(tier):
    """C23: guess and limits are each other's reverse."""
    limits = tiers.limits_of(tier)
    assert tiers.guess(limits.burst, limits.daily, False) is tier


@pytest.mark.parametrize("tier", [one for one in T if one is not T.UNKNOWN])
def test_the_burst_alone_never_claims_a_higher_limit_than_the_tier_has(tier):
    """C23: an OAuth app gets no daily header."""
    guessed = tiers.limits_of(tiers.guess(tiers.limits_of(tier).burst, None, True))
    assert (guessed.burst, guessed.association_burst) == (
        tiers.limits_of(tier).burst,
        tiers.limits_of(tier).association_burst,
    )


def test_an_unknown_tier_gets_the_smallest_limits():
    limits = [tiers.limits_of(one) for one in T]
    assert tiers.limits_of(T.UNKNOWN).burst == min(one.burst for one in limits)
    assert tiers.limits_of(T.UNKNOWN).association_burst == min(one.association_burst for one in limits)


@pytest.mark.parametrize(
    ("tier", "state"),
    [
        (T.FREE_OR_STARTER, "unavailable"),
        (T.PROFESSIONAL, "unavailable"),
        (T.PROFESSIONAL_UP, "unknown"),
        (T.ENTERPRISE, "available"),
        (T.INCREASED, "unknown"),
        (T.MARKETPLACE, "unknown"),
        (T.UNKNOWN, "unknown"),
    ],
)
def test_custom_objects_need_enterprise(tier, state):
    """C7: what the tier lacks is unavailable, with words, and not an error; what is not known is not denied."""
    found = tiers.find_feature(tier, tiers.CUSTOM_OBJECTS)
    assert (found.state, found.words) == (state, "Custom objects need an Enterprise account.")


def test_nothing_is_claimed_that_hubspot_does_not_say():
    """C7: how many pipelines a tier has is not in the facts."""
    assert {tiers.find_feature(one, tiers.SEVERAL_PIPELINES).state for one in T} == {"unknown"}
    assert tiers.find_feature(T.ENTERPRISE, "telepathy") is None
