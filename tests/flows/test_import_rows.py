"""Matching, link only and imports: which records become partners, and what is done with the others."""

import pytest
from django.apps import apps

from crmsync.engine.terms import Direction, MappingState, Normaliser
from crmsync.ledger import specs
from crmsync.models import InboxEvent, Link, LogEntry, Mapping
from project.demo import mappings
from project.demo.models import Opportunity, Organisation, Person
from tests.flows import recipes
from tests.flows.conftest import Sync


@pytest.fixture
def firms(sync: Sync):
    return sync.mappings[mappings.ORGANISATIONS]


@pytest.fixture
def offers(sync: Sync):
    """Deals both ways, found by name."""
    mapping = sync.mappings[mappings.OPPORTUNITIES]
    mapping.direction, mapping.creates_local = Direction.BOTH, True
    mapping.save()
    recipes.match(mapping, "name", "dealname")
    return mapping


def pull_by_name(mapping) -> None:
    mapping.match_keys.all().delete()
    recipes.match(mapping, "name", "name")


def partners(mapping) -> set[tuple[str, str]]:
    return set(Link.objects.filter(mapping=mapping).values_list("local_pk", "remote_id"))


# --- The match rule -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["webhook", "bulk pull"])
def test_any_property_may_hold_the_id_of_any_field(sync: Sync, by: str) -> None:
    """U3: a number that HubSpot's people typed in finds the row with that primary key; the e-mails differ."""
    sync.people.match_keys.all().delete()
    recipes.add_property(sync, "contacts", "our_number")
    recipes.match(sync.people, "id", "our_number", Normaliser.EXACT)
    rows = Person.objects.bulk_create([Person(email="one@example.com"), Person(email="two@example.com")])
    wanted = {"email": "other@example.com", "our_number": str(rows[1].pk)}
    if by == "bulk pull":
        sync.hub.set_webhooks(lose=1.0)
    key = sync.hub.ui_create("contacts", wanted)
    if by == "bulk pull":
        sync.backfill("backfill_pull")
    recipes.settle(sync)
    assert partners(sync.people) == {(str(rows[1].pk), key)}
    assert len(sync.contacts()) == 1


def test_a_missing_id_never_falls_back_to_the_name(sync: Sync, firms) -> None:
    """U4: companies are matched by their id property alone; one with the same name stays a stranger."""
    recipes.add_property(sync, "companies", "firm_number")
    firms.match_keys.all().delete()
    firms.creates_local = firms.creates_remote = False
    firms.save()
    recipes.match(firms, "id", "firm_number", Normaliser.EXACT)
    row = Organisation.objects.create(name="Acme", domain="acme.example.com")
    same = {"name": "Acme", "domain": "acme.example.com"}
    sync.hub.ui_create("companies", same)
    recipes.settle(sync)
    assert not Link.objects.exists()
    key = sync.hub.ui_create("companies", {**same, "firm_number": str(row.pk)})
    recipes.settle(sync)
    assert partners(firms) == {(str(row.pk), key)}


def test_link_only_links_and_makes_nothing(sync: Sync) -> None:
    """U8: who is on both sides is synced; neither side gets a new record, by save, webhook or bulk run."""
    sync.people.creates_local = sync.people.creates_remote = False
    sync.people.save()
    both = Person.objects.create(email="both@example.com")
    Person.objects.create(email="here@example.com")
    key = sync.hub.ui_create("contacts", {"email": "both@example.com", "city": "Leeds"})
    sync.hub.ui_create("contacts", {"email": "there@example.com"})
    recipes.settle(sync)
    for kind in ("backfill_pull", "backfill_push"):
        sync.backfill(kind)
    both.refresh_from_db()
    assert (both.city, partners(sync.people)) == ("Leeds", {(str(both.pk), key)})
    assert (Person.objects.count(), len(sync.contacts())) == (2, 2)


def test_link_only_keeps_nothing_of_strangers(sync: Sync) -> None:
    """U9: contacts that are nobody here leave no row, no copy of a value, and one count in a bulk run."""
    sync.people.creates_local = False
    sync.people.save()
    for number in range(150):
        sync.hub.ui_create("contacts", {"email": f"stranger{number}@example.com", "lastname": "Canarybird"})
    recipes.settle(sync)
    LogEntry.objects.all().delete()
    assert sync.backfill("backfill_pull") == {"excluded": 150}
    assert (Person.objects.count(), Link.objects.count(), InboxEvent.objects.count()) == (0, 0, 0)
    assert LogEntry.objects.count() == 0
    assert not any("canarybird" in repr(row).lower() for row in every_value())


