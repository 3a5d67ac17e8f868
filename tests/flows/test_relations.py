"""Relations of other shapes: keys that must not be empty, a parent of the same model, many-to-many, and crashes."""

import re

import pytest
from django.utils import timezone

from crmsync.engine.terms import Direction, EdgeProblem, EdgeState
from crmsync.flows import edgerows
from crmsync.ledger import edges as memory
from crmsync.ledger import specs
from crmsync.models import Association, Edge, FixedValue, InboxEvent, Link, LogEntry, Mapping, OutboxEntry
from project.demo.models import Organisation, Person
from project.trade.models import Client, Task
from tests.flows import hosts, recipes
from tests.flows.conftest import Sync
from tests.hostapp.models import Job, Tag, Topic


@pytest.fixture
def clients(sync: Sync) -> Mapping:
    Mapping.objects.all().delete()
    mapping = recipes.make(sync, "trade.Client", "companies", [("number", "name"), ("domain", "domain")])
    recipes.match(mapping, "number", "name")
    return mapping


@pytest.fixture
def tasks(sync: Sync, clients: Mapping) -> Mapping:
    mapping = recipes.make(sync, "trade.Task", "deals", [("title", "dealname")])
    give_stage(mapping)
    Association.objects.create(mapping=mapping, to_mapping=clients, local="client")
    return mapping


def give_stage(mapping: Mapping) -> None:
    """What HubSpot demands of every new deal."""
    for name, value in (("pipeline", "default"), ("dealstage", "appointmentscheduled")):
        FixedValue.objects.create(mapping=mapping, side="remote", field=name, value=value, decides=False)


def remote_id(mapping: Mapping, row) -> str:
    return Link.objects.get(mapping=mapping, local_pk=str(row.pk)).remote_id


def at_rest(sync: Sync) -> None:
    before = sync.writes()
    recipes.settle(sync)
    assert sync.writes() == before


def deal(sync: Sync, company: str | None = None) -> str:
    key = sync.hub.ui_create(
        "deals", {"dealname": "Roof", "pipeline": "default", "dealstage": "appointmentscheduled"}
    )
    if company:
        sync.hub.ui_associate("deals", key, "companies", company)
    return key


def test_a_row_that_needs_a_parent_is_made_after_it(sync: Sync, tasks: Mapping, clients: Mapping) -> None:
    """A8, F19: in dependency order, with the foreign key from the first moment."""
    Mapping.objects.filter(pk=clients.pk).update(creates_local=False)
    company = sync.hub.ui_create("companies", {"name": "C1", "domain": "one.com"})
    deal(sync, company)
    recipes.settle(sync)
    assert Task.objects.get().client.number == "C1"
    at_rest(sync)


def test_a_row_whose_parent_is_missing_waits_or_is_left_with_the_reason(sync: Sync, tasks, clients) -> None:
    """Fault 44: the wait names its cause; the association made later brings the record in."""
    Mapping.objects.filter(pk=clients.pk).update(state="paused")
    company = sync.hub.ui_create("companies", {"name": "C1", "domain": "one.com"})
    deal(sync, company)
    lonely = deal(sync)
    recipes.settle(sync)
    assert not Task.objects.exists()
    (held,) = InboxEvent.objects.filter(mapping=tasks)
    assert held.last_code == "record.waiting_parent"
    assert company in held.last_message
    Mapping.objects.filter(pk=clients.pk).update(state="live")
    recipes.settle(sync)
    assert Task.objects.get().client.number == "C1"
    sync.hub.ui_associate("deals", lonely, "companies", company)
    recipes.settle(sync)
    assert Task.objects.count() == 2


def test_a_needed_key_is_not_cleared(sync: Sync, tasks: Mapping, clients: Mapping) -> None:
    client = Client.objects.create(number="C1", domain="one.com")
    task = Task.objects.create(title="Roof", client=client)
    recipes.settle(sync)
    sync.hub.ui_dissociate("deals", remote_id(tasks, task), "companies", remote_id(clients, client))
    recipes.settle(sync)
    task.refresh_from_db()
    assert task.client == client
    edge = Edge.objects.get()
    assert (edge.state, edge.reason) == (EdgeState.REFUSED, "edge.required")
    assert "client" in edge.detail
    at_rest(sync)


