"""The consent page: what it shows, what it refuses, and where it leads."""

import html.parser
import re
import threading
import urllib.parse

import pytest
import requests

from crmsync.fakehub import defaults, hub, server

DEMO = defaults.DEMO_APP["client_id"]
REDIRECT = "https://app.lovelace.dev/crmsync/oauth/callback/"

PATH = "/oauth/authorize"


class Page(html.parser.HTMLParser):
    """Tags with their attributes, in their order."""

    def __init__(self, body):
        super().__init__()
        self.tags = []
        self.feed(body.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def all(self, tag, **wanted):
        return [given for name, given in self.tags if name == tag and given.items() >= wanted.items()]


def open_page(app, url):
    return app.portal.handle("GET", f"{PATH}?{urllib.parse.urlsplit(url).query}", {})


def test_the_page_shows_the_app_the_accounts_and_the_scopes(app, portal):
    """U17, C9: an account picker and what is asked for; no script, no style, and the form as HTML knows it."""
    portal.add_account(62515, name="Lovelace & Co", account_type="SANDBOX")
    answer = open_page(app, app.ask(optional_scope="tickets oauth", state="s"))
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html;charset=utf-8")
    text, page = answer.body.decode(), Page(answer.body)
    for part in ("Fakehub demo app", "Lovelace &amp; Co", "SANDBOX", "crm.objects.contacts.read"):
        assert part in text
    assert text.count("<code>oauth</code>") == 1
    assert [one["value"] for one in page.all("input", type="radio")] == ["4242", "62515"]
    assert ["checked" in one for one in page.all("input", type="radio")] == [True, False]
    assert [one["value"] for one in page.all("button", name="decision")] == ["connect", "cancel"]
    assert page.all("form", method="post", action=PATH)
    assert page.all("html", lang="en")
    assert not page.all("script") + page.all("style") + page.all("link")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "form-action" not in answer.headers["Content-Security-Policy"]


def test_a_user_connects_another_account(app, portal):
    """U17, C11: the tokens are of the account that was chosen."""
    portal.add_account(62515, name="Other", time_zone="Europe/Berlin")
    caller = app.connect(hub_id=62515)
    assert app.tokens["hub_id"] == 62515
    details = caller.get("/account-info/2026-09/details")
    assert (details["portalId"], details["timeZone"]) == (62515, "Europe/Berlin")


def test_cancel_leads_back_with_the_documented_error(app, portal):
    """X4: the app hears of it and can say so."""
    answer = app.returned(portal.consent(app.ask(state="s&t"), accept=False))
    assert (answer["error"], answer["state"], "code" in answer) == ("access_denied", "s&t", False)
    assert answer["error_description"]
    assert portal.portal.grants.codes == {}


def test_state_comes_back_letter_by_letter_and_only_if_sent(app, portal):
    odd = 'ü <"&=+%23# \u2028'
    assert app.returned(portal.consent(app.ask(state=odd)))["state"] == odd
    assert "state" not in app.returned(portal.consent(app.ask()))


def test_a_redirect_uri_with_a_query_keeps_it(app, portal):
    app.redirect = "http://127.0.0.1:8000/back/?tenant=a%26b"
    portal.add_app(DEMO, redirect_uris=[app.redirect])
    location = portal.consent(app.ask(state="s"))
    assert location.startswith(f"{app.redirect}&code=")
    assert app.returned(location)["tenant"] == "a&b"
    assert app.exchange(app.returned(location)["code"])[0] == 200


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"client_id": "nobody"}, "client id"),
        ({"client_id": ""}, "client id"),
        ({"redirect_uri": "https://app.lovelace.dev/crmsync/oauth/callback"}, "redirect URI"),
        ({"redirect_uri": f"{REDIRECT}?x=1"}, "redirect URI"),
        ({"redirect_uri": "http://127.0.0.1:8000/"}, "redirect URI"),
        ({"redirect_uri": ""}, "redirect URI"),
        ({"scope": "oauth crm.objects.line_items.read"}, "crm.objects.line_items.read"),
        ({"scope": ""}, "scopes"),
        ({"optional_scope": "content <b>"}, "content, &lt;b&gt;"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wrong_request_gets_a_page_and_never_a_redirect(app, portal, method, change, reason):
    """C24: the reason is on the page; nobody is sent anywhere that was not registered."""
    fields = {"client_id": DEMO, "redirect_uri": REDIRECT, "scope": app.scopes, "state": "s", **change}
    sent = urllib.parse.urlencode(fields)
    if method == "GET":
        answer = portal.handle("GET", f"{PATH}?{sent}", {})
    else:
        body = f"{sent}&decision=connect&hub_id=4242".encode()
        answer = portal.handle("POST", PATH, {"Content-Type": "application/x-www-form-urlencoded"}, body)
    assert (answer.status, answer.headers["Content-Type"]) == (400, "text/html;charset=utf-8")
    assert "Location" not in answer.headers
    assert reason in answer.body.decode()
    assert not Page(answer.body).all("form") + Page(answer.body).all("b")
    assert portal.ledger.requests()[-1].applied is False


@pytest.mark.parametrize(
    "sent",
    ["decision=connect&hub_id=5", "decision=connect&hub_id=x", "decision=connect", "hub_id=4242", "decision=x"],
)
def test_a_decision_needs_an_account_and_a_button(app, portal, sent):
    fields = urllib.parse.urlsplit(app.ask()).query
    body = f"{fields}&{sent}".encode()
    answer = portal.handle("POST", PATH, {"Content-Type": "application/x-www-form-urlencoded"}, body)
    assert (answer.status, "Location" in answer.headers) == (400, False)
    assert portal.handle("POST", PATH, {"Content-Type": "application/json"}, b"{}").status == 400


def test_a_field_that_comes_twice_is_refused(app):
    answer = open_page(app, app.ask() + "&redirect_uri=https%3A%2F%2Fevil.dev%2F")
    assert (answer.status, "redirect_uri" in answer.body.decode()) == (400, True)


@pytest.mark.parametrize("odd", ['"><script>alert(1)</script>', "'\"<&>", "{title}", "%s", "&#60;b&#62;"])
def test_all_that_is_shown_is_escaped(app, portal, odd):
    """A name or a state with markup stays text."""
    portal.add_app(DEMO, name=odd)
    portal.add_account(7, name=odd)
    page = Page(open_page(app, app.ask(state=odd)).body)
    assert not page.all("script") + page.all("b")
    assert page.all("input", name="state")[0]["value"] == odd
    assert app.returned(portal.consent(app.ask(state=odd)))["state"] == odd


def test_optional_scopes_beyond_the_tier_are_dropped_silently(app, portal):
    """C7, C10: custom objects are for Enterprise accounts; anything else an account can be planted without."""
    optional = "tickets crm.objects.custom.read crm.objects.owners.read"
    app.connect(optional_scope=optional)
    assert set(app.tokens["scopes"]) - set(app.scopes.split()) == {"tickets", "crm.objects.owners.read"}
    portal.set_flags(lacks_scopes=["crm.objects.owners.read"])
    app.connect(optional_scope=optional)
    assert set(app.tokens["scopes"]) - set(app.scopes.split()) == {"tickets"}
    portal.set_limits(tier="enterprise")
    app.connect(optional_scope=optional)
    assert "crm.objects.custom.read" in app.tokens["scopes"]


def test_required_scopes_beyond_the_tier_refuse_all(app, portal):
    """C7: with the scope's name, and without a code."""
    with pytest.raises(ValueError, match=r"cannot grant what the app requires: crm\.objects\.custom\.read"):
        portal.consent(app.ask(scope=f"{app.scopes} crm.objects.custom.read"))
    portal.add_account(7, name="Small", lacks_scopes=["crm.objects.contacts.write"])
    with pytest.raises(ValueError, match=r"crm\.objects\.contacts\.write"):
        portal.consent(app.ask(), hub_id=7)
    assert portal.portal.grants.codes == {}


@pytest.mark.parametrize(
    "uri", ["/callback/", "ftp://x.dev/", "https://x.dev/#a", "https:///x", "https://x.dev/a b", "https://ü.dev"]
)
def test_only_whole_addresses_are_registered(portal, uri):
    with pytest.raises(ValueError, match="no redirect URI"):
        portal.add_app(DEMO, redirect_uris=[uri])


def test_a_fresh_demo_app_leads_nowhere(portal):
    """Not even to this machine: what may be called back is registered."""
    fields = {"client_id": DEMO, "redirect_uri": "http://127.0.0.1:8000/", "scope": "oauth"}
    assert portal.handle("GET", f"{PATH}?{urllib.parse.urlencode(fields)}", {}).status == 400


def test_a_browser_over_http():
    """The page and the redirect as they travel."""
    one = server.Server(("127.0.0.1", 0), hub.FakeHub(limits_on=False))
    one.hub.add_app(DEMO, redirect_uris=[REDIRECT])
    thread = threading.Thread(target=one.run)
    thread.start()
    try:
        fields = {"client_id": DEMO, "redirect_uri": REDIRECT, "scope": "oauth", "state": "s"}
        page = requests.get(f"{one.url}{PATH}", params=fields, timeout=10)
        assert (page.status_code, "Connect app" in page.text) == (200, True)
        sent = {**fields, "decision": "connect", "hub_id": "4242"}
        answer = requests.post(f"{one.url}{PATH}", data=sent, timeout=10, allow_redirects=False)
        assert (answer.status_code, answer.content) == (302, b"")
        assert re.fullmatch(rf"{re.escape(REDIRECT)}\?code=na1-[0-9a-f-]+&state=s", answer.headers["Location"])
    finally:
        one.stop()
        thread.join(10)
