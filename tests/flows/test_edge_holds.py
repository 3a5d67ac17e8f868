"""Associations that cannot work at present: they alone wait, with the reason, and nothing is added or removed."""

import pytest

from crmsync.engine.terms import EdgeProblem, EdgeState, MappingState
from crmsync.flows import discover, edgejoin, relearn
from crmsync.ledger import edges as memory
from crmsync.ledger import specs
from crmsync.models import (
    Association,
    Edge,
    FixedValue,
    InboxEvent,
    Link,
    Mapping,
    OutboxEntry,
    RemoteObjectType,
)
from crmsync.sides import edges as remote_edges
from project.demo.models import Organisation, Person
from project.trade.models import Task
from tests.flows import recipes
from tests.flows.conftest import Sync

BOSS = "Boss"
GONE = EdgeProblem.LABEL_GONE.value


@pytest.fixture(autouse=True)
def _fresh() -> None:
    relearn._looked.clear()


@pytest.fixture
def boss(sync: Sync) -> int:
    """The number of a label that the account made itself."""
    number = sync.hub.add_label("contacts", "companies", BOSS)
    discover.discover(sync.portal)
    return number


@pytest.fixture
def companies(sync: Sync) -> Mapping:
    Mapping.objects.exclude(pk=sync.people.pk).delete()
    mapping = recipes.make(sync, "demo.Organisation", "companies", [("name", "name"), ("domain", "domain")])
    recipes.match(mapping, "domain", "domain", "domain")
    return mapping


@pytest.fixture
def joined(sync: Sync, companies: Mapping, boss: int) -> Association:
    return Association.objects.create(mapping=sync.people, to_mapping=companies, local="organisation", label=BOSS)


@pytest.fixture
def ada(sync: Sync, joined: Association) -> Person:
    acme = Organisation.objects.create(name="Acme", domain="acme.com")
    person = Person.objects.create(first_name="Ada", email="ada@example.com", organisation=acme)
    recipes.settle(sync)
    return person


@pytest.fixture
def other(sync: Sync, ada: Person) -> Organisation:
    found = Organisation.objects.create(name="Other", domain="other.com")
    recipes.settle(sync)
    return found


def remote_id(mapping: Mapping, row) -> str:
    return Link.objects.get(mapping=mapping, local_pk=str(row.pk)).remote_id


def labelled(sync: Sync, person: Person, number: int) -> list[str]:
    """Ids of the companies that carry the label."""
    found = sync.hub.associated("contacts", remote_id(sync.people, person), "companies")
    return [key for key, types in found.items() if number in types]


def rename(sync: Sync, number: int, label: str) -> None:
    sync.hub.rename_label("contacts", "companies", number, label)
    discover.discover(sync.portal)


def parked() -> dict[str, str]:
    rows = OutboxEntry.objects.filter(state="parked")
    return {row.last_code: row.last_message for row in rows}


def test_a_label_that_is_gone_holds_its_association_alone(sync: Sync, ada, other, joined, boss) -> None:
    """F8, F19, Fault 32: fields go on and the mapping stays live; the edge waits, says the remedy, and follows."""
    before = labelled(sync, ada, boss)
    rename(sync, boss, "Chief")
    ada.organisation, ada.city = other, "Graz"
    ada.save()
    recipes.settle(sync)
    assert sync.contact(remote_id(sync.people, ada))["city"] == "Graz"
    assert labelled(sync, ada, boss) == before
    sync.people.refresh_from_db()
    assert sync.people.state == MappingState.LIVE
    assert set(parked()) == {GONE}
    assert "no label “Boss”" in parked()[GONE]
    assert "Chief" in parked()[GONE]
    ada.refresh_from_db()
    assert ada.organisation == other

    rename(sync, boss, BOSS)
    recipes.settle(sync)
    assert labelled(sync, ada, boss) == [remote_id(joined.to_mapping, other)]
    assert parked() == {}


def test_a_cleared_key_removes_nothing_while_the_label_is_gone(sync: Sync, ada: Person, boss: int) -> None:
    before = labelled(sync, ada, boss)
    rename(sync, boss, "Chief")
    ada.organisation = None
    ada.save()
    recipes.settle(sync)
    assert labelled(sync, ada, boss) == before
    assert set(parked()) == {GONE}
    rename(sync, boss, BOSS)
    recipes.settle(sync)
    assert labelled(sync, ada, boss) == []


