"""The mapping tables of five integrations, applied from one file each and used: project/demo/recipes/*.json."""

import dataclasses
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone

from crmsync.engine import configtext
from crmsync.flows import configure, discover, prepare
from crmsync.ledger import portals
from crmsync.models import Link, Mapping
from project.demo.models import Opportunity, Organisation, Person
from project.trade import portal as trade
from project.trade.models import Category, Client, Contact, Quote, Status, Task, TaskLine
from tests.flows import recipes
from tests.flows.conftest import Sync

RECIPES = Path(__file__).parents[2] / "project" / "demo" / "recipes"
NAMES = ["accelo", "aroflo", "axcelerate", "connectflo", "userflow"]
# What this recipe pushes into properties that nobody made: crmsync makes them when told so.
CREATES = {"userflow"}
# HubSpot: association types of contacts to companies, "primary" and the one without a label.
PRIMARY = (1, 279)


@pytest.fixture
def install(make_sync: Callable[..., Sync]) -> Callable[[str], Sync]:
    """A tradesmen's portal with the mappings of one recipe, live."""

    def act(name: str) -> Sync:
        sync = make_sync()
        Mapping.objects.all().delete()
        for object_type, rows in trade.PROPERTIES.items():
            for facts in rows:
                sync.hub.add_property(object_type, **facts)
        for pipeline in trade.pipelines():
            sync.hub.add_pipeline("deals", pipeline)
        discover.discover(sync.portal)
        for status in trade.STATUSES:
            Status.objects.create(name=status)
        for category in trade.CATEGORIES:
            Category.objects.create(name=category)
        text = (RECIPES / f"{name}.json").read_text()
        prepare.apply(sync.portal, text, options(name))
        sync.mappings = {one.label: one for one in Mapping.objects.all()}
        for mapping in sync.mappings.values():
            portals.start_mapping(mapping, timezone.now())
        return sync

    return act


def options(name: str) -> configure.Options:
    return configure.Options(creates_properties=name in CREATES)


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_applied_whole_and_exported_as_it_is(install: Callable[[str], Sync], name: str) -> None:
    """F9: the file, applied to a portal, says of it just what the portal says of itself; applying it again is
    nothing. A30: each object has a mapping of its own."""
    sync = install(name)
    text = (RECIPES / f"{name}.json").read_text()

    wanted = {one.name: one for one in configtext.from_text(text)}
    found = {one.name: one for one in configtext.from_text(configure.export(sync.portal, options(name)).text)}
    assert {key: in_order(one) for key, one in found.items()} == {key: in_order(one) for key, one in wanted.items()}
    assert configure.make_plan(sync.portal, text, options(name)).changes == ()


def in_order(one):
    """Fixed values and rules have no order of their own."""
    return dataclasses.replace(
        one,
        fixed_values=tuple(sorted(one.fixed_values, key=lambda each: (each.side, each.field))),
        rules=tuple(sorted(one.rules, key=lambda each: each.name)),
    )


# --- AroFlo -------------------------------------------------------------------------------------------------------


def make_client(**facts) -> Client:
    return Client.objects.create(**{"number": "K1", "name": "Miller & Sons", "domain": "miller.example.net", **facts})


def test_a_client_of_each_kind_becomes_the_object_of_its_kind(install: Callable[[str], Sync]) -> None:
    """A3: kind=commercial syncs as a company, kind=residential as a contact, each both ways."""
    sync = install("aroflo")
    firm = make_client()
    home = make_client(number="K2", kind="residential", name="Okafor", domain="", email="okafor@example.net")
    recipes.settle(sync)

    (company,), (contact,) = list(sync.hub.records("companies")), sync.contacts()
    assert (company["properties"]["name"], company["properties"]["client_number"]) == ("Miller & Sons", "K1")
    assert (contact["properties"]["lastname"], contact["properties"]["customer_type"]) == ("Okafor", "residential")

    sync.hub.ui_update("companies", company["id"], {"city": "Leeds"})
    sync.hub.ui_update("contacts", contact["id"], {"city": "Bristol"})
    recipes.settle(sync)
    firm.refresh_from_db()
    home.refresh_from_db()
    assert (firm.city, home.city) == ("Leeds", "Bristol")
    assert Client.objects.count() == 2
    assert Contact.objects.count() == 0


