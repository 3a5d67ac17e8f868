"""The usage report of a portal: calls used, what the account allows, and what a day will need at present growth."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.utils import timezone
from fernet_fields import DecryptionError

from crmsync.engine import quota, tiers
from crmsync.flows import access, meter
from crmsync.hubspot import account, errors
from crmsync.ledger import credentials, usage
from crmsync.models import Portal, choices
from crmsync.sides import remote

Day = tuple[date, int, int, int]
Family = tuple[str, str, int, int]

# How far ahead the sentences look, in days: a quarter, for who has to ask for a larger limit in time.
_OUTLOOK = (30, 90)


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Calls of one portal since a day of the account.

    ``days``: (day, calls, failed, over the limit), oldest first. ``families``: (endpoints, API version, calls,
    failed), most called first. Limits are HubSpot's headers', None where it sends none; for the daily one its own
    count or the tier's known number may stand in. ``told`` is HubSpot's count of today over all private apps of
    the account, None where it does not say. ``forecast`` leaves out today, which is not over.
    """

    portal: Portal
    since: date
    days: tuple[Day, ...]
    families: tuple[Family, ...]
    tier: tiers.Tier
    burst_limit: int | None
    daily_limit: int | None
    daily_remaining: int | None
    told: account.Usage | None
    forecast: quota.Forecast
    sentences: tuple[str, ...]


def make(portal: Portal, days: int = 30, *, asks: bool = True) -> UsageReport:
    """The report of the last ``days`` days, today among them; ``asks``: HubSpot may be called for its own count."""
    told = _told(portal) if asks else None
    meter.write()
    today = quota.day_of(timezone.now(), portal.time_zone)
    since = today - timedelta(days=max(days, 1) - 1)
    rows = tuple(usage.by_day(portal.pk, since))
    fresh = Portal.objects.get(pk=portal.pk)
    tier = tier_of(fresh)
    limit = fresh.daily_limit or (told.limit if told else None) or tiers.limits_of(tier).daily
    made = UsageReport(
        portal=portal,
        since=since,
        days=rows,
        families=tuple(usage.by_family(portal.pk, since)),
        tier=tier,
        burst_limit=fresh.burst_limit,
        daily_limit=limit,
        daily_remaining=fresh.daily_remaining,
        told=told,
        forecast=quota.forecast([quota.Reading(day, calls) for day, calls, *_ in rows if day < today], limit),
        sentences=(),
    )
    return replace(made, sentences=(*_used(made), *_allowed(made), *_needed(made)))


def tier_of(portal: Portal) -> tiers.Tier:
    """The account's tier, as the headers of its answers let guess."""
    one = credentials.load(portal.pk)
    is_oauth = one is not None and one.kind == choices.CredentialKind.OAUTH
    return tiers.guess(portal.burst_limit, portal.daily_limit, is_oauth)


def look_up_tier(portal: Portal) -> tiers.Tier:
    """The tier, after one call whose headers tell the limits; as known before where the call is not possible."""
    with contextlib.suppress(errors.HubSpotError, DecryptionError):
        account.details(remote.client_for(access.access_of(portal, by_hand=True)))
    meter.write()
    portal.refresh_from_db(fields=["burst_limit", "daily_limit", "daily_remaining", "limits_at"])
    return tier_of(portal)


def as_text(one: UsageReport) -> str:
    """The report to be printed: sentences, then the days, then the endpoints."""
    days = [(f"{day}", f"{calls:,}", f"{failed:,}", f"{limited:,}") for day, calls, failed, limited in one.days]
    families = [(name, version or "-", f"{calls:,}", f"{failed:,}") for name, version, calls, failed in one.families]
    parts = [
        [f"API usage of “{one.portal.label}” (HubSpot account {one.portal.hub_id}) since {one.since}"],
        [f"- {sentence}" for sentence in one.sentences],
        _table(("day", "calls", "failed", "over the limit"), days, left=1),
        _table(("endpoints", "version", "calls", "failed"), families, left=2),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _told(portal: Portal) -> account.Usage | None:
    """HubSpot's own count. It is told to private apps' tokens only, so nobody else asks."""
    one = credentials.load(portal.pk)
    if one is None or one.kind != choices.CredentialKind.STATIC:
        return None
    try:
        return account.daily_usage(remote.client_for(access.access_of(portal, by_hand=True)))
    except (errors.HubSpotError, DecryptionError):
        return None


def _used(one: UsageReport) -> Iterator[str]:
    if not one.days:
        yield f"No call was counted since {one.since}."
        return
    total, limited = sum(row[1] for row in one.days), sum(row[3] for row in one.days)
    peak = one.forecast.peak_day
    whole = ""
    if peak is not None:
        whole = f": {one.forecast.mean_per_day:,.0f} on an average day, {peak.calls:,} on the busiest ({peak.day})"
    yield f"crmsync made {total:,} calls since {one.days[0][0]}{whole}."
    refused = f"refused {limited:,} of them" if limited else "refused none of them"
    yield f"HubSpot {refused} for being over a limit."


def _allowed(one: UsageReport) -> Iterator[str]:
    if one.burst_limit:
        yield f"This app may make {one.burst_limit:,} calls in ten seconds (tier: {one.tier.label})."
    if not one.daily_limit:
        yield "HubSpot tells no daily limit for this connection."
        return
    share = one.forecast.share_of_limit
    part = f" An average day of crmsync takes {share:.1%} of it." if share is not None else ""
    yield f"The account may make {one.daily_limit:,} calls a day, all its apps together.{part}"
    if one.told is not None:
        yield f"HubSpot has counted {one.told.used:,} of {one.told.limit:,} calls today, all private apps together."


def _needed(one: UsageReport) -> Iterator[str]:
    """A23: what a larger limit is asked for with."""
    growth = one.forecast.growth_per_day
    if growth is None:
        yield f"Fewer than {quota.LEAST_DAYS} whole days were counted, so nothing can be said of growth."
        return
    ahead = " and ".join(f"{one.forecast.expected_in(days):,} in {days} days" for days in _OUTLOOK)
    yield f"Calls a day change by {growth:+,.1f} each day; at that growth a day needs {ahead}."
    if not one.daily_limit:
        return
    full = one.forecast.reaches_limit_on
    if full is None:
        yield f"At that growth the daily limit is not reached within {quota.LONGEST_OUTLOOK} days."
    else:
        yield f"At that growth crmsync alone reaches the daily limit on {full}: ask for a larger one before."


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, left: int) -> list[str]:
    """Columns as wide as their widest cell, the first ``left`` of them flush left; nothing without rows."""
    widths = [max(len(row[n]) for row in [head, *rows]) for n in range(len(head))]
    lines = [
        "  ".join(cell.ljust(widths[n]) if n < left else cell.rjust(widths[n]) for n, cell in enumerate(row))
        for row in [head, *rows]
    ]
    return [line.rstrip() for line in lines] if rows else []
