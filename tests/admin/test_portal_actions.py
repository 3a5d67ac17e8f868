"""What staff do with portals: test, refresh, pause, hold, resume, confirm, disconnect; each told and logged."""

import pytest
from django.contrib.admin.models import LogEntry as History
from django.utils import timezone

from crmsync import jobs, signals
from crmsync.flows import environment
from crmsync.models import Credential, Cursor, Link, OutboxEntry, Portal, RemoteProperty, UserLink
from tests import factories
from tests.admin.conftest import said

OTHER_TOKEN = "pat-na1-99999999-9999-4999-8999-99999999beef"
HERE = {"site": "elsewhere", "database": "another", "label": "", "portal_id": 4242, "account_type": "STANDARD"}


@pytest.fixture
def rung(monkeypatch) -> list[bool]:
    """One entry a ring."""
    rings = []
    monkeypatch.setattr(jobs, "ring", lambda: rings.append(True))
    return rings


def _buttons(response) -> set[str]:
    return {one.name for one in response.context["crmsync_tools"] if one.is_shown}


# --- Calls --------------------------------------------------------------------------------------------------------


def test_the_connection_is_tested_with_a_real_call(boss, pages, hubspot):
    """C13: account, tier and scopes are reported."""
    hubspot.limits.configure(enabled=True)
    portal = factories.PortalFactory(hub_id=4242, time_zone="")
    response = pages.act(boss, "test_connection", portal, tool=True)
    assert "the connection works" in said(response)
    assert "US/Eastern" in said(response)
    assert "tier: Professional" in said(response)
    assert "All scopes that the mappings need are granted." in said(response)
    assert response.redirect_chain[-1][0] == pages.of(portal)
    assert Portal.objects.get().time_zone == "US/Eastern"
    assert History.objects.get().change_message == "Tested the connection."


def test_a_paused_portal_stays_paused_when_tested(boss, pages, hubspot):
    """J13: only a person resumes."""
    portal = factories.PortalFactory(hub_id=4242, state="paused", state_reason="Paused by me.")
    pages.act(boss, "test_connection", portal)
    assert Portal.objects.values_list("state", "state_reason").get() == ("paused", "Paused by me.")


def test_a_failed_test_is_one_sentence(boss, pages, hubspot):
    """C24."""
    portal = factories.PortalFactory(hub_id=4242, credential__token=OTHER_TOKEN)
    assert "HubSpot no longer accepts the access token" in said(pages.act(boss, "test_connection", portal))


def test_refreshing_reads_properties_and_owners_and_says_what_is_new(boss, pages, hubspot):
    """C17: what was added, changed or removed is listed, in the message and on the page."""
    portal = factories.PortalFactory(hub_id=4242)
    response = pages.act(boss, "refresh_fields", portal, tool=True)
    assert "properties: " in said(response)
    assert RemoteProperty.objects.filter(portal=portal, object_type="contacts", name="email").exists()
    assert UserLink.objects.filter(portal=portal).exists()
    assert "What changed in HubSpot" in response.content.decode()
    hubspot.add_property("contacts", "shoe_size", "number", "number")
    again = pages.act(boss, "refresh_fields", portal, tool=True)
    assert "properties: 1 added" in said(again)
    assert "shoe_size" in again.content.decode()


def test_what_a_missing_scope_hides_is_named(boss, pages, hubspot):
    """C9, C24: which list, and which scope would allow it; here and later on the page."""
    token = "pat-na1-few-scopes-0000000000"
    hubspot.add_token(token, scopes=["crm.schemas.contacts.read", "crm.objects.owners.read"])
    portal = factories.PortalFactory(hub_id=4242, credential__token=token)
    response = pages.act(boss, "refresh_fields", portal, tool=True)
    assert "companies could not be read" in said(response)
    assert "companies could not be read" in boss.get(pages.of(portal)).content.decode()


# --- Pausing and holding ------------------------------------------------------------------------------------------


def test_pausing_and_resuming(boss, pages, rung):
    """J13: state, signal, history; resuming says what waits."""
    mapping = factories.make_mapping()
    factories.OutboxEntryFactory(mapping=mapping)
    seen = []
    receiver = lambda **facts: seen.append(facts["state"])  # noqa: E731
    signals.portal_state_changed.connect(receiver)
    try:
        paused = pages.act(boss, "pause", mapping.portal, sure=False, tool=True)
        assert "1 change waits" in paused.content.decode()
        assert _buttons(paused) >= {"resume", "disconnect"}
        assert "pause" not in _buttons(paused)
        resumed = pages.act(boss, "resume", mapping.portal, sure=False, tool=True)
    finally:
        signals.portal_state_changed.disconnect(receiver)
    assert seen == ["paused", "connected"]
    assert "1 change waits" in said(resumed)
    assert rung
    assert [one.change_message for one in History.objects.order_by("pk")] == ["Paused.", "Resumed."]


def test_a_portal_that_waits_for_its_quota_is_resumed_by_hand(boss, pages, rung):
    """Fault 18: a wait ends by itself or by a person."""
    soon = timezone.now() + timezone.timedelta(hours=2)
    portal = factories.PortalFactory(waits_until=soon, waits_code="portal.quota_day")
    assert "portal.quota_day" in boss.get(pages.of(portal)).content.decode()
    pages.act(boss, "resume", portal)
    assert Portal.objects.get().waits_until is None


def test_only_a_paused_portal_resumes(boss, pages):
    portal = factories.PortalFactory(state="revoked")
    assert "Only a paused or waiting portal" in said(pages.act(boss, "resume", portal))
    assert Portal.objects.get().state == "revoked"


