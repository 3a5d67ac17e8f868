"""Contract lint over a fakehub: what changes in HubSpot is said before a record fails, and what is said is true."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db.models import QuerySet
from django.utils import timezone

from crmsync import checks, conf
from crmsync.engine import terms
from crmsync.flows import discover, lint
from crmsync.ledger import credentials
from crmsync.models import (
    Association,
    FieldMapping,
    Mapping,
    MatchKey,
    OutboxEntry,
    RemoteProperty,
    RuleCondition,
    SyncRule,
)
from project.demo.models import Person
from tests.flows import recipes


def codes(mapping: Mapping) -> set[str]:
    mapping.refresh_from_db()
    return {str(one.code) for one in lint.of_mapping(mapping)}


def only(mapping: Mapping, code: str) -> lint.Finding:
    """The one finding of a code."""
    (found,) = [one for one in lint.of_mapping(Mapping.objects.get(pk=mapping.pk)) if one.code == code]
    return found


def run(*args: str) -> tuple[int, str]:
    """(exit code, what was printed) of the command."""
    out = io.StringIO()
    try:
        call_command("crmsync_lint", *args, stdout=out, verbosity=0)
    except SystemExit as end:
        return int(end.code), out.getvalue()
    return 0, out.getvalue()


def save_ada() -> QuerySet[OutboxEntry]:
    """Save a person; the rows that wait for her."""
    person = Person.objects.create(first_name="Ada", last_name="Lovelace", email="ada@example.com", city="London")
    return OutboxEntry.objects.filter(local_pk=str(person.pk))


# --- Changes in HubSpot ---------------------------------------------------------------------------------------------


def test_a_new_conditional_rule_is_warned_of_before_any_record_fails(sync) -> None:
    """F8: an admin adds a conditional rule; after a refresh the lint says so, and only then does a record fail."""
    assert "lint.required_when" not in codes(sync.people)
    sync.hub.plant_rule("contacts", "mobilephone", when={"hs_lead_status": ["NEW", "OPEN"]})
    assert run("--refresh", "--fail-level", "warning", "People")[0] == 2
    found = only(sync.people, "lint.required_when")
    assert found.severity == "warning"
    assert found.sentence == (
        "HubSpot demands mobilephone when hs_lead_status is “NEW” or “OPEN”, and no row fills it."
    )
    assert not OutboxEntry.objects.filter(state=terms.QueueState.PARKED).exists()

    rows = save_ada()
    sync.drain()
    assert rows.get().state == terms.QueueState.PARKED
    assert sync.contacts() == []


def test_with_several_pipelines_a_deal_needs_one(sync) -> None:
    """F8: HubSpot takes a deal without its pipeline only where there is one pipeline; a fixed value is enough."""
    deals = sync.mappings["Opportunities"]
    deals.fixed_values.all().delete()
    assert "lint.required" not in codes(deals)
    recipes.add_jobs(sync)
    found = only(deals, "lint.required")
    assert (found.severity, found.sentence) == (
        "error",
        "HubSpot demands pipeline of every new record, and no row fills it.",
    )
    recipes.fix(deals, "remote", "pipeline", "default")
    assert "lint.required" not in codes(deals)


def test_the_key_property_that_was_just_made_is_not_missed(sync) -> None:
    """F8: what crmsync made itself is known before the next discovery."""
    save_ada()
    sync.drain()
    assert Mapping.objects.get(pk=sync.people.pk).is_provisioned
    assert "lint.key_property" not in codes(sync.people)


def test_a_row_that_fills_the_property_ends_the_warning(sync) -> None:
    """F8: the remedy works."""
    sync.hub.plant_rule("contacts", "mobilephone", when={"hs_lead_status": ["NEW"]})
    discover.discover(sync.portal)
    FieldMapping.objects.create(mapping=sync.people, local="phone", remote="mobilephone", direction="push")
    assert "lint.required_when" not in codes(sync.people)


def test_an_unconditional_rule_is_an_error_for_creates_only(sync) -> None:
    """F8: what every create would be refused for is an error; a mapping that makes no records is not concerned."""
    sync.hub.plant_rule("contacts", "mobilephone")
    discover.discover(sync.portal)
    assert only(sync.people, "lint.required").severity == "error"
    Mapping.objects.filter(pk=sync.people.pk).update(creates_remote=False)
    assert "lint.required" not in codes(sync.people)


def test_a_property_that_is_gone_holds_its_field_as_the_finding_says(sync) -> None:
    """Fault 32, F8: an archived property is found with its row, and the effect it names is what happens."""
    sync.hub.portal.properties["0-1"]["demo_bio"].data["archived"] = True
    discover.discover(sync.portal)
    found = only(sync.people, "lint.property_archived")
    assert found.field_id == sync.people.fields.get(remote="demo_bio").pk
    assert found.effect.startswith("This field alone waits")
    rows = save_ada()
    Person.objects.update(bio="about her")
    sync.drain()
    (contact,) = sync.contacts()
    assert (contact["properties"]["city"], contact["properties"].get("demo_bio")) == ("London", None)
    assert rows.get().last_code == "field.property_gone"
    sync.people.refresh_from_db()
    assert sync.people.state == terms.MappingState.LIVE


def test_an_option_that_is_gone_holds_back_its_field_only(sync) -> None:
    """Fault 32, F8: a removed option that the value map sends is an error; the other fields still go."""
    data = sync.hub.portal.properties["0-1"]["hs_lead_status"].data
    data["options"] = [one for one in data["options"] if one["value"] != "NEW"]
    discover.discover(sync.portal)
    found = only(sync.people, "lint.option_missing")
    assert "“NEW”" in found.sentence
    assert found.effect.startswith("The field of such a record is held back")
    rows = save_ada()
    sync.drain()
    (contact,) = sync.contacts()
    assert (contact["properties"]["city"], contact["properties"].get("hs_lead_status")) == ("London", None)
    assert rows.get().state == terms.QueueState.PARKED


def test_a_changed_type_is_found(sync) -> None:
    """Fault 32, X14: a property that became another type cannot be a pair any more."""
    sync.hub.portal.properties["0-1"]["demo_birth_date"].data.update(type="number", fieldType="number")
    discover.discover(sync.portal)
    assert "date" in only(sync.people, "lint.type_impossible").sentence


def test_a_stage_that_is_gone_is_found(sync) -> None:
    """F8: the value map of a stage names a stage that no pipeline has."""
    deals = sync.mappings["Opportunities"]
    deals.fields.get(remote="dealstage").value_map.filter(local_value="won").update(remote_value="long gone")
    assert "“long gone”" in only(deals, "lint.stage_missing").sentence


def test_a_match_key_that_is_gone_parks_what_has_no_link(sync) -> None:
    """F8: nothing else checks the property of a match key before a record is looked for."""
    MatchKey.objects.filter(mapping=sync.people).update(remote="email_of_old")
    assert only(sync.people, "lint.match_key").severity == "error"
    rows = save_ada()
    sync.drain()
    assert rows.get().state == terms.QueueState.PARKED


@pytest.mark.parametrize("code", ["lint.match_key", "lint.condition"])
def test_a_field_that_is_gone_fails_the_records_that_need_it(sync, code) -> None:
    """F8: a match key or a condition on a Django field that is gone: the record is parked, as the finding says."""
    if code == "lint.match_key":
        MatchKey.objects.filter(mapping=sync.people).update(local="mail")
    else:
        rule = SyncRule.objects.create(mapping=sync.people, name="Wanted", direction="push")
        RuleCondition.objects.create(rule=rule, side="local", field="town", operator="not_empty")
    assert only(sync.people, code).severity == "error"
    rows = save_ada()
    sync.drain()
    assert rows.get().state == terms.QueueState.PARKED
    assert sync.contacts() == []


def test_a_condition_on_what_is_gone_decides_wrongly(sync) -> None:
    """F8: a property that is gone reads as blank, so the rule keeps everybody out, without a word."""
    rule = SyncRule.objects.create(mapping=sync.people, name="Wanted", direction="pull")
    RuleCondition.objects.create(rule=rule, side="remote", field="wanted_once", operator="not_empty")
    assert only(sync.people, "lint.condition").field == "Wanted"
    sync.hub.plant("contacts", [{"email": "grace@example.com"}])
    sync.backfill("backfill_pull")
    assert not Person.objects.exists()


def test_scopes_are_told_apart_by_what_they_stop(sync) -> None:
    """F8: a needed scope is an error, one that only a part needs is not; nothing is said of unknown grants."""
    sync.portal.scopes, sync.portal.are_scopes_known = ["crm.objects.contacts.read"], True
    sync.portal.save()
    found = {(one.code.value, one.field) for one in lint.of_mapping(Mapping.objects.get(pk=sync.people.pk))}
    assert ("lint.scope", "crm.objects.contacts.write") in found
    assert ("lint.scope_optional", "crm.objects.owners.read") in found
    assert ("lint.scope", "crm.objects.contacts.read") not in found
    sync.portal.are_scopes_known = False
    sync.portal.save()
    assert not {"lint.scope", "lint.scope_optional"} & codes(sync.people)


# --- What the mappings say ------------------------------------------------------------------------------------------


def test_two_mappings_that_push_one_property_are_told(sync) -> None:
    """F8, F13: drafts push nothing, so they are not counted; with a rule of its own the other one is a warning."""
    other = Mapping.objects.create(
        portal=sync.portal, label="Others", model_label="demo.Person", object_type="contacts", state="draft"
    )
    FieldMapping.objects.create(mapping=other, local="city", remote="city", direction="push")
    assert not {"lint.shared_target", "lint.rivals"} & codes(sync.people)
    Mapping.objects.filter(pk=other.pk).update(state="paused")
    assert "“Others”" in only(sync.people, "lint.rivals").sentence
    rule = SyncRule.objects.create(mapping=other, name="Of Leeds")
    RuleCondition.objects.create(rule=rule, side="local", field="city", operator="equals", value="Leeds")
    assert "“Others”" in only(sync.people, "lint.shared_target").sentence
    other.fields.update(write_mode="if_new")
    assert not {"lint.shared_target", "lint.rivals"} & codes(sync.people)


def test_a_django_row_that_cannot_be_made_is_told(sync) -> None:
    """F8: e-mail is unique and has no default, and no row from HubSpot fills it."""
    assert "lint.local_required" not in codes(sync.people)
    sync.people.fields.filter(local="email").update(direction="push")
    assert only(sync.people, "lint.local_required").field == "email"


def test_a_model_that_is_not_allowed_is_told_once(sync, settings) -> None:
    """F8: nothing is said of its fields then."""
    settings.CRMSYNC = {**settings.CRMSYNC, "MODELS": ["demo.Organisation"]}
    assert conf.current().MODELS == ("demo.Organisation",)
    assert {"lint.model"} == {one.code for one in lint.of_mapping(sync.people) if one.severity == "error"}


def test_choices_come_from_the_model(sync) -> None:
    """L9: a choice of the model without a line is found at once, by the model's own choices."""
    sync.people.fields.get(local="status").value_map.filter(local_value="former").delete()
    assert "“former”" in only(sync.people, "lint.choice_unmapped").sentence


