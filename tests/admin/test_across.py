"""Fields that take values of associated records over: how they are offered, and what is refused beside the row."""

import pytest

from crmsync.admin import catalogue
from crmsync.models import FieldMapping, RemoteLabel, RemoteObjectType
from tests import factories


@pytest.fixture
def mapping(db):
    """A draft of people and contacts, which HubSpot can associate with companies and machines, but not with deals."""
    mapping = factories.make_mapping(state="draft")
    options = [["farming", "Farming"]]
    for object_type, name, facts in (
        ("companies", "industry", {"type": "enumeration", "options": options}),
        ("2-7", "serial", {}),
        ("deals", "dealname", {}),
    ):
        factories.RemotePropertyFactory(portal=mapping.portal, object_type=object_type, name=name, **facts)
    for to_type in ("companies", "2-7"):
        RemoteLabel.objects.create(
            portal=mapping.portal, object_type="contacts", to_type=to_type, key="HUBSPOT_DEFINED:1"
        )
    RemoteObjectType.objects.create(portal=mapping.portal, object_type="2-7", name="machine", label="Machine")
    return mapping


def test_what_can_be_associated_is_offered(mapping) -> None:
    """U19: as type, label and path; nothing of what cannot be associated."""
    known = catalogue.Catalogue(mapping)
    assert dict(known.across_pairs) == {
        "companies>industry": "Company: Industry (companies>industry)",
        "2-7>serial": "Machine: Serial (2-7>serial)",
    }
    assert known.remote_values("companies>industry") == [("farming", "Farming")]


def test_it_is_in_the_list_of_fields_and_not_of_match_keys(boss, pages, mapping) -> None:
    """U19."""
    response = boss.get(pages.of(mapping))
    by_model = {one.formset.model.__name__: one.formset for one in response.context["inline_admin_formsets"]}
    assert "companies&gt;industry" in str(by_model["FieldMapping"].forms[0]["remote"])
    assert "companies&gt;industry" not in str(by_model["MatchKey"].empty_form["remote"])


def test_a_big_page_has_suggestions(boss, pages, mapping, monkeypatch) -> None:
    """U19: a list of their own, which match keys do not show."""
    monkeypatch.setattr(catalogue, "_MOST_OPTIONS", 0)
    text = boss.get(pages.of(mapping)).content.decode()
    assert text.count("Company: Industry (companies&gt;industry)") == 1


def edit(boss, pages, mapping, **values):
    """The first row of the mapping's form with these values, sent."""
    url = pages.of(mapping)
    changed = {f"fields-0-{name}": value for name, value in values.items()}
    return boss.post(url, pages.fill(boss.get(url), **changed))


def errors(response) -> str:
    return " ".join(
        text
        for one in response.context["inline_admin_formsets"]
        for row in one.formset.errors
        for texts in row.values()
        for text in texts
    )


def test_such_a_row_is_saved_when_it_pulls(boss, pages, mapping) -> None:
    """U19."""
    response = edit(boss, pages, mapping, local="city", remote="companies>industry", direction="pull")
    assert response.status_code == 302
    assert FieldMapping.objects.filter(mapping=mapping, local="city", remote="companies>industry").exists()


@pytest.mark.parametrize("whole", ["both", "pull"])
@pytest.mark.parametrize("direction", ["both", "push"])
def test_any_other_direction_is_refused(boss, pages, mapping, direction, whole) -> None:
    """U19: beside the direction, with the remedy."""
    mapping.direction = whole
    mapping.save()
    response = edit(boss, pages, mapping, local="city", remote="companies>industry", direction=direction)
    assert response.status_code == 200
    assert "is a value of an associated record, which is only read" in errors(response)
    assert "Set this row's direction to “from HubSpot”" in errors(response)


@pytest.mark.parametrize(
    ("remote", "words"),
    [
        ("companies>colour", "contacts cannot be associated with records that have “companies>colour”"),
        ("deals>dealname", "contacts cannot be associated with records that have “deals>dealname”"),
        ("companies>", "such as companies>industry"),
    ],
)
def test_what_there_is_not_is_refused(boss, pages, mapping, remote, words) -> None:
    """U19."""
    assert words in errors(edit(boss, pages, mapping, local="city", remote=remote, direction="pull"))


def test_a_match_key_must_be_the_records_own(boss, pages, mapping) -> None:
    """U19: nobody is found by a value of another record."""
    key = mapping.match_keys.first() or factories.MatchKeyFactory(mapping=mapping)
    url = pages.of(mapping)
    data = pages.fill(boss.get(url), **{"match_keys-0-remote": "companies>industry"})
    assert key.remote == "email"
    assert "have no property “companies>industry”" in errors(boss.post(url, data))


def test_the_inbox_says_what_such_an_event_stands_for(boss, pages, mapping) -> None:
    """U19: it is no record of the mapping's."""
    row = factories.InboxEventFactory(mapping=mapping, via="companies", remote_id="77")
    listed = boss.get(pages.list("inboxevent")).content.decode()
    assert "every record that takes values over from 77 of companies" in listed
    assert "companies" in boss.get(pages.of(row)).content.decode()
