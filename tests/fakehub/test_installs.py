"""What ends a grant, what a user takes away, which kind of token may do what, and other accounts."""

import json

import pytest

URL = "https://app.lovelace.dev/hook"
INTROSPECT = "/oauth/v2/private-apps/get/access-token-info"
USAGE = "/account-info/2026-09/api-usage/daily/private-apps"
DETAILS = "/account-info/2026-09/details"


@pytest.mark.parametrize("version", ["2026-09", "2026-03", "v3"])
def test_an_app_uninstalls_itself(app, portal, version):
    """C25, U25: all of the app's tokens in that account die at once; connecting again brings it back."""
    first = app.connect()
    app.refresh()
    caller = app.caller()
    answer = caller.raw("DELETE", f"/appinstalls/{version}/external-install")
    assert (answer.status, answer.body) == (204, b"")
    assert {one("GET", "contacts")[1]["category"] for one in (first, caller)} == {"INVALID_AUTHENTICATION"}
    assert app.refresh()[1]["status"] == "BAD_REFRESH_TOKEN"
    assert app.connect()("GET", "contacts")[0] == 200


def test_a_user_uninstalls_an_app(app, portal, api):
    """U26, Fault 26: seen by the next call and the next refresh; other apps and accounts keep theirs."""
    portal.add_account(7)
    other = app.connect(hub_id=7)
    kept = app.tokens
    here = app.connect()
    code = app.code()
    assert portal.uninstall(client_id=app.client["client_id"]) == 2
    assert here("GET", "contacts")[0] == 401
    assert app.refresh()[1]["status"] == "BAD_REFRESH_TOKEN"
    assert app.exchange(code)[1]["status"] == "BAD_AUTH_CODE"
    assert (other("GET", "contacts")[0], api("GET", "contacts")[0]) == (200, 200)
    assert app.refresh(kept["refresh_token"])[0] == 200
    assert [(one.hub_id, one.is_live) for one in portal.portal.grants.installs.values()] == [(7, True), (4242, False)]


def test_a_static_token_uninstalls_nothing(api):
    assert api("DELETE", "/appinstalls/2026-09/external-install")[0] == 403


def test_webhooks_end_with_the_install_and_what_waits_may_still_come(app, portal):
    """U26: HubSpot may still deliver for a moment."""
    portal.set_webhooks(target=URL, app_id=19083858)
    app.connect()
    portal.ui_create("contacts", {"firstname": "A"})
    waiting = portal.webhooks.backlog
    portal.uninstall(app_id=19083858)
    portal.ui_create("contacts", {"firstname": "B"})
    assert portal.webhooks.backlog == waiting > 0
    app.connect()
    portal.ui_create("contacts", {"firstname": "C"})
    assert portal.webhooks.backlog > waiting


def test_an_app_with_service_keys_only_gets_no_webhooks(portal):
    """A service key is for REST calls; any other token of the app brings webhooks."""
    portal.set_webhooks(target=URL, app_id=77)
    portal.add_token("key", app_id=77, kind="service_key")
    portal.ui_create("contacts", {"firstname": "A"})
    assert portal.webhooks.backlog == 0
    project = portal.add_token("static", app_id=77, kind="project")
    portal.ui_create("contacts", {"firstname": "B"})
    assert portal.webhooks.backlog > 0
    portal.deliver_webhooks(lambda *_: 204)
    project.revoked = True
    portal.ui_create("contacts", {"firstname": "C"})
    assert portal.webhooks.backlog == 0


def test_tokens_and_apps_are_revoked_from_outside(app, portal, api):
    """C22: one token, or all of an app in one account or in all."""
    caller = app.connect()
    assert portal.revoke(token=app.tokens["access_token"]) == 1
    assert caller("GET", "contacts")[1]["category"] == "INVALID_AUTHENTICATION"
    app.refresh()
    refresh = app.tokens["refresh_token"]
    portal.revoke(token=refresh)
    assert app.caller()("GET", "contacts")[0] == 200
    assert app.refresh()[1]["status"] == "BAD_REFRESH_TOKEN"
    caller = app.connect()
    assert portal.revoke(client_id=app.client["client_id"], hub_id=7) == 0
    assert caller("GET", "contacts")[0] == 200
    assert portal.revoke(client_id=app.client["client_id"]) > 0
    assert caller("GET", "contacts")[0] == 401
    portal.revoke(token=portal.token)
    assert api("GET", "contacts")[1]["category"] == "INVALID_AUTHENTICATION"
    for nothing in ({"token": "nope"}, {"client_id": "nope"}, {}):
        with pytest.raises(ValueError, match="no such"):
            portal.revoke(**nothing)


