"""Relations and associations, both ways: A8, F19 and Fault 44 against the fakehub."""

import re

import pytest

from crmsync.engine import config
from crmsync.engine.terms import Direction, EdgeMove, EdgeState, MappingState
from crmsync.flows import backfill, checklist, configure, discover
from crmsync.ledger import edges as memory
from crmsync.models import Association, Conflict, Edge, InboxEvent, Link, LogEntry, Mapping, OutboxEntry
from project.demo.models import Organisation, Person
from tests.flows import recipes
from tests.flows.conftest import Sync

PRIMARY = 1


@pytest.fixture
def people(sync: Sync) -> Mapping:
    return sync.people


@pytest.fixture
def companies(sync: Sync) -> Mapping:
    Mapping.objects.exclude(pk=sync.people.pk).delete()
    fields = [("name", "name"), ("domain", "domain"), ("city", "city")]
    mapping = recipes.make(sync, "demo.Organisation", "companies", fields)
    recipes.match(mapping, "domain", "domain", "domain")
    sync.mappings["companies"] = mapping
    return mapping


def associate(mapping: Mapping, to: Mapping, local: str = "organisation", **facts) -> Association:
    return Association.objects.create(mapping=mapping, to_mapping=to, local=local, **facts)


@pytest.fixture
def joined(people: Mapping, companies: Mapping) -> Association:
    return associate(people, companies)


@pytest.fixture
def primary(people: Mapping, companies: Mapping) -> Association:
    return associate(people, companies, label="Primary")


def remote_id(mapping: Mapping, row) -> str:
    return Link.objects.get(mapping=mapping, local_pk=str(row.pk)).remote_id


def partners(sync: Sync, person: Person) -> dict[str, tuple[int, ...]]:
    return sync.hub.associated("contacts", remote_id(sync.people, person), "companies")


def at_rest(sync: Sync) -> None:
    """A second drain writes nothing anywhere."""
    before = sync.writes()
    recipes.settle(sync)
    assert sync.writes() == before
    assert not OutboxEntry.objects.exists()


def make_pair(sync: Sync) -> tuple[Person, Organisation]:
    acme = Organisation.objects.create(name="Acme", domain="acme.com")
    person = Person.objects.create(first_name="Ada", email="ada@example.com", organisation=acme)
    recipes.settle(sync)
    return person, acme


def test_a_foreign_key_becomes_an_association(sync: Sync, joined: Association) -> None:
    """F19: a foreign key maps to an association, and its echo moves nothing."""
    person, acme = make_pair(sync)
    assert list(partners(sync, person)) == [remote_id(joined.to_mapping, acme)]
    edge = Edge.objects.get()
    assert (edge.state, edge.is_ours) == (EdgeState.MADE, True)
    at_rest(sync)


def test_the_child_saved_first_is_associated_without_a_second_edit(sync: Sync, joined: Association) -> None:
    """F19, Fault 44: the parent is linked later; the edge waits with its cause and is completed by itself."""
    companies = joined.to_mapping
    Mapping.objects.filter(pk=companies.pk).update(state=MappingState.PAUSED)
    acme = Organisation.objects.create(name="Acme", domain="acme.com")
    person = Person.objects.create(first_name="Ada", email="ada@example.com", organisation=acme)
    recipes.settle(sync)
    edge = Edge.objects.get()
    assert (edge.state, edge.local_pk, edge.reason) == (EdgeState.WAITING, str(acme.pk), "edge.other_not_live")
    assert str(acme.pk) in edge.detail
    assert partners(sync, person) == {}

    Mapping.objects.filter(pk=companies.pk).update(state=MappingState.LIVE)
    recipes.settle(sync)
    assert list(partners(sync, person)) == [remote_id(companies, acme)]
    assert Edge.objects.get().state == EdgeState.MADE
    at_rest(sync)


def test_one_gate_firing_makes_the_contact_and_its_company_here(sync: Sync, joined: Association) -> None:
    """A8: both rows, the parent first, and the foreign key between them, although companies are not created."""
    Mapping.objects.filter(pk=joined.to_mapping_id).update(creates_local=False)
    company = sync.hub.ui_create("companies", {"name": "Acme", "domain": "acme.com"})
    sync.deliver()
    sync.drain()
    assert not Organisation.objects.exists()
    contact = sync.hub.ui_create("contacts", {"email": "ada@example.com", "firstname": "Ada"})
    sync.hub.ui_associate("contacts", contact, "companies", company)
    recipes.settle(sync)
    person = Person.objects.get()
    assert person.organisation is not None
    assert person.organisation.name == "Acme"
    made = list(Link.objects.order_by("id").values_list("mapping", flat=True))
    assert made == [joined.to_mapping_id, joined.mapping_id]
    at_rest(sync)


