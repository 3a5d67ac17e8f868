"""One record is made in HubSpot by a button, without becoming two-way (X3)."""

import pytest
from django.contrib.admin.models import LogEntry as History

from crmsync.models import Link, Mapping, OutboxEntry
from project.demo.models import Person
from tests import factories
from tests.admin.conftest import said


@pytest.fixture
def mapping(hubspot) -> Mapping:
    """It makes nothing in HubSpot by itself."""
    return factories.make_mapping(portal__hub_id=4242, creates_remote=False)


@pytest.fixture
def ada(mapping) -> Person:
    made = Person.objects.create(email="ada@example.com", first_name="Ada")
    OutboxEntry.objects.all().delete()
    return made


def test_a_record_is_searched_shown_and_made_once(boss, pages, mapping, ada, hubspot):
    """X3: what would be written first, then the record itself, with the way to it."""
    Person.objects.create(email="bob@example.com", first_name="Bob")
    url = pages.at("mapping_once", mapping.pk)
    html = boss.get(url, {"q": "ada@example.com"}).content.decode()
    assert "HubSpot becomes “Ada”" in html
    assert not hubspot.records("contacts")
    answer = boss.post(url, {"local_pk": str(ada.pk)}, follow=True)
    assert "Done: created." in said(answer)
    (record,) = hubspot.records("contacts")
    assert record["properties"]["email"] == "ada@example.com"
    assert "Done: created." in said(answer)
    assert f"/contacts/4242/record/0-1/{record['id']}" in answer.content.decode()
    assert History.objects.filter(object_id=str(mapping.pk), change_message__contains="once").count() == 1


def test_what_is_there_already_is_linked_and_not_made_twice(boss, pages, mapping, ada, hubspot):
    """X3, X10, P7: also when the button is pressed twice."""
    hubspot.plant("contacts", [{"email": "ada@example.com"}])
    url = pages.at("mapping_once", mapping.pk)
    boss.post(url, {"local_pk": str(ada.pk)})
    assert Link.objects.get().remote_id == hubspot.records("contacts")[0]["id"]
    assert "it is in HubSpot already" in said(boss.post(url, {"local_pk": str(ada.pk)}, follow=True))
    assert "It is in HubSpot already" in boss.get(url, {"q": str(ada.pk)}).content.decode()
    assert len(hubspot.records("contacts")) == 1


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"direction": "pull"}, "only takes values from HubSpot. Set its direction to both ways"),
        ({"state": "draft"}, "is not live. Switch it on first"),
    ],
)
def test_a_mapping_that_cannot_says_why_and_what_to_do(boss, pages, mapping, ada, hubspot, facts, words):
    """X3: neither a form nor a POST."""
    Mapping.objects.update(**facts)
    url = pages.at("mapping_once", mapping.pk)
    html = boss.get(url, {"q": "ada@example.com"}).content.decode()
    assert words in html
    assert 'name="q"' not in html
    assert words in said(boss.post(url, {"local_pk": str(ada.pk)}, follow=True))
    assert not hubspot.records("contacts")


def test_what_has_to_wait_is_made_as_soon_as_it_can_be(boss, pages, mapping, ada, hubspot):
    """X3: a direction that a person holds back is not overridden, and nothing is forgotten."""
    Mapping.objects.update(held="push")
    answer = boss.post(pages.at("mapping_once", mapping.pk), {"local_pk": str(ada.pk)}, follow=True)
    assert "It is made as soon as it can be." in said(answer)
    assert not hubspot.records("contacts")
    assert OutboxEntry.objects.get().is_asked


def test_a_record_that_is_gone_says_so(boss, pages, mapping, ada, hubspot):
    answer = boss.post(pages.at("mapping_once", mapping.pk), {"local_pk": "99999"}, follow=True)
    assert "Nothing was made" in said(answer)
    answer = boss.get(pages.at("mapping_once", mapping.pk), {"q": "99999"})
    assert "No Django record was found" in answer.content.decode()


def test_it_needs_the_permission_to_operate(staff, pages, mapping, ada, hubspot):
    url = pages.at("mapping_once", mapping.pk)
    assert staff("view_mapping").get(url).status_code == 403
    assert staff("view_mapping").post(url, {"local_pk": str(ada.pk)}).status_code == 403
    operator = staff("view_mapping", "operate_sync")
    assert url in operator.get(pages.of(mapping)).content.decode()
    html = operator.get(url, {"q": "ada@example.com"}).content.decode()
    assert "•••" in html
    assert "Ada" not in html.replace('value="ada@example.com"', "")
