"""What cannot be made in HubSpot stops the mapping with the remedy; what is asked for once is made once."""

import io

import pytest
from django.core.management import CommandError, call_command

from crmsync import api
from crmsync.engine.terms import Direction, MappingState
from crmsync.flows import backfill, discover, once, versions
from crmsync.models import Mapping, OutboxEntry
from project.demo import mappings
from project.demo.models import Organisation, Person
from tests.flows import recipes
from tests.flows.conftest import Sync

# --- No unique property left ----------------------------------------------------------------------------------------


def use_up(sync: Sync) -> None:
    """Somebody makes ten unique properties, and crmsync is not told."""
    for number in range(10):
        sync.hub.add_property("contacts", f"serial_{number}", label=f"Serial {number}", hasUniqueValue=True)


@pytest.mark.parametrize("is_told", [True, False], ids=["refreshed", "unseen"])
def test_no_unique_property_left_stops_the_mapping_not_each_record(sync: Sync, is_told: bool) -> None:
    """I14: HubSpot lets an object type have ten; without ours a record could be made twice, so none is made, one
    sentence says what to do, and the work waits for it."""
    use_up(sync)
    if is_told:
        discover.discover(sync.portal)
    for number in range(3):
        Person.objects.create(email=f"p{number}@example.com")
    sync.drain()
    people = Mapping.objects.get(pk=sync.people.pk)
    assert people.state == MappingState.PAUSED
    assert "needs the unique property crmsync_key, which HubSpot refuses to make" in people.problem
    assert "“create missing records in HubSpot”" in people.problem
    assert ("serial_0, serial_1" in people.problem) is is_told
    assert "unique properties" in people.problem
    assert set(OutboxEntry.objects.values_list("state", flat=True)) == {"due"}
    assert sync.contacts() == []


def test_what_waited_goes_on_once_one_is_freed(sync: Sync) -> None:
    """I14: nothing is lost, and nobody has to save the rows again."""
    use_up(sync)
    Person.objects.create(email="p@example.com")
    sync.drain()
    sync.hub.archive_property("contacts", "serial_3")
    Mapping.objects.filter(pk=sync.people.pk).update(state=MappingState.LIVE)
    OutboxEntry.objects.update(due_at="2020-01-01T00:00Z")
    sync.drain()
    assert [one["properties"]["email"] for one in sync.contacts()] == ["p@example.com"]


def test_a_bulk_run_is_stopped_with_the_same_words(sync: Sync) -> None:
    """I14"""
    use_up(sync)
    Person.objects.bulk_create([Person(email="p@example.com")])
    run = backfill.start(sync.people, "backfill_push")
    backfill.work_on_runs(5.0)
    run.refresh_from_db()
    assert "needs the unique property crmsync_key" in run.message
    assert sync.contacts() == []


def test_a_mapping_that_makes_nothing_there_needs_none(sync: Sync) -> None:
    """U8: link-only goes on all the same."""
    use_up(sync)
    Mapping.objects.update(creates_remote=False)
    Person.objects.create(email="p@example.com", city="Leeds")
    key = sync.hub.ui_create("contacts", {"email": "p@example.com"})
    recipes.settle(sync)
    assert sync.contact(key)["city"] == "Leeds"
    assert Mapping.objects.get(pk=sync.people.pk).state == MappingState.LIVE


# --- Once -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def firms(sync: Sync) -> Mapping:
    """Organisations come from HubSpot only; nothing is made or changed there by itself."""
    firms = sync.mappings[mappings.ORGANISATIONS]
    firms.direction, firms.creates_remote = Direction.BOTH, False
    firms.save()
    recipes.gate(firms, Direction.PUSH, ("remote", "hs_object_id", "is_empty", ""), gates_updates=True)
    return firms


@pytest.mark.parametrize("door", ["call", "command"])
def test_a_record_is_made_in_hubspot_once_without_becoming_two_way(sync: Sync, firms: Mapping, door: str) -> None:
    """X3: just the row that was asked for; its later edits stay here, HubSpot's come in."""
    acme = Organisation.objects.create(name="Acme", domain="acme.example.com")
    Organisation.objects.create(name="Other", domain="other.example.com")
    recipes.settle(sync)
    assert not sync.hub.records("companies")
    if door == "call":
        api.push_once(acme)
    else:
        call_command("crmsync_push", "demo.Organisation", str(acme.pk), stdout=io.StringIO())
    recipes.settle(sync)
    (company,) = sync.hub.records("companies")
    assert company["properties"]["name"] == "Acme"
    writes = sync.writes()
    acme.city = "Ours"
    acme.save()
    api.push_once(acme)
    recipes.settle(sync)
    assert (sync.writes(), len(sync.hub.records("companies"))) == (writes, 1)
    sync.hub.ui_update("companies", company["id"], {"name": "Acme Ltd"})
    recipes.settle(sync)
    acme.refresh_from_db()
    assert (acme.name, sync.writes()) == ("Acme Ltd", writes)


def test_what_is_there_already_is_linked_and_not_made_twice(sync: Sync, firms: Mapping) -> None:
    """X3, X10"""
    key = sync.hub.ui_create("companies", {"name": "Acme", "domain": "acme.example.com"})
    acme = Organisation.objects.create(name="Acme", domain="acme.example.com")
    api.push_once(acme)
    recipes.settle(sync)
    assert [one["id"] for one in sync.hub.records("companies")] == [key]
    assert firms.links.get().remote_id == key


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"direction": "pull"}, "only takes values from HubSpot. Set its direction to both ways"),
        ({"state": "draft"}, "is not live. Switch it on first"),
        ({"model_label": "demo.Person"}, "No mapping has the Django model demo.Organisation"),
    ],
)
def test_what_cannot_be_asked_for_says_why(sync: Sync, firms: Mapping, facts, words) -> None:
    """X3"""
    acme = Organisation.objects.create(name="Acme")
    Mapping.objects.filter(pk=firms.pk).update(**facts)
    OutboxEntry.objects.all().delete()
    with pytest.raises(once.OnceError, match=words):
        api.push_once(acme)
    with pytest.raises(CommandError, match=words):
        call_command("crmsync_push", "demo.Organisation", str(acme.pk))
    assert not OutboxEntry.objects.exists()


def test_a_new_version_is_not_what_the_host_is_told_of(sync: Sync, firms: Mapping) -> None:
    """X3, F20: a version is never switched on, so that would be no remedy."""
    versions.prepare(firms, None)
    Mapping.objects.filter(pk=firms.pk).update(direction="pull", label="Z")
    with pytest.raises(once.OnceError, match="The mapping “Z” only takes values"):
        api.push_once(Organisation.objects.create(name="Acme"))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("demo.Nothing", "1"), "There is no model 'demo.Nothing'"),
        (("demo.Organisation", "999"), "no demo.Organisation with the key 999. Nothing was queued"),
        (("demo.Organisation", "x"), "no keys of demo.Organisation: x"),
        (("demo.Organisation", "{pk}", "--mapping", "Firms"), "no mapping 'Firms'. Mappings: "),
        (("demo.Organisation", "{pk}", "--mapping", "People"), "is of demo.Person, not of demo.Organisation"),
    ],
)
def test_a_wrong_word_on_the_command_line_is_told(sync: Sync, firms: Mapping, args, words) -> None:
    acme = Organisation.objects.create(name="Acme")
    OutboxEntry.objects.all().delete()
    with pytest.raises(CommandError, match=words):
        call_command("crmsync_push", *(one.format(pk=acme.pk) for one in args))
    assert not OutboxEntry.objects.exists()