def test_a_webhook_of_a_stranger_is_no_copy_either(sync: Sync) -> None:
    """U9: what a single event leaves is a line that says why, without a value."""
    sync.people.creates_local = False
    sync.people.save()
    sync.hub.ui_create("contacts", {"email": "stranger@example.com", "lastname": "Canarybird"})
    recipes.settle(sync)
    assert LogEntry.objects.get().reason == "link_only"
    said = [repr(row).lower() for row in every_value()]
    assert not any("canarybird" in one or "stranger@" in one for one in said)


def every_value() -> list[tuple]:
    """All rows of crmsync and the demo."""
    return [
        row
        for label in ("crmsync", "demo")
        for model in apps.get_app_config(label).get_models()
        for row in model.objects.values_list()
    ]


def test_an_unsupported_type_says_so_instead_of_running(sync: Sync, firms) -> None:
    """C33: however the row came to be, as by a statement of the host's own."""
    Mapping.objects.filter(pk=firms.pk).update(object_type="emails")
    with pytest.raises(
        specs.SpecError, match=r"“emails” is not supported\. Supported are contacts, companies, deals"
    ):
        specs.load(Mapping.objects.get(pk=firms.pk))


# --- Imports ------------------------------------------------------------------------------------------------------


def test_three_models_are_imported(sync: Sync, firms, offers) -> None:
    """X1, X21: contacts by e-mail, companies and deals by name are linked; the others become rows."""
    sync.hub.set_webhooks(lose=1.0)
    pull_by_name(firms)
    Person.objects.bulk_create([Person(email="ada@example.com")])
    Organisation.objects.bulk_create([Organisation(name="Acme")])
    Opportunity.objects.bulk_create([Opportunity(name="Roof")])
    for email in ("ADA@example.com", "new@example.com"):
        sync.hub.ui_create("contacts", {"email": email, "firstname": "Named"})
    for name in ("Acme", "New"):
        sync.hub.ui_create("companies", {"name": name, "city": "Leeds"})
    for name in ("Roof", "New"):
        sync.hub.ui_create("deals", {"dealname": name, "amount": "5", "dealstage": "closedwon"})
    for mapping in (sync.people, firms, offers):
        counts = sync.backfill("backfill_pull", mapping)
        assert counts == {"adopted": 1, "created": 1}, mapping
    assert set(Person.objects.values_list("email", "first_name")) == {
        ("ada@example.com", "Named"),
        ("new@example.com", "Named"),
    }
    assert set(Organisation.objects.values_list("name", "city")) == {("Acme", "Leeds"), ("New", "Leeds")}
    assert set(Opportunity.objects.values_list("name", "amount")) == {("Roof", 5), ("New", 5)}
    assert Link.objects.count() == 6


@pytest.mark.parametrize("type_name", ["companies", "deals"])
def test_contacts_two_way_the_others_from_hubspot_only(sync: Sync, firms, offers, type_name: str) -> None:
    """X2: organisations and deals take HubSpot's changes, and send none; contacts do both."""
    mapping, model, name = (
        (firms, Organisation, "name") if type_name == "companies" else (offers, Opportunity, "dealname")
    )
    mapping.direction = Direction.PULL
    mapping.save()
    person = Person.objects.create(email="ada@example.com")
    stage = {"dealstage": "closedwon"} if type_name == "deals" else {}
    key = sync.hub.ui_create(type_name, {name: "Acme", **stage})
    recipes.settle(sync)
    row = model.objects.get()
    row.name = "Ours"
    row.save()
    person.city = "Leeds"
    person.save()
    recipes.settle(sync)
    assert sync.hub.record(type_name, key)["properties"][name] == "Acme"
    assert sync.contacts()[0]["properties"]["city"] == "Leeds"
    sync.hub.ui_update(type_name, key, {name: "Acme Ltd"})
    recipes.settle(sync)
    row.refresh_from_db()
    assert row.name == "Acme Ltd"


def test_one_creation_in_hubspot_without_two_way(sync: Sync, firms) -> None:
    """X3: a rule that lets only records without a HubSpot id go out makes the company once; edits stay here, and
    HubSpot's edits come in."""
    recipes.gate(firms, Direction.PUSH, ("remote", "hs_object_id", "is_empty", ""), gates_updates=True)
    row = Organisation.objects.create(name="Acme", domain="acme.example.com")
    recipes.settle(sync)
    (company,) = sync.hub.records("companies")
    writes = sync.writes()
    row.city = "Ours"
    row.save()
    recipes.settle(sync)
    assert sync.writes() == writes
    assert not sync.hub.record("companies", company["id"])["properties"].get("city")
    sync.hub.ui_update("companies", company["id"], {"name": "Acme Ltd"})
    recipes.settle(sync)
    row.refresh_from_db()
    assert (row.name, sync.writes()) == ("Acme Ltd", writes)


