"""The portal's page: connecting, testing, refreshing and pausing."""

import pytest
from django.contrib.admin.models import LogEntry as History
from django.test import override_settings

from crmsync import signals
from crmsync.models import Portal, RemoteProperty, UserLink
from tests import factories
from tests.admin.conftest import said

OTHER_TOKEN = "pat-na1-99999999-9999-4999-8999-99999999beef"


def test_a_portal_is_connected_by_saving_its_token(boss, pages, hubspot):
    data = pages.fill(
        boss.get(pages.add("portal")), label="Acme", new_token=factories.TOKEN, new_client_secret="s" * 20
    )
    response = boss.post(pages.add("portal"), data, follow=True)
    portal = Portal.objects.get()
    assert (portal.label, portal.hub_id, portal.state) == ("Acme", 4242, "connected")
    assert (portal.token, portal.client_secret) == (factories.TOKEN, "s" * 20)
    assert "Connected to HubSpot account 4242" in said(response)
    assert History.objects.get().is_addition()


def test_a_token_that_hubspot_refuses_leaves_nothing_behind(boss, pages, hubspot):
    data = pages.fill(boss.get(pages.add("portal")), label="Acme", new_token=OTHER_TOKEN)
    response = boss.post(pages.add("portal"), data)
    assert response.status_code == 200
    assert "does not accept this access token" in response.content.decode()
    assert not Portal.objects.exists()


def test_a_refused_token_does_not_damage_a_connected_portal(boss, pages, hubspot):
    portal = factories.PortalFactory(hub_id=4242, label="Before")
    data = pages.fill(boss.get(pages.of(portal)), label="After", new_token=OTHER_TOKEN)
    response = boss.post(pages.of(portal), data)
    portal = Portal.objects.get()
    assert response.status_code == 200
    assert (portal.label, portal.token, portal.state) == ("Before", factories.TOKEN, "connected")


def test_a_token_of_another_account_is_refused(boss, pages, hubspot):
    portal = factories.PortalFactory(hub_id=777, token=OTHER_TOKEN)
    data = pages.fill(boss.get(pages.of(portal)), new_token=factories.TOKEN)
    assert "belongs to HubSpot account 4242" in boss.post(pages.of(portal), data).content.decode()
    assert Portal.objects.get().token == OTHER_TOKEN


def test_what_is_no_token_is_told_without_a_call(boss, pages):
    data = pages.fill(boss.get(pages.add("portal")), label="Acme", new_token="nonsense")
    assert "does not look like a HubSpot access token" in boss.post(pages.add("portal"), data).content.decode()


def test_a_portal_begins_with_a_token(boss, pages):
    data = pages.fill(boss.get(pages.add("portal")), label="Acme")
    assert boss.post(pages.add("portal"), data).context["adminform"].form.errors == {
        "new_token": ["This field is required."]
    }


def test_empty_inputs_keep_the_stored_secrets_and_make_no_call(boss, pages):
    portal = factories.PortalFactory()
    boss.post(pages.of(portal), pages.fill(boss.get(pages.of(portal)), label="New name"))
    portal = Portal.objects.get()
    assert (portal.label, portal.token, portal.client_secret) == (
        "New name",
        factories.TOKEN,
        factories.CLIENT_SECRET,
    )


def test_a_client_secret_alone_is_stored_without_a_call(boss, pages):
    portal = factories.PortalFactory()
    boss.post(pages.of(portal), pages.fill(boss.get(pages.of(portal)), new_client_secret="t" * 30))
    assert Portal.objects.get().client_secret == "t" * 30


def test_saving_leaves_alone_what_a_worker_wrote_meanwhile(boss, pages):
    portal = factories.PortalFactory()
    data = pages.fill(boss.get(pages.of(portal)), label="New name")
    Portal.objects.update(state="revoked", state_reason="HubSpot said no.")
    boss.post(pages.of(portal), data)
    assert Portal.objects.values("label", "state").get() == {"label": "New name", "state": "revoked"}


def test_whoever_may_not_connect_cannot_slip_in_a_token(staff, pages):
    portal = factories.PortalFactory()
    editor = staff("view_portal", "change_portal")
    shown = editor.get(pages.of(portal))
    assert "new_token" not in shown.content.decode()
    editor.post(pages.of(portal), pages.fill(shown, label="New", new_token=OTHER_TOKEN, new_client_secret="u" * 20))
    portal = Portal.objects.get()
    assert (portal.label, portal.token, portal.client_secret) == ("New", factories.TOKEN, factories.CLIENT_SECRET)


