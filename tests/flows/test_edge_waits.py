"""Associations whose other record cannot be linked: which obstacle it is, and that they are made once it is gone."""

import pytest

from crmsync.engine import edgewaits
from crmsync.engine.terms import EdgeState, MappingState
from crmsync.flows import lifecycle
from crmsync.models import Association, Edge, InboxEvent, LogEntry, Mapping
from project.demo.models import Organisation, Person
from tests.flows import recipes
from tests.flows.conftest import Sync


@pytest.fixture
def companies(sync: Sync) -> Mapping:
    Mapping.objects.exclude(pk=sync.people.pk).delete()
    fields = [("name", "name"), ("domain", "domain"), ("city", "city")]
    mapping = recipes.make(sync, "demo.Organisation", "companies", fields, label="Companies")
    recipes.match(mapping, "domain", "domain", "domain")
    return mapping


@pytest.fixture
def joined(sync: Sync, companies: Mapping) -> Association:
    return Association.objects.create(mapping=sync.people, to_mapping=companies, local="organisation")


def change(row: Mapping | Association, **facts: object) -> None:
    type(row).objects.filter(pk=row.pk).update(**facts)


def make_pair(sync: Sync, **facts: str) -> Person:
    acme = Organisation.objects.create(name="Acme", domain="acme.com", **facts)
    person = Person.objects.create(first_name="Ada", email="ada@example.com", organisation=acme)
    recipes.settle(sync)
    return person


def waiting() -> Edge:
    """The one edge, which waits."""
    edge = Edge.objects.get()
    assert edge.state == EdgeState.WAITING
    return edge


def is_associated(sync: Sync) -> bool:
    (contact,) = sync.contacts()
    return bool(sync.hub.associated("contacts", contact["id"], "companies"))


@pytest.mark.parametrize("state", [MappingState.DRAFT, MappingState.APPROVED, MappingState.PAUSED])
def test_a_mapping_that_is_not_live_is_named_and_going_live_is_enough(sync: Sync, joined: Association, state) -> None:
    """F19, Fault 44: nobody has to touch either record again, though a draft captured no change of the company."""
    change(joined.to_mapping, state=state)
    make_pair(sync)
    edge = waiting()
    assert (edge.reason, "“Companies”" in edge.detail, "Set it live" in edge.detail) == (
        edgewaits.NOT_LIVE,
        True,
        True,
    )
    lifecycle.switch_on(Mapping.objects.get(pk=joined.to_mapping_id), None, may_approve=True)
    recipes.settle(sync)
    assert Edge.objects.get().state == EdgeState.MADE
    assert is_associated(sync)


def test_another_mappings_record_is_named_with_its_value(sync: Sync, joined: Association) -> None:
    """F19, A3: the company's own mapping looked at it and said why; the contact's log has it, once."""
    recipes.fix(joined.to_mapping, "local", "country", "UK")
    person = make_pair(sync, country="FR")
    edge = waiting()
    assert (edge.reason, "“Companies” leaves it out" in edge.detail) == (edgewaits.KEPT_OUT, True)
    assert "country" in edge.detail
    assert "mapping that it belongs to" in edge.detail
    told = LogEntry.objects.filter(mapping=sync.people, reason=edgewaits.KEPT_OUT)
    assert told.get().local_pk == str(person.pk)
    person.save()
    recipes.settle(sync)
    assert told.count() == 1
    assert waiting().reason == edgewaits.KEPT_OUT
    person.organisation.country = "UK"
    person.organisation.save()
    recipes.settle(sync)
    assert is_associated(sync)


def test_a_rule_that_keeps_the_other_record_out_is_named(sync: Sync, joined: Association) -> None:
    """F19: without “bring the other record in” the company's rules decide."""
    change(joined, brings=False)
    recipes.gate(joined.to_mapping, "push", ("local", "city", "equals", "Leeds"))
    person = make_pair(sync, city="York")
    assert waiting().reason == edgewaits.KEPT_OUT
    assert "sync rule" in waiting().detail
    person.organisation.city = "Leeds"
    person.organisation.save()
    recipes.settle(sync)
    assert is_associated(sync)


def test_a_mapping_that_only_links_is_named(sync: Sync, joined: Association) -> None:
    change(joined, brings=False)
    change(joined.to_mapping, creates_remote=False)
    make_pair(sync)
    assert waiting().reason == edgewaits.NOT_MADE
    sync.hub.ui_create("companies", {"name": "Acme", "domain": "acme.com"})
    recipes.settle(sync)
    assert is_associated(sync)


def test_a_mapping_that_does_not_flow_there_is_named(sync: Sync, joined: Association) -> None:
    change(joined.to_mapping, direction="pull")
    make_pair(sync)
    edge = waiting()
    assert (edge.reason, "does not flow that way" in edge.detail) == (edgewaits.ONE_WAY, True)


def test_a_company_that_failed_says_why_on_the_contact(sync: Sync, joined: Association) -> None:
    """Fault 44: parent failed, its cause is told."""
    acme = Organisation.objects.create(name="Acme", domain="a" * 190 + ".com")
    sync.hub.plant_rule("companies", "phone")  # HubSpot demands what no row fills
    Person.objects.create(first_name="Ada", email="ada@example.com", organisation=acme)
    recipes.settle(sync)
    edge = waiting()
    assert (edge.reason, "“Companies” could not sync it" in edge.detail) == (edgewaits.FAILED, True)
    assert "phone" in edge.detail


def test_a_hubspot_company_that_is_kept_out_is_named_too(sync: Sync, joined: Association) -> None:
    """A3: the same from the other side."""
    recipes.fix(joined.to_mapping, "remote", "country", "UK")
    company = sync.hub.ui_create("companies", {"name": "Acme", "domain": "acme.com", "country": "FR"})
    contact = sync.hub.ui_create("contacts", {"email": "ada@example.com", "firstname": "Ada"})
    sync.hub.ui_associate("contacts", contact, "companies", company)
    recipes.settle(sync)
    InboxEvent.objects.update(due_at="2000-01-01T00:00Z")
    recipes.settle(sync)
    edge = waiting()
    assert (edge.remote_id, edge.reason) == (company, edgewaits.KEPT_OUT)
