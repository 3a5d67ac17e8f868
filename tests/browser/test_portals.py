"""The journeys of a portal in a browser: connect, reconnect, pause, and tell support; with and without JavaScript."""

import pytest
from django.utils import timezone

from crmsync.flows import connect
from crmsync.ledger import credentials
from crmsync.models import Credential, OutboxEntry, Portal
from project.demo.models import Person
from tests import factories
from tests.browser.conftest import APP, APP_SECRET

BOTH = pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])


def add_portal(page, desk, kind: str, **fields: str) -> None:
    page.goto(f"{desk.url}/admin/crmsync/portal/add/")
    page.fill("#id_label", "Acme")
    page.check(f"input[name=kind][value={kind}]")
    for name, value in fields.items():
        page.fill(f"#id_{name}", value)
    go(page, page.locator("input[name=_save]").first)


def go(page, button) -> None:
    """Press what leads to another page, and wait for that page."""
    with page.expect_navigation(wait_until="load"):
        button.click()


def press(page, name: str) -> None:
    go(page, page.get_by_role("button", name=name, exact=True).first)


def text(page) -> str:
    return page.inner_text("body")


def consent(page, account: str = "") -> None:
    """What a person does on HubSpot's own page."""
    assert "/oauth/authorize" in page.url
    if account:
        page.check(f"input[name=hub_id][value='{account}']")
    press(page, "Connect app")


@BOTH
@pytest.mark.django_db(transaction=True)
def test_connect_by_oauth(desk, javascript) -> None:
    """J1, X4, U17, A26: from the empty list to a connected portal; the consent page is HubSpot's own."""
    desk.add_app()
    page = desk.log_in(javascript=javascript)
    page.goto(f"{desk.url}/admin/crmsync/portal/add/")
    assert f"{desk.url}/crmsync/oauth/callback/" in page.content()
    assert "crm.objects.contacts.read" in text(page)
    add_portal(page, desk, "oauth", client_id=APP, new_client_secret=APP_SECRET)
    press(page, "Connect with HubSpot")
    assert "crm.objects.contacts.read" in text(page)
    consent(page)
    assert "Connected to HubSpot account 4242" in text(page)
    assert "Nothing was synced yet" in text(page)
    shown = text(page)
    for fact in ("4242", "US/Eastern", "STANDARD", "USD"):
        assert fact in shown
    assert APP_SECRET not in page.content()
    assert Credential.objects.get().token not in page.content()
    assert desk.hub.ledger.writes_made == 0


@BOTH
@pytest.mark.django_db(transaction=True)
def test_connect_by_token(desk, javascript) -> None:
    """J1, C8, C12: a mistyped token says so beside it; the right one connects and discovers."""
    page = desk.log_in(javascript=javascript)
    add_portal(page, desk, "static", new_token="pat-na1-wrong-wrong-wrong-wrong")
    assert "does not accept this access token" in text(page)
    assert "pat-na1-wrong" not in page.content()
    add_portal(page, desk, "static", new_token=desk.hub.token)
    assert "Connected to HubSpot account 4242" in text(page)
    assert Portal.objects.get().properties.exists()


@BOTH
@pytest.mark.django_db(transaction=True)
def test_reconnect_after_an_uninstall(desk, javascript) -> None:
    """J12, U26, C20, Fault 27: a banner everywhere, another account is refused, and nothing that waits is lost."""
    desk.add_app()
    desk.hub.add_account(777, name="Another one")
    page = desk.log_in(javascript=javascript)
    add_portal(page, desk, "oauth", client_id=APP, new_client_secret=APP_SECRET)
    press(page, "Connect with HubSpot")
    consent(page)
    mapping = factories.MappingFactory(portal=Portal.objects.get())
    factories.FieldMappingFactory(mapping=mapping, local="email", remote="email")
    desk.hub.uninstall(client_id=APP)
    Person.objects.create(email="waits@example.com")
    desk.work()
    page.goto(f"{desk.url}/admin/crmsync/mapping/")
    assert "uninstalled in HubSpot" in text(page)
    page.goto(f"{desk.url}/admin/crmsync/portal/{Portal.objects.get().pk}/change/")
    press(page, "Reconnect with HubSpot")
    consent(page, "777")
    assert "HubSpot account 777" in text(page)
    assert Portal.objects.get().state == "uninstalled"
    press(page, "Reconnect with HubSpot")
    consent(page, "4242")
    assert "Connected to HubSpot account 4242" in text(page)
    OutboxEntry.objects.update(due_at=timezone.now())
    desk.work()
    assert [one["properties"]["email"] for one in desk.hub.records("contacts")] == ["waits@example.com"]
    page.goto(f"{desk.url}/admin/crmsync/mapping/")
    assert "uninstalled in HubSpot" not in text(page)