def test_nothing_is_said_to_be_missing_where_nobody_looked(sync) -> None:
    RemoteProperty.objects.all().delete()
    found = {one.code.value for one in lint.of_mapping(sync.people) if one.severity == "error"}
    assert found == {"lint.not_discovered"}


def test_what_specs_load_refuses_is_an_error_of_the_lint(sync) -> None:
    """F8: a field that is gone in Django; the lint names every such row, not only the first."""
    sync.people.fields.filter(local="city").update(local="town")
    sync.people.fields.filter(local="bio").update(local="biography")
    found = [one.field for one in lint.of_mapping(sync.people) if one.code == "lint.local_field"]
    assert found == ["town ↔ city", "biography ↔ demo_bio"]


def test_three_queries_however_many_rows(sync, django_assert_num_queries) -> None:
    mapping = Mapping.objects.select_related("portal").get(pk=sync.people.pk)
    with django_assert_num_queries(3):
        lint.of_mapping(mapping)


# --- The command and the system check -------------------------------------------------------------------------------


def test_the_json_is_stable(sync) -> None:
    """F8: keys, order and exit code do not hang on luck; every finding leads to its row in the admin."""
    status, text = run("--json")
    told = json.loads(text)
    assert (status, told["format"], told["counts"]["error"]) == (0, 1, 0)
    assert told["mappings"] == ["Opportunities", "Organisations", "People"]
    assert run("--json")[1] == text
    keys = {"code", "severity", "mapping", "mapping_id", "field_id", "field", "sentence", "effect", "remedy", "link"}
    assert all(one.keys() == keys for one in told["findings"])
    assert all(f"/{one['field_id'] or one['mapping_id']}/change/" in one["link"] for one in told["findings"])


