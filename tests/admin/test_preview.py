"""The preview: what would happen, in a table, with nothing written."""

import pytest
from django.urls import reverse

from crmsync.admin import plan_lines
from crmsync.engine import changes, record, spec, terms
from crmsync.models import Credential, Link, LogEntry, Run
from project.demo.models import Organisation, Person
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
    (line,) = plan_lines.lines_of(SPEC, _plan(clashes=(clash,)), shows=True)
    assert (line.kind, line.result, line.rule) == ("conflict", "HubSpot wins", "both changed: HubSpot wins")
    assert "conflict" in line.label


def test_a_clash_for_a_person_says_so():
    clash = changes.Clash(5, None, "a", "b", None, "ask")
    (line,) = plan_lines.lines_of(SPEC, _plan(clashes=(clash,)), shows=True)
    assert line.result == "a person must choose"


def test_a_problem_is_shown_without_the_value_it_quotes():
    problem = changes.FieldProblem(5, "option_unknown", '"Secret person" is not an option of email: add it.')
    (line,) = plan_lines.lines_of(SPEC, _plan(problems=(problem,)), shows=False)
    assert "Secret person" not in line.result
    assert "is not an option of email" in line.result


def test_a_record_with_nothing_to_write_says_why():
    (line,) = plan_lines.lines_of(SPEC, _plan(reason="filter", detail='city is "Leeds"'), shows=True)
    assert line.result == 'city is "Leeds"'
    (line,) = plan_lines.lines_of(SPEC, _plan(reason="filter"), shows=True)
    assert line.result == "a sync rule keeps it out"


# --- Many records -------------------------------------------------------------------------------------------------


@pytest.fixture
def many(mapping, hubspot):
    """Twenty-five more people, who would be made in HubSpot; Bob is linked and was changed here."""
    (bob,) = [one["id"] for one in hubspot.records("contacts") if one["properties"].get("firstname") == "Robert"]
    base = {"email|email": ["bob@example.com"] * 2, "first_name|firstname": ["Robert"] * 2}
    pk = str(Person.objects.get(email="bob@example.com").pk)
    factories.LinkFactory(mapping=mapping, local_pk=pk, remote_id=bob, base=base)
    people = [Person(email=f"p{number:02}@example.com", first_name="New") for number in range(25)]
    Person.objects.bulk_create(people)
    return mapping


def _push(response):
    return next(part for part in response.context["parts"] if part.kind == "backfill_push")


def test_many_records_are_shown_twenty_a_page_with_all_of_them_counted(boss, many, hubspot):
    """J4: the counts are of all, and each page says that nothing was written."""
    first = boss.get(_url(many))
    assert "26 created" in first.content.decode()
    assert len(_push(first).cut.object_list) == 20
    assert "backfill_push_page=2#crmsync-backfill_push" in first.content.decode()
    second = boss.get(_url(many), {"backfill_push_page": "2"})
    assert len(_push(second).cut.object_list) == 7
    assert "This page has written nothing." in second.content.decode()
    seen = [group.lines[0].record for page in (first, second) for group in _push(page).cut.object_list]
    assert len(set(seen)) == 27
    assert len(hubspot.records("contacts")) == 2


@pytest.mark.parametrize(("show", "count"), [("create", 26), ("update", 1), ("", 27), ("nonsense", 27)])
def test_records_of_one_sort_are_shown_alone(boss, many, show, count):
    """J4: create, update, unchanged and stopped, with their counts as links."""
    part = _push(boss.get(_url(many), {"backfill_push_show": show}))
    assert part.cut.paginator.count == count
    assert {str(one.label): one.count for one in part.choices} == {"all": 27, "create or link": 26, "update": 1}
    assert [one.label for one in part.choices if one.is_chosen] == [
        part.choices[0].label if count == 27 else {"create": "create or link", "update": "update"}[show]
    ]


def test_what_was_chosen_for_one_direction_stays_when_the_other_is_paged(boss, many):
    html = boss.get(_url(many), {"backfill_pull_show": "create"}).content.decode()
    assert "?backfill_pull_show=create&amp;backfill_push_page=2" in html


@pytest.mark.parametrize("page", ["0", "99", "x", ""])
def test_a_page_that_is_none_shows_one_that_is(boss, many, page):
    assert _push(boss.get(_url(many), {"backfill_push_page": page})).cut.object_list


def test_what_is_cleared_first_is_told():
    """A17: HubSpot lets such a value go back only after it was cleared."""
    write = changes.FieldWrite(5, "email", "lead", "customer", "local_changed", clears_first=True)
    plan = _plan(remote_writes=(write,))
    (line,) = plan_lines.lines_of(SPEC, plan, shows=True)
    assert line.result == "HubSpot is cleared first, then becomes “lead”"


def test_an_association_stands_below_its_record(boss, mapping, hubspot):
    """J4: one record, one heading, its fields and then what it is associated with."""
    companies = factories.MappingFactory(
        portal=mapping.portal, model_label="demo.Organisation", object_type="companies"
    )
    factories.AssociationFactory(mapping=mapping, to_mapping=companies)
    firm = Organisation.objects.create(name="Acme")
    Person.objects.filter(email="ada@example.com").update(organisation=firm)
    groups = _push(boss.get(_url(mapping))).cut.object_list
    (ada,) = [one for one in groups if any("organisation" in line.field for line in one.lines)]
    assert [line.span for line in ada.lines] == [len(ada.lines), *[0] * (len(ada.lines) - 1)]
    assert "as soon as" in ada.lines[-1].result
    assert ada.sort == "create"


def test_a_record_that_gets_no_plan_stands_there_with_the_reason(boss, staff, mapping, hubspot):
    """Fault 40: what another mapping has linked is left out; a page of nothing else is not “no records”."""
    other = factories.MappingFactory(portal=mapping.portal, label="Guests", model_label="demo.Organisation")
    for remote_id in [one["id"] for one in hubspot.records("contacts")]:
        factories.LinkFactory(mapping=other, local_pk=f"9{remote_id}", remote_id=remote_id)
    html = boss.get(_url(mapping)).content.decode()
    part = html.partition('id="crmsync-backfill_pull"')[2].partition('id="crmsync-backfill_push"')[0]
    assert "2 excluded" in part
    assert part.count("is linked by the mapping “Guests”") == 2
    assert all(f"– ↔ {one['id']}" in part for one in hubspot.records("contacts"))  # no key of the other's model
    assert "There are no records." not in html
    assert "“Guests”" not in staff("view_mapping", "operate_sync").get(_url(mapping)).content.decode()