def test_a_company_that_cannot_be_made_does_not_keep_the_contact_away(sync: Sync, joined: Association) -> None:
    """Fault 44: parent failed, its cause is told; mended, the edge is completed without touching the child."""
    Mapping.objects.filter(pk=joined.to_mapping_id).update(creates_local=False)
    domain = "a" * 250 + ".com"  # the column holds 200, and partners are found by it
    company = sync.hub.ui_create("companies", {"name": "Acme", "domain": domain})
    contact = sync.hub.ui_create("contacts", {"email": "ada@example.com", "firstname": "Ada"})
    sync.hub.ui_associate("contacts", contact, "companies", company)
    recipes.settle(sync)
    InboxEvent.objects.filter(mapping=sync.people).update(due_at="2000-01-01T00:00Z")  # its patience is over
    sync.drain()
    person = Person.objects.get()
    assert person.organisation is None
    edge = Edge.objects.get()
    assert (edge.state, edge.remote_id) == (EdgeState.WAITING, company)
    sync.hub.ui_update("companies", company, {"domain": "acme.com"})
    recipes.settle(sync)
    person.refresh_from_db()
    assert person.organisation.name == "Acme"
    assert Edge.objects.get().state == EdgeState.MADE
    at_rest(sync)


def test_a_cleared_key_removes_only_what_the_sync_made(sync: Sync, joined: Association) -> None:
    """F19: a user's own association stays and is not taken back into Django; the log says so."""
    person, acme = make_pair(sync)
    other = Organisation.objects.create(name="Other", domain="other.com")
    recipes.settle(sync)
    theirs = remote_id(joined.to_mapping, other)
    sync.hub.ui_associate("contacts", remote_id(sync.people, person), "companies", theirs)
    recipes.settle(sync)
    person.refresh_from_db()
    assert person.organisation == acme
    person.organisation = None
    person.save()
    recipes.settle(sync)
    assert list(partners(sync, person)) == [theirs]
    person.refresh_from_db()
    assert person.organisation is None
    assert Edge.objects.get().state == EdgeState.LEFT
    assert LogEntry.objects.filter(reason="edge.not_ours").exists()
    at_rest(sync)


def test_a_row_deleted_in_django_clears_the_key_without_a_signal(sync: Sync, joined: Association) -> None:
    """SET_NULL: a cleared foreign key is an association change."""
    person, acme = make_pair(sync)
    company = remote_id(joined.to_mapping, acme)
    acme.delete()
    recipes.settle(sync)
    assert sync.hub.record("companies", company) is not None
    assert partners(sync, person) == {}
    assert not Edge.objects.exists()
    at_rest(sync)


def test_hubspots_changes_are_pulled(sync: Sync, joined: Association) -> None:
    person, acme = make_pair(sync)
    contact = remote_id(sync.people, person)
    sync.hub.ui_dissociate("contacts", contact, "companies", remote_id(joined.to_mapping, acme))
    recipes.settle(sync)
    person.refresh_from_db()
    assert person.organisation is None
    new = sync.hub.ui_create("companies", {"name": "New", "domain": "new.com"})
    sync.hub.ui_associate("contacts", contact, "companies", new)
    recipes.settle(sync)
    person.refresh_from_db()
    assert person.organisation.name == "New"
    assert not Edge.objects.get().is_ours
    at_rest(sync)


def test_the_primary_company_moves_both_ways_and_keeps_other_labels(sync: Sync, people, companies) -> None:
    """F19: labels replace each other, so those that shall stay are sent."""
    boss = sync.hub.add_label("contacts", "companies", "Boss")
    discover.discover(sync.portal)
    associate(people, companies, label="primary")
    person, acme = make_pair(sync)
    assert PRIMARY in partners(sync, person)[remote_id(companies, acme)]
    other = Organisation.objects.create(name="Other", domain="other.com")
    recipes.settle(sync)
    contact, there = remote_id(people, person), remote_id(companies, other)
    sync.hub.ui_associate("contacts", contact, "companies", there, [boss])
    recipes.settle(sync)
    person.refresh_from_db()
    assert person.organisation == acme
    person.organisation = other
    person.save()
    recipes.settle(sync)
    found = partners(sync, person)
    assert set(found) == {there}
    assert {PRIMARY, boss} <= set(found[there])
    at_rest(sync)
    sync.hub.ui_associate("contacts", contact, "companies", remote_id(companies, acme), [PRIMARY])
    recipes.settle(sync)
    person.refresh_from_db()
    assert person.organisation == acme
    at_rest(sync)
    person.organisation = None
    person.save()
    recipes.settle(sync)
    assert boss in partners(sync, person)[there]
    at_rest(sync)


