"""The preview: what would happen, in a table, with nothing written."""

import pytest
from django.urls import reverse

from crmsync.admin import preview
from crmsync.engine import changes, record, spec, terms
from crmsync.models import Credential, Link, LogEntry, Run
from project.demo.models import Person
from tests import factories


@pytest.fixture
def mapping(hubspot):
    """One person only here, one contact only there, and one pair that differs."""
    mapping = factories.make_mapping(portal__hub_id=4242)
    Person.objects.create(email="ada@example.com", first_name="Ada")
    Person.objects.create(email="bob@example.com", first_name="Bob")
    hubspot.plant("contacts", [{"email": "bob@example.com", "firstname": "Robert"}, {"email": "cyd@example.com"}])
    return mapping


def _url(mapping) -> str:
    return reverse("admin:crmsync_mapping_preview", args=[mapping.pk])


def test_it_shows_both_directions_and_writes_nothing(boss, mapping, hubspot):
    before = hubspot.records("contacts"), list(Person.objects.values())
    html = boss.get(_url(mapping)).content.decode()
    assert "This page has written nothing." in html
    assert "Backfill from HubSpot" in html
    assert "Backfill to HubSpot" in html
    assert (hubspot.records("contacts"), list(Person.objects.values())) == before
    assert [model.objects.count() for model in (Link, LogEntry, Run)] == [0, 0, 0]


def test_a_new_record_and_a_difference_are_told_in_words(boss, mapping):
    html = boss.get(_url(mapping)).content.decode()
    assert "HubSpot becomes “ada@example.com”" in html
    assert "first_name ↔ firstname" in html
    assert "Robert" in html


def test_a_new_records_fixed_values_are_shown(boss, mapping):
    """X16: what the mapping gives to new records on a side stands beside their fields."""
    factories.FixedValueFactory(mapping=mapping, side="remote", field="city", value="Nowhere", decides=False)
    factories.RemotePropertyFactory(portal=mapping.portal, object_type="contacts", name="city")
    html = boss.get(_url(mapping)).content.decode()
    assert html.count("HubSpot becomes “Nowhere”") == 1
    assert "fixed value" in html


def test_values_are_masked_without_the_permission_to_see_them(staff, mapping):
    html = staff("view_mapping", "operate_sync").get(_url(mapping)).content.decode()
    assert "•••" in html
    for value in ("ada@example.com", "Robert", "Bob"):
        assert value not in html


def test_a_mapping_that_cannot_run_says_why(boss, mapping):
    factories.FieldMappingFactory(mapping=mapping, local="city", remote="town")
    assert "names the HubSpot property" in boss.get(_url(mapping)).content.decode()


def test_what_hubspot_refuses_is_a_sentence(boss, mapping):
    Credential.objects.update(token="pat-na1-unknown-unknown-unknown")
    assert "HubSpot no longer accepts the access token" in boss.get(_url(mapping)).content.decode()


def test_it_only_answers_to_get(boss, mapping):
    assert boss.post(_url(mapping)).status_code == 405


def test_an_unknown_mapping_is_not_found(boss):
    assert boss.get("/admin/crmsync/mapping/99/preview/").status_code == 404


def test_it_opens_in_few_queries(boss, mapping, django_assert_max_num_queries):
    with django_assert_max_num_queries(40):  # one a call to HubSpot asks for the token as it is now
        boss.get(_url(mapping))


def _plan(**facts) -> changes.PairPlan:
    local = record.Record(record.RecordKey("demo.Person", "1"), {"email": "ada@example.com"})
    remote = record.Record(record.RecordKey("contacts", "9"), {"email": "bob@example.com"})
    return changes.PairPlan(changes.Pair(local, remote), terms.Outcome.CONFLICT, **facts)


SPEC = spec.MappingSpec(
    id=1,
    revision=1,
    portal_id=1,
    local_model="demo.Person",
    object_type="contacts",
    direction=terms.Direction.BOTH,
    fields=(spec.FieldSpec(id=5, local="email", remote="email"),),
)


def test_a_clash_names_the_winner_and_the_rule():
    clash = changes.Clash(5, None, "ada@example.com", "bob@example.com", terms.SideName.REMOTE, "prefer_hubspot")
    (line,) = preview.lines_of(SPEC, _plan(clashes=(clash,)), shows=True)
    assert (line.kind, line.result, line.rule) == ("conflict", "HubSpot wins", "both changed: HubSpot wins")
    assert "conflict" in line.label


def test_a_clash_for_a_person_says_so():
    clash = changes.Clash(5, None, "a", "b", None, "ask")
    (line,) = preview.lines_of(SPEC, _plan(clashes=(clash,)), shows=True)
    assert line.result == "a person must choose"


def test_a_problem_is_shown_without_the_value_it_quotes():
    problem = changes.FieldProblem(5, "option_unknown", '"Secret person" is not an option of email: add it.')
    (line,) = preview.lines_of(SPEC, _plan(problems=(problem,)), shows=False)
    assert "Secret person" not in line.result
    assert "is not an option of email" in line.result


def test_a_record_with_nothing_to_write_says_why():
    (line,) = preview.lines_of(SPEC, _plan(reason="filter", detail='city is "Leeds"'), shows=True)
    assert line.result == 'city is "Leeds"'
    (line,) = preview.lines_of(SPEC, _plan(reason="filter"), shows=True)
    assert line.result == "a sync rule keeps it out"
