"""The usage report: calls used, limits, growth, and whether it can be told at all."""

import io
import json
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from crmsync import conf
from crmsync.engine import tiers
from crmsync.flows import access, discover, meter, report
from crmsync.ledger import usage
from crmsync.models import ApiUsage, Credential, Portal
from crmsync.sides import remote
from tests import factories

NOON = datetime(2026, 10, 20, 12, tzinfo=UTC)


def count(portal: Portal, **calls: int) -> None:
    """Calls of days before NOON's, by how long ago: ``d1=100`` is yesterday."""
    for name, number in calls.items():
        day = NOON.date() - timedelta(days=int(name[1:]))
        ApiUsage.objects.create(portal=portal, day=day, family="objects", version="2026-09", calls=number, limited=1)


@pytest.fixture
def portal(db) -> Portal:
    """Connected by a service key, of which HubSpot tells no usage: nothing is called."""
    facts = {"state": "connected", "time_zone": "UTC", "daily_limit": 1000, "burst_limit": 190}
    made = Portal.objects.create(label="Main", hub_id=77, **facts)
    factories.CredentialFactory(portal=made, kind="service_key")
    return made


def told(portal: Portal, days: int = 30) -> report.UsageReport:
    with time_machine.travel(NOON, tick=False):
        return report.make(portal, days)


def test_calls_used_and_needed(portal) -> None:
    """A23: used, allowed, and needed at present growth, in numbers and in sentences."""
    count(portal, d3=100, d2=200, d1=300, d0=5)
    made = told(portal)
    assert [row[1] for row in made.days] == [100, 200, 300, 5]
    assert (made.daily_limit, made.burst_limit, made.told) == (1000, 190, None)
    assert made.forecast.growth_per_day == pytest.approx(100)
    assert made.forecast.reaches_limit_on == date(2026, 10, 26)
    text = " ".join(made.sentences)
    assert "605 calls since 2026-10-17: 200 on an average day, 300 on the busiest (2026-10-19)" in text
    assert "refused 4 of them" in text
    assert "1,000 calls a day, all its apps together. An average day of crmsync takes 20.0% of it" in text
    assert "change by +100.0 each day; at that growth a day needs 3,300 in 30 days and 9,300 in 90 days" in text
    assert "reaches the daily limit on 2026-10-26: ask for a larger one before" in text


def test_calls_to_a_portal_that_was_deleted_since_are_not_counted(portal) -> None:
    """A23: a process may hold counts back for seconds; they must not break the transaction they are written in."""
    usage.add(portal.pk + 1, NOON.date(), {("objects", "2026-09"): usage.Tally(calls=1)})
    connection.check_constraints()
    assert not ApiUsage.objects.exists()


def test_today_is_no_decline(portal) -> None:
    """A23: a day that is not over is counted, and no trend is made of it."""
    count(portal, d3=100, d2=100, d1=100, d0=1)
    made = told(portal)
    assert made.forecast.growth_per_day == pytest.approx(0)
    assert "not reached within 730 days" in made.sentences[-1]


def test_the_days_are_the_accounts_own(portal) -> None:
    """C23, Fault 10: where the account's date is tomorrow already, today's calls are of tomorrow."""
    Portal.objects.update(time_zone="Pacific/Kiritimati")
    count(portal, d1=100, d0=200)
    made = told(Portal.objects.get(), days=2)
    assert (made.since, made.forecast.days) == (date(2026, 10, 20), 1)


def test_nothing_is_claimed_of_nothing(portal) -> None:
    """A23: no calls, or too few days, say so."""
    assert told(portal).sentences[0] == "No call was counted since 2026-09-21."
    count(portal, d2=100, d1=300)
    sentences = told(portal).sentences
    assert sentences[-1] == "Fewer than 3 whole days were counted, so nothing can be said of growth."


def test_a_limit_that_hubspot_does_not_tell(portal) -> None:
    """C23: an OAuth app gets no daily header: of Professional and up nobody knows how much, of Starter we do."""
    Credential.objects.update(kind="oauth")
    Portal.objects.update(daily_limit=None)
    count(portal, d3=1, d2=1, d1=1)
    made = told(Portal.objects.get())
    assert (made.tier, made.daily_limit) == (tiers.Tier.PROFESSIONAL_UP, None)
    assert "HubSpot tells no daily limit for this connection." in made.sentences
    Portal.objects.update(burst_limit=100)
    assert told(Portal.objects.get()).daily_limit == 250_000


