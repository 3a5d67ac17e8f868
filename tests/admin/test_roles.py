"""The permissions matrix: five roles and a stranger, at every address of portals, with the exact answer."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from crmsync.models import Mapping, Portal
from tests import factories

VIEW = ["view_portal", "view_mapping", "view_heartbeat"]
ROLES = {
    "viewer": VIEW,
    "operator": [*VIEW, "operate_sync"],
    "mapper": [*VIEW, "operate_sync", "add_mapping", "change_mapping"],
    "connector": [*VIEW, "add_portal", "change_portal", "delete_portal", "connect_portal", "unlock_portal"],
    "auditor": [*VIEW, "view_payload", "export_crm"],
    "approver": [*VIEW, "approve_mapping"],
}
NOT_CONNECTOR = {"viewer": 403, "operator": 403, "mapper": 403, "auditor": 403, "approver": 403}
ALL_SEE = dict.fromkeys(ROLES, 200)
# (name, arguments of its address) -> the answer to GET, by role; a stranger is always sent to the login.
PAGES = {
    "portal_changelist": ALL_SEE,
    "portal_add": {**NOT_CONNECTOR, "connector": 200},
    "portal_change": ALL_SEE,
    "portal_history": ALL_SEE,
    "portal_delete": {**NOT_CONNECTOR, "connector": 200},
    "portal_usage": ALL_SEE,
    "portal_subscriptions": ALL_SEE,
    "portal_hsmeta": ALL_SEE,
    "portal_checklist": ALL_SEE,
    "heartbeat_changelist": ALL_SEE,
    "heartbeat_json": ALL_SEE,
}
WITHOUT_ROW = {"portal_changelist", "portal_add", "heartbeat_changelist", "heartbeat_json"}
# Whoever may press it is asked first, or sent back with a message.
ACTIONS = {
    "test_connection": 302,
    "refresh_fields": 302,
    "pause": 302,
    "resume": 302,
    "hold_pushes": 302,
    "hold_pulls": 302,
    "release": 302,
    "confirm_installation": 200,
    "detach": 200,
    "disconnect": 200,
    "rehearse": 302,
    "switch_version": 302,
}
EVERYBODY = [*ROLES, "nobody", "stranger"]


@pytest.fixture
def portal(hubspot) -> Portal:
    return factories.PortalFactory(hub_id=4242)


@pytest.fixture
def visit(staff):
    """A client by role; "nobody" is staff without any permission."""

    def make(role: str) -> Client:
        return Client() if role == "stranger" else staff(*ROLES.get(role, []))

    return make


def _url(name: str, portal: Portal) -> str:
    return reverse(f"admin:crmsync_{name}", args=[] if name in WITHOUT_ROW else [portal.pk])


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("name", PAGES)
def test_who_opens_what(visit, portal, name, role):
    """Section 2: exact status codes."""
    expected = {**PAGES[name], "nobody": 403, "stranger": 302}
    assert visit(role).get(_url(name, portal)).status_code == expected[role]


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("action", ACTIONS)
def test_who_presses_what(visit, portal, action, role):
    """Section 2: everything that touches credentials or standing needs connect_portal, or unlock_portal."""
    data = {"action": action, "_selected_action": [portal.pk], "index": "0", "select_across": "0"}
    expected = {**NOT_CONNECTOR, "connector": ACTIONS[action], "nobody": 403, "stranger": 302}
    response = visit(role).post(reverse("admin:crmsync_portal_changelist"), data)
    assert response.status_code == expected[role]
    portal.refresh_from_db()
    assert portal.state == ("paused" if (role, action) == ("connector", "pause") else "connected")


@pytest.mark.parametrize("role", EVERYBODY)
def test_who_saves_a_portal(visit, portal, role):
    data = {"label": "Changed", "kind": "static", "new_token": "", "client_id": "", "new_client_secret": ""}
    expected = {**NOT_CONNECTOR, "connector": 302, "nobody": 403, "stranger": 302}
    assert visit(role).post(_url("portal_change", portal), data).status_code == expected[role]
    portal.refresh_from_db()
    assert (portal.label == "Changed") == (role == "connector")


@pytest.mark.parametrize("role", EVERYBODY)
def test_who_ticks_a_step(visit, portal, role):
    expected = {**NOT_CONNECTOR, "connector": 302, "nobody": 403, "stranger": 302}
    assert visit(role).post(_url("portal_checklist", portal), {"key": "portal.x"}).status_code == expected[role]


@pytest.mark.parametrize("role", EVERYBODY)
def test_who_is_sent_to_hubspots_consent(visit, portal, role):
    """U17: without the permission no consent begins; with it, an app that is not known is a message."""
    url = reverse("crmsync:oauth_start", args=[portal.pk])
    expected = {**NOT_CONNECTOR, "connector": 302, "nobody": 403, "stranger": 302}
    response = visit(role).post(url)
    assert response.status_code == expected[role]
    if role == "stranger":
        assert "/login/" in response.url


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("action", ["hold_pushes", "hold_pulls", "release"])
def test_who_holds_a_mapping(visit, action, role):
    """As pausing it: whoever may change the mapping."""
    mapping = factories.make_mapping()
    data = {"action": action, "_selected_action": [mapping.pk], "index": "0", "select_across": "0"}
    response = visit(role).post(reverse("admin:crmsync_mapping_changelist"), data)
    assert response.status_code == (302 if role in ("mapper", "stranger") else 403)


# Action -> the roles that may press it, and what they are answered: asked first, or sent on.
MAPPING_ACTIONS = {
    "mark_tested": {"mapper": 200},
    "approve": {"approver": 200},
    "set_live": {"mapper": 302},  # with a message: the mapping is live already
    "pause": {"mapper": 302},
    "duplicate": {"mapper": 302},
    "backfill_pull": {"operator": 200, "mapper": 200},
    "backfill_push": {"operator": 200, "mapper": 200},
    "hold_pushes": {"mapper": 302},
    "hold_pulls": {"mapper": 302},
    "release": {"mapper": 302},
}
MAPPING_PAGES = {
    "mapping_proof": ALL_SEE | {"connector": 200},
    "mapping_life": ALL_SEE,
    "mapping_restore": {"mapper": 200},
    "mapping_duplicate": {"mapper": 200},
    "mapping_trial": {"operator": 200, "mapper": 200},
    "mapping_once": {"operator": 200, "mapper": 200},
    "mapping_preview": {"operator": 200, "mapper": 200},
    "mapping_promote": {"mapper": 200},
    "mapping_canary": {"operator": 200, "mapper": 200},
    "mapping_drop": {"operator": 302, "mapper": 302},  # with a message: no canary is open
}


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("action", MAPPING_ACTIONS)
def test_who_presses_what_of_a_mapping(visit, hubspot, action, role):
    """A32, section 2: testing is changing, approving has a permission of its own."""
    mapping = factories.make_mapping()
    data = {"action": action, "_selected_action": [mapping.pk], "index": "0", "select_across": "0"}
    response = visit(role).post(reverse("admin:crmsync_mapping_changelist"), data)
    assert response.status_code == {"stranger": 302, **MAPPING_ACTIONS[action]}.get(role, 403)
    mapping.refresh_from_db()
    assert mapping.state == ("paused" if (action, role) == ("pause", "mapper") else "live")


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize("name", MAPPING_PAGES)
def test_who_opens_what_of_a_mapping(visit, hubspot, name, role):
    mapping = factories.make_mapping()
    args = [mapping.pk, 1] if name == "mapping_restore" else [mapping.pk]
    response = visit(role).get(reverse(f"admin:crmsync_{name}", args=args))
    assert response.status_code == {"stranger": 302, **MAPPING_PAGES[name]}.get(role, 403)


@pytest.mark.parametrize("role", EVERYBODY)
@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        *((name, {"mapper"}) for name in ("proof", "restore", "duplicate", "version", "promote")),
        ("trial", {"operator", "mapper"}),
        ("once", {"operator", "mapper"}),
        *(("canary", {"operator", "mapper"}), ("drop", {"operator", "mapper"})),
    ],
)
def test_who_sends_the_forms_of_a_mapping(visit, hubspot, name, allowed, role):
    mapping = factories.make_mapping()
    args = [mapping.pk, 1] if name == "restore" else [mapping.pk]
    response = visit(role).post(reverse(f"admin:crmsync_mapping_{name}", args=args), {})
    if role == "stranger":
        assert "/login/" in response.url
    else:
        assert (response.status_code != 403) == (role in allowed)


def test_every_action_of_a_mapping_is_in_the_matrix():
    assert set(admin.site.get_model_admin(Mapping).actions) == set(MAPPING_ACTIONS)


def test_no_button_of_a_portal_works_by_get(boss, portal):
    """P7: every action is POST."""
    url = reverse("admin:crmsync_portal_changelist")
    boss.get(url, {"action": "pause", "_selected_action": portal.pk, "index": "0", "post": "yes"})
    portal.refresh_from_db()
    assert portal.state == "connected"


def test_every_action_of_a_portal_is_in_the_matrix():
    shown = set(admin.site.get_model_admin(Portal).actions)
    assert shown == set(ACTIONS)