def test_records_that_the_association_has_nothing_to_do_for_are_not_parked(sync: Sync, ada, boss) -> None:
    """From either side; and a second look costs nothing more."""
    rename(sync, boss, "Chief")
    ada.city = "Graz"
    ada.save()
    sync.hub.ui_update("contacts", remote_id(sync.people, ada), {"phone": "+43 1 5550100"})
    recipes.settle(sync)
    ada.refresh_from_db()
    assert (ada.city, ada.phone) == ("Graz", "+43 1 5550100")
    assert not OutboxEntry.objects.exists()
    assert not InboxEvent.objects.exists()
    assert Edge.objects.get().state == EdgeState.MADE


def test_what_hubspot_associates_meanwhile_is_not_forgotten(sync: Sync, ada, other, joined, boss) -> None:
    """A company that becomes somebody's boss under the label's other name arrives when the name is back."""
    rename(sync, boss, "Chief")
    contact, company = remote_id(sync.people, ada), remote_id(joined.to_mapping, other)
    sync.hub.ui_dissociate("contacts", contact, "companies", labelled(sync, ada, boss)[0])
    sync.hub.ui_associate("contacts", contact, "companies", company, [boss])
    recipes.settle(sync)
    ada.refresh_from_db()
    assert ada.organisation.name == "Acme"
    assert InboxEvent.objects.get().last_code == GONE
    rename(sync, boss, BOSS)
    recipes.settle(sync)
    ada.refresh_from_db()
    assert ada.organisation == other
    assert not InboxEvent.objects.exists()


def test_a_label_deleted_and_made_again_clears_nothing(sync: Sync, ada: Person, boss: int) -> None:
    """Fault 32: no record carries the new label, which nobody in HubSpot meant: it is given again, nothing is
    taken for a removal."""
    company = labelled(sync, ada, boss)
    sync.hub.remove_label("contacts", "companies", boss)
    discover.discover(sync.portal)
    edge = Edge.objects.get()
    assert (edge.state, edge.reason) == (EdgeState.WAITING, GONE)
    sync.hub.ui_update("contacts", remote_id(sync.people, ada), {"city": "Graz"})
    recipes.settle(sync)
    ada.refresh_from_db()
    assert ada.organisation.name == "Acme"

    new = sync.hub.add_label("contacts", "companies", BOSS)
    discover.discover(sync.portal)
    recipes.settle(sync)
    ada.refresh_from_db()
    assert ada.organisation.name == "Acme"
    assert labelled(sync, ada, new) == company
    assert Edge.objects.get().state == EdgeState.MADE
    before = sync.writes()
    recipes.settle(sync)
    assert sync.writes() == before


def test_deleted_and_made_again_between_two_looks_is_the_same(sync: Sync, ada: Person, boss: int) -> None:
    company = labelled(sync, ada, boss)
    sync.hub.remove_label("contacts", "companies", boss)
    new = sync.hub.add_label("contacts", "companies", BOSS)
    assert new != boss
    discover.discover(sync.portal)
    recipes.settle(sync)
    ada.refresh_from_db()
    assert ada.organisation.name == "Acme"
    assert labelled(sync, ada, new) == company


def test_a_label_that_nobody_told_us_is_gone_is_looked_for_after_the_first_refusal(sync: Sync, ada, other, boss):
    """Fault 32: HubSpot refuses the type; the record's fields are written, the association waits."""
    sync.hub.remove_label("contacts", "companies", boss)
    ada.organisation, ada.city = other, "Graz"
    ada.save()
    recipes.settle(sync)
    assert sync.contact(remote_id(sync.people, ada))["city"] == "Graz"
    assert set(parked()) == {GONE}
    new = sync.hub.add_label("contacts", "companies", BOSS)
    discover.discover(sync.portal)
    recipes.settle(sync)
    assert len(labelled(sync, ada, new)) == 1
    assert parked() == {}


def test_other_associations_of_the_mapping_go_on(sync: Sync, ada, other, joined, boss) -> None:
    """The plain association beside it, of the same foreign key."""
    Association.objects.create(mapping=sync.people, to_mapping=joined.to_mapping, local="organisation")
    ada.city = "Linz"
    ada.save()
    recipes.settle(sync)
    rename(sync, boss, "Chief")
    ada.organisation = other
    ada.save()
    recipes.settle(sync)
    assert remote_id(joined.to_mapping, other) in sync.hub.associated(
        "contacts", remote_id(sync.people, ada), "companies"
    )
    assert set(parked()) == {GONE}


