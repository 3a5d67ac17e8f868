"""Try one record: found from either side, shown with all its fields, synced for real with its log entry."""

import pytest

from crmsync.models import Link, LogEntry, Mapping
from project.demo.models import Person
from tests import factories
from tests.admin.conftest import said


@pytest.fixture
def mapping(hubspot) -> Mapping:
    """A draft; one pair that differs in its first name."""
    made = factories.make_mapping(state="draft", portal__hub_id=4242)
    Person.objects.create(email="bob@example.com", first_name="Bob", last_name="Hill")
    hubspot.plant("contacts", [{"email": "bob@example.com", "firstname": "Robert", "lastname": "Hill"}])
    return made


def find(client, pages, mapping, query: str) -> str:
    response = client.get(pages.at("mapping_trial", mapping.pk), {"q": query})
    assert response.status_code == 200
    return response.content.decode()


def test_a_record_is_found_from_either_side(boss, pages, mapping, hubspot):
    """J3: by key in Django, by id in HubSpot, by what the mapping matches by."""
    (contact,) = hubspot.records("contacts")
    person = Person.objects.get()
    for query in (str(person.pk), "BOB@example.com", contact["id"]):
        html = find(boss, pages, mapping, query)
        assert f"{person.pk} ↔ {contact['id']}" in html, query
        assert "Sync this one for real" in html
    assert "No record was found" in find(boss, pages, mapping, "nobody@example.com")


def test_it_shows_both_sides_and_what_each_becomes_and_writes_nothing(boss, pages, mapping, hubspot):
    """J3: now and then, field by field, those that stay too, and the calls."""
    before = list(hubspot.records("contacts")), list(Person.objects.values())
    html = find(boss, pages, mapping, "bob@example.com")
    rows = html.partition("<tbody>")[2].split("</tr>")
    (name,) = [row for row in rows if "first_name ↔ firstname" in row and "becomes" in row]
    assert all(word in name for word in ("Bob", "Robert", "Django becomes “Robert”"))
    (stays,) = [row for row in rows if "last_name ↔ lastname" in row]
    assert "stays" in stays
    assert "read contacts" in html
    assert (list(hubspot.records("contacts")), list(Person.objects.values())) == before
    assert not Link.objects.exists()


def test_it_is_synced_for_real_and_leads_to_its_log_entry(boss, pages, mapping, hubspot):
    """J3: a draft writes this one record, and the log says what became of it."""
    person = Person.objects.get()
    answer = boss.post(pages.at("mapping_trial", mapping.pk), {"local_pk": str(person.pk)}, follow=True)
    person.refresh_from_db()
    assert person.first_name == "Robert"
    entry = LogEntry.objects.get()
    assert answer.redirect_chain[-1][0] == pages.of(entry)
    assert "Done: " in said(answer)
    assert Mapping.objects.get().state == "draft"


def test_two_persons_agree_before_anything_is_written(boss, pages, mapping, hubspot, settings):
    """A32."""
    settings.CRMSYNC = {**settings.CRMSYNC, "TWO_PERSON_APPROVAL": True}
    data = {"local_pk": str(Person.objects.get().pk)}
    assert "Let it be approved first" in said(boss.post(pages.at("mapping_trial", mapping.pk), data, follow=True))
    assert Person.objects.get().first_name == "Bob"


def test_values_are_masked_without_the_permission_to_see_them(staff, pages, mapping):
    html = find(staff("view_mapping", "operate_sync"), pages, mapping, "bob@example.com")
    assert "•••" in html
    assert "Robert" not in html


@pytest.mark.parametrize("data", [{}, {"local_pk": ""}])
def test_nothing_is_synced_unless_a_record_is_named(boss, pages, mapping, data):
    assert "Search a record first." in said(boss.post(pages.at("mapping_trial", mapping.pk), data, follow=True))
    assert not LogEntry.objects.exists()


def test_a_key_that_nobody_has_writes_nothing(boss, pages, mapping, hubspot):
    for data in ({"local_pk": "99999"}, {"local_pk": "x'"}, {"remote_id": "1"}):
        boss.post(pages.at("mapping_trial", mapping.pk), data)
    assert Person.objects.count() == 1
    assert len(list(hubspot.records("contacts"))) == 1
    assert not Link.objects.exists()


def test_what_hubspot_refuses_is_a_sentence(boss, pages, mapping):
    factories.models.Credential.objects.update(token="pat-na1-unknown-unknown-unknown")
    query = str(Person.objects.get().pk)
    assert "HubSpot no longer accepts the access token" in find(boss, pages, mapping, query)