@pytest.fixture
def connected(desk) -> Portal:
    """A portal with a token, and a mapping of people."""
    portal = connect.connect(Portal(label="Acme"), credentials.Entered("static", token=desk.hub.token))
    mapping = factories.MappingFactory(portal=portal)
    factories.FieldMappingFactory(mapping=mapping, local="email", remote="email")
    factories.RemotePropertyFactory(portal=portal, object_type="contacts", name="email", label="Email")
    return portal


@BOTH
@pytest.mark.django_db(transaction=True)
def test_pause_for_maintenance(desk, connected, javascript) -> None:
    """J13: pausing asks nothing twice, captures, shows a banner with what waits; resuming tells how long it takes."""
    page = desk.log_in(javascript=javascript)
    page.goto(f"{desk.url}/admin/crmsync/portal/{connected.pk}/change/")
    press(page, "Pause")
    assert "is paused" in text(page)
    Person.objects.create(email="later@example.com")
    desk.work()
    assert desk.hub.records("contacts") == []
    other = desk.log_in("viewer", javascript=javascript)
    other.goto(f"{desk.url}/admin/crmsync/mapping/")
    assert "paused" in text(other)
    page.reload()
    assert "1" in text(page)
    press(page, "Resume")
    assert "goes on" in text(page)
    desk.work()
    assert len(desk.hub.records("contacts")) == 1


@BOTH
@pytest.mark.django_db(transaction=True)
def test_one_paste_for_support(desk, connected, javascript) -> None:
    """J16, C34: all of the diagnostics in one text, and no secret or personal value in it."""
    Person.objects.create(email="private@example.com", first_name="Privatus")
    page = desk.log_in(javascript=javascript)
    page.goto(f"{desk.url}/admin/crmsync/heartbeat/")
    assert "System status" in text(page)
    pasted = page.input_value("textarea[readonly]")
    for fact in ("crmsync", "django", "connected", "portals"):
        assert fact.lower() in pasted.lower()
    for secret in (desk.hub.token, factories.CLIENT_SECRET, "private@example.com", "Privatus"):
        assert secret not in pasted
        assert secret not in page.content()
    assert page.get_by_role("button", name="Copy", exact=True).is_visible() is javascript


@pytest.mark.parametrize("role", ["viewer", "operator", "administrator"])
@pytest.mark.django_db(transaction=True)
def test_what_each_role_is_offered(desk, connected, role) -> None:
    """promises.md 5: buttons that cut off or connect are for those who may, and nobody else sees an input."""
    page = desk.log_in(role)
    page.goto(f"{desk.url}/admin/crmsync/portal/{connected.pk}/change/")
    may = role == "administrator"
    assert "4242" in text(page)
    assert (page.get_by_role("button", name="Disconnect", exact=True).count() > 0) is may
    assert (page.locator("input[name=new_token]").count() > 0) is may


@pytest.mark.django_db(transaction=True)
def test_disconnect_and_connect_again(desk, connected) -> None:
    """U25, C25: the page lists what happens and what stays; the same account restores everything."""
    page = desk.log_in()
    url = f"{desk.url}/admin/crmsync/portal/{connected.pk}/change/"
    page.goto(url)
    press(page, "Disconnect")
    assert Portal.objects.get().state == "connected"
    go(page, page.locator("input[type=submit]").last)
    assert "is disconnected" in text(page)
    assert Credential.objects.get().token == ""
    Person.objects.create(email="kept@example.com")
    page.goto(url)
    if not page.locator("#id_new_token").is_visible():
        page.locator("summary").first.click()
    page.fill("#id_new_token", desk.hub.token)
    go(page, page.locator("input[name=_save]").first)
    assert "Connected to HubSpot account 4242" in text(page)
    desk.work()
    assert len(desk.hub.records("contacts")) == 1