def test_going_live_is_refused_while_an_association_is_held(sync: Sync, joined: Association, boss: int) -> None:
    specs.check(sync.people)
    rename(sync, boss, "Chief")
    with pytest.raises(specs.SpecError, match="no label “Boss”"):
        specs.check(sync.people)
    assert set(specs.find_holds(sync.people)) == {joined.pk}


def test_rows_that_must_have_a_parent_wait_with_the_reason(sync: Sync, boss: int) -> None:
    """Fault 44: a foreign key that must not be empty, and nobody can tell who it leads to."""
    Mapping.objects.all().delete()
    number = sync.hub.add_label("deals", "companies", "Payer")
    discover.discover(sync.portal)
    clients = recipes.make(sync, "trade.Client", "companies", [("number", "name"), ("domain", "domain")])
    recipes.match(clients, "number", "name")
    tasks = recipes.make(sync, "trade.Task", "deals", [("title", "dealname")])
    for name, value in (("pipeline", "default"), ("dealstage", "appointmentscheduled")):
        FixedValue.objects.create(mapping=tasks, side="remote", field=name, value=value, decides=False)
    Association.objects.create(mapping=tasks, to_mapping=clients, local="client", label="Payer")
    sync.hub.rename_label("deals", "companies", number, "Debtor")
    discover.discover(sync.portal)
    company = sync.hub.ui_create("companies", {"name": "C1", "domain": "one.com"})
    deal = sync.hub.ui_create(
        "deals", {"dealname": "Roof", "pipeline": "default", "dealstage": "appointmentscheduled"}
    )
    sync.hub.ui_associate("deals", deal, "companies", company, [number])
    recipes.settle(sync)
    assert not Task.objects.exists()
    (held,) = InboxEvent.objects.filter(mapping=tasks)
    assert held.last_code == GONE
    assert "client must not be empty" in held.last_message
    assert "no label “Payer”" in held.last_message

    sync.hub.rename_label("deals", "companies", number, "Payer")
    discover.discover(sync.portal)
    recipes.settle(sync)
    assert Task.objects.get().client.number == "C1"


def test_a_relation_that_django_lost_leaves_the_memory_alone(sync: Sync, ada: Person, joined, boss) -> None:
    """A migration renamed the foreign key: fields go on, edges stay as they were remembered."""
    Association.objects.filter(pk=joined.pk).update(local="employer")
    ada.city = "Graz"
    ada.save()
    recipes.settle(sync)
    assert sync.contact(remote_id(sync.people, ada))["city"] == "Graz"
    assert specs.load(sync.people).associations[0].held.code == EdgeProblem.RELATION_GONE
    assert Edge.objects.get().state == EdgeState.MADE
    assert not OutboxEntry.objects.exists()


def test_an_object_type_that_hubspot_deleted_holds_the_association(sync: Sync, companies: Mapping) -> None:
    """Only where object types could be read: silence about them is not their absence."""
    custom = sync.hub.add_object_type("cars", singular="car")
    sync.hub.add_property(custom, "plate", "string", label="plate")
    discover.discover(sync.portal)
    cars = recipes.make(sync, "demo.Organisation", custom, [("name", "plate")])
    Association.objects.create(mapping=sync.people, to_mapping=cars, local="organisation", direction="push")
    assert specs.load(sync.people).associations[0].held is None
    sync.portal.refresh_from_db()
    RemoteObjectType.objects.filter(object_type=custom).delete()
    assert specs.load(sync.people).associations[0].held.code == EdgeProblem.TYPE_GONE
    sync.portal.discovery = {"missing": {"custom object types": "crm.schemas.custom.read"}}
    sync.portal.save()
    assert specs.load(Mapping.objects.get(pk=sync.people.pk)).associations[0].held is None


def test_a_held_association_asks_hubspot_only_about_what_came_from_there(sync: Sync, ada, boss, monkeypatch) -> None:
    rename(sync, boss, "Chief")
    asked = []
    monkeypatch.setattr(edgejoin.remote_edges, "read", lambda *args: asked.append(args) or ({}, {}))
    ada.city = "Graz"
    ada.save()
    sync.drain()
    assert asked == []
    assert remote_edges.read is edgejoin.remote_edges.read
    assert memory.find([Link.objects.get(mapping=sync.people).pk])