def test_the_printed_report(portal) -> None:
    """A23: one text to hand on: sentences, days, endpoints, in columns."""
    count(portal, d1=12_345, d0=5)
    lines = report.as_text(told(portal)).splitlines()
    assert lines[0] == "API usage of “Main” (HubSpot account 77) since 2026-09-21"
    assert "day          calls  failed  over the limit" in lines
    assert "2026-10-19  12,345       0               1" in lines
    assert "endpoints  version   calls  failed" in lines
    assert "objects    2026-09  12,350       0" in lines


# --- Over the fakehub -------------------------------------------------------------------------------------------


def test_hubspots_own_figure_and_the_headers(sync) -> None:
    """C23, C31, Fault 11: real calls are counted, other apps' calls are in HubSpot's figure, the tier is guessed."""
    discover.discover(sync.portal)
    sync.hub.set_limits(enabled=True, daily_used=5000)
    made = report.make(sync.portal)
    assert made.told is not None
    assert (made.told.limit, made.told.used) == (625_000, 5001)
    assert (made.tier, made.burst_limit, made.daily_limit) == (tiers.Tier.PROFESSIONAL, 190, 625_000)
    assert made.daily_remaining == 625_000 - 5001
    assert ("account", conf.current().API_VERSION) in {row[:2] for row in made.families}
    assert sum(row[1] for row in made.days) == sum(row[2] for row in made.families) > 10
    assert any("HubSpot has counted 5,001 of 625,000 calls today" in one for one in made.sentences)


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_report_needs_no_answer(sync, status) -> None:
    """C31: what was counted is told while HubSpot refuses, and the portal stays as it is."""
    sync.hub.plant_fault("status", status=status, times=None)
    made = report.make(sync.portal)
    assert (made.told, bool(made.days)) == (None, True)
    assert Portal.objects.get().state == "connected"


@pytest.mark.parametrize("kind", ["oauth", "service_key"])
def test_nobody_asks_who_is_not_told(sync, kind) -> None:
    """C31: HubSpot tells its figure to private apps only."""
    Credential.objects.update(kind=kind)
    before = sync.hub.ledger.last_seq
    assert report.make(sync.portal).told is None
    assert sync.hub.ledger.last_seq == before


def test_the_tier_is_looked_up_with_one_call(sync) -> None:
    """C13: known at once after connecting; as before where HubSpot is away."""
    assert report.tier_of(sync.portal) is tiers.Tier.UNKNOWN
    sync.hub.set_limits(enabled=True, tier="enterprise")
    before = sync.hub.ledger.last_seq
    assert report.look_up_tier(sync.portal) is tiers.Tier.ENTERPRISE
    assert sync.hub.ledger.last_seq == before + 1
    sync.hub.plant_fault("status", status=500, times=None)
    assert report.look_up_tier(sync.portal) is tiers.Tier.ENTERPRISE


def test_a_call_over_the_limit_is_in_the_report(sync) -> None:
    """A23, C23: a 429 is counted as one, and is what a larger limit is asked for with."""
    sync.hub.plant_fault("status", status=429, policy="TEN_SECONDLY_ROLLING", times=1)
    with pytest.raises(remote.errors.RateLimited):
        remote.client_for(access.access_of(sync.portal)).send(remote.wire.get("/account-info/2026-09/details"))
    meter.write()
    assert "HubSpot refused 1 of them for being over a limit." in report.make(sync.portal).sentences


# --- The command ------------------------------------------------------------------------------------------------


def run(*args: str) -> str:
    out = io.StringIO()
    call_command("crmsync_usage", *args, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_the_command(portal) -> None:
    """A23: the same report by name, or of all portals, as text or JSON."""
    count(portal, d1=100)
    Portal.objects.create(label="Second")
    with time_machine.travel(NOON, tick=False):
        assert run("Main") == report.as_text(report.make(portal))
        assert run("--days", "7").count("API usage of") == 2
        (found,) = json.loads(run("Main", "--json"))
    assert (found["portal"], found["hub_id"], found["tier"]) == ("Main", 77, "unknown")
    assert found["days"] == [["2026-10-19", 100, 0, 1]]
    assert found["forecast"]["days"] == 1


def test_the_command_names_cause_and_remedy(db) -> None:
    with pytest.raises(CommandError, match="Connect one first"):
        run()
    with pytest.raises(CommandError, match="no portal 'Main'"):
        run("Main")
    with pytest.raises(CommandError, match="1 or more"):
        run("--days", "0")
