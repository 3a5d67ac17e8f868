"""Wrong set-ups through every door: the forms, a file, and going live. Nothing is stored, and the sentence helps."""

import io
import json
from collections.abc import Callable

import pytest
from django.core.management import call_command

from crmsync import models
from crmsync.engine import config, prerequisites
from crmsync.flows import configure, lifecycle
from crmsync.models import Association, FieldMapping, Mapping, Portal
from project.demo.models import Opportunity
from project.trade.models import Client
from tests import factories
from tests.admin.conftest import said

PARTS = (
    models.Mapping,
    models.FieldMapping,
    models.MatchKey,
    models.ValueMapEntry,
    models.FixedValue,
    models.SyncRule,
    models.RuleCondition,
    models.Association,
)
STAGES = [["open", "Open"], ["won", "Won"]]


@pytest.fixture
def people(db) -> Mapping:
    """A draft that could go live."""
    mapping = factories.make_mapping(state="draft", label="People")
    facts = {"portal": mapping.portal}
    factories.RemotePropertyFactory(**facts, name="createdate", type="datetime", is_read_only=True)
    factories.RemotePropertyFactory(**facts, name="num_notes", type="number")
    factories.RemotePropertyFactory(**facts, name="city")
    return mapping


@pytest.fixture
def deals(people: Mapping) -> Mapping:
    """Another one, with stages of one pipeline."""
    mapping = factories.MappingFactory(
        portal=people.portal, model_label="demo.Opportunity", object_type="deals", label="Deals", state="draft"
    )
    facts = {"portal": mapping.portal, "object_type": "deals"}
    factories.RemotePipelineFactory(portal=mapping.portal, pipeline_id="default", label="Sales", stages=STAGES)
    factories.RemotePropertyFactory(**facts, name="dealname")
    for name in ("dealstage", "pipeline"):
        factories.RemotePropertyFactory(**facts, name=name, type="enumeration", field_type="select")
    factories.FieldMappingFactory(mapping=mapping, local="name", remote="dealname")
    stage = factories.FieldMappingFactory(mapping=mapping, local="status", remote="dealstage")
    for ours in Opportunity.Status.values:
        factories.ValueMapEntryFactory(field=stage, local_value=ours, remote_value="open", direction="push")
    for theirs in ("open", "won"):
        factories.ValueMapEntryFactory(field=stage, local_value="open", remote_value=theirs, direction="pull")
    return mapping


@pytest.fixture
def cycle(people: Mapping, monkeypatch) -> Mapping:
    """Clients that must have a client as their parent."""
    facts = {"portal": people.portal, "state": "draft"}
    clients = factories.MappingFactory(**facts, model_label="trade.Client", object_type="companies", label="Clients")
    factories.RemotePropertyFactory(portal=people.portal, object_type="companies", name="name")
    factories.FieldMappingFactory(mapping=clients, local="name", remote="name")
    models.RemoteLabel.objects.create(
        portal=people.portal, object_type="companies", to_type="companies", key="HUBSPOT_DEFINED:14", label="Parent"
    )
    monkeypatch.setattr(Client._meta.get_field("parent"), "null", False)
    return clients


def world() -> list[tuple]:
    """All rows that make up mappings, so that nothing was stored can be seen."""
    return [row for one in PARTS for row in one.objects.order_by("pk").values_list()]


# --- Doors --------------------------------------------------------------------------------------------------------


def by_form(boss, pages, mapping: Mapping, prefix: str, values: dict[str, str]) -> str:
    """A new row on the mapping's own page."""
    shown = boss.get(pages.of(mapping))
    formset = next(one.formset for one in shown.context["inline_admin_formsets"] if one.formset.prefix == prefix)
    row = formset.prefix + f"-{formset.initial_form_count()}-"
    return boss.post(pages.of(mapping), pages.fill(shown, **{row + k: v for k, v in values.items()})).content.decode()


def by_field_page(boss, pages, mapping: Mapping, prefix: str, values: dict[str, str]) -> str:
    """Another row changed into the wrong one on its own page."""
    row = mapping.fields.order_by("pk").last()
    return boss.post(pages.of(row), pages.fill(boss.get(pages.of(row)), **values)).content.decode()


def by_bulk_add(boss, pages, mapping: Mapping, prefix: str, values: dict[str, str]) -> str:
    key = f"{values['local']} {values['remote']}"
    data = {"pick": [key], f"direction {key}": values["direction"]}
    return boss.post(pages.at("mapping_bulk_add", mapping.pk), data).content.decode()