def test_records_that_need_one_another_are_refused_at_set_up(sync: Sync, clients: Mapping, monkeypatch) -> None:
    Association.objects.create(
        mapping=clients, to_mapping=clients, local="parent", label="Child Company to Parent Company"
    )
    specs.load(clients)
    monkeypatch.setattr(Client._meta.get_field("parent"), "null", False)
    with pytest.raises(specs.SpecError, match="cyclic dependency"):
        specs.load(clients)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"local": "nothing"}, "no foreign key or many-to-many field 'nothing'"),
        ({"local": "owner"}, "leads to"),
        ({"local": "parent", "label": "Uncle"}, "no label “Uncle”.*Child Company to Parent Company"),
        ({"local": "parent"}, "without a label"),
    ],
)
def test_what_cannot_work_is_refused_with_the_remedy(sync: Sync, clients: Mapping, facts, said) -> None:
    """Going live is refused; what is live already goes on without that association alone."""
    Association.objects.create(mapping=clients, to_mapping=clients, **facts)
    with pytest.raises(specs.SpecError, match=said):
        specs.check(clients)
    (held,) = specs.load(clients).associations
    assert re.search(said, held.held.message)


def test_a_through_model_that_needs_more_than_the_two_keys_is_refused(sync: Sync, settings) -> None:
    """F19: the refusal names the model and its columns; to HubSpot alone nothing is made there, so it works."""
    with hosts.registered(settings, models=["hostapp.Course", "hostapp.Student"], categories={}):
        courses = recipes.make(sync, "hostapp.Course", "deals", [("title", "dealname")])
        students = recipes.make(sync, "hostapp.Student", "contacts", [("name", "lastname")])
        row = Association.objects.create(mapping=courses, to_mapping=students, local="students")
        with pytest.raises(specs.SpecError, match=r"through model hostapp\.Enrolment needs day, seat, which"):
            specs.check(courses)
        assert specs.load(courses).associations[0].held.code == EdgeProblem.UNFIT
        row.direction = Direction.PUSH
        row.save()
        assert specs.check(courses).associations[0].is_several


def test_a_through_model_of_two_keys_goes_both_ways(sync: Sync, settings) -> None:
    """F19: a through model of the host's own is no obstacle by itself."""
    Mapping.objects.all().delete()
    with hosts.registered(settings, models=["hostapp.Job", "hostapp.Topic"], categories={}):
        jobs = recipes.make(sync, "hostapp.Job", "deals", [("number", "dealname")])
        give_stage(jobs)
        topics = recipes.make(sync, "hostapp.Topic", "companies", [("name", "name")])
        Association.objects.create(mapping=jobs, to_mapping=topics, local="topics")
        red, blue = (Topic.objects.create(name=name) for name in ("red", "blue"))
        job = Job.objects.create(number="j1")
        job.topics.add(red)
        recipes.settle(sync)
        key = remote_id(jobs, job)
        assert set(sync.hub.associated("deals", key, "companies")) == {remote_id(topics, red)}
        sync.hub.ui_associate("deals", key, "companies", remote_id(topics, blue))
        recipes.settle(sync)
        assert set(job.topics.all()) == {red, blue}
        at_rest(sync)


def test_a_cycle_of_parents_ends_with_both_edges(sync: Sync, clients: Mapping) -> None:
    """Fault 44: self-reference and A <-> B: both edges, and nothing goes on waking."""
    Association.objects.create(
        mapping=clients, to_mapping=clients, local="parent", label="Child Company to Parent Company"
    )
    one = Client.objects.create(number="C1", domain="one.com")
    two = Client.objects.create(number="C2", domain="two.com", parent=one)
    one.parent = two
    one.save()
    recipes.settle(sync)
    assert Edge.objects.filter(state=EdgeState.MADE).count() == 2
    ids = remote_id(clients, one), remote_id(clients, two)
    assert {13, 14} <= set(sync.hub.associated("companies", ids[0], "companies")[ids[1]])
    at_rest(sync)
    one.parent = None
    one.save()
    recipes.settle(sync)
    assert 14 not in sync.hub.associated("companies", ids[0], "companies")[ids[1]]
    two.refresh_from_db()
    assert two.parent == one
    at_rest(sync)