def test_hubspots_own_company_by_domain_gives_way_to_ours(sync: Sync, primary: Association) -> None:
    """F19: the primary company is set and re-asserted after HubSpot's domain automation."""
    sync.hub.set_flags(associate_by_domain=True)
    auto = sync.hub.ui_create("companies", {"name": "Auto", "domain": "acme.com"})
    acme = Organisation.objects.create(name="Acme", domain="head.com")
    person = Person.objects.create(first_name="Ada", email="ada@acme.com", organisation=acme)
    recipes.settle(sync)
    person.refresh_from_db()
    assert person.organisation == acme
    ours = remote_id(primary.to_mapping, acme)
    assert PRIMARY in partners(sync, person)[ours]
    assert PRIMARY not in partners(sync, person)[auto]
    # the automation comes late, once more: it is told from a person's choice by the domain
    sync.hub.ui_associate("contacts", remote_id(sync.people, person), "companies", auto, [PRIMARY])
    recipes.settle(sync)
    person.refresh_from_db()
    assert person.organisation == acme
    assert PRIMARY in partners(sync, person)[ours]
    assert Edge.objects.get(state=EdgeState.MADE).asserted == 1


def test_the_primary_is_put_back_three_times_and_then_a_conflict(sync: Sync, people, companies) -> None:
    """F19: at most N times, then it becomes a conflict item."""
    associate(people, companies, label="Primary", direction=Direction.PUSH)
    person, acme = make_pair(sync)
    other = sync.hub.ui_create("companies", {"name": "Other", "domain": "other.com"})
    contact, ours = remote_id(people, person), remote_id(companies, acme)
    kept = []
    for _ in range(5):
        sync.hub.ui_associate("contacts", contact, "companies", other, [PRIMARY])
        recipes.settle(sync)
        kept.append(PRIMARY in partners(sync, person)[ours])
    assert kept == [True, True, True, False, False]
    edge = Edge.objects.get()
    assert (edge.state, edge.asserted, edge.reason) == (EdgeState.REFUSED, 3, "edge.taken_back")
    assert Conflict.objects.filter(winner="", field="organisation|companies").count() == 1
    memory.retry(Edge.objects.all(), edge.updated_at)
    recipes.settle(sync)
    assert PRIMARY in partners(sync, person)[ours]


def test_what_only_flows_to_hubspot_costs_no_call_while_it_is_as_it_was(sync: Sync, people, companies) -> None:
    associate(people, companies, direction=Direction.PUSH)
    person, _ = make_pair(sync)
    sync.hub.set_webhooks(target="", secret="")
    before = sync.hub.ledger.last_seq
    person.first_name = "Adele"
    person.save()
    sync.drain()
    assert [row.path for row in sync.hub.ledger.since(before, "request") if "/associations/" in row.path] == []
    assert sync.contact(remote_id(people, person))["firstname"] == "Adele"


def test_a_refused_association_never_fails_the_record(sync: Sync, joined: Association) -> None:
    """Limits and refusals of HubSpot become edges that need attention, with the reason."""
    _, acme = make_pair(sync)
    company = remote_id(joined.to_mapping, acme)
    other = Person.objects.create(first_name="Bob", email="bob@example.com")
    recipes.settle(sync)
    sync.hub.store.archive(
        sync.hub.store.get(sync.hub.portal.kind("companies"), int(company)), sync.hub.people.source
    )
    other.organisation, other.first_name = acme, "Rob"
    other.save()
    sync.drain()
    assert sync.contact(remote_id(sync.people, other))["firstname"] == "Rob"
    edge = Edge.objects.get(link__local_pk=str(other.pk))
    assert edge.state == EdgeState.REFUSED
    assert edge.detail


