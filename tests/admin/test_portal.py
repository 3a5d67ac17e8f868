"""Connecting a portal: the guided form, what it tries before it stores, and what it keeps."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry as History
from django.test import Client, override_settings
from django.utils import timezone

from crmsync.models import Credential, Cursor, Link, Portal, RemoteProperty
from tests import factories
from tests.admin.conftest import said

OTHER_TOKEN = "pat-na1-99999999-9999-4999-8999-99999999beef"
SECRET = "s" * 20


def _add(client, pages, **values):
    data = pages.fill(client.get(pages.add("portal")), label="Acme", **values)
    return client.post(pages.add("portal"), data, follow=True)


def _change(client, pages, portal, **values):
    return client.post(pages.of(portal), pages.fill(client.get(pages.of(portal)), **values), follow=True)


def _errors(response) -> dict[str, list[str]]:
    return response.context["adminform"].form.errors


# --- Adding -------------------------------------------------------------------------------------------------------


def test_the_form_says_what_to_choose_what_is_needed_and_what_to_copy(boss, pages):
    """J1, C9: three ways with what each is good for, the least scopes with reasons, addresses; before any token."""
    html = boss.get(pages.add("portal")).content.decode()
    for text in ("1. How to connect", "2. What you need", "3. Copy these values"):
        assert text in html
    for way in ("OAuth app", "access token of a private or project app", "service key"):
        assert way in html
    assert "polling, every 300 seconds" in html
    assert "crm.objects.contacts.read" in html
    assert "a first mapping: reads contacts" in html
    assert "http://testserver/crmsync/oauth/callback/" in html
    assert "http://testserver/crmsync/webhook/" in html


@pytest.mark.parametrize("kind", ["static", "service_key"])
def test_a_token_is_tried_stored_and_its_fields_are_discovered(boss, pages, hubspot, kind):
    """C8, C11, C12: connected, discovered, both steps told; one click."""
    response = _add(boss, pages, kind=kind, new_token=factories.TOKEN, new_client_secret=SECRET)
    portal = Portal.objects.get()
    assert (portal.label, portal.hub_id, portal.state) == ("Acme", 4242, "connected")
    credential = Credential.objects.get()
    assert (credential.kind, credential.token) == (kind, factories.TOKEN)
    assert credential.client_secret == (SECRET if kind == "static" else "")
    assert "Connected to HubSpot account 4242" in said(response)
    assert "the fields were discovered" in said(response)
    assert response.redirect_chain[-1][0] == pages.of(portal)
    assert RemoteProperty.objects.filter(portal=portal, name="email").exists()
    assert History.objects.get().is_addition()
    assert hubspot.ledger.writes_made == 0


def test_a_discovery_that_fails_is_told_and_the_connection_stays(boss, pages, hubspot):
    """C12, C24: the second step says why it failed, the first one is done."""
    hubspot.plant_fault(kind="status", status=500, path="/crm/properties/", times=None)
    response = _add(boss, pages, kind="static", new_token=factories.TOKEN)
    assert "the fields could not be discovered" in said(response)
    assert Portal.objects.get().state == "connected"


def test_a_token_that_hubspot_refuses_leaves_nothing_behind(boss, pages, hubspot):
    """C24: one sentence beside the token."""
    response = _add(boss, pages, kind="static", new_token=OTHER_TOKEN)
    assert "does not accept this access token" in str(_errors(response)["new_token"])
    assert not Portal.objects.exists()


def test_what_is_no_token_is_told_without_a_call(boss, pages):
    """C8: format-checked."""
    assert "does not look like a HubSpot access token" in str(
        _errors(_add(boss, pages, kind="static", new_token="nonsense"))["new_token"]
    )


@pytest.mark.parametrize(
    ("kind", "values", "missing"),
    [
        ("static", {}, "new_token"),
        ("service_key", {}, "new_token"),
        ("oauth", {}, "client_id"),
        ("oauth", {"client_id": "abc"}, "new_client_secret"),
    ],
)
def test_what_a_way_to_connect_needs_is_asked_for(boss, pages, kind, values, missing):
    """J1."""
    assert list(_errors(_add(boss, pages, kind=kind, **values))) == [missing]
    assert not Portal.objects.exists()


def test_an_oauth_app_is_stored_and_the_page_leads_to_hubspot(boss, pages):
    """J1: saving makes no call; the next step is one button on the portal's page."""
    response = _add(boss, pages, kind="oauth", client_id="the-app", new_client_secret=SECRET, new_token=OTHER_TOKEN)
    portal = Portal.objects.get()
    assert (portal.state, portal.hub_id) == ("new", None)
    credential = Credential.objects.get()
    assert (credential.kind, credential.client_id, credential.client_secret) == ("oauth", "the-app", SECRET)
    assert credential.token == ""
    html = response.content.decode()
    assert f'action="/crmsync/oauth/start/{portal.pk}/" id="crmsync-connect"' in html
    assert "Connect with HubSpot</button>" in html