def test_an_api_version_is_a_year_and_a_month(boss, pages):
    portal = factories.PortalFactory()
    data = pages.fill(boss.get(pages.of(portal)), api_version="../../evil")
    assert "year and month" in boss.post(pages.of(portal), data).content.decode()


def test_the_connection_is_tested_with_a_real_call(boss, pages, hubspot):
    portal = factories.PortalFactory(hub_id=4242, time_zone="")
    response = pages.act(boss, "test_connection", portal, tool=True)
    assert "the connection works" in said(response)
    assert response.redirect_chain[-1][0] == pages.of(portal)
    assert Portal.objects.get().time_zone == "US/Eastern"


def test_a_paused_portal_stays_paused_when_tested(boss, pages, hubspot):
    portal = factories.PortalFactory(hub_id=4242, state="paused", state_reason="Paused by me.")
    pages.act(boss, "test_connection", portal)
    assert Portal.objects.values_list("state", "state_reason").get() == ("paused", "Paused by me.")


def test_a_failed_test_is_one_sentence(boss, pages, hubspot):
    portal = factories.PortalFactory(hub_id=4242, token=OTHER_TOKEN)
    assert "does not accept this access token" in said(pages.act(boss, "test_connection", portal))


def test_refreshing_reads_properties_and_owners(boss, pages, hubspot):
    portal = factories.PortalFactory(hub_id=4242)
    response = pages.act(boss, "refresh_fields", portal)
    assert "contacts:" in said(response)
    assert RemoteProperty.objects.filter(portal=portal, object_type="contacts", name="email").exists()
    assert UserLink.objects.filter(portal=portal).exists()


def test_what_a_missing_scope_hides_is_named(boss, pages, hubspot):
    hubspot.add_token(
        "pat-na1-few-scopes-0000000000", scopes=["crm.schemas.contacts.read", "crm.objects.owners.read"]
    )
    portal = factories.PortalFactory(hub_id=4242, token="pat-na1-few-scopes-0000000000")
    assert "companies could not be read" in said(pages.act(boss, "refresh_fields", portal))


def test_pausing_and_resuming(boss, pages):
    portal = factories.PortalFactory()
    seen = []
    receiver = lambda **facts: seen.append(facts["state"])  # noqa: E731
    signals.portal_state_changed.connect(receiver)
    try:
        pages.act(boss, "pause", portal, sure=False)
        assert Portal.objects.get().state == "paused"
        pages.act(boss, "resume", portal, sure=False)
    finally:
        signals.portal_state_changed.disconnect(receiver)
    assert seen == ["paused", "connected"]


def test_only_a_paused_portal_resumes(boss, pages):
    portal = factories.PortalFactory(state="revoked")
    assert "Only a paused portal" in said(pages.act(boss, "resume", portal))
    assert Portal.objects.get().state == "revoked"


def test_pausing_several_is_asked_first(boss, pages):
    one, two = factories.PortalFactory(), factories.PortalFactory()
    assert "2 are chosen" in pages.act(boss, "pause", one, two, sure=False).content.decode()
    assert Portal.objects.filter(state="connected").count() == 2
    pages.act(boss, "pause", one, two)
    assert Portal.objects.filter(state="paused").count() == 2


def test_the_webhook_address_is_shown_to_copy(boss, pages, settings):
    portal = factories.PortalFactory()
    assert "http://testserver/crmsync/webhook/" in boss.get(pages.of(portal)).content.decode()
    settings.CRMSYNC = {**settings.CRMSYNC, "PUBLIC_URL": "https://sync.example.com/"}
    assert "https://sync.example.com/crmsync/webhook/" in boss.get(pages.of(portal)).content.decode()


def test_without_our_urls_the_page_says_what_to_include(boss, pages):
    portal = factories.PortalFactory()
    with override_settings(ROOT_URLCONF="tests.admin.urls_without_webhook"):
        assert "include crmsync.urls" in boss.get(pages.of(portal)).content.decode()


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


@pytest.mark.usefixtures("db")
def test_deleting_needs_the_permission_to_connect(staff, pages):
    portal = factories.PortalFactory()
    url = f"{pages.of(portal).removesuffix('change/')}delete/"
    assert staff("view_portal", "delete_portal").get(url).status_code == 403
