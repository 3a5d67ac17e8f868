"""The API version of a portal: countdown, rehearsal, switch and switch back."""

import pytest
from django.contrib.admin.models import LogEntry as History

from crmsync.models import Portal
from project.demo.models import Person
from tests import factories
from tests.admin.conftest import said


@pytest.fixture
def portal(hubspot) -> Portal:
    """A portal of the older version with a mapping and a record on each side."""
    mapping = factories.make_mapping(portal__hub_id=4242, portal__api_version="2026-03")
    person = Person.objects.create(email="ada@example.com", first_name="Ada")
    (record,) = hubspot.plant("contacts", [{"email": "ada@example.com", "firstname": "Ada"}])
    key = record if isinstance(record, str) else getattr(record, "id", None) or record["id"]
    factories.LinkFactory(mapping=mapping, local_pk=str(person.pk), remote_id=str(key))
    return mapping.portal


def test_the_page_counts_down_and_offers_the_next_version(boss, pages, portal):
    """F22: version, end of support, days left, both buttons."""
    html = boss.get(pages.of(portal)).content.decode()
    assert "HubSpot&#x27;s support ends on Sept. 30, 2027" in html
    assert 'form="crmsync-rehearse" name="version" value="2026-09"' in html
    assert 'form="crmsync-switch_version" name="version" value="2026-09"' in html


def test_a_rehearsal_reads_and_tells_and_writes_nothing(boss, pages, portal, hubspot):
    """F22: reads are repeated, recent writes are checked, no write is sent; the result stays on the page."""
    response = pages.act(boss, "rehearse", portal, tool=True, version="2026-09")
    assert "the rehearsal of version 2026-09 found" in said(response)
    assert hubspot.ledger.writes_made == 0
    html = response.content.decode()
    assert "records compared" in html
    assert "recent write" in html
    assert "ada@example.com" not in html
    assert History.objects.get().change_message == "Rehearsed API version 2026-09."


def test_a_switch_is_asked_made_and_made_back(boss, pages, portal):
    """F22."""
    asked = pages.act(boss, "switch_version", portal, sure=False, tool=True, version="2026-09").content.decode()
    assert '<input type="hidden" name="version" value="2026-09">' in asked
    assert Portal.objects.get().api_version == "2026-03"
    response = pages.act(boss, "switch_version", portal, tool=True, version="2026-09")
    assert Portal.objects.get().api_version == "2026-09"
    assert "Switch back to version 2026-03" in response.content.decode()
    pages.act(boss, "switch_version", portal, tool=True, version="2026-03")
    assert Portal.objects.get().api_version == "2026-03"
    assert History.objects.count() == 2


@pytest.mark.parametrize("action", ["rehearse", "switch_version"])
@pytest.mark.parametrize("version", ["", "2019-01", "../../evil"])
def test_another_version_is_refused_with_those_there_are(boss, pages, portal, action, version):
    """F22."""
    response = pages.act(boss, action, portal, version=version)
    assert "Choose one of these API versions: 2026-09, 2026-03." in said(response)
    assert Portal.objects.get().api_version == "2026-03"


def test_a_version_that_is_gone_still_opens_the_page(boss, pages, portal):
    """F22: after an update of crmsync."""
    Portal.objects.update(api_version="2025-03")
    html = boss.get(pages.of(portal)).content.decode()
    assert "2025-03 is none that crmsync speaks" in html
    assert "Switch to version 2026-09" in html


def test_a_viewer_sees_the_state_and_no_button(staff, pages, portal):
    html = staff("view_portal").get(pages.of(portal)).content.decode()
    assert "support ends on" in html
    assert "crmsync-rehearse" not in html