def test_nothing_syncs_until_it_is_switched_on(make_sync) -> None:
    """X9: a draft neither sends nor takes; each way and each creation is a switch of its own mapping."""
    sync = make_sync("draft")
    Person.objects.create(email="early@example.com")
    sync.hub.ui_create("contacts", {"email": "there@example.com"})
    recipes.settle(sync)
    assert (sync.queued(), sync.writes(), Person.objects.count()) == ((0, 0), 0, 1)
    sync.people.state, sync.people.creates_local = MappingState.LIVE, False
    sync.people.save()
    Person.objects.create(email="later@example.com")
    Organisation.objects.create(name="Still a draft")
    sync.hub.ui_create("contacts", {"email": "also@example.com"})
    recipes.settle(sync)
    assert {one["properties"]["email"] for one in sync.contacts()} == {
        "there@example.com",
        "also@example.com",
        "later@example.com",
    }
    assert Person.objects.count() == 2
    assert not sync.hub.records("companies")


@pytest.mark.parametrize(("rows", "reason"), [(0, "link_only"), (1, ""), (2, "too_many_candidates")])
def test_a_creation_links_exactly_one(sync: Sync, firms, rows: int, reason: str) -> None:
    """X10: one match is linked; none or several leave the link unset, with the reason in the log."""
    firms.creates_local = False
    firms.save()
    pull_by_name(firms)
    Organisation.objects.bulk_create([Organisation(name="Acme") for _ in range(rows)])
    key = sync.hub.ui_create("companies", {"name": "Acme", "domain": "acme.example.com"})
    recipes.settle(sync)
    assert Link.objects.filter(mapping=firms).count() == (rows == 1)
    (entry,) = LogEntry.objects.filter(mapping=firms, remote_id=key)
    assert (entry.reason, Organisation.objects.count()) == (reason, rows)


@pytest.mark.parametrize("how", ["switched off", "deleted"])
def test_a_field_that_is_off_or_gone_is_left_alone(sync: Sync, ada: Person, ada_id: str, how: str) -> None:
    """X12, X13: saves, webhooks, imports and exports leave both of its ends as they are."""
    field = sync.people.fields.get(local="city")
    if how == "deleted":
        field.delete()
    else:
        field.is_active = False
        field.save()
    sync.hub.ui_update("contacts", ada_id, {"city": "Theirs", "jobtitle": "Baker"})
    Person.objects.filter(pk=ada.pk).update(city="Ours")
    recipes.settle(sync)
    for kind in ("backfill_pull", "backfill_push"):
        sync.backfill(kind)
    ada.refresh_from_db()
    assert (ada.city, ada.job_title, sync.contact(ada_id)["city"]) == ("Ours", "Baker", "Theirs")


def test_stages_map_to_statuses_on_the_way_in(sync: Sync, offers) -> None:
    """X15: a deal's stage is the local status its line says, for a new deal and for one that moves."""
    key = sync.hub.ui_create("deals", {"dealname": "Roof", "dealstage": "presentationscheduled"})
    recipes.settle(sync)
    assert Opportunity.objects.get().status == "quoted"
    sync.hub.ui_update("deals", key, {"dealstage": "closedlost"})
    recipes.settle(sync)
    assert Opportunity.objects.get().status == "lost"


def test_only_deals_of_the_pipeline_in_use_come_in(sync: Sync, offers) -> None:
    """X16: the pipeline in use is a line of the mapping; deals of another one stay out."""
    recipes.add_jobs(sync)
    recipes.gate(offers, Direction.PULL, ("remote", "pipeline", "equals", "default"))
    for pipeline, stage in (("default", "closedwon"), (recipes.JOBS, "working")):
        sync.hub.ui_create("deals", {"dealname": pipeline, "pipeline": pipeline, "dealstage": stage})
    recipes.settle(sync)
    assert list(Opportunity.objects.values_list("name", "status")) == [("default", "won")]


@pytest.mark.parametrize("by", ["webhook", "bulk pull"])
def test_a_type_mismatch_names_the_field(sync: Sync, firms, by: str) -> None:
    """X24: what is held back names the field where staff look: at the parked row and in the log."""
    if by == "bulk pull":
        sync.hub.set_webhooks(lose=1.0)
    sync.hub.ui_create("companies", {"name": "Acme", "domain": "acme.example.com", "numberofemployees": "12.5"})
    if by == "bulk pull":
        sync.backfill("backfill_pull", firms)
    else:
        recipes.settle(sync)
    assert Organisation.objects.get().employees is None
    said = "employees ↔ numberofemployees: HubSpot's number has decimals"
    parked = InboxEvent.objects.get(state="parked")
    assert said in parked.last_message
    assert said in LogEntry.objects.get(mapping=firms).detail
