"""Banners: every crmsync page says which portal needs a look, with the way there; one query."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crmsync.admin import banner
from crmsync.models import Portal
from tests import factories
from tests.admin.test_permissions import MODELS

ELSEWHERE = {"site": "elsewhere", "database": "x", "label": "", "portal_id": 1, "account_type": ""}
SOON = timezone.now() + timedelta(hours=3)


def _texts(portal: Portal, now: datetime | None = None) -> list[str]:
    return [one.sentence for one in banner.troubles_of(portal, now or timezone.now())]


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"state": "new", "hub_id": None}, "Not connected yet."),
        ({"state": "revoked", "state_reason": "HubSpot said no."}, "Access revoked. HubSpot said no."),
        ({"state": "uninstalled"}, "Uninstalled in HubSpot."),
        ({"state": "key_missing"}, "Secret unreadable."),
        ({"state": "paused", "state_reason": "Paused by ada."}, "Paused. Paused by ada."),
        ({"state": "disconnected"}, "Disconnected."),
        ({"held": "push"}, "Nothing is sent to HubSpot."),
        ({"held": "pull"}, "Nothing is taken from HubSpot."),
        ({"waits_until": SOON, "waits_code": "portal.quota_day"}, "(portal.quota_day)"),
        ({"fingerprint": ELSEWHERE}, "Locked: this installation is not the one"),
        ({"other_install": "staging"}, "Another installation (staging)"),
        ({"api_version": "2025-01"}, "does not speak API version 2025-01"),
    ],
)
def test_each_trouble_has_its_sentence_and_a_link(boss, pages, facts, text):
    """J12, J13, Fault 11, Fault 49: what, why, and the page that mends it."""
    portal = factories.PortalFactory(**facts)
    assert any(text in one for one in _texts(portal))
    html = boss.get(pages.list("mapping")).content.decode()
    assert "crmsync-banners" in html
    assert f'<a href="{pages.of(portal)}">Open the portal</a>' in html


def test_an_api_version_near_its_end_is_told_in_time(db):
    """F22: from 90 days before on, and after the end."""
    portal = factories.PortalFactory(api_version="2026-03")
    assert _texts(portal, datetime(2027, 6, 1, 12, tzinfo=UTC)) == []
    assert "in 60 days" in _texts(portal, datetime(2027, 8, 1, 12, tzinfo=UTC))[0]
    assert "ended on" in _texts(portal, datetime(2027, 12, 1, 12, tzinfo=UTC))[0]


def test_a_read_only_installation_is_told_once(boss, pages, settings):
    """C30."""
    factories.PortalFactory.create_batch(2)
    settings.CRMSYNC = {**settings.CRMSYNC, "READ_ONLY": True}
    assert boss.get(pages.list("mapping")).content.decode().count('class="crmsync-banner ') == 1


def test_nothing_is_said_where_all_is_well(boss, pages):
    factories.PortalFactory()
    assert "crmsync-banners" not in boss.get(pages.list("mapping")).content.decode()


def test_the_worst_is_first_and_many_are_counted(boss, pages):
    """J13: a page with 9 banners would be no page."""
    factories.PortalFactory.create_batch(6, state="paused")
    broken = factories.PortalFactory(label="Zuletzt", state="revoked")
    html = boss.get(pages.list("mapping")).content.decode()
    shown = html.split('class="crmsync-banners"')[1].split("</ul>")[0]
    assert shown.count("<li") == 6
    assert shown.index(str(broken)) < shown.index("Paused.")
    assert "2 more portals need a look." in shown


@pytest.mark.parametrize("name", [*MODELS, "heartbeat"])
def test_it_is_on_every_list_and_every_page(boss, pages, name):
    """J12, J13: visible to all staff, wherever they are."""
    factories.PortalFactory(state="paused")
    assert "crmsync-banners" in boss.get(pages.list(name)).content.decode()
    if name == "heartbeat":
        return
    row = MODELS[name]()
    for url in (pages.of(row), pages.of(row).replace("/change/", "/history/")):
        assert "crmsync-banners" in boss.get(url).content.decode(), url


def test_it_is_on_pages_that_ask_and_on_our_own(boss, pages):
    factories.PortalFactory(state="paused")
    portal = factories.PortalFactory()
    asked = pages.act(boss, "disconnect", portal, sure=False).content.decode()
    deleting = boss.get(pages.of(portal).replace("/change/", "/delete/")).content.decode()
    steps = boss.get(pages.at("portal_checklist", portal.pk)).content.decode()
    adding = boss.get(pages.add("portal")).content.decode()
    for html in (asked, deleting, steps, adding):
        assert "crmsync-banners" in html


def test_staff_who_may_not_open_portals_see_the_sentence_without_link(staff, pages):
    """J13: visible to all staff with a page of ours."""
    portal = factories.PortalFactory(state="paused", state_reason="Maintenance.")
    html = staff("view_link").get(pages.list("link")).content.decode()
    assert "Paused. Maintenance." in html
    assert pages.of(portal) not in html


def test_it_is_one_query_however_many_portals(boss, pages):
    """Experience: a banner costs one query, and none where the page redirects."""
    factories.PortalFactory.create_batch(7, state="paused", fingerprint=ELSEWHERE)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        boss.get(pages.list("userlink"))
    asked = [one["sql"] for one in seen.captured_queries if '"crmsync_portal"."fingerprint"' in one["sql"]]
    assert len([sql for sql in asked if "missing_scopes" not in sql]) == 1  # the filter's own query reads all
