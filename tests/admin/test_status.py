"""System status: problems first, everything in one paste, nothing secret."""

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from crmsync.models import Heartbeat
from tests import factories
from tests.admin.test_secrets import CANARY_SECRET, CANARY_TOKEN


@pytest.fixture
def url(pages) -> str:
    return pages.list("heartbeat")


@pytest.fixture
def json_url() -> str:
    return reverse("admin:crmsync_heartbeat_json")


def test_it_is_reached_from_the_admins_index(boss, url):
    """J16: in crmsync's section."""
    assert f'href="{url}"' in boss.get(reverse("admin:index")).content.decode()


def test_problems_are_first_with_their_remedies(boss, url):
    """J16: level in words, code, sentence, what to do."""
    mapping = factories.make_mapping(portal__state="revoked", portal__state_reason="HubSpot said no.")
    html = boss.get(url).content.decode()
    assert "System status" in html
    assert "portal.reauth" in html
    assert "Connect it on its page." in html
    assert html.index("portal.reauth") < html.index("Copy diagnostics") < html.index(">Versions</h2>")
    assert mapping.object_type in html


def test_the_diagnostics_are_copied_without_javascript(boss, url):
    """J16: a text to select; the button shows once a script runs, and there is no inline one."""
    html = boss.get(url).content.decode()
    text = html.split('id="crmsync-diagnostics"')[1].split("</textarea>")[0]
    assert "readonly" in text
    assert "processes" in text
    assert "crmsync/copy.js" in html
    assert "hidden>Copy</button>" in html
    assert "<script>" not in html.split('id="content"')[1]


def test_the_same_is_downloaded_as_json(boss, json_url):
    """J16, C34."""
    Heartbeat.objects.create(name="host", role="worker", seen_at=timezone.now(), started_at=timezone.now())
    response = boss.get(json_url)
    assert 'filename="crmsync-diagnostics.json"' in response["Content-Disposition"]
    found = json.loads(response.content)
    assert {"versions", "settings", "portals", "problems"} <= found.keys()
    assert found["processes"]["worker"]["alive"] == 1


def test_it_holds_no_secret(boss, url, json_url):
    """C34: neither the page nor the file."""
    factories.PortalFactory(credential__token=CANARY_TOKEN, credential__client_secret=CANARY_SECRET)
    for one in (url, json_url):
        text = boss.get(one).content.decode()
        assert CANARY_TOKEN not in text
        assert CANARY_SECRET not in text


def test_a_process_has_a_page_of_its_own(boss, pages):
    row = Heartbeat.objects.create(name="host:1", role="worker", seen_at=timezone.now(), started_at=timezone.now())
    assert "host:1" in boss.get(pages.of(row)).content.decode()


def test_it_needs_its_own_permission_and_is_read_only(staff, url, json_url):
    """J16: crmsync.view_heartbeat."""
    for one in (url, json_url):
        assert staff("view_portal").get(one).status_code == 403
        viewer = staff("view_heartbeat")
        assert viewer.get(one).status_code == 200
        assert viewer.post(one).status_code == 405
