"""Every trouble of the troubleshooting list, produced for real: the page names the cause and the remedy.

C24: connection failed, discovery failed, permission denied, field missing, rate limit; and those of portals.
"""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crmsync.flows import standing
from crmsync.ledger import credentials
from crmsync.models import Mapping, OutboxEntry, Portal
from project.demo.models import Person
from tests import factories


@pytest.fixture
def page(sync) -> Callable[..., str]:
    """The portal's page as an administrator sees it, after pressing a tool if one is named."""
    client = Client()
    user = factories.UserFactory(is_superuser=True)
    client.force_login(user)

    def show(tool: str = "") -> str:
        url = reverse("admin:crmsync_portal_change", args=[sync.portal.pk])
        if tool:
            data = {"action": tool, "_selected_action": [sync.portal.pk], "_tool": "1", "post": "yes"}
            answer = client.post(reverse("admin:crmsync_portal_changelist"), data, follow=True)
            return answer.content.decode()
        return client.get(url).content.decode()

    show.client = client
    return show


def save_somebody(sync) -> None:
    Person.objects.create(email="trouble@example.com")
    OutboxEntry.objects.update(due_at=timezone.now())
    sync.drain()


def test_connection_failed_by_a_refused_token(sync, page) -> None:
    """C24, C22: the cause is the token, the remedy a new one on this page."""
    sync.hub.revoke(token=sync.hub.token)
    assert "no longer accepts the access token" in page("test_connection")
    save_somebody(sync)
    shown = page()
    assert "access revoked" in shown
    assert "Enter a new one" in shown


def test_connection_failed_by_the_network(sync, page) -> None:
    """C24: nothing was reached; the network and the address are named."""
    sync.hub.plant_fault("reset", times=None)
    shown = page("test_connection")
    assert "answer was lost" in shown or "could not be reached" in shown


def test_discovery_failed(sync, page) -> None:
    """C24: an error of HubSpot's own while fields are read is told as such, and what was known stays."""
    count = sync.portal.properties.count()
    sync.hub.plant_fault("status", status=502, path="/crm/properties", times=None)
    assert "could not be discovered" in page("refresh_fields")
    assert sync.portal.properties.count() == count


def test_permission_denied(sync, page) -> None:
    """C24, F23: the missing scope by its name, with what to do, on the portal's page and on the mapping's."""
    sync.hub.change_scopes(token=sync.hub.token, remove=["crm.objects.contacts.write"])
    save_somebody(sync)
    mapping = Mapping.objects.get(pk=sync.people.pk)
    assert "crm.objects.contacts.write" in mapping.problem
    assert "Grant" in mapping.problem
    html = page.client.get(reverse("admin:crmsync_mapping_change", args=[mapping.pk])).content.decode()
    assert "crm.objects.contacts.write" in html


def test_discovery_without_a_scope_degrades_by_its_name(sync, page) -> None:
    """C24, C17: what could not be read is named with the scope that would allow it; the rest is read."""
    sync.hub.change_scopes(token=sync.hub.token, remove=["crm.objects.owners.read"])
    shown = page("refresh_fields")
    assert "owners" in shown
    assert "crm.objects.owners.read" in shown


def test_a_field_is_missing(sync, page) -> None:
    """C24: the property by name, with what to do."""
    sync.people.fields.filter(local="city").update(remote="no_such_property")
    save_somebody(sync)
    mapping = Mapping.objects.get(pk=sync.people.pk)
    html = page.client.get(reverse("admin:crmsync_mapping_change", args=[mapping.pk])).content.decode()
    assert "no_such_property" in html
    assert "Refresh fields" in html


def test_the_daily_limit(sync, page) -> None:
    """C24, Fault 10: why nothing moves and when it will; a test by hand still says why."""
    sync.hub.set_limits(enabled=True, daily=1, daily_used=5)
    save_somebody(sync)
    shown = page()
    assert "daily limit" in shown
    assert f"{Portal.objects.get().waits_until:%Y}" in shown
    assert "daily limit" in page("test_connection")


def test_the_burst_limit_is_no_failure(sync, page) -> None:
    """C23: it is never shown as the failure of a record."""
    sync.hub.plant_fault("status", status=429, policy="TEN_SECONDLY_ROLLING", times=1)
    save_somebody(sync)
    row = OutboxEntry.objects.get()
    assert (row.state, row.attempts) == ("due", 0)
    assert "goes on by itself" in row.last_message


def test_a_lost_key(sync, page, settings) -> None:
    """Fault 50: the page works, and asks for the secret again."""
    from tests.flows.test_standing import with_keys

    keys = settings.FERNET_KEYS
    with_keys(settings, ["another-key"])
    try:
        save_somebody(sync)
        shown = page()
        assert "secret unreadable" in shown
        assert "re-enter the secret" in shown
    finally:
        with_keys(settings, keys)


def test_a_copy_of_the_database(sync, page, settings) -> None:
    """F11, Fault 48: what differs is named, and who may confirm it is offered to."""
    settings.CRMSYNC = {**settings.CRMSYNC, "PUBLIC_URL": "https://staging.example.com"}
    save_somebody(sync)
    shown = page()
    assert "staging.example.com" in shown
    assert "Confirm this installation" in shown
    assert sync.contacts() == []


def test_another_installation(sync, page) -> None:
    """Fault 49: its name is shown on the page and in the banner."""
    Portal.objects.update(other_install="blue-site")
    assert "blue-site" in page()


def test_a_wrong_clock(sync, page) -> None:
    """Fault 21: recognised by the Date of HubSpot's answers, and named on every page."""
    sync.hub.skew_clock(900)
    save_somebody(sync)
    shown = page.client.get(reverse("admin:crmsync_heartbeat_changelist")).content.decode()
    assert "portal.clock" in shown


def test_disconnected(sync, page) -> None:
    """U25: the state and the way back."""
    standing.disconnect(sync.portal, "Disconnected by a test.")
    assert credentials.load(sync.portal.pk).secret("token") == ""
    shown = page()
    assert "disconnected" in shown
    assert "Disconnected by a test." in shown
