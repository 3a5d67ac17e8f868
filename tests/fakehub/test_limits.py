"""Rate limits."""

import datetime
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


def test_each_token_has_its_own_window(api, portal):
    portal.add_token("other")
    for _ in range(101):
        api("GET", "contacts")
    api.headers = {"Authorization": "Bearer other"}
    assert api("GET", "contacts")[0] == 200


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


@pytest.mark.parametrize(("day", "hours"), [("2026-03-08", 23), ("2026-11-01", 25), ("2026-06-01", 24)])
def test_days_of_daylight_saving_are_shorter_or_longer(day, hours):
    start = datetime.datetime.fromisoformat(day).replace(tzinfo=zoneinfo.ZoneInfo("US/Eastern"))
    portal = hub.FakeHub(clock=clock.ManualClock(round(start.timestamp() * 1000)))
    assert portal.limits.resets_at_ms() - portal.clock.now_ms() == hours * 3_600_000


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