def test_levels_and_names(sync) -> None:
    """Exit codes as those of crmsync_doctor; a mapping by name or id."""
    assert run("Opportunities", "--fail-level", "warning")[0] == 0
    assert run(str(sync.people.pk), "--fail-level", "warning")[0] == 2
    sync.people.fields.filter(local="city").update(local="town")
    status, text = run("People")
    assert status == 2
    assert "ERROR lint.local_field: People, town ↔ city: " in text
    with pytest.raises(CommandError, match=r"no mapping 'Nobody'.*'People'"):
        run("Nobody")


def test_a_refresh_that_fails_is_said(sync) -> None:
    wrong = credentials.Entered("static", token="pat-na1-00000000-0000-4000-8000-000000000bad")
    credentials.enter(sync.portal, wrong, timezone.now(), timedelta(0))
    with pytest.raises(CommandError, match="token"):
        run("--refresh")


def test_the_check_asks_only_with_its_tag(sync, monkeypatch, django_assert_num_queries) -> None:
    """F8: no query at start, at migrate or at a check of the database; findings where its tag is named."""
    sync.people.fields.filter(local="city").update(local="town")
    monkeypatch.setattr("sys.argv", ["manage.py", "migrate"])
    with django_assert_num_queries(0):
        assert checks.check_contract(None) == []
        assert checks.check_contract(None, databases=["default"]) == []
    monkeypatch.setattr("sys.argv", ["manage.py", "check", "--database", "default", "--tag", checks.CONTRACT])
    with django_assert_num_queries(0):
        assert checks.check_contract(None) == []
    found = {(one.id, one.obj) for one in checks.check_contract(None, databases=["default"])}
    assert ("crmsync.E008", "People, town ↔ city") in found
    assert ("crmsync.W004", "People, status ↔ hs_lead_status") in found
    with pytest.raises(SystemCheckError, match=r"lint\.local_field"):
        call_command("check", tags=[checks.CONTRACT], databases=["default"])