def test_all_portals_are_paused_and_resumed_at_once(boss, pages, rung):
    """J13: two buttons above the list; several are asked about."""
    one, two, dead = factories.PortalFactory(), factories.PortalFactory(), factories.PortalFactory(state="revoked")
    tools = {tool.name: tool for tool in boss.get(pages.list("portal")).context["crmsync_list_tools"]}
    for name, state in (("pause-all", "paused"), ("resume-all", "connected")):
        sent = dict(tools[name].fields)
        assert "2 are chosen" in boss.post(tools[name].url, sent).content.decode()
        boss.post(tools[name].url, {**sent, "post": "yes"})
        assert set(Portal.objects.exclude(pk=dead.pk).values_list("state", flat=True)) == {state}
    dead.refresh_from_db()
    assert dead.state == "revoked"
    assert {one.pk, two.pk} == {int(pk) for pk in History.objects.values_list("object_id", flat=True)}


@pytest.mark.parametrize(("action", "held"), [("hold_pushes", "push"), ("hold_pulls", "pull")])
def test_one_direction_is_held_and_released(boss, pages, rung, action, held):
    """J13: a direction of a portal."""
    portal = factories.PortalFactory()
    page = pages.act(boss, action, portal, sure=False, tool=True)
    assert Portal.objects.get().held == held
    assert _buttons(page) >= {"release"}
    assert not _buttons(page) & {"hold_pushes", "hold_pulls"}
    pages.act(boss, "release", portal, sure=False, tool=True)
    assert Portal.objects.get().held == ""
    assert rung


# --- Safety -------------------------------------------------------------------------------------------------------


def test_a_copied_installation_is_confirmed_by_who_may(staff, pages, rung):
    """Fault 11, Fault 49: what differs is listed, a person confirms, and only one with the permission."""
    portal = factories.PortalFactory(hub_id=4242, account_type="STANDARD", fingerprint=HERE, other_install="staging")
    connector = staff("view_portal", "connect_portal")
    page = connector.get(pages.of(portal))
    assert "locked until confirmed" in page.content.decode()
    assert "confirm_installation" not in _buttons(page)
    assert pages.act(connector, "confirm_installation", portal).status_code == 403
    keeper = staff("view_portal", "unlock_portal")
    assert "confirm_installation" in _buttons(keeper.get(pages.of(portal)))
    asked = pages.act(keeper, "confirm_installation", portal, sure=False, tool=True).content.decode()
    assert "site&#x27;s address was “elsewhere”" in asked
    assert "another installation (staging)" in asked
    assert environment.differences(Portal.objects.get())
    pages.act(keeper, "confirm_installation", portal, tool=True)
    portal = Portal.objects.get()
    assert not environment.differences(portal)
    assert portal.other_install == ""


def test_a_refused_environment_cannot_be_confirmed(boss, pages, settings):
    """Fault 11: staging never works with a production account, whoever says so."""
    settings.CRMSYNC = {**settings.CRMSYNC, "ENVIRONMENT": "staging"}
    portal = factories.PortalFactory(hub_id=4242, account_type="STANDARD", fingerprint=HERE)
    assert "only test accounts may be used" in said(pages.act(boss, "confirm_installation", portal))
    assert Portal.objects.get().fingerprint == HERE


def test_disconnecting_says_what_happens_and_keeps_what_is_needed_later(boss, pages, rung):
    """C25: everything but the token stays; the person is asked, with no box for what a token cannot do."""
    mapping = factories.make_mapping()
    factories.LinkFactory(mapping=mapping)
    factories.CursorFactory(mapping=mapping)
    factories.OutboxEntryFactory(mapping=mapping)
    asked = pages.act(boss, "disconnect", mapping.portal, sure=False, tool=True).content.decode()
    assert "What happens" in asked
    assert "What stays" in asked
    assert "delete-confirmation" in asked
    assert 'name="uninstalls"' not in asked
    assert Portal.objects.get().state == "connected"
    pages.act(boss, "disconnect", mapping.portal, tool=True)
    assert Portal.objects.values_list("state", "state_reason").get()[0] == "disconnected"
    credential = Credential.objects.get()
    assert (credential.token, credential.client_secret) == ("", factories.CLIENT_SECRET)
    assert (Link.objects.count(), Cursor.objects.count(), OutboxEntry.objects.count()) == (1, 1, 1)
    assert History.objects.get().change_message == "Disconnected."


def test_disconnecting_an_oauth_portal_may_uninstall_the_app(boss, pages, hubspot):
    """J12: the box is there, and where HubSpot cannot be told it is said."""
    portal = factories.PortalFactory(hub_id=4242, credential__kind="oauth", credential__refresh_token="r" * 20)
    asked = pages.act(boss, "disconnect", portal, sure=False, tool=True).content.decode()
    assert 'name="uninstalls"' in asked
    response = pages.act(boss, "disconnect", portal, uninstalls="yes")
    assert "HubSpot was not told" in said(response)
    assert Portal.objects.get().state == "disconnected"


def test_no_is_a_link_back_to_the_portal(boss, pages):
    """P7: asked, and the way out is one click."""
    portal = factories.PortalFactory()
    asked = pages.act(boss, "disconnect", portal, sure=False, tool=True).content.decode()
    assert f'href="{pages.of(portal)}" class="button cancel-link"' in asked


def test_the_list_offers_nothing_that_only_makes_sense_for_one(boss, pages):
    factories.PortalFactory()
    html = boss.get(pages.list("portal")).content.decode()
    assert '<option value="pause">' in html
    for name in ("disconnect", "confirm_installation", "rehearse", "switch_version"):
        assert f'<option value="{name}">' not in html