@pytest.mark.parametrize("kind", ["backfill_push", "backfill_pull"])
def test_backfills_make_edges_with_one_read_for_a_hundred_records(sync: Sync, people, companies, kind: str) -> None:
    if kind == "backfill_push":
        acme = Organisation.objects.create(name="Acme", domain="acme.com")
        Person.objects.bulk_create(Person(email=f"p{n}@example.com", organisation=acme) for n in range(120))
        associate(people, companies)
    else:
        (company,) = sync.hub.plant("companies", [{"name": "Acme", "domain": "acme.com"}])
        for key in sync.hub.plant("contacts", [{"email": f"p{n}@example.com"} for n in range(120)]):
            sync.hub.ui_associate("contacts", key, "companies", company)
        sync.hub.webhooks.fresh.clear()
        associate(people, companies)
    sync.backfill(kind, companies)
    sync.backfill(kind, people)
    paths = [row.path for row in sync.hub.ledger.since(0, "request")]
    assert len([one for one in paths if "/associations/" in one and one.endswith("companies/batch/read")]) == 2
    sync.drain()
    assert Edge.objects.filter(state=EdgeState.MADE).count() == 120
    assert Person.objects.filter(organisation__name="Acme").count() == 120
    company = Link.objects.get(mapping=companies).remote_id
    assert len(sync.hub.associated("companies", company, "contacts")) == 120
    at_rest(sync)


def test_the_unlinked_take_their_edges_along_and_nothing_else(sync: Sync, joined: Association) -> None:
    person, acme = make_pair(sync)
    contact = remote_id(sync.people, person)
    person.delete()
    recipes.settle(sync)
    assert not Edge.objects.exists()
    assert list(sync.hub.associated("contacts", contact, "companies")) == [remote_id(joined.to_mapping, acme)]


def test_a_file_with_a_label_or_relation_that_is_not_there_is_refused(sync: Sync, joined: Association) -> None:
    options = configure.Options()
    text = configure.export(sync.portal, options).text
    assert '"local": "organisation"' in text
    for old, new, said in (
        ('"local": "organisation", ', '"label": "Boss", "local": "organisation", ', "no label “Boss”"),
        ('"local": "organisation", ', '"local": "city", ', "no foreign key or many-to-many field 'city'"),
    ):
        changed = re.sub(r"\s+", " ", text).replace("{ ", "{").replace(old, new)
        assert new in changed
        with pytest.raises(config.ConfigError) as caught:
            configure.make_plan(sync.portal, changed, options)
        assert said in str(caught.value)


def test_the_preview_foresees_associations_and_writes_nothing(sync: Sync, joined: Association) -> None:
    person, acme = make_pair(sync)
    Person.objects.filter(pk=person.pk).update(organisation=None)
    before = sync.writes()
    (join,) = backfill.foresee(sync.people, "backfill_push")
    assert [step.move for step in join.steps] == [EdgeMove.CUT_REMOTE]
    assert sync.writes() == before
    assert list(partners(sync, person)) == [remote_id(joined.to_mapping, acme)]


@pytest.mark.parametrize(
    ("kind", "moves"),
    [("backfill_push", {EdgeMove.ADD_REMOTE, EdgeMove.WAIT}), ("backfill_pull", {EdgeMove.ADD_LOCAL})],
)
def test_the_preview_foresees_associations_of_records_not_linked_yet(sync: Sync, joined, kind: str, moves) -> None:
    """J4: what would be made on either side, or waits for the other record; nothing is written or remembered."""
    companies = joined.to_mapping
    acme = Organisation.objects.create(name="Acme", domain="acme.com")
    recipes.settle(sync)
    Mapping.objects.update(state=MappingState.PAUSED)
    late = Organisation.objects.create(name="Late", domain="late.com")
    for email, firm in (("ada@example.com", acme), ("bob@example.com", late)):
        Person.objects.create(email=email, organisation=firm)
    contact = sync.hub.ui_create("contacts", {"email": "cyd@example.com"})
    sync.hub.ui_associate("contacts", contact, "companies", remote_id(companies, acme))
    before = sync.writes(), Person.objects.count()
    joins = backfill.foresee(sync.people, kind)
    assert {step.move for join in joins for step in join.steps} == moves
    assert (sync.writes(), Person.objects.count()) == before
    assert not Link.objects.filter(mapping=sync.people).exists()
    assert not Edge.objects.exists()


def test_association_changes_are_subscribed_to(sync: Sync, joined: Association) -> None:
    assert any("associationChange" in str(one) for one in checklist._subscriptions(sync.portal))
    Association.objects.update(direction=Direction.PUSH)
    assert not any("associationChange" in str(one) for one in checklist._subscriptions(sync.portal))