def by_file(mapping: Mapping, change: Callable[[dict], object]) -> str:
    """Plan and apply of the exported file with an edit: the same refusal of both."""
    options = configure.Options()
    plain = json.loads(configure.export(mapping.portal, options).text)
    change(next(one for one in plain["mappings"] if one["name"] == mapping.label))
    texts = []
    for verb in (configure.make_plan, configure.apply):
        with pytest.raises(config.ConfigError) as refused:
            verb(mapping.portal, json.dumps(plain), options)
        texts.append(str(refused.value))
    assert texts[0] == texts[1]
    return texts[0]


def by_lint(mapping: Mapping) -> str:
    """The command's words about an error; it must fail."""
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("crmsync_lint", mapping.label, stdout=out, verbosity=0)
    return out.getvalue()


def by_going_live(boss, pages, mapping: Mapping) -> str:
    """The action is refused, by its question and by the flow behind it, and the mapping stays as it was."""
    before = Mapping.objects.get(pk=mapping.pk).state
    text = said(pages.act(boss, "set_live", mapping))
    with pytest.raises(lifecycle.LifecycleError):
        lifecycle.switch_on(Mapping.objects.get(pk=mapping.pk), None, may_approve=True)
    assert Mapping.objects.get(pk=mapping.pk).state == before
    return text


# --- Fields ---------------------------------------------------------------------------------------------------------

ROWS = {
    "impossible type pair": ({"local": "birth_date", "remote": "num_notes", "direction": "both"}, "num_notes"),
    "read-only target": ({"local": "last_seen_at", "remote": "createdate", "direction": "both"}, "createdate"),
    "two writers of a property": ({"local": "city", "remote": "firstname", "direction": "push"}, "firstname"),
    "two writers of a field": ({"local": "first_name", "remote": "city", "direction": "pull"}, "first_name"),
    "a fixed value and a field": ({"local": "job_title", "remote": "city", "direction": "push"}, "city"),
}
REMEDIES = ("Choose another property", "Set th", "Make one of them one-way", "Take one of them out", "Map another")


@pytest.fixture(params=ROWS)
def wrong(request, people: Mapping) -> tuple[dict[str, str], str]:
    if request.param == "a fixed value and a field":
        factories.FixedValueFactory(mapping=people, side="remote", field="city", value="Leeds")
    return ROWS[request.param]


@pytest.mark.parametrize("door", [by_form, by_field_page, by_bulk_add])
def test_a_wrong_field_is_refused_by_every_form(boss, pages, people, wrong, door) -> None:
    """X14, F13: the form names the field and what to do."""
    values, name = wrong
    if door is by_field_page:
        factories.FieldMappingFactory(mapping=people, local="bio", remote="num_notes", is_active=False)
        values = {**values, "is_active": "on"}
    before = world()
    html = door(boss, pages, people, "fields", values)
    assert world() == before
    assert name in html
    assert any(remedy in html for remedy in REMEDIES)


def test_a_wrong_field_is_refused_of_a_file(people, wrong) -> None:
    """X14, F9: plan and apply say the same, and nothing is changed."""
    values, name = wrong
    before = world()
    text = by_file(people, lambda one: one["fields"].append(values))
    assert world() == before
    assert name in text
    assert any(remedy in text for remedy in REMEDIES), text


def test_a_wrong_field_that_is_there_all_the_same_keeps_it_from_going_live(boss, pages, people, wrong) -> None:
    """X14, F8: a row made by a statement of the host's own, or right when it was saved."""
    values, name = wrong
    FieldMapping.objects.create(mapping=people, **values)
    text = by_going_live(boss, pages, people)
    assert name in text
    assert any(remedy in text for remedy in REMEDIES), text
    if not people.fixed_values.exists():  # that one lint leaves to the loading of the mapping
        assert name in by_lint(people)


# --- Stages ---------------------------------------------------------------------------------------------------------