def test_scopes_can_be_taken_away_mid_run(app, portal, api):
    """Fault 26, C10: 403 with the scope's name, also after a refresh; given back, all is well."""
    scope = "crm.objects.contacts.read"
    caller = app.connect()
    assert portal.change_scopes(remove=[scope], client_id=app.client["client_id"]) == 2
    status, body = caller("GET", "contacts")
    assert (status, body["errors"][0]["context"]["requiredGranularScopes"]) == (403, [scope])
    assert scope not in app.refresh()[1]["scopes"]
    assert app.caller()("GET", "contacts")[0] == 403
    portal.change_scopes(add=[scope], app_id=19083858)
    assert app.caller()("GET", "contacts")[0] == 200
    assert portal.change_scopes(remove=[scope], token=portal.token) == 1
    assert api("GET", "contacts")[0] == 403
    assert app.caller()("GET", "contacts")[0] == 200


@pytest.mark.parametrize("kind", ["static", "project", "service_key"])
def test_static_tokens_are_introspected_the_old_way(portal, api, kind):
    """C8, C13: private apps, project apps and service keys alike."""
    portal.add_token("pat-na1-x", ["oauth"], app_id=5, user_id=6, kind=kind)
    assert api.post(INTROSPECT, {"tokenKey": "pat-na1-x"}) == {
        "userId": 6,
        "hubId": 4242,
        "appId": 5,
        "scopes": ["oauth"],
    }


def test_an_oauth_token_is_not(app, api):
    app.connect()
    assert api("POST", INTROSPECT, {"tokenKey": app.tokens["access_token"]})[0] == 401


@pytest.mark.parametrize(
    ("kind", "status"), [("static", 200), ("project", 403), ("service_key", 403), ("oauth", 403)]
)
def test_the_daily_usage_is_for_legacy_private_apps(portal, api, kind, status):
    """C31: where it is not told, the headers must do."""
    portal.add_token("some", kind=kind)
    caller = type(api)(portal, token="some")
    assert caller("GET", USAGE)[0] == caller("GET", USAGE.replace("2026-09", "2026-03"))[0] == status


def test_unknown_kinds_are_refused(portal):
    with pytest.raises(ValueError, match="unknown kind of token"):
        portal.add_token("x", kind="magic")


def test_another_account_is_itself_and_empty(app, portal, api):
    """C11, C20: its own facts and furniture, no records of this one, and nothing can be kept there."""
    portal.add_account(62515, name="Other", account_type="DEVELOPER_TEST", time_zone="Europe/Berlin", currency="EUR")
    one = api.create("contacts", email="ada@lovelace.dev")
    other = app.connect(hub_id=62515)
    details = other.get(DETAILS)
    assert (details["portalId"], details["accountType"], details["companyCurrency"]) == (
        62515,
        "DEVELOPER_TEST",
        "EUR",
    )
    assert details["utcOffset"] == "+01:00"
    assert other.get("contacts")["results"] == []
    assert other("GET", f"contacts/{one}")[0] == 404
    assert other.search("contacts")["total"] == 0
    assert other.post("contacts/batch/read", {"inputs": [{"id": one}], "properties": []}, 207)["results"] == []
    assert other.get("/crm/pipelines/2026-09/contacts")["results"]
    assert other("GET", "contacts/1/associations/contacts")[0] == 404
    assert other("POST", "contacts", {"properties": {"firstname": "A"}})[0] == 501
    assert (len(portal.records("contacts")), other.get("contacts")["results"]) == (1, [])


