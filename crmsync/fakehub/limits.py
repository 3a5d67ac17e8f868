"""How many calls are allowed: a rolling ten seconds per token, a second for search, and a day for all.

The numbers are HubSpot's: 100, 190 or 250 calls in ten seconds, 5 searches a second per account. Associations
have their own ten-second pool; search is in none and carries no headers.
"""

import collections
import datetime
import zoneinfo

from crmsync.fakehub import auth, clock, errors, portal

WINDOW = 10.0
TIERS = {  # calls in ten seconds, association calls in ten seconds, calls a day
    "free": (100, 100, 250_000),
    "professional": (190, 150, 625_000),
    "enterprise": (190, 150, 1_000_000),
    "increased": (250, 200, 2_000_000),
}
MESSAGES = {
    "TEN_SECONDLY_ROLLING": "You have reached your ten_secondly_rolling limit.",
    "SECONDLY": "You have reached your secondly limit.",
    "DAILY": "You have reached your daily limit.",
}


class Limits:
    """``enabled`` False lets everything through, without headers. ``retry_after`` are seconds to be sent with
    each 429, or None: HubSpot does not document that header there."""

    def __init__(
        self, time: clock.Clock, home: portal.Portal, tier: str = "professional", enabled: bool = True
    ) -> None:
        self._time = time
        self._portal = home
        self.enabled = enabled
        self.retry_after: int | None = None
        self.searches = 5
        self.set_tier(tier)
        self._windows: dict[tuple[str, str], collections.deque[float]] = {}
        self._day = ""
        self._used = 0

    def set_tier(self, tier: str) -> None:
        self.burst, self.association_burst, self.daily = TIERS[tier]

    def configure(self, **facts: object) -> None:
        """``tier``, ``enabled``, ``burst``, ``association_burst``, ``searches``, ``daily``, ``retry_after``,
        and ``daily_used``: calls other apps of the account took."""
        if "tier" in facts:
            self.set_tier(str(facts.pop("tier")))
        if "daily_used" in facts:
            self.use(int(str(facts.pop("daily_used"))))
        for name, value in facts.items():
            if name not in {"enabled", "burst", "association_burst", "searches", "daily", "retry_after"}:
                raise ValueError(f"unknown limit: {name}")
            setattr(self, name, value)

    def admit(self, token: auth.Token, family: str) -> dict[str, str]:
        """Count one call and give its rate headers; 429 if it is one too many."""
        if not self.enabled:
            return {}
        if self.used_today() >= self.daily:
            raise self._refuse("DAILY")
        if family == "search":
            if not self._enter(("", "search"), self.searches, 1.0):
                raise self._refuse("SECONDLY")
            self._used += 1
            return {}
        pool, most = ("association", self.association_burst) if family == "association" else ("", self.burst)
        admitted = self._enter((token.value, pool), most, WINDOW)
        headers = self._headers(token, most, most - len(self._windows[(token.value, pool)]))
        if not admitted:
            raise self._refuse("TEN_SECONDLY_ROLLING", headers)
        self._used += 1
        return headers

    def use(self, calls: int) -> None:
        """Spend some of the day's calls, as other apps of the account do."""
        self.used_today()
        self._used += calls

    def used_today(self) -> int:
        day = f"{self._local():%Y-%m-%d}"
        if day != self._day:
            self._day, self._used = day, 0
        return self._used

    def resets_at_ms(self) -> int:
        """The next midnight in the account's own time zone."""
        tomorrow = self._local().date() + datetime.timedelta(days=1)
        zone = zoneinfo.ZoneInfo(self._portal.time_zone)
        return round(datetime.datetime.combine(tomorrow, datetime.time(), zone).timestamp() * 1000)

    def _local(self) -> datetime.datetime:
        zone = zoneinfo.ZoneInfo(self._portal.time_zone)
        return datetime.datetime.fromtimestamp(self._time.seconds(), zone)

    def _enter(self, key: tuple[str, str], most: int, seconds: float) -> bool:
        now = self._time.seconds()
        window = self._windows.setdefault(key, collections.deque())
        while window and window[0] <= now - seconds:
            window.popleft()
        if len(window) >= most:
            return False
        window.append(now)
        return True

    def _headers(self, token: auth.Token, most: int, left: int) -> dict[str, str]:
        headers = {
            "X-HubSpot-RateLimit-Max": str(most),
            "X-HubSpot-RateLimit-Remaining": str(max(left, 0)),
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        }
        if token.kind != "oauth":
            headers["X-HubSpot-RateLimit-Daily"] = str(self.daily)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(self.daily - self._used - 1, 0))
        return headers

    def _refuse(self, policy: str, headers: dict[str, str] | None = None) -> errors.RefusalError:
        return refuse(policy, self.retry_after, headers)


def refuse(policy: str, retry_after: int | None = None, headers: dict[str, str] | None = None) -> errors.RefusalError:
    """The 429 of one policy."""
    sent = dict(headers or {})
    if retry_after is not None:
        sent["Retry-After"] = str(retry_after)
    refusal = errors.RefusalError(
        429, MESSAGES[policy], errorType="RATE_LIMIT", policyName=policy, requestId="fakehub"
    )
    refusal.headers = sent
    return refusal