def test_a_contact_that_qualifies_brings_its_company(install: Callable[[str], Sync]) -> None:
    """A7, A8: unqualified contacts stay out; when the property flips, contact and company are both made, linked."""
    sync = install("aroflo")
    facts = {"name": "Weber", "domain": "weber.example.net", "client_number": "K9"}
    company = sync.hub.ui_create("companies", facts)
    contact = sync.hub.ui_create("contacts", {"email": "jo@weber.example.net", "qualification": "open"})
    sync.hub.ui_associate("contacts", contact, "companies", company, PRIMARY)
    recipes.settle(sync)
    assert not Contact.objects.exists()

    sync.hub.ui_update("contacts", contact, {"qualification": "qualified"})
    recipes.settle(sync)
    made = Contact.objects.get()
    assert made.email == "jo@weber.example.net"
    assert made.client is not None
    assert made.client.name == "Weber"


def test_clients_from_hubspot_get_numbers_of_their_own(install: Callable[[str], Sync]) -> None:
    """A2, A8: HubSpot's companies have no number; the product gives each one, which goes back to HubSpot."""
    sync = install("aroflo")
    for name in ("Weber", "Okafor"):
        sync.hub.ui_create("companies", {"name": name, "domain": f"{name.lower()}.example.net"})
    recipes.settle(sync)

    ours = dict(Client.objects.values_list("name", "number"))
    theirs = {one["properties"]["name"]: one["properties"]["client_number"] for one in sync.hub.records("companies")}
    assert ours.keys() == {"Weber", "Okafor"}
    assert len(set(ours.values()) - {""}) == 2
    assert theirs == ours


def test_a_quote_becomes_a_deal_and_its_approval_closes_it(install: Callable[[str], Sync]) -> None:
    """A4, A9, A10: the pipeline and first stage are the mapping's; Approved moves the deal to Closed Won."""
    sync = install("aroflo")
    quote = Quote.objects.create(client=make_client(), title="New roof", amount=Decimal("9000.50"))
    recipes.settle(sync)
    (deal,) = recipes.deals(sync).values()
    assert (deal["pipeline"], deal["dealstage"], deal["amount"]) == ("default", "presentationscheduled", "9000.5")

    quote.status = "approved"
    quote.save()
    recipes.settle(sync)
    (deal,) = recipes.deals(sync).values()
    assert deal["dealstage"] == "closedwon"


def test_an_invoiced_task_has_a_second_deal_that_says_what_was_done(install: Callable[[str], Sync]) -> None:
    """A5, A11, A12, A29: filters and stages by type and status; the second deal carries roll-ups; two links a row."""
    sync = install("aroflo")
    task = Task.objects.create(client=make_client(), title="Boiler", kind="quote", completed_on=date(2026, 11, 20))
    TaskLine.objects.create(task=task, done="Boiler serviced", amount=120)
    TaskLine.objects.create(task=task, done="Filter changed", amount=30)
    recipes.settle(sync)
    assert recipes.deals(sync) == {}

    task.status = "approved"
    task.save()
    recipes.settle(sync)
    assert recipes.by_pipeline(sync)["jobs"]["dealstage"] == "job_approved"

    task.kind, task.status = "job", "invoiced"
    task.save()
    recipes.settle(sync)
    found = recipes.by_pipeline(sync)
    assert found["jobs"]["dealstage"] == "job_done"
    care = found["aftercare"]
    assert (care["dealstage"], care["amount"], care["work_done_on"]) == ("care_thanks", "150", "2026-11-20")
    assert care["work_done"] == "Boiler serviced; Filter changed"
    assert Link.objects.filter(local_pk=str(task.pk), object_type="deals").count() == 2


def test_roll_ups_of_tasks_reach_the_company(install: Callable[[str], Sync]) -> None:
    """A13: number and last day of the jobs stand on the company, and follow the tasks."""
    sync = install("aroflo")
    client = make_client()
    recipes.settle(sync)
    Task.objects.create(client=client, title="One", completed_on=date(2026, 3, 1))
    Task.objects.create(client=client, title="Two", completed_on=date(2026, 5, 1))
    recipes.settle(sync)
    (company,) = list(sync.hub.records("companies"))
    assert (company["properties"]["jobs_done"], company["properties"]["last_job_on"]) == ("2", "2026-05-01")


# --- Accelo -------------------------------------------------------------------------------------------------------


def test_statuses_and_categories_of_tables_go_both_ways(install: Callable[[str], Sync]) -> None:
    """L4, L6, L8, L9: a status table and a many-to-many; two HubSpot statuses are one here, and no echo moves one."""
    sync = install("accelo")
    client = make_client(status=Status.objects.get(name="Active"))
    client.categories.set(Category.objects.filter(name__in=["Roofs", "Solar"]))
    recipes.settle(sync)
    (company,) = list(sync.hub.records("companies"))
    assert company["properties"]["client_status"] == "active"
    assert set(company["properties"]["client_categories"].strip(";").split(";")) == {"roofs", "solar"}

    sync.hub.ui_update("companies", company["id"], {"client_status": "prospect", "client_categories": "heating"})
    recipes.settle(sync)
    client.refresh_from_db()
    assert client.status.name == "New"
    assert [one.name for one in client.categories.all()] == ["Heating"]
    (company,) = list(sync.hub.records("companies"))
    assert company["properties"]["client_status"] == "prospect"


