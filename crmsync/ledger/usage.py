"""Usage: how many calls were made, what HubSpot says is left, and how far its clock is from ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.db import models

from crmsync.models import ApiUsage, Portal


@dataclass(slots=True)
class Tally:
    """Calls of one family under one version."""

    calls: int = 0
    failed: int = 0
    limited: int = 0
    seconds: float = 0.0


def add(portal_id: int, day: date, tallies: Mapping[tuple[str, str], Tally]) -> None:
    """Add calls by (family, version) to a day of the account; of a portal that was deleted since, nothing."""
    if not Portal.objects.filter(pk=portal_id).exists():
        return
    for (family, version), tally in tallies.items():
        key = {"portal_id": portal_id, "day": day, "family": family, "version": version}
        ApiUsage.objects.bulk_create([ApiUsage(**key)], ignore_conflicts=True)
        ApiUsage.objects.filter(**key).update(
            calls=models.F("calls") + tally.calls,
            failed=models.F("failed") + tally.failed,
            limited=models.F("limited") + tally.limited,
            seconds=models.F("seconds") + tally.seconds,
        )


def tell(portal_id: int, now: datetime, **facts: int | float | None) -> None:
    """What an answer told of the portal: burst_limit, daily_limit, daily_remaining, clock_skew."""
    told = {name: value for name, value in facts.items() if value is not None}
    if told:
        Portal.objects.filter(pk=portal_id).update(limits_at=now, **told)


def by_day(portal_id: int, since: date) -> list[tuple[date, int, int, int]]:
    """(day, calls, failed, over the limit) since a day, oldest first."""
    rows = ApiUsage.objects.filter(portal_id=portal_id, day__gte=since).order_by("day").values("day")
    summed = rows.annotate(c=models.Sum("calls"), f=models.Sum("failed"), lim=models.Sum("limited"))
    return [(row["day"], row["c"], row["f"], row["lim"]) for row in summed]


def by_family(portal_id: int, since: date) -> list[tuple[str, str, int, int]]:
    """(family, version, calls, failed) since a day, most called first."""
    rows = ApiUsage.objects.filter(portal_id=portal_id, day__gte=since).order_by().values("family", "version")
    summed = rows.annotate(c=models.Sum("calls"), f=models.Sum("failed")).order_by("-c", "family")
    return [(row["family"], row["version"], row["c"], row["f"]) for row in summed]


def forget_before(day: date) -> int:
    """Delete counts of days long past; how many rows."""
    return ApiUsage.objects.filter(day__lt=day).delete()[0]