# --- Associations ---------------------------------------------------------------------------------------------------


def test_what_an_association_leads_to_is_looked_at(sync, django_assert_max_num_queries) -> None:
    """F8, F19: a label that goes is an error from the next refresh on, a mapping that is not live a warning; mended,
    nothing is said."""
    people, companies = sync.people, sync.mappings["Organisations"]
    boss = sync.hub.add_label("contacts", "companies", "Boss")
    discover.discover(sync.portal)
    row = Association.objects.create(mapping=people, to_mapping=companies, local="organisation", label="Boss")
    ours = {"lint.label_missing", "lint.association", "lint.target_not_live"}
    assert not codes(people) & ours
    sync.hub.remove_label("contacts", "companies", boss)
    discover.discover(sync.portal)
    assert codes(people) & ours == {"lint.label_missing"}
    found = only(people, "lint.label_missing")
    assert found.field == str(row)
    assert "it has: Primary" in found.sentence
    row.label, row.local = "", "employer"
    row.save()
    assert codes(people) & ours == {"lint.association"}
    row.local = "organisation"
    row.save()
    Mapping.objects.filter(pk=companies.pk).update(state=terms.MappingState.PAUSED)
    assert codes(people) & ours == {"lint.target_not_live"}
    with django_assert_max_num_queries(5):
        lint.of_mapping(Mapping.objects.select_related("portal").get(pk=people.pk))