def test_rules_of_both_directions_and_a_visit_that_waits(install: Callable[[str], Sync]) -> None:
    """L10, L12, L15: rules are apart for push and pull; last visit alone causes no call."""
    sync = install("accelo")
    make_client(number="K0", domain="")
    client = make_client()
    sync.hub.ui_create("companies", {"name": "No number", "domain": "none.example.net"})
    recipes.settle(sync)
    assert len(list(sync.hub.records("companies"))) == 2
    assert not Client.objects.filter(name="No number").exists()

    before = len(sync.hub.ledger.requests())
    client.last_visit_at = timezone.now()
    client.save()
    sync.drain()
    assert len(sync.hub.ledger.requests()) == before


# --- ConnectFlo, Userflow, aXcelerate -----------------------------------------------------------------------------


def test_companies_are_read_and_never_written(install: Callable[[str], Sync]) -> None:
    """C2, C3: company data flows in only; a deal's stage is seen and can be set."""
    sync = install("connectflo")
    client = make_client(city="")
    company = sync.hub.ui_create("companies", {"name": "Miller", "domain": "miller.example.net", "city": "Leeds"})
    recipes.settle(sync)
    client.refresh_from_db()
    assert client.city == "Leeds"
    client.city = "York"
    client.save()
    recipes.settle(sync)
    assert sync.hub.record("companies", company)["properties"]["city"] == "Leeds"


def test_link_only_takes_in_nobody_new(install: Callable[[str], Sync]) -> None:
    """U4, U8, U19, U20: linked by e-mail and by the id alone; the company's industry arrives at its people."""
    sync = install("userflow")
    known = Contact.objects.create(email="known@example.net", sign_ins=7)
    Contact.objects.create(email="local@example.net")
    twin = make_client(number="K7", name="Same name", domain="")
    contact = sync.hub.ui_create("contacts", {"email": "known@example.net"})
    sync.hub.ui_create("contacts", {"email": "stranger@example.net"})
    facts = {"name": "Any", "client_number": "K7", "city": "Graz", "industry": "RETAIL"}
    company = sync.hub.ui_create("companies", facts)
    sync.hub.ui_create("companies", {"name": "Same name"})
    sync.hub.ui_associate("contacts", contact, "companies", company, PRIMARY)
    for mapping in sync.mappings.values():
        sync.backfill("backfill_pull", mapping)
        sync.backfill("backfill_push", mapping)
    recipes.settle(sync)

    assert Contact.objects.count() == 2
    assert Client.objects.count() == 1
    assert len(sync.contacts()) == 2
    known.refresh_from_db()
    twin.refresh_from_db()
    assert (known.industry, twin.city) == ("RETAIL", "Graz")
    assert sync.contact(contact)["django_contact_sign_ins"] == "7"


def test_deals_and_organisations_come_in_and_go_nowhere(install: Callable[[str], Sync]) -> None:
    """X1, X2, X15, X16, X21: contacts both ways, the others in only; stage labels are statuses of one pipeline."""
    sync = install("axcelerate")
    company = sync.hub.ui_create("companies", {"name": "Graph Ltd", "domain": "graph.example.net"})
    contact = sync.hub.ui_create("contacts", {"email": "lin@graph.example.net", "firstname": "Lin"})
    sync.hub.ui_associate("contacts", contact, "companies", company, PRIMARY)
    facts = {"dealname": "Course", "pipeline": "default", "dealstage": "contractsent"}
    ours = sync.hub.ui_create("deals", facts)
    sync.hub.ui_create("deals", {"dealname": "Elsewhere", "pipeline": "jobs", "dealstage": "job_waiting"})
    sync.hub.ui_associate("deals", ours, "contacts", contact)
    recipes.settle(sync)

    assert Organisation.objects.get().name == "Graph Ltd"
    assert Person.objects.get().organisation == Organisation.objects.get()
    deal = Opportunity.objects.get()
    assert (deal.name, deal.status, deal.contact) == ("Course", "quoted", Person.objects.get())
    deal.name = "Changed here"
    deal.save()
    recipes.settle(sync)
    assert sync.hub.record("deals", ours)["properties"]["dealname"] == "Course"