def test_the_whole_way_over_hubspots_consent_page(boss, pages, hubspot):
    """J1, C12: add, press, consent, back on the portal's page, connected and discovered."""
    hubspot.add_app(
        "the-app",
        client_secret=SECRET,
        redirect_uris=["http://testserver/crmsync/oauth/callback/"],
        scopes=["oauth"],
        optional_scopes=[
            "crm.objects.owners.read",
            *(
                f"crm.{family}.{kind}.{way}"
                for family in ("objects", "schemas")
                for kind in ("contacts", "companies", "deals")
                for way in ("read", "write")
            ),
        ],
    )
    page = _add(boss, pages, kind="oauth", client_id="the-app", new_client_secret=SECRET)
    (tool,) = [one for one in page.context["crmsync_tools"] if one.name == "connect"]
    back = hubspot.consent(boss.post(tool.url)["Location"])
    response = boss.get(back.removeprefix("http://testserver"), follow=True)
    portal = Portal.objects.get()
    assert response.redirect_chain[-1][0] == pages.of(portal)
    assert (portal.state, portal.hub_id) == ("connected", 4242)
    assert "Reconnect with HubSpot</button>" in response.content.decode()


def test_an_app_of_the_settings_needs_no_id_here(boss, pages, settings):
    """J1: one app of a product serves all its portals."""
    settings.CRMSYNC = {**settings.CRMSYNC, "OAUTH_CLIENT_ID": "ours", "OAUTH_CLIENT_SECRET": "secret"}
    assert "Not needed here" in boss.get(pages.add("portal")).content.decode()
    _add(boss, pages)
    assert Credential.objects.get().kind == "oauth"


@pytest.mark.parametrize("version", ["../../evil", "2019-01"])
def test_an_api_version_is_one_that_crmsync_speaks(boss, pages, version):
    """F22."""
    assert "api_version" in _errors(_add(boss, pages, kind="static", new_token=factories.TOKEN, api_version=version))


def test_without_our_urls_the_page_says_what_to_include(boss, pages):
    """J1."""
    portal = factories.PortalFactory()
    with override_settings(ROOT_URLCONF="tests.admin.urls_without_webhook"):
        assert "include crmsync.urls" in boss.get(pages.of(portal)).content.decode()
        assert "include crmsync.urls" in boss.get(pages.add("portal")).content.decode()


def test_the_public_address_goes_before_the_requests_own(boss, pages, settings):
    """J1."""
    settings.CRMSYNC = {**settings.CRMSYNC, "PUBLIC_URL": "https://sync.example.com/"}
    html = boss.get(pages.add("portal")).content.decode()
    assert "https://sync.example.com/crmsync/webhook/" in html
    assert "https://sync.example.com/crmsync/oauth/callback/" in html


# --- Updating credentials -----------------------------------------------------------------------------------------


def test_new_credentials_keep_mappings_links_and_cursors(boss, pages, hubspot):
    """C20, J12: the secret is swapped, nothing else."""
    mapping = factories.make_mapping(portal__hub_id=4242)
    factories.LinkFactory(mapping=mapping)
    factories.CursorFactory(mapping=mapping)
    factories.OutboxEntryFactory(mapping=mapping)
    hubspot.add_token(OTHER_TOKEN)
    response = _change(boss, pages, mapping.portal, new_token=OTHER_TOKEN)
    assert "Connected to HubSpot account 4242. 1 change waits" in said(response)
    assert Credential.objects.get().token == OTHER_TOKEN
    assert (Link.objects.count(), Cursor.objects.count(), Portal.objects.count()) == (1, 1, 1)
    mapping.refresh_from_db()
    assert (mapping.state, mapping.portal.state) == ("live", "connected")


def test_a_refused_token_does_not_damage_a_connected_portal(boss, pages, hubspot):
    """C20."""
    portal = factories.PortalFactory(hub_id=4242, label="Before")
    response = _change(boss, pages, portal, label="After", new_token=OTHER_TOKEN)
    assert _errors(response)
    assert Portal.objects.values_list("label", "state").get() == ("Before", "connected")
    assert Credential.objects.get().token == factories.TOKEN


def test_a_token_of_another_account_is_refused(boss, pages, hubspot):
    """C20, J12: the same account is checked."""
    portal = factories.PortalFactory(hub_id=777, credential__token=OTHER_TOKEN)
    response = _change(boss, pages, portal, new_token=factories.TOKEN)
    assert "This is HubSpot account 4242" in str(_errors(response))
    assert Credential.objects.get().token == OTHER_TOKEN