def test_an_unknown_stage_is_refused_by_every_form(boss, pages, deals) -> None:
    """X15, X16: in a value map, a fixed value and a rule."""
    field = deals.fields.get(remote="dealstage")
    rule = factories.SyncRuleFactory(mapping=deals)
    before = world()
    line = boss.get(pages.of(field)).context["inline_admin_formsets"][0].formset
    row = f"{line.prefix}-{line.initial_form_count()}-"
    values = {f"{row}local_value": "lost", f"{row}remote_value": "nowhere", f"{row}direction": "push"}
    answers = [boss.post(pages.of(field), pages.fill(boss.get(pages.of(field)), **values)).content.decode()]
    fixed_value = {"side": "remote", "field": "dealstage", "value": "nowhere", "decides": ""}
    answers.append(by_form(boss, pages, deals, "fixed_values", fixed_value))
    asked = {"side": "remote", "field": "dealstage", "operator": "equals", "value": "nowhere"}
    filled = pages.fill(boss.get(pages.of(rule)), **{f"conditions-0-{name}": value for name, value in asked.items()})
    answers.append(boss.post(pages.of(rule), filled).content.decode())
    assert world() == before
    for html in answers:
        assert "“nowhere” is not one of: open, won" in html


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one["fields"][1]["value_map"].append({"local": "lost", "remote": "nowhere", "direction": "push"}),
        lambda one: one.update(fixed_values=[{"side": "remote", "field": "dealstage", "value": "nowhere"}]),
        lambda one: one.update(
            rules=[
                {
                    "name": "R",
                    "conditions": [
                        {"side": "remote", "field": "dealstage", "operator": "equals", "value": "nowhere"}
                    ],
                }
            ]
        ),
    ],
    ids=["value map", "fixed value", "rule"],
)
def test_an_unknown_stage_is_refused_of_a_file(deals, change) -> None:
    """X15, X16, F9"""
    before = world()
    text = by_file(deals, change)
    assert world() == before
    assert "“nowhere” is no stage of this portal" in text
    assert "Known are" in text


def test_a_stage_of_another_pipeline_is_refused_of_a_file(deals) -> None:
    """X16: the fixed pipeline and the fixed stage must go together."""
    factories.RemotePipelineFactory(
        portal=deals.portal, pipeline_id="jobs", label="Jobs", stages=[["job_new", "New job"]]
    )
    rows = [
        {"side": "remote", "field": "pipeline", "value": {"pipeline": "Jobs"}},
        {"side": "remote", "field": "dealstage", "value": {"stage": "Open", "pipeline": "Sales"}, "decides": False},
    ]
    before = world()
    text = by_file(deals, lambda one: one.update(fixed_values=rows, fields=one["fields"][:1]))
    assert world() == before
    assert "The pipeline “Jobs” has no stage “open”. It has: job_new." in text


def test_a_stage_that_is_gone_keeps_it_from_going_live(boss, pages, deals) -> None:
    """X15, F8"""
    deals.portal.pipelines.update(stages=STAGES[1:])
    for text in (by_going_live(boss, pages, deals), by_lint(deals)):
        assert "sends “open”; dealstage has no such pipeline or stage" in text
    assert "change the value map" in by_going_live(boss, pages, deals)


# --- Cycles ---------------------------------------------------------------------------------------------------------


def test_records_that_need_one_another_are_refused_by_every_door(boss, pages, cycle) -> None:
    """Fault 44: none of them could be made first, so the association is not stored, and does not go live."""
    clients = cycle
    values = {"local": "parent", "to_mapping": str(clients.pk), "label": "Parent"}
    before = world()
    answers = [by_form(boss, pages, clients, "associations", values)]
    row = {"local": "parent", "to": "Clients", "label": "Parent"}
    answers.append(by_file(clients, lambda one: one.update(associations=[row])))
    assert world() == before
    Association.objects.create(mapping=clients, to_mapping=clients, local="parent", label="Parent")
    answers.append(by_going_live(boss, pages, clients))
    for text in answers:
        assert "cyclic dependency" in text
        assert "null=True" in text


def test_a_cycle_of_two_new_mappings_of_a_file_is_refused(people, monkeypatch) -> None:
    """Fault 44, F9: A brings B brings A, none of them there yet."""
    monkeypatch.setattr(Client._meta.get_field("parent"), "null", False)
    factories.RemotePropertyFactory(portal=people.portal, object_type="companies", name="name")
    models.RemoteLabel.objects.create(
        portal=people.portal, object_type="companies", to_type="companies", key="HUBSPOT_DEFINED:14", label="Parent"
    )

    def one(name: str, to: str) -> dict:
        edge = {"local": "parent", "to": to, "label": "Parent"}
        field = {"local": "name", "remote": "name"}
        return {
            "name": name,
            "model": "trade.Client",
            "object_type": "companies",
            "fields": [field],
            "associations": [edge],
        }

    plain = json.loads(configure.export(people.portal, configure.Options()).text)
    plain["mappings"] = [one("A", "B"), one("B", "A")]
    with pytest.raises(config.ConfigError) as refused:
        configure.apply(people.portal, json.dumps(plain), configure.Options())
    assert [problem.place for problem in refused.value.problems] == ["A", "B"]
    assert "cyclic dependency" in str(refused.value)
    assert list(Mapping.objects.all()) == [people]


# --- The portal ---------------------------------------------------------------------------------------------------


