"""Tiers: which kind of HubSpot account this is, guessed from its rate headers, and what it then allows or lacks.

HubSpot tells no tier; its limits give it away. Numbers and pages: API usage guidelines; associations API,
limits; custom objects. What those pages do not say is "unknown" here, never "unavailable".
"""

from dataclasses import dataclass
from typing import Final

from crmsync.engine import terms


class Tier(terms.Term):
    UNKNOWN = "unknown", "not known"
    FREE_OR_STARTER = "free_or_starter", "Free or Starter"
    PROFESSIONAL = "professional", "Professional"
    PROFESSIONAL_UP = "professional_up", "Professional or Enterprise"
    ENTERPRISE = "enterprise", "Enterprise"
    INCREASED = "increased", "with the API limit increase"
    MARKETPLACE = "marketplace", "marketplace app, whatever the account's tier"


class FeatureState(terms.Term):
    AVAILABLE = "available", "available"
    UNAVAILABLE = "unavailable", "unavailable on this tier"
    UNKNOWN = "unknown", "not known"


@dataclass(frozen=True, slots=True)
class Limits:
    """Calls an app may make in 10 seconds, in all and on associations; calls a day of the whole account.

    ``daily`` None: there is none, or it depends on what the account bought: follow the headers.
    """

    burst: int
    daily: int | None
    association_burst: int
    association_daily: int | None = None


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that a tier has or lacks; ``key`` is stable, ``words`` are for staff."""

    key: str
    title: str
    state: FeatureState
    words: str


CUSTOM_OBJECTS: Final = "custom_objects"
SEVERAL_PIPELINES: Final = "several_pipelines"


def guess(burst_max: int | None, daily_limit: int | None, distribution_is_oauth: bool) -> Tier:
    """The tier by the headers ``X-HubSpot-RateLimit-Max`` and ``-Daily``; None for a header that was not sent.

    ``distribution_is_oauth``: the credential is an OAuth app's. These get no daily header, and then Professional
    and Enterprise look alike. A number that HubSpot's table does not hold gives UNKNOWN.
    """
    if (burst_max or 0) >= _INCREASED_BURST or (daily_limit or 0) > _DAILY_OF_ENTERPRISE:
        return Tier.INCREASED
    if daily_limit is not None:
        return _BY_DAILY.get(daily_limit, Tier.UNKNOWN)
    if distribution_is_oauth and burst_max == _MARKETPLACE_BURST:
        return Tier.MARKETPLACE
    return _BY_BURST.get(burst_max or 0, Tier.UNKNOWN)


def limits_of(tier: Tier) -> Limits:
    """HubSpot's limits for a tier; those of the smallest one where the tier is not known."""
    return _LIMITS[tier]


def features_of(tier: Tier) -> tuple[Feature, ...]:
    """Everything tier-bound that a mapping may ask for, and whether this tier has it."""
    return (
        Feature(
            CUSTOM_OBJECTS, "Custom objects", _custom_objects(tier), "Custom objects need an Enterprise account."
        ),
        Feature(
            SEVERAL_PIPELINES,
            "More than one pipeline",
            FeatureState.UNKNOWN,
            "How many pipelines an account may have is its own limit: HubSpot shows it when one is added.",
        ),
    )


def find_feature(tier: Tier, key: str) -> Feature | None:
    """One feature by its key."""
    return next((one for one in features_of(tier) if one.key == key), None)


def _custom_objects(tier: Tier) -> FeatureState:
    if tier is Tier.ENTERPRISE:
        return FeatureState.AVAILABLE
    if tier in (Tier.FREE_OR_STARTER, Tier.PROFESSIONAL):
        return FeatureState.UNAVAILABLE
    return FeatureState.UNKNOWN  # the add-on and the marketplace say nothing of the account's tier


_INCREASED_BURST: Final = 250
_MARKETPLACE_BURST: Final = 110
_DAILY_OF_ENTERPRISE: Final = 1_000_000  # more than this has only who bought it: a million calls each time
_BY_DAILY: Final = {
    250_000: Tier.FREE_OR_STARTER,
    625_000: Tier.PROFESSIONAL,
    _DAILY_OF_ENTERPRISE: Tier.ENTERPRISE,
}
_BY_BURST: Final = {100: Tier.FREE_OR_STARTER, 190: Tier.PROFESSIONAL_UP}
_LIMITS: Final = {
    Tier.UNKNOWN: Limits(100, None, 100),
    Tier.FREE_OR_STARTER: Limits(100, 250_000, 100),
    Tier.PROFESSIONAL: Limits(190, 625_000, 150, 500_000),
    Tier.PROFESSIONAL_UP: Limits(190, None, 150, 500_000),
    Tier.ENTERPRISE: Limits(190, 1_000_000, 150, 500_000),
    Tier.INCREASED: Limits(250, None, 200, 1_000_000),
    Tier.MARKETPLACE: Limits(110, None, 100),
}