def test_empty_inputs_keep_the_stored_secrets_and_make_no_call(boss, pages):
    """C20."""
    portal = factories.PortalFactory()
    _change(boss, pages, portal, label="New name")
    assert Portal.objects.get().label == "New name"
    credential = Credential.objects.get()
    assert (credential.token, credential.client_secret) == (factories.TOKEN, factories.CLIENT_SECRET)


def test_a_client_secret_alone_is_stored_without_a_call_and_the_old_one_serves_on(boss, pages):
    """Fault 25: webhooks signed with the old one are still verified for a while."""
    portal = factories.PortalFactory()
    response = _change(boss, pages, portal, new_client_secret="t" * 30)
    credential = Credential.objects.get()
    assert (credential.client_secret, credential.previous_secret) == ("t" * 30, factories.CLIENT_SECRET)
    assert "It verifies webhooks, too; that ends" in response.content.decode()


def test_another_way_to_connect_needs_its_own_token(boss, pages):
    """C20: a key of another kind is not guessed to be the same."""
    portal = factories.PortalFactory()
    assert list(_errors(_change(boss, pages, portal, kind="service_key"))) == ["new_token"]


def test_changing_to_oauth_keeps_the_token_until_somebody_consents(boss, pages):
    """C20."""
    portal = factories.PortalFactory()
    response = _change(boss, pages, portal, kind="oauth", client_id="the-app")
    credential = Credential.objects.get()
    assert (credential.kind, credential.token) == ("oauth", factories.TOKEN)
    assert "Reconnect with HubSpot</button>" in response.content.decode()


def test_saving_leaves_alone_what_a_worker_wrote_meanwhile(boss, pages):
    portal = factories.PortalFactory()
    data = pages.fill(boss.get(pages.of(portal)), label="New name")
    Portal.objects.update(state="revoked", state_reason="HubSpot said no.")
    boss.post(pages.of(portal), data)
    assert Portal.objects.values("label", "state").get() == {"label": "New name", "state": "revoked"}


def test_whoever_may_not_connect_cannot_slip_in_a_secret(staff, pages):
    """Fault 25: the inputs are neither shown nor read."""
    portal = factories.PortalFactory()
    editor = staff("view_portal", "change_portal")
    shown = editor.get(pages.of(portal))
    for name in ("new_token", "new_client_secret", "client_id", "kind"):
        assert f'name="{name}"' not in shown.content.decode()
    sent = {"new_token": OTHER_TOKEN, "new_client_secret": "u" * 20, "kind": "oauth", "client_id": "evil"}
    editor.post(pages.of(portal), pages.fill(shown, label="New", **sent))
    assert Portal.objects.get().label == "New"
    credential = Credential.objects.get()
    assert (credential.kind, credential.token, credential.client_secret, credential.client_id) == (
        "static",
        factories.TOKEN,
        factories.CLIENT_SECRET,
        "",
    )


def test_an_old_token_is_due_for_a_change(boss, pages):
    """C21: reminder after 180 days."""
    old = timezone.now() - timedelta(days=181)
    portal = factories.PortalFactory(credential__token_at=old)
    assert "older than 180 days" in boss.get(pages.of(portal)).content.decode()
    Credential.objects.update(token_at=timezone.now() - timedelta(days=179))
    assert "older than 180 days" not in boss.get(pages.of(portal)).content.decode()


# --- Deleting -----------------------------------------------------------------------------------------------------


def test_a_portal_with_mappings_is_not_deleted(boss, pages):
    mapping = factories.make_mapping()
    response = boss.get(f"{pages.of(mapping.portal).removesuffix('change/')}delete/")
    assert "protected" in response.content.decode()


def test_a_portal_without_mappings_is_deleted_with_what_was_discovered(boss, pages):
    portal = factories.PortalFactory()
    factories.RemotePropertyFactory(portal=portal)
    boss.post(f"{pages.of(portal).removesuffix('change/')}delete/", {"post": "yes"})
    assert not Portal.objects.exists()
    assert not RemoteProperty.objects.exists()
    assert not Credential.objects.exists()


def test_deleting_needs_the_permission_to_connect(staff, pages):
    portal = factories.PortalFactory()
    url = f"{pages.of(portal).removesuffix('change/')}delete/"
    assert staff("view_portal", "delete_portal").get(url).status_code == 403


def test_a_token_needs_the_forms_own_mark(pages, db):
    """Fault 25: the token is tried before Django's own view runs, and is protected all the same."""
    user = factories.UserFactory(is_superuser=True)
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    sent = {"label": "Acme", "kind": "static", "new_token": factories.TOKEN}
    assert client.post(pages.add("portal"), sent).status_code == 403
    assert not Portal.objects.exists()
