"""How fast HubSpot may be called: budgets by tier and lane, and the arithmetic of waiting. Pure, no clock.

The arithmetic is GCRA: one number per budget, the theoretical arrival time (``tat``), says when the next call
is due. It needs no window of past calls, so it fits into one row or one key that many workers share.
"""

from dataclasses import dataclass
from enum import StrEnum


class Tier(StrEnum):
    """What decides the limits of an account and app."""

    STANDARD = "standard"
    """Free and Starter accounts with a static token or a privately distributed app."""
    PROFESSIONAL = "professional"
    """Professional and Enterprise."""
    INCREASED = "increased"
    """With the API limit increase add-on."""
    MARKETPLACE = "marketplace"
    """A marketplace-distributed OAuth app, whatever the account."""


@dataclass(frozen=True, slots=True)
class Budget:
    """``burst`` calls at once, then ``per_second``: in 10 s never more than ``burst + 10 * per_second``."""

    per_second: float
    burst: int


# A little (5 %) under HubSpot's windows, so that two clocks that disagree and a retry still fit in.
# HubSpot: usage guidelines. 100, 190, 250 and 110 requests in any 10 s, for each app and account.
BURST = {
    Tier.STANDARD: Budget(8.5, 10),  # 95 of 100
    Tier.PROFESSIONAL: Budget(16.5, 15),  # 180 of 190
    Tier.INCREASED: Budget(22.0, 17),  # 237 of 250
    Tier.MARKETPLACE: Budget(9.4, 10),  # 104 of 110
}
# HubSpot: associations API, limits. 100, 150 and 200 in 10 s, counted apart from the rest.
ASSOCIATIONS = {
    Tier.STANDARD: Budget(8.5, 10),  # 95 of 100
    Tier.PROFESSIONAL: Budget(13.0, 12),  # 142 of 150
    Tier.INCREASED: Budget(17.5, 15),  # 190 of 200
    Tier.MARKETPLACE: Budget(8.5, 10),  # not stated for these apps: the least of the others
}
# HubSpot: CRM search, limits. 5 requests a second for the whole account, so no burst and one to spare.
SEARCH = Budget(4.0, 1)


def budget(lane: str, tier: Tier) -> Budget:
    """The budget of a lane ("burst", "search" or "associations")."""
    if lane == "search":
        return SEARCH
    return (ASSOCIATIONS if lane == "associations" else BURST)[tier]


def reserve(tat: float, now: float, *, per_second: float, burst: int) -> tuple[float, float]:
    """Book the next call: the new ``tat`` to store, and how many seconds to wait before making it.

    ``tat`` (0.0 at first) and ``now`` are seconds of one clock. Every call is booked, also one that must
    wait: so callers that share a ``tat`` queue up behind each other and none is starved.
    """
    interval = 1.0 / per_second
    starts = max(tat, now)
    wait = max(0.0, starts - (burst - 1) * interval - now)
    return starts + interval, wait
