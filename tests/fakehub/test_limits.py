"""Rate limits."""

import datetime
import itertools
import json
import zoneinfo

import pytest

from crmsync.fakehub import clock, hub


@pytest.fixture
def portal():
    return hub.FakeHub(clock=clock.ManualClock(), tier="free")


def test_headers_count_down(api):
    headers = api.raw("GET", "contacts").headers
    assert headers["X-HubSpot-RateLimit-Max"] == "100"
    assert headers["X-HubSpot-RateLimit-Remaining"] == "99"
    assert headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert (headers["X-HubSpot-RateLimit-Daily"], headers["X-HubSpot-RateLimit-Daily-Remaining"]) == (
        "250000",
        "249999",
    )
    assert api.raw("GET", "contacts").headers["X-HubSpot-RateLimit-Remaining"] == "98"


def test_the_window_rolls(api, portal):
    for _ in range(60):
        assert api("GET", "contacts")[0] == 200
    portal.advance(9)
    for _ in range(40):
        assert api("GET", "contacts")[0] == 200
    status, body = api("GET", "contacts")
    assert status == 429
    assert body["message"] == "You have reached your ten_secondly_rolling limit."
    assert (body["errorType"], body["policyName"], body["status"]) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING", "error")
    portal.advance(1)
    assert [api("GET", "contacts")[0] for _ in range(61)].count(200) == 60


def test_each_app_has_its_own_window_whatever_token_it_uses(api, portal):
    """A22, C23: a second token of an app, or a refresh, brings no second window."""
    portal.add_token("same")
    portal.add_token("other", app_id=7)
    for _ in range(101):
        api("GET", "contacts")
    for token, status in (("same", 429), ("other", 200)):
        assert type(api)(portal, token=token)("GET", "contacts")[0] == status


def test_a_refresh_brings_no_new_window(app, portal):
    """A22: the window is the app's in that account."""
    app.connect()
    for _ in range(100):
        app.caller()("GET", "contacts")
    app.refresh()
    assert app.caller()("GET", "contacts")[0] == 429
    portal.add_account(7)
    assert app.connect(hub_id=7)("GET", "contacts")[0] == 200


def test_marketplace_apps_have_110_calls_and_no_day(app, api, portal):
    """C23: whatever the tier and whatever the account used up."""
    portal.add_app(app.client["client_id"], distribution="marketplace")
    portal.set_limits(daily_used=250_000)
    caller = app.connect()
    answers = [caller.raw("GET", "contacts") for _ in range(111)]
    assert [one.status for one in answers] == [200] * 110 + [429]
    assert answers[0].headers["X-HubSpot-RateLimit-Max"] == "110"
    assert "X-HubSpot-RateLimit-Daily" not in answers[0].headers
    assert json.loads(answers[-1].body)["policyName"] == "TEN_SECONDLY_ROLLING"
    assert caller("POST", "contacts/search", {})[0] == 200
    assert api("GET", "contacts")[1]["policyName"] == "DAILY"
    assert portal.limits.used_today() == 250_000


def test_private_oauth_apps_share_the_day_and_are_not_told_of_it(app, api, portal):
    """Fault 11: no daily headers with OAuth tokens; the pool is the account's all the same."""
    portal.set_limits(daily_used=249_998)
    caller = app.connect()
    answer = caller.raw("GET", "contacts")
    assert (answer.status, "X-HubSpot-RateLimit-Daily-Remaining" in answer.headers) == (200, False)
    assert answer.headers["X-HubSpot-RateLimit-Max"] == "100"
    assert api.raw("GET", "contacts").headers["X-HubSpot-RateLimit-Daily-Remaining"] == "0"
    assert caller("GET", "contacts")[1]["policyName"] == "DAILY"


def test_token_requests_count_to_no_pool(app, portal):
    """Whoever is over the limit can still refresh (unconfirmed)."""
    portal.set_limits(burst=0, daily=0)
    assert app.exchange(app.code())[0] == 200
    assert app.refresh()[0] == 200


def test_each_account_has_its_own_day(app, api, portal):
    """Fault 10, F24: one account's ceiling stops nobody else, and ends at its own midnight."""
    portal.add_account(7, time_zone="Asia/Tokyo")
    portal.set_limits(daily=2)
    portal.set_oauth(expires_in=86_400)
    other = app.connect(hub_id=7)
    assert [other("GET", "contacts")[0] for _ in range(3)] == [200, 200, 429]
    assert [api("GET", "contacts")[0] for _ in range(3)] == [200, 200, 429]
    portal.advance(5 * 3600)  # 2026-01-01T05:00:00Z: midnight in New York, two in the afternoon in Tokyo
    assert (other("GET", "contacts")[0], api("GET", "contacts")[0]) == (429, 200)
    portal.advance(10 * 3600)  # midnight in Tokyo
    assert other("GET", "contacts")[0] == 200


def test_search_counts_by_the_second_for_the_account_and_has_no_headers(api, portal):
    for _ in range(5):
        response = api.raw("POST", "contacts/search", {})
        assert response.status == 200
        assert not any(name.startswith("X-HubSpot-RateLimit") for name in response.headers)
    portal.add_token("other")
    api.headers = {"Authorization": "Bearer other"}
    response = api.raw("POST", "companies/search", {})
    assert response.status == 429
    assert json.loads(response.body)["policyName"] == "SECONDLY"
    assert not any(name.startswith("X-HubSpot-RateLimit") for name in response.headers)
    portal.advance(1)
    assert api("POST", "contacts/search", {})[0] == 200