def test_a_missing_scope_keeps_it_from_going_live(boss, pages, people) -> None:
    """F8: the scope by its name, and the way to the page where HubSpot is asked again."""
    Portal.objects.update(scopes=["crm.objects.contacts.read"], are_scopes_known=True)
    text = by_going_live(boss, pages, people)
    assert "The portal lacks the scope crm.objects.contacts.write" in text
    assert "reconnect on the portal's page" in text
    assert f'<a href="{pages.of(people.portal)}">Reconnect' in text
    assert "crm.objects.contacts.write" in by_lint(people)


def test_a_missing_scope_of_an_association_keeps_it_from_going_live(boss, pages, people) -> None:
    """F8, F19: what an association reads and writes counts as well."""
    companies = factories.MappingFactory(
        portal=people.portal, model_label="demo.Organisation", object_type="companies", label="Companies"
    )
    factories.AssociationFactory(mapping=people, to_mapping=companies)
    contacts = [f"crm.{what}.contacts.{way}" for what in ("objects", "schemas") for way in ("read", "write")]
    Portal.objects.update(scopes=contacts, are_scopes_known=True)
    assert "crm.objects.companies.read" in by_going_live(boss, pages, people)
    Portal.objects.update(are_scopes_known=False)
    assert "is live" in said(pages.act(boss, "set_live", people))


def test_no_unique_property_left_keeps_it_from_going_live(boss, pages, people) -> None:
    """F8: which of them could be freed, and what else would do; a mapping that makes nothing there needs none."""
    for number in range(prerequisites.UNIQUE_SLOTS):
        factories.RemotePropertyFactory(portal=people.portal, name=f"serial_{number}", is_unique=True)
    for text in (by_going_live(boss, pages, people), by_lint(people)):
        assert "contacts have 10 unique properties, and all are in use: serial_0, serial_1" in text
    assert "switch off “create missing records in HubSpot”" in by_going_live(boss, pages, people)
    Mapping.objects.update(creates_remote=False)
    assert "is live" in said(pages.act(boss, "set_live", people))


# --- Two mappings ---------------------------------------------------------------------------------------------------


@pytest.fixture
def rival(people: Mapping) -> Mapping:
    """A live mapping that sends the first name of the same contacts."""
    other = factories.MappingFactory(portal=people.portal, label="Customers")
    factories.FieldMappingFactory(mapping=other, local="first_name", remote="firstname", direction="push")
    return other


def test_two_mappings_of_the_same_records_do_not_go_live_together(boss, pages, people, rival) -> None:
    """F13: the sentence names the other mapping, the property and what would tell them apart."""
    for text in (by_going_live(boss, pages, people), by_lint(people)):
        assert "“Customers” writes firstname of the same contacts, too." in text
    assert "Give one of them a fixed value or sync rule" in by_going_live(boss, pages, people)


def test_what_was_approved_before_the_other_went_live_is_refused_as_well(boss, pages, people, rival) -> None:
    """F13, A32: an approval does not outlive what it was given for."""
    Mapping.objects.filter(pk=rival.pk).update(state="draft")
    lifecycle.mark_tested(people, None)
    lifecycle.approve(people, None)
    Mapping.objects.filter(pk=rival.pk).update(state="live")
    text = by_going_live(boss, pages, people)
    assert "cannot be switched on" in text
    assert "“Customers” writes firstname" in text


def _fix(people: Mapping, rival: Mapping) -> None:
    factories.FixedValueFactory(mapping=people, side="local", field="city", value="Leeds")


def _rule(people: Mapping, rival: Mapping) -> None:
    factories.RuleConditionFactory(rule__mapping=people)


def _only_new(people: Mapping, rival: Mapping) -> None:
    rival.fields.update(write_mode="if_new")


def _pull(people: Mapping, rival: Mapping) -> None:
    people.fields.filter(remote="firstname").update(direction="pull")


def _pause(people: Mapping, rival: Mapping) -> None:
    Mapping.objects.filter(pk=rival.pk).update(state="draft")


@pytest.mark.parametrize("remedy", [_fix, _rule, _only_new, _pull, _pause])
def test_every_remedy_lets_it_go_live(boss, pages, people, rival, remedy) -> None:
    """F13"""
    remedy(people, rival)
    assert "is live" in said(pages.act(boss, "set_live", people))


def test_the_same_fixed_value_tells_nobody_apart(boss, pages, people, rival) -> None:
    """F13"""
    for one in (people, rival):
        factories.FixedValueFactory(mapping=one, side="local", field="city", value="Leeds")
    assert "“Customers” writes firstname" in by_going_live(boss, pages, people)
