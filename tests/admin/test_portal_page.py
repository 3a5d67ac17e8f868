"""The portal's page and list: what they show, to whom, and with how few queries."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crmsync.models import ApiUsage, Portal
from tests import factories

NEEDED = [
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.schemas.contacts.read",
    "crm.schemas.contacts.write",
]


def _html(client, pages, portal) -> str:
    return client.get(pages.of(portal)).content.decode()


@pytest.fixture
def full() -> Portal:
    """A portal of which everything is known."""
    now = timezone.now()
    portal = factories.PortalFactory(
        hub_id=4242,
        account_type="STANDARD",
        scopes=[*NEEDED, "forms"],
        are_scopes_known=True,
        burst_limit=190,
        daily_limit=625_000,
        daily_remaining=600_000,
        limits_at=now,
        state_at=now,
        webhook_at=now,
        discovered_at=now,
        discovery={"properties": {"contacts": {"added": ["shoe_size"], "changed": [], "removed": []}}},
    )
    for _ in range(3):
        factories.MappingFactory(portal=portal)
    for ago in range(40):
        day = now.date() - timedelta(days=ago)
        for family in ("objects", "search"):
            ApiUsage.objects.create(portal=portal, day=day, family=family, version="2026-09", calls=100 + ago)
    return portal


# --- Facts --------------------------------------------------------------------------------------------------------


def test_every_part_of_the_page_is_there(boss, pages, full):
    """J12: connection, scopes, limits, webhooks, version, safety, fields, checklist."""
    html = _html(boss, pages, full)
    for title in ("Connection", "Scopes", "Limits", "Webhooks", "API version", "Safety", "Fields", "Checklist"):
        assert f">{title}</h2>" in html


def test_scopes_say_what_is_granted_missing_and_not_needed(boss, pages, full):
    """C9, C10: computed from the mappings, each with its reason."""
    html = _html(boss, pages, full)
    assert "All scopes that the mappings need are granted." in html
    assert html.count("granted</span>") >= 4
    assert "What is not needed can be taken away" in html
    Portal.objects.update(scopes=NEEDED[:1], missing_scopes=["crm.objects.contacts.write"])
    html = _html(boss, pages, full)
    assert "Missing: crm.objects.contacts.write" in html
    assert "It allows writing contacts." in html
    assert "HubSpot refused calls for lack of: crm.objects.contacts.write." in html


def test_missing_scopes_of_an_oauth_app_are_asked_for_again(boss, staff, pages, full):
    """C9, J12: one button; whoever may not connect sees only what is missing."""
    Portal.objects.update(scopes=["oauth"])
    full.credential.kind = "oauth"
    full.credential.save(update_fields=["kind"])
    assert "Ask HubSpot for them again</button>" in _html(boss, pages, full)
    html = _html(staff("view_portal"), pages, full)
    assert "Missing: " in html
    assert "Ask HubSpot for them again" not in html


def test_scopes_that_hubspot_does_not_tell_are_told_as_unknown(boss, pages):
    """C9: never “missing” of what nobody knows."""
    portal = factories.PortalFactory()
    html = _html(boss, pages, portal)
    assert "HubSpot does not say which scopes this credential has" in html
    assert 'crmsync-bad"' not in html.split(">Scopes</h2>")[1].split("</fieldset>")[0]


def test_limits_follow_the_tier_and_what_it_lacks_is_unavailable(boss, pages, full):
    """C7, C23: tier, pace, what is left, and no error for a feature that the tier lacks."""
    html = _html(boss, pages, full)
    assert "Professional" in html
    assert "Custom objects: unavailable on this tier" in html
    assert "190 calls in 10 seconds" in html
    assert '<progress max="625000" value="600000"' in html
    assert "600,000 of 625,000 calls are left today" in html
    assert "crmsync may use 537,500 of them" in html


def test_what_was_left_yesterday_is_not_told_as_today(boss, pages, full):
    """C23: HubSpot's count starts anew at the account's midnight."""
    Portal.objects.update(limits_at=timezone.now() - timedelta(days=2))
    html = _html(boss, pages, full)
    assert "how many are left today shows with the next call" in html
    assert "600,000" not in html


def test_usage_is_charted_with_the_same_numbers_as_a_table(boss, pages, full):
    """C31, A23: 30 days, for eyes and for ears; no script, no inline style."""
    html = _html(boss, pages, full)
    chart = html.split('<svg class="crmsync-chart"')[1].split("</svg>")[0]
    assert chart.count('class="crmsync-bar"') == 30
    assert 'role="img"' in chart
    total = sum(2 * (100 + ago) for ago in range(30))
    assert f"{total:,} calls in 30 days" in html
    assert "style=" not in html.split('id="content-main"')[1]
    assert pages.at("portal_usage", full.pk) in html


def test_silence_of_webhooks_is_told_unless_there_can_be_none(boss, pages, full):
    """Fault 19: no webhook for a day although calls are made; a service key has none (J1)."""
    assert "No webhook came for a day" not in _html(boss, pages, full)
    Portal.objects.update(webhook_at=timezone.now() - timedelta(days=2), checked_at=timezone.now())
    assert "No webhook came for a day" in _html(boss, pages, full)
    full.credential.kind = "service_key"
    full.credential.save(update_fields=["kind"])
    html = _html(boss, pages, full)
    assert "No webhook came for a day" not in html
    assert "A service key has no webhooks" in html


def test_the_environment_and_a_read_only_installation_are_told(boss, pages, full, settings):
    """C30, Fault 11."""
    settings.CRMSYNC = {**settings.CRMSYNC, "ENVIRONMENT": "production", "READ_ONLY": True}
    html = _html(boss, pages, full)
    assert "off, by CRMSYNC[&#x27;READ_ONLY&#x27;]" in html
    assert ">production<" in html


def test_what_the_last_discovery_said_stays_on_the_page(boss, pages, full):
    """C17."""
    html = _html(boss, pages, full)
    assert "Last time: properties: 1 added." in html
    assert "shoe_size" in html


def test_a_discovery_stored_by_another_release_breaks_no_page(boss, pages, full):
    Portal.objects.update(discovery={"problem": "HubSpot is away.", "some_new_part": {}})
    assert "HubSpot is away." in _html(boss, pages, full)


def test_a_portal_without_a_credential_opens(boss, pages):
    """Fault 25: what was never entered, or was deleted, is said."""
    portal = factories.PortalFactory(credential=None, state="new", hub_id=None)
    assert "Nothing was entered yet." in _html(boss, pages, portal)
    assert boss.get(pages.list("portal")).status_code == 200


# --- To whom ------------------------------------------------------------------------------------------------------


def test_a_viewer_sees_facts_and_no_button(staff, pages, full):
    """Roles: facts for all, nothing to press."""
    response = staff("view_portal").get(pages.of(full))
    html = response.content.decode()
    assert "600,000 of 625,000" in html
    assert response.context["crmsync_tools"] == []
    form = html.split('id="portal_form"')[1].split("</form>")[0]
    assert "<button" not in form
    assert "<input" not in form.replace('<input type="hidden" name="csrfmiddlewaretoken"', "")
    assert "Update credentials" not in html


def test_whoever_connects_sees_the_buttons_that_fit(staff, pages, full):
    """J12, J13."""
    shown = staff("view_portal", "connect_portal").get(pages.of(full)).context["crmsync_tools"]
    assert [one.name for one in shown if one.is_shown] == [
        "test_connection",
        "refresh_fields",
        "pause",
        "hold_pushes",
        "hold_pulls",
        "disconnect",
    ]


def test_a_portal_that_nobody_has_consented_to_offers_only_the_consent(boss, pages):
    """J1."""
    portal = factories.PortalFactory(state="new", hub_id=None, credential__kind="oauth", credential__token="")
    shown = boss.get(pages.of(portal)).context["crmsync_tools"]
    assert [one.name for one in shown if one.is_shown] == ["connect"]


# --- Queries ------------------------------------------------------------------------------------------------------


def test_the_page_needs_few_queries_however_much_there_is(boss, pages, full, django_assert_max_num_queries):
    """Experience: every page in at most 15 queries."""
    with django_assert_max_num_queries(15):
        boss.get(pages.of(full))


def test_the_page_needs_few_queries_when_everything_is_up(staff, pages, full, django_assert_max_num_queries):
    """Experience: with what waits, an OAuth app and a held direction; and one more, for the person's permissions."""
    soon = timezone.now() + timedelta(hours=1)
    waits = {"waits_until": soon, "waits_code": "portal.quota_day"}
    Portal.objects.update(held="push", scopes=["oauth"], webhook_at=None, **waits)
    full.credential.kind, full.credential.previous_until = "oauth", soon
    full.credential.save(update_fields=["kind", "previous_until"])
    factories.OutboxEntryFactory(mapping=full.mappings.first())
    client = staff("view_portal", "change_portal", "connect_portal", "unlock_portal", "view_mapping")
    with django_assert_max_num_queries(16):
        client.get(pages.of(full))


def test_the_list_needs_few_queries_with_many_portals_and_mappings(boss, pages, django_assert_max_num_queries):
    """Experience: no query a row."""
    for _ in range(8):
        portal = factories.PortalFactory(scopes=["oauth"], are_scopes_known=True)
        for _ in range(3):
            factories.FieldMappingFactory(mapping=factories.MappingFactory(portal=portal))
    with django_assert_max_num_queries(15):
        html = boss.get(pages.list("portal")).content.decode()
    assert html.count("3 missing</span>") == 8


def test_the_list_says_all_at_a_glance(boss, pages, full):
    """Page 2: state, account, zone, scopes, webhook, budget, since."""
    html = boss.get(pages.list("portal")).content.decode()
    for text in ("connected", "4242", "Europe/Berlin", "ok</span>", "600,000"):
        assert text in html
