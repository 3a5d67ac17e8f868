"""The account, tokens and scopes."""

import pytest

from crmsync.fakehub import clock, hub


def test_details(api):
    assert api.get("/account-info/2026-09/details") == {
        "portalId": 4242,
        "accountType": "STANDARD",
        "timeZone": "US/Eastern",
        "companyCurrency": "USD",
        "additionalCurrencies": [],
        "utcOffset": "-05:00",
        "utcOffsetMilliseconds": -18_000_000,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": "na1",
    }


def test_introspection_of_a_static_token(api, portal):
    portal.add_token("pat-na1-other", ["oauth", "crm.objects.contacts.read"], app_id=7, user_id=8)
    body = api.post("/oauth/v2/private-apps/get/access-token-info", {"tokenKey": "pat-na1-other"})
    assert body == {"userId": 8, "hubId": 4242, "appId": 7, "scopes": ["crm.objects.contacts.read", "oauth"]}
    bare = portal.handle("POST", "/oauth/v2/private-apps/get/access-token-info", {}, b'{"tokenKey":"nope"}')
    assert bare.status == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nope", "Basic pat-na1-fakehub-demo-token-0001"])
def test_without_a_token_all_is_401(portal, header):
    response = portal.handle("GET", "/account-info/2026-09/details", {"Authorization": header} if header else {})
    assert response.status == 401
    assert b'"category":"INVALID_AUTHENTICATION"' in response.body


def test_expired_and_revoked_tokens(portal, api):
    token = portal.add_token("short", expires_ms=portal.clock.now_ms() + 1000)
    api.headers = {"authorization": "Bearer short"}
    assert api("GET", "contacts")[0] == 200
    portal.advance(121)
    status, body = api("GET", "contacts")
    assert (status, body["category"]) == (401, "EXPIRED_AUTHENTICATION")
    assert body["message"] == "The OAuth token used to make this call expired 2 minute(s) ago."
    token.expires_ms, token.revoked = None, True
    assert api("GET", "contacts")[1]["category"] == "INVALID_AUTHENTICATION"


def test_a_missing_scope_is_403_with_the_captured_body(portal, api):
    portal.add_token("reader", ["crm.objects.contacts.read"])
    api.headers = {"Authorization": "Bearer reader"}
    status, body = api("GET", "deals")
    assert (status, body["category"]) == (403, "MISSING_SCOPES")
    assert body["message"].startswith("This app hasn't been granted all required scopes")
    assert body["errors"] == [
        {
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": ["crm.objects.deals.read"]},
        }
    ]
    assert "scopes" in body["links"]


@pytest.mark.parametrize(
    ("method", "path", "scopes", "status"),
    [
        ("GET", "contacts", ["crm.objects.contacts.read"], 200),
        ("POST", "contacts", ["crm.objects.contacts.read"], 403),
        ("GET", "notes", ["crm.objects.contacts.read"], 200),
        ("GET", "tickets", ["tickets"], 200),
        ("GET", "/crm/properties/2026-09/contacts", ["crm.objects.contacts.read"], 200),
        ("POST", "/crm/properties/2026-09/contacts", ["crm.objects.contacts.write"], 403),
        ("GET", "/crm/pipelines/2026-09/deals", ["crm.objects.deals.read"], 200),
        ("GET", "/crm/owners/2026-09", ["crm.objects.contacts.read"], 403),
        ("GET", "contacts/1/associations/companies", ["crm.objects.contacts.read"], 403),
        ("GET", "/account-info/2026-09/details", [], 200),
        ("GET", "/crm-object-schemas/2026-09/schemas", ["crm.schemas.custom.read"], 200),
    ],
)
def test_scopes_by_endpoint(portal, api, method, path, scopes, status):
    portal.add_token("some", scopes)
    api.headers = {"Authorization": "Bearer some"}
    assert api(method, path)[0] == status


def test_the_time_zone_decides_the_offset():
    berlin = hub.FakeHub(clock=clock.ManualClock(1_783_000_000_000), time_zone="Europe/Berlin")
    body = berlin.handle("GET", "/account-info/2026-03/details", {"Authorization": f"Bearer {berlin.token}"}).body
    assert b'"utcOffset":"+02:00"' in body


def test_unknown_options_are_refused():
    with pytest.raises(TypeError, match="no flag"):
        hub.FakeHub(colour="red")
