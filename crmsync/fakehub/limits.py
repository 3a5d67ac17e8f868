"""How many calls are allowed: a rolling ten seconds per app, a second for search, and a day for all of an account.

The numbers are HubSpot's: 100, 190 or 250 calls in ten seconds, for marketplace apps 110 and no daily pool, 5
searches a second per account. Associations have their own ten-second pool; search is in none and carries no headers.
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
SETTINGS = {"enabled", "burst", "association_burst", "marketplace_burst", "searches", "daily", "retry_after"}
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
        self.marketplace_burst = 110
        self.set_tier(tier)
        self._windows: dict[tuple[int, int, str], collections.deque[float]] = {}
        self._days: dict[int, tuple[str, int]] = {}  # by account: the local day, and the calls of it
        self._spans: dict[int, tuple[str, float, float, str]] = {}  # by account: zone, from, until, local day

    def set_tier(self, tier: str) -> None:
        self.tier = tier
        self.burst, self.association_burst, self.daily = TIERS[tier]

    def configure(self, **facts: object) -> None:
        """``tier``, ``enabled``, ``burst``, ``association_burst``, ``marketplace_burst``, ``searches``, ``daily``,
        ``retry_after``, and ``daily_used``: calls other apps of the account took."""
        if "tier" in facts:
            self.set_tier(str(facts.pop("tier")))
        if "daily_used" in facts:
            self.use(int(str(facts.pop("daily_used"))))
        for name, value in facts.items():
            if name not in SETTINGS:
                raise ValueError(f"unknown limit: {name}")
            setattr(self, name, value)

    def admit(self, token: auth.Token, family: str) -> dict[str, str]:
        """Count one call and give its rate headers; 429 if it is one too many."""
        if not self.enabled:
            return {}
        app = self._portal.grants.app_of(token)
        is_marketplace = app is not None and app.is_marketplace
        if not is_marketplace and self.used_today(token.hub_id) >= self.daily:
            raise self._refuse("DAILY")
        headers: dict[str, str] = {}
        if family == "search":
            if not self._enter((0, token.hub_id, "search"), self.searches, 1.0):
                raise self._refuse("SECONDLY")
        else:
            headers = self._burst(token, family, self.marketplace_burst if is_marketplace else self.burst)
        if not is_marketplace:
            self.use(1, token.hub_id)
        return headers

    def _burst(self, token: auth.Token, family: str, most: int) -> dict[str, str]:
        pool, most = ("association", self.association_burst) if family == "association" else ("", most)
        key = (token.app_id, token.hub_id, pool)
        admitted = self._enter(key, most, WINDOW)
        headers = self._headers(token, most, most - len(self._windows[key]))
        if not admitted:
            raise self._refuse("TEN_SECONDLY_ROLLING", headers)
        return headers

    def use(self, calls: int, hub_id: int = 0) -> None:
        """Spend some of the day's calls, as other apps of the account do."""
        used = self.used_today(hub_id)
        self._days[hub_id or self._portal.id] = (self._today(hub_id), used + calls)

    def used_today(self, hub_id: int = 0) -> int:
        """Calls of an account (0: the portal's own) since its midnight."""
        day, used = self._days.get(hub_id or self._portal.id, ("", 0))
        return used if day == self._today(hub_id) else 0

    def resets_at_ms(self, hub_id: int = 0) -> int:
        """The next midnight in the account's own time zone; where that does not exist, its day's first instant."""
        local = self._local(hub_id)
        tomorrow = local.date() + datetime.timedelta(days=1)
        return round(datetime.datetime.combine(tomorrow, datetime.time(), local.tzinfo).timestamp() * 1000)

    def _today(self, hub_id: int) -> str:
        """The local day; asked for with every call, so that it is worked out once a day only."""
        now, zone = self._time.seconds(), self._zone(hub_id)
        found = self._spans.get(hub_id)
        if found is None or found[0] != zone or not found[1] <= now < found[2]:
            day = self._local(hub_id).date().isoformat()
            found = (zone, now, self.resets_at_ms(hub_id) / 1000, day)
            self._spans[hub_id] = found
        return found[3]

    def _local(self, hub_id: int) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self._time.seconds(), zoneinfo.ZoneInfo(self._zone(hub_id)))

    def _zone(self, hub_id: int) -> str:
        account = self._portal.grants.accounts.get(hub_id)
        return account.time_zone if account else self._portal.time_zone

    def _enter(self, key: tuple[int, int, str], most: int, seconds: float) -> bool:
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
            left = self.daily - self.used_today(token.hub_id) - 1
            headers["X-HubSpot-RateLimit-Daily"] = str(self.daily)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(left, 0))
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