def test_many_to_many_goes_both_ways(sync: Sync, settings) -> None:
    """F19: many-to-many fields map to associations; additions and removals of each side reach the other."""
    Mapping.objects.all().delete()
    with hosts.registered(settings, models=["hostapp.Job", "hostapp.Tag"], categories={}):
        jobs = recipes.make(sync, "hostapp.Job", "deals", [("number", "dealname")])
        give_stage(jobs)
        tags = recipes.make(sync, "hostapp.Tag", "companies", [("name", "name")])
        Association.objects.create(mapping=jobs, to_mapping=tags, local="tags")
        red, blue = (Tag.objects.create(name=name) for name in ("red", "blue"))
        job = Job.objects.create(number="j1")
        job.tags.add(red)
        recipes.settle(sync)
        key = remote_id(jobs, job)
        theirs = {tag.name: remote_id(tags, tag) for tag in (red, blue)}
        assert set(sync.hub.associated("deals", key, "companies")) == {theirs["red"]}
        sync.hub.ui_associate("deals", key, "companies", theirs["blue"])
        job.tags.remove(red)
        recipes.settle(sync)
        assert set(job.tags.all()) == {blue}
        assert set(sync.hub.associated("deals", key, "companies")) == {theirs["blue"]}
        at_rest(sync)
        red.jobs.add(job)
        blue.jobs.remove(job)
        recipes.settle(sync)
        assert set(sync.hub.associated("deals", key, "companies")) == {theirs["red"], theirs["blue"]}
        assert set(job.tags.all()) == {red}
        assert Edge.objects.get(remote_id=theirs["blue"]).state == EdgeState.LEFT
        at_rest(sync)
        red.delete()
        recipes.settle(sync)
        assert set(sync.hub.associated("deals", key, "companies")) == {theirs["blue"]}


def test_a_worker_killed_after_hubspot_answered_still_knows_what_is_ours(sync: Sync, monkeypatch) -> None:
    """Fault 1: association made, memory not yet written; afterwards it is still ours to remove."""
    Mapping.objects.exclude(pk=sync.people.pk).delete()
    companies = recipes.make(sync, "demo.Organisation", "companies", [("name", "name"), ("domain", "domain")])
    Association.objects.create(mapping=sync.people, to_mapping=companies, local="organisation")
    acme = Organisation.objects.create(name="Acme", domain="acme.com")
    person = Person.objects.create(email="ada@example.com")
    recipes.settle(sync)
    person.organisation = acme
    person.save()
    with monkeypatch.context() as patch:
        patch.setattr(edgerows, "store", _die)
        sync.drain()
    contact = remote_id(sync.people, person)
    assert set(sync.hub.associated("contacts", contact, "companies")) == {remote_id(companies, acme)}
    person.first_name = "Ada"
    person.save()
    recipes.settle(sync)
    assert Edge.objects.get().is_ours
    person.organisation = None
    person.save()
    recipes.settle(sync)
    assert sync.hub.associated("contacts", contact, "companies") == {}


def _die(*args) -> None:
    raise MemoryError("killed")


def test_an_association_only_pulled_is_never_pushed(sync: Sync, tasks: Mapping, clients: Mapping) -> None:
    Association.objects.update(direction=Direction.PULL)
    client = Client.objects.create(number="C1", domain="one.com")
    task = Task.objects.create(title="Roof", client=client)
    recipes.settle(sync)
    assert sync.hub.associated("deals", remote_id(tasks, task), "companies") == {}
    assert not Edge.objects.exists()


def test_parents_are_worked_on_first(sync: Sync, tasks: Mapping, clients: Mapping) -> None:
    """F19: in dependency order, so that nothing has to wait that need not."""
    assert memory.parents_first([tasks.pk, clients.pk]) == [clients.pk, tasks.pk]
    client = Client.objects.create(number="C1", domain="one.com")
    Task.objects.create(title="Roof", client=client)
    OutboxEntry.objects.filter(mapping=clients).update(due_at=timezone.now())
    sync.drain()
    assert not LogEntry.objects.filter(reason="record.waiting_parent").exists()
    Association.objects.create(mapping=clients, to_mapping=tasks, local="parent")
    assert set(memory.parents_first([tasks.pk, clients.pk])) == {clients.pk, tasks.pk}