def test_its_properties_and_owners_are_not_ours(app, portal):
    portal.add_account(62515)
    portal.add_property("contacts", "vip")
    scopes = "crm.objects.contacts.read crm.objects.owners.read crm.schemas.contacts.read"
    other = app.connect(hub_id=62515, scope=scopes)
    names = {one["name"] for one in other.get("/crm/properties/2026-09/contacts")["results"]}
    assert ("email" in names, "vip" in names) == (True, False)
    assert other.get("/crm/owners/2026-09")["results"] == []
    assert other.get("/crm/limits/2026-09/records")["hubspotDefinedObjectTypes"][0]["usage"] == 0


def test_an_account_that_is_not_there_has_no_callers(portal, api):
    portal.add_token("stray", hub_id=99)
    assert type(api)(portal, token="stray")("GET", DETAILS)[0] == 401
    with pytest.raises(ValueError, match="this portal"):
        portal.add_account(4242)
    with pytest.raises(ValueError, match="unknown account type"):
        portal.add_account(5, account_type="VIP")


def test_apps_and_accounts_are_changed_in_place(app, portal):
    portal.add_app(app.client["client_id"], distribution="marketplace")
    assert portal.portal.grants.apps[app.client["client_id"]].redirect_uris == (app.redirect,)
    portal.add_account(7, name="One")
    portal.add_account(7, closed=True)
    assert (portal.portal.account(7).name, portal.portal.account(7).closed) == ("One", True)
    assert app.exchange(app.code(hub_id=7))[1]["status"] == "BAD_HUB"
    with pytest.raises(ValueError, match="unknown distribution"):
        portal.add_app("x", distribution="secret")


def test_marketplace_is_told_by_introspection(app, portal, api):
    portal.add_app(app.client["client_id"], distribution="marketplace")
    app.connect()
    _, body = api.form(f"{app.path}/introspect", token=app.tokens["access_token"], **app.client)
    assert body["is_private_distribution"] is False


def test_no_secret_code_or_token_is_in_the_ledger(app, portal, api):
    """I19: whatever is sent, wherever, in any form: the ledger may be printed."""
    caller = app.connect()
    app.refresh()
    access, refresh = app.tokens["access_token"], app.tokens["refresh_token"]
    secret, code, form = (
        app.client["client_secret"],
        app.code(),
        {"Content-Type": "application/x-www-form-urlencoded"},
    )
    caller("GET", "contacts")
    api.form(f"{app.path}/introspect", token=access, **app.client)
    api.form(f"{app.path}/revoke", token=refresh, **app.client)
    api("POST", INTROSPECT, {"tokenKey": portal.token})
    api("GET", f"/oauth/v1/access-tokens/{access}")
    api("GET", f"/oauth/v1/refresh-tokens/{refresh}")
    api("GET", f"/oauth/2026-09/nowhere/{access}?code={code}&x={secret}&{refresh}")
    api("GET", f"contacts?access_token={access}&hapikey={secret}")
    broken = (
        f'{{"client_secret": "{secret}", "code": "{code}"',
        json.dumps([secret, {"token": access}]),
        json.dumps({"scope": {"token": access}, "client_secret": secret, refresh: 1}),
        f'--x\r\nContent-Disposition: form-data; name="token"\r\n\r\n{access}&{secret}={code}\r\n--x--',
        f"client%5Fsecret={secret}&{access}&{refresh}=1",
    )
    for sent in broken:
        for path in (app.path, "/nowhere", "/oauth/2026-09/revoke"):
            portal.handle("POST", path, form, sent.encode())
    app.exchange(code)
    api("DELETE", f"/appinstalls/2026-09/external-install?token={access}")
    shown = json.dumps([row._asdict() for row in portal.ledger.requests()])
    for hidden in (access, refresh, secret, code, portal.token, app.tokens["access_token"], "Bearer"):
        assert hidden not in shown
    assert "grant_type=authorization_code" in shown
    assert "client_secret=***" in shown


def test_bodies_of_crm_calls_stay_as_they_were_sent(portal, api):
    """A property may be called "code" or "token"; the ledger is a witness of what was written."""
    portal.add_property("contacts", "code")
    api.create("contacts", code="x", firstname="A")
    assert portal.ledger.requests("objects.create")[0].body == '{"properties": {"code": "x", "firstname": "A"}}'