def test_associations_have_their_own_pool(api, portal):
    portal.set_limits(association_burst=2)
    path = "/crm/associations/2026-09/contacts/companies/labels"
    assert [api("GET", path)[0] for _ in range(3)] == [200, 200, 429]
    assert api("GET", "contacts")[0] == 200


def test_oauth_tokens_get_no_daily_headers(api, portal):
    portal.add_token("oauth", kind="oauth")
    api.headers = {"Authorization": "Bearer oauth"}
    assert "X-HubSpot-RateLimit-Daily" not in api.raw("GET", "contacts").headers


def test_the_daily_ceiling_ends_at_midnight_of_the_account(api, portal):
    portal.set_limits(daily_used=249_999)
    assert api("GET", "contacts")[0] == 200
    status, body = api("GET", "contacts")
    assert (status, body["policyName"], body["message"]) == (429, "DAILY", "You have reached your daily limit.")
    assert api("POST", "contacts/search", {})[0] == 429
    portal.advance(5 * 3600 - 1)  # 2026-01-01T04:59:59Z is still the last day of the year in New York
    assert api("GET", "contacts")[0] == 429
    portal.advance(1)
    assert api("GET", "contacts")[0] == 200


DAYS = [  # zone, local day, hours it has, its first instant in UTC
    ("US/Eastern", "2026-06-01", 24, "2026-06-01T04:00:00Z"),
    ("America/New_York", "2026-03-08", 23, "2026-03-08T05:00:00Z"),
    ("America/New_York", "2026-11-01", 25, "2026-11-01T04:00:00Z"),
    ("Europe/Berlin", "2026-03-29", 23, "2026-03-28T23:00:00Z"),
    ("Europe/Berlin", "2026-10-25", 25, "2026-10-24T22:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-04", 23.5, "2026-10-03T13:30:00Z"),
    ("America/Santiago", "2026-09-05", 24, "2026-09-05T04:00:00Z"),  # its end is the hour that does not exist
    ("America/Santiago", "2026-09-06", 23, "2026-09-06T04:00:00Z"),  # begins at one
    ("America/Santiago", "2026-04-04", 25, "2026-04-04T03:00:00Z"),  # has eleven in the evening twice
    ("Africa/Cairo", "2026-04-24", 23, "2026-04-23T22:00:00Z"),  # begins at one
    ("Africa/Cairo", "2026-10-29", 25, "2026-10-28T21:00:00Z"),
    ("America/Havana", "2026-11-01", 25, "2026-11-01T04:00:00Z"),  # has its midnight twice
]


@pytest.mark.parametrize(("zone", "day", "hours", "start"), DAYS, ids=[f"{one[0]} {one[1]}" for one in DAYS])
def test_days_of_daylight_saving_are_shorter_or_longer(api, zone, day, hours, start):
    """Fault 10: the ceiling holds to the last second of the account's day, however long that is, and no longer."""
    at = round(datetime.datetime.fromisoformat(start).timestamp() * 1000)
    portal = hub.FakeHub(clock=clock.ManualClock(at), time_zone=zone)
    caller = type(api)(portal)
    local = datetime.datetime.fromtimestamp(portal.clock.seconds(), zoneinfo.ZoneInfo(zone))
    assert local.date().isoformat() == day
    portal.set_limits(daily_used=portal.limits.daily)
    end = at + round(hours * 3_600_000)
    assert portal.limits.resets_at_ms() == end
    for seconds in (0, 3600, (end - at) // 1000 - 3600 - 1):
        portal.advance(seconds)
        assert caller("GET", "contacts")[0] == 429
        assert portal.limits.resets_at_ms() == end
    portal.advance(1)
    assert caller("GET", "contacts")[0] == 200
    assert portal.limits.used_today() == 1
    assert portal.limits.resets_at_ms() > end


@pytest.mark.parametrize("zone", ["America/New_York", "America/Santiago", "Asia/Kathmandu", "Pacific/Apia"])
def test_a_year_of_days_has_one_end_each(zone):
    """Fault 10: from reset to reset, every local date comes once."""
    portal = hub.FakeHub(clock=clock.ManualClock(), time_zone=zone)
    days = []
    for _ in range(400):
        portal.advance((portal.limits.resets_at_ms() - portal.clock.now_ms()) / 1000)
        days.append(datetime.datetime.fromtimestamp(portal.clock.seconds(), zoneinfo.ZoneInfo(zone)).date())
    assert {(two - one).days for one, two in itertools.pairwise(days)} == {1}


def test_usage_is_told(api, portal):
    portal.set_limits(daily_used=41)
    (usage,) = api.get("/account-info/2026-09/api-usage/daily/private-apps")["results"]
    assert (usage["name"], usage["currentUsage"], usage["usageLimit"]) == (
        "private-apps-api-calls-daily",
        42,
        250_000,
    )
    assert usage["resetsAt"] == "2026-01-01T05:00:00.000Z"


@pytest.mark.parametrize(("given", "sent"), [(None, None), (3, "3")])
def test_retry_after_is_sent_only_when_configured(api, portal, given, sent):
    portal.set_limits(burst=0, retry_after=given)
    response = api.raw("GET", "contacts")
    assert (response.status, response.headers.get("Retry-After")) == (429, sent)


def test_limits_can_be_lifted(portal, api):
    portal.set_limits(enabled=False)
    response = [api.raw("GET", "contacts") for _ in range(150)][-1]
    assert response.status == 200
    assert "X-HubSpot-RateLimit-Max" not in response.headers
    with pytest.raises(ValueError, match="unknown limit"):
        portal.set_limits(speed=1)
