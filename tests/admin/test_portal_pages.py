"""The further pages of a portal: usage report, webhook subscriptions, checklist."""

import json
import re
from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from crmsync.models import ApiUsage, Tick
from tests import factories
from tests.admin.conftest import said

PAGES = ["portal_usage", "portal_subscriptions", "portal_hsmeta", "portal_checklist"]


@pytest.fixture
def mapping(hubspot):
    """A mapping both ways in an account that answers."""
    return factories.make_mapping(portal__hub_id=4242)


# --- Usage --------------------------------------------------------------------------------------------------------


def test_the_usage_report_can_be_printed(boss, pages, mapping):
    """A23, C31: used, expected, by day and by endpoint; a page without script."""
    today = timezone.now().date()
    for ago in range(1, 6):
        day = today - timedelta(days=ago)
        ApiUsage.objects.create(
            portal=mapping.portal, day=day, family="objects", version="2026-09", calls=100 * (6 - ago)
        )
    html = boss.get(pages.at("portal_usage", mapping.portal.pk)).content.decode()
    for text in (
        "Usage report",
        "at that growth a day needs",
        "Calls per day",
        "The endpoints",
        "objects",
        "As text",
    ):
        assert text in html
    assert "<script>" not in html.split('id="content"')[1]


def test_a_report_of_an_account_that_is_away_still_shows_our_own_counts(boss, pages):
    """A23: HubSpot's own figure is left out where it does not answer."""
    portal = factories.PortalFactory(state="revoked")
    assert "No call was counted since" in boss.get(pages.at("portal_usage", portal.pk)).content.decode()


# --- Subscriptions ------------------------------------------------------------------------------------------------


def test_the_subscriptions_are_listed_and_downloaded(boss, pages, mapping):
    """A26: the lines to click together, and the file of a project app with the public address."""
    html = boss.get(pages.at("portal_subscriptions", mapping.portal.pk)).content.decode()
    assert "object.propertyChange contacts (0-1) email" in html
    assert "http://testserver/crmsync/webhook/" in html
    response = boss.get(pages.at("portal_hsmeta", mapping.portal.pk))
    assert 'filename="webhooks-hsmeta.json"' in response["Content-Disposition"]
    config = json.loads(response.content)["config"]
    assert config["settings"]["targetUrl"] == "http://testserver/crmsync/webhook/"
    assert {"subscriptionType": "object.propertyChange", "objectType": "contact"}.items() <= next(
        one for one in config["subscriptions"]["crmObjects"] if one.get("propertyName") == "email"
    ).items()


def test_more_subscriptions_than_an_app_may_have_is_a_sentence(boss, pages, mapping):
    """A26: HubSpot's bound is told, not a traceback."""
    for number in range(1001):
        factories.FieldMappingFactory(mapping=mapping, local="city", remote=f"p{number}")
    html = boss.get(pages.at("portal_subscriptions", mapping.portal.pk)).content.decode()
    assert "more than the 1000 an app may have" in html
    response = boss.get(pages.at("portal_hsmeta", mapping.portal.pk), follow=True)
    assert "more than the 1000" in said(response)


def test_without_our_urls_there_is_no_file_to_download(boss, pages, mapping):
    """A26: an address that nobody answers at would be worse than none."""
    with override_settings(ROOT_URLCONF="tests.admin.urls_without_webhook"):
        response = boss.get(pages.at("portal_hsmeta", mapping.portal.pk), follow=True)
        assert "include crmsync.urls" in said(response)


# --- Checklist ----------------------------------------------------------------------------------------------------


def test_the_checklist_has_a_section_a_mapping_and_marks_in_words(boss, pages, mapping):
    """A18, A26."""
    html = boss.get(pages.at("portal_checklist", mapping.portal.pk)).content.decode()
    assert mapping.label in html
    assert "Webhook subscriptions" in html
    assert "to be done by hand" in html
    assert "done</span>" in html
    assert 'href="/admin/crmsync/portal/' in boss.get(pages.of(mapping.portal)).content.decode()


def test_a_person_ticks_a_step_and_takes_it_back(boss, pages, mapping):
    """A26: stored, with the name; POST only."""
    url, key = pages.at("portal_checklist", mapping.portal.pk), f"{mapping.pk}.webhooks"
    assert f'value="{key}"' in boss.get(url).content.decode()
    html = boss.post(url, {"key": key, "is_done": "yes"}, follow=True).content.decode()
    assert Tick.objects.get().key == key
    assert "Confirmed by" in html
    boss.post(url, {"key": key, "is_done": "no"})
    assert not Tick.objects.exists()
    assert "Not done" in html


@pytest.mark.parametrize("sent", [{"key": "nonsense", "is_done": "yes"}, {"key": "nonsense"}, {}])
def test_a_step_that_is_gone_is_a_sentence(boss, pages, mapping, sent):
    """A26: a page that was open for long."""
    response = boss.post(pages.at("portal_checklist", mapping.portal.pk), sent, follow=True)
    assert "no more as it was shown" in said(response)
    assert not Tick.objects.exists()


def test_only_whoever_connects_ticks(staff, pages, mapping):
    url = pages.at("portal_checklist", mapping.portal.pk)
    viewer = staff("view_portal")
    assert "It is done" not in viewer.get(url).content.decode()
    assert viewer.post(url, {"key": f"{mapping.pk}.webhooks", "is_done": "yes"}).status_code == 403
    assert not Tick.objects.exists()


# --- All ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_an_unknown_portal_is_not_found(boss, pages, name):
    assert boss.get(pages.at(name, 99)).status_code == 404


@pytest.mark.parametrize("name", PAGES[:3])
def test_what_only_shows_answers_to_get_only(boss, pages, mapping, name):
    assert boss.post(pages.at(name, mapping.portal.pk)).status_code == 405


@pytest.mark.parametrize("name", [*PAGES[:2], PAGES[3], "portal_change", "portal_add", "heartbeat_changelist"])
def test_no_page_holds_inline_script_style_or_handlers(boss, pages, mapping, name):
    """A strict content security policy breaks nothing, and without JavaScript everything is there."""
    needs_row = name not in ("portal_add", "heartbeat_changelist")
    html = boss.get(pages.at(name, *([mapping.portal.pk] if needs_row else []))).content.decode()
    own = html.split('id="content"')[1]
    assert " style=" not in own
    assert "<style" not in own
    assert not re.search(r"<script(?![^>]*\bsrc=)", own)
    assert not re.search(r"\son\w+=", own)


@pytest.mark.parametrize("name", [PAGES[0], PAGES[1], PAGES[3]])
def test_each_page_needs_few_queries(boss, pages, mapping, name, django_assert_max_num_queries):
    """Experience: bounded, however many mappings and fields there are."""
    for _ in range(5):
        factories.FieldMappingFactory(mapping=factories.MappingFactory(portal=mapping.portal))
    with django_assert_max_num_queries(20):
        boss.get(pages.at(name, mapping.portal.pk))
