"""The control API."""

import json

import pytest

from crmsync.fakehub import control


@pytest.fixture
def ask(portal):
    def call(method, path, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        response = control.handle(portal, method, f"/_fakehub/{path}", data)
        return response.status, json.loads(response.body)

    return call


def test_edits_of_a_user_in_one_call(ask, portal):
    status, body = ask(
        "POST", "ui/create", {"edits": [{"type": "contacts", "properties": {"firstname": n}} for n in "ABC"]}
    )
    assert status == 200
    one, two, three = (result["id"] for result in body["results"])
    edits = [
        {"type": "contacts", "id": one, "properties": {"city": "Rome"}},
        {"type": "contacts", "id": "5", "properties": {"city": "Rome"}},
    ]
    assert ask("POST", "ui/update", {"edits": edits})[1] == {
        "results": [{"id": one}, {"error": "CONTACT 5 is not there"}]
    }
    assert ask("POST", "ui/archive", {"edits": [{"type": "contacts", "id": three}]})[1] == {
        "results": [{"id": three}]
    }
    assert ask("GET", "record/contacts/" + three)[1]["archived"] is True
    ask("POST", "ui/restore", {"edits": [{"type": "contacts", "id": three}]})
    company = ask("POST", "ui/create", {"edits": [{"type": "companies", "properties": {"name": "C"}}]})[1]["results"][
        0
    ]["id"]
    link = {"type": "contacts", "id": one, "to": "companies", "to_id": company}
    ask("POST", "ui/associate", {"edits": [{**link, "numbers": [1]}]})
    assert ask("GET", f"associations/contacts/{one}/companies")[1] == {company: [1, 279]}
    ask("POST", "ui/dissociate", {"edits": [link]})
    assert ask("GET", f"associations/contacts/{one}/companies")[1] == {}
    merged = ask("POST", "ui/merge", {"edits": [{"type": "contacts", "id": one, "other": two}]})[1]["results"][0][
        "id"
    ]
    assert {record["id"] for record in portal.records("contacts")} == {merged, three}


def test_state_in_pages(ask):
    ids = ask("POST", "plant/contacts", {"rows": [{"firstname": str(n)} for n in range(25)]})[1]["ids"]
    first = ask("GET", "state/contacts?limit=10")[1]
    second = ask("GET", f"state/contacts?limit=10&after={first['after']}")[1]
    third = ask("GET", f"state/contacts?limit=10&after={second['after']}")[1]
    assert [one["id"] for page in (first, second, third) for one in page["results"]] == ids
    assert "after" not in third
    assert first["results"][0]["properties"]["hs_object_source"] == "IMPORT"


def test_ledger_and_counters(ask, api):
    api("GET", "contacts")
    api.create("contacts", firstname="A")
    api("POST", "contacts/search", {})
    body = ask("GET", "ledger?kind=request")[1]
    assert [row["operation"] for row in body["rows"]] == ["objects.list", "objects.create", "objects.search"]
    assert body["last_seq"] == 5
    assert [row["kind"] for row in ask("GET", "ledger?since_seq=2&limit=2")[1]["rows"]] == ["change", "request"]
    assert ask("GET", "counters")[1] == {
        "writes": 1,
        "calls": {"read": 1, "write": 1, "search": 1},
        "last_seq": 5,
        "backlog": 0,
        "records": {"contacts": 1},
    }


def test_faults(ask, api):
    status, body = ask("POST", "faults", {"kind": "status", "status": 503, "times": 2})
    assert (status, body["status"], body["hits"]) == (200, 503, 0)
    assert api.raw("GET", "contacts").status == 503
    assert ask("GET", "faults")[1]["faults"][0]["hits"] == 1
    assert ask("DELETE", "faults")[0] == 200
    assert api.raw("GET", "contacts").status == 200


def test_settings(ask, api, portal):
    ask("POST", "webhooks", {"target": "https://app.lovelace.dev/", "secret": "s", "duplicate": 0.5, "seed": 4})
    assert (portal.webhooks.target, portal.webhooks.duplicate) == ("https://app.lovelace.dev/", 0.5)
    ask("POST", "clock/advance", {"seconds": 60})
    assert portal.clock.now_ms() == 1_767_225_660_000
    ask("POST", "search", {"lag": 3})
    assert portal.index.lag == 3
    ask("POST", "limits", {"enabled": True, "burst": 0})
    assert api("GET", "contacts")[0] == 429
    ask("POST", "limits", {"enabled": False})
    ask("POST", "flags", {"preserve_primary_id": True})
    assert portal.portal.preserve_primary_id is True


def test_things_in_a_portal(ask, api, portal):
    ask("POST", "tokens", {"token": "t", "scopes": ["oauth"], "app_id": 5})
    assert portal.portal.tokens["t"].app_id == 5
    ask("POST", "owners", {"owner_id": "5", "email": "o@fakehub.dev"})
    assert api.get("/crm/owners/2026-09/5")["email"] == "o@fakehub.dev"
    ask("POST", "properties/contacts", {"name": "born", "kind": "date"})
    assert api.create("contacts", firstname="A", born="1815-12-10")
    stages = [{"id": "s", "label": "S", "displayOrder": 0, "metadata": {"probability": "1.0"}}]
    ask("POST", "pipelines/deals", {"id": "p", "label": "P", "displayOrder": 1, "stages": stages})
    assert api.get("/crm/pipelines/2026-09/deals/p")["stages"][0]["id"] == "s"
    kind = ask("POST", "object-types", {"name": "cars", "requiredProperties": ["vin"]})[1]["id"]
    assert kind == "2-3465404"
    ask("POST", "rules/contacts", {"name": "phone", "when": {"city": ["Rome"]}})
    assert api("POST", "contacts", {"properties": {"firstname": "A", "city": "Rome"}})[0] == 400
    assert ask("POST", "reset", {}) == (200, {})
    assert (portal.records("contacts"), portal.ledger.last_seq, "t" in portal.portal.tokens) == ([], 0, False)


def test_grants(ask, app, portal):
    """U17, Fault 24, Fault 25, Fault 26: all a test of another process needs to play them."""
    more = {"redirect_uris": [app.redirect, "http://127.0.0.1:8000/back/"], "distribution": "marketplace"}
    assert ask("POST", "apps", {"client_id": app.client["client_id"], **more}) == (200, {})
    assert portal.portal.grants.apps[app.client["client_id"]].is_marketplace
    ask("POST", "apps", {"client_id": "new", "client_secret": "s", "scopes": ["oauth"], "app_id": 3})
    assert portal.portal.grants.apps["new"].app_id == 3
    ask("POST", "accounts", {"hub_id": 7, "name": "Other", "account_type": "SANDBOX", "time_zone": "Europe/Berlin"})
    assert ask("GET", "installs")[1] == {"installs": []}
    ask("POST", "oauth", {"expires_in": 60, "rotate": False, "kill_after_issue": 1})
    assert ask("GET", "faults")[1]["faults"][0]["operation"] == "oauth.token"
    ask("DELETE", "faults")
    caller = app.connect(hub_id=7)
    assert (app.tokens["hub_id"], app.tokens["expires_in"]) == (7, 60)
    assert ask("GET", "installs")[1]["installs"] == [
        {"app_id": 19083858, "hub_id": 7, "user_id": 9586504, "is_live": True}
    ]
    change = {"client_id": app.client["client_id"], "remove": ["crm.objects.contacts.read"]}
    assert ask("POST", "scopes", change) == (200, {"count": 2})
    assert caller("GET", "contacts")[0] == 403
    assert ask("POST", "expire", {}) == (200, {"count": 1})
    assert caller("GET", "contacts")[1]["category"] == "EXPIRED_AUTHENTICATION"
    app.refresh()
    assert ask("POST", "revoke", {"token": app.tokens["access_token"]}) == (200, {"count": 1})
    assert app.caller()("GET", "contacts")[1]["category"] == "INVALID_AUTHENTICATION"
    assert ask("POST", "uninstall", {"app_id": 19083858, "hub_id": 7})[1]["count"] > 0
    assert ask("GET", "installs")[1]["installs"][0]["is_live"] is False
    assert app.refresh()[0] == 400
    key = {"token": "key", "kind": "service_key", "app_id": 5}
    assert ask("POST", "tokens", key)[0] == 200
    assert portal.portal.tokens["key"].kind == "service_key"


def test_a_skewed_clock_is_seen_in_dates_and_signatures_only(ask, api, portal):
    """Fault 21: HubSpot's Date tells who of us is wrong."""
    portal.set_webhooks(target="https://app.lovelace.dev/hook")
    assert api.raw("GET", "contacts").headers["Date"] == "Thu, 01 Jan 2026 00:00:00 GMT"
    ask("POST", "clock/skew", {"seconds": 600})
    assert api.raw("GET", "contacts").headers["Date"] == "Thu, 01 Jan 2026 00:10:00 GMT"
    assert api.raw("GET", "/nowhere").headers["Date"] == "Thu, 01 Jan 2026 00:10:00 GMT"
    portal.ui_create("contacts", {"firstname": "A"})
    seen = []
    portal.deliver_webhooks(lambda url, headers, body: seen.append((headers, json.loads(body))) or 204)
    headers, events = seen[0]
    assert headers["X-HubSpot-Request-Timestamp"] == "1767226200000"
    assert events[0]["occurredAt"] == 1_767_225_600_000
    ask("POST", "clock/skew", {"seconds": 0})
    ask("POST", "clock/advance", {"seconds": 1})
    assert api.raw("GET", "contacts").headers["Date"] == "Thu, 01 Jan 2026 00:00:01 GMT"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("POST", "faults", {"kind": "meteor"}, 400),
        ("POST", "faults", {}, 400),
        ("POST", "ui/fly", {"edits": []}, 400),
        ("GET", "state/spaceships", None, 400),
        ("POST", "flags", {"colour": 1}, 400),
        ("GET", "record/contacts", None, 400),
        ("POST", "apps", {"client_id": "x", "redirect_uris": ["/back/"]}, 400),
        ("POST", "apps", {"client_id": "x", "colour": 1}, 400),
        ("POST", "apps", {}, 400),
        ("POST", "accounts", {"hub_id": 4242}, 400),
        ("POST", "oauth", {"expires_in": "soon"}, 400),
        ("POST", "oauth", {"expires_in": 0}, 400),
        ("POST", "oauth", {"colour": 1}, 400),
        ("POST", "revoke", {}, 400),
        ("POST", "uninstall", {"client_id": "nobody"}, 400),
        ("POST", "scopes", {"token": "nope"}, 400),
        ("POST", "tokens", {"token": "t", "kind": "magic"}, 400),
        ("POST", "clock/back", {"seconds": 1}, 400),
        ("POST", "rules/contacts", {"name": "city", "rule_type": "NICE"}, 400),
    ],
)
def test_mistakes_are_told(ask, method, path, body, status):
    seen, answer = ask(method, path, body)
    assert seen == status
    assert answer["error"]


def test_control_calls_are_in_no_ledger(ask, portal):
    ask("GET", "counters")
    assert portal.ledger.last_seq == 0
