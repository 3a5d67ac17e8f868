"""Rows in another database than crmsync's: read and written there, committed before their links, found again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crmsync.engine.terms import DeletePolicy
from crmsync.flows import backfill, carry
from crmsync.ledger import links, slips
from crmsync.models import Association, Conflict, InboxEvent, Link, Mapping, MatchKey, Portal, Slip
from project.demo.models import Organisation, Person
from tests.flows import hosts, recipes
from tests.flows.conftest import Sync
from tests.flows.elsewhere import SECOND, Crashed, both, crash_between, firm, left, moved
from tests.hostapp import routers
from tests.hostapp.models import Job, Line, Tag

__all__ = ["firm", "moved"]

pytestmark = [both, pytest.mark.usefixtures("moved")]


# --- Pulling -------------------------------------------------------------------------------------------------------


def test_a_record_made_in_hubspot_becomes_a_row_there(sync: Sync) -> None:
    """A2, X1: made once, linked, and nothing is left of its slip."""
    sync.hub.ui_create("companies", {"name": "Acme", "domain": "acme.example.com"})
    recipes.settle(sync)
    (row,) = Organisation.objects.using(SECOND)
    assert Link.objects.get(object_type="companies").local_pk == str(row.pk)
    assert Organisation.objects.using("default").count() == 0
    assert left() == []


@pytest.mark.parametrize("uses_save", [True, False])
def test_a_row_whose_link_got_lost_is_not_made_twice(sync: Sync, monkeypatch, uses_save: bool) -> None:
    """I7, Fault 1: killed between the two commits; no match key is needed to find the row again."""
    MatchKey.objects.all().delete()
    sync.mappings["Organisations"].uses_save = uses_save
    sync.mappings["Organisations"].save()
    sync.hub.ui_create("companies", {"name": "Acme"})
    sync.deliver()
    with monkeypatch.context() as patch:
        crash_between(patch)
        with pytest.raises(Crashed):
            sync.drain()
    assert (Organisation.objects.count(), Link.objects.count()) == (1, 0)
    assert [kind for kind, _ in left()] == ["made"]
    InboxEvent.objects.update(leased_until=None, lease="")
    recipes.settle(sync)
    assert (Organisation.objects.count(), Link.objects.count()) == (1, 1)
    assert len(list(sync.hub.records("companies"))) == 1
    assert left() == []


def test_an_edit_of_a_row_whose_link_got_lost_makes_no_record(sync: Sync, monkeypatch) -> None:
    """I7, I9: the same crash, and the row is changed in Django before HubSpot's record is looked at again."""
    MatchKey.objects.all().delete()
    sync.hub.ui_create("companies", {"name": "Acme"})
    sync.deliver()
    with monkeypatch.context() as patch:
        crash_between(patch)
        with pytest.raises(Crashed):
            sync.drain()
    InboxEvent.objects.all().delete()
    row = Organisation.objects.get()
    row.city = "Leeds"
    row.save()
    recipes.settle(sync)
    (company,) = sync.hub.records("companies")
    assert (company["properties"]["city"], Link.objects.get().remote_id) == ("Leeds", company["id"])


def test_a_row_deleted_after_its_link_got_lost_is_no_partner(sync: Sync, monkeypatch) -> None:
    """I7: what is not there any more is not recalled."""
    sync.hub.ui_create("companies", {"name": "Acme"})
    sync.deliver()
    with monkeypatch.context() as patch:
        crash_between(patch)
        with pytest.raises(Crashed):
            sync.drain()
    Organisation.objects.all().delete()
    InboxEvent.objects.update(leased_until=None, lease="")
    recipes.settle(sync)
    assert Link.objects.get().local_pk == str(Organisation.objects.get().pk)


def test_slips_of_made_rows_are_tidied_up_when_their_links_are_there(sync: Sync, firm: Organisation) -> None:
    """I7: a crash just behind the second commit leaves a slip that nobody needs; one without a link is kept."""
    before = timezone.now() - timedelta(hours=2)
    mapping = sync.mappings["Organisations"]
    slips.leave_made(mapping, [("1", str(firm.pk)), ("2", "999")], before, SECOND)
    slips.leave_made(mapping, [("3", str(firm.pk))], timezone.now(), SECOND)
    assert carry.tidy() == 1
    assert left() == [("made", "999"), ("made", str(firm.pk))]


def test_a_row_made_for_another_account_is_nobodys_partner(sync: Sync) -> None:
    """Fault 27: the same numbers mean other records there."""
    row = Organisation.objects.create(name="Acme")
    recipes.settle(sync)
    Link.objects.all().delete()
    slips.leave_made(sync.mappings["Organisations"], [("77", str(row.pk))], timezone.now(), SECOND)
    Portal.objects.update(hub_id=1)
    assert (
        slips.find_made(Mapping.objects.get(pk=sync.mappings["Organisations"].pk), {str(row.pk)}, set(), SECOND) == []
    )
    assert carry.tidy() == 0
    Slip.objects.using(SECOND).update(captured_at=timezone.now() - timedelta(hours=2))
    assert carry.tidy() == 1


def test_an_update_whose_base_got_lost_is_no_conflict(sync: Sync, firm: Organisation, monkeypatch) -> None:
    """I4, I9: both sides are equal when they are looked at again, so nothing is written and nothing is a conflict."""
    (key,) = [one["id"] for one in sync.contacts()]
    sync.hub.ui_update("contacts", key, {"city": "Turin"})
    sync.deliver()
    with monkeypatch.context() as patch:
        crash_between(patch)
        with pytest.raises(Crashed):
            sync.drain()
    assert Person.objects.get().city == "Turin"
    before = sync.writes()
    InboxEvent.objects.update(leased_until=None, lease="")
    Link.objects.update(leased_until=None, lease="")
    recipes.settle(sync)
    assert (sync.writes(), Conflict.objects.count(), Person.objects.get().city) == (before, 0, "Turin")
    assert Link.objects.get(object_type="contacts").base["city|city"] == ["Turin", "Turin"]


def test_a_deletion_whose_link_got_lost_is_finished(sync: Sync, firm: Organisation, monkeypatch) -> None:
    """I4, I13: the row is gone and its link is not ended yet; looking again ends it, and makes nothing anew."""
    sync.people.deletes_local = DeletePolicy.ARCHIVE
    sync.people.save()
    (key,) = [one["id"] for one in sync.contacts()]
    sync.hub.ui_archive("contacts", key)
    sync.deliver()
    with monkeypatch.context() as patch:
        crash_between(patch)
        with pytest.raises(Crashed):
            sync.drain()
    assert Person.objects.count() == 0
    InboxEvent.objects.update(leased_until=None, lease="")
    Link.objects.update(leased_until=None, lease="")
    recipes.settle(sync)
    assert (Person.objects.count(), sync.contacts()) == (0, [])
    assert Link.objects.get(object_type="contacts").state == links.State.ENDED


def test_a_record_that_django_refuses_rolls_back_alone(sync: Sync) -> None:
    """I14: a savepoint each, in both databases."""
    Person.objects.create(email="there@example.com")
    sync.drain()
    for email in ("one@example.com", "two@example.com"):
        sync.hub.ui_create("contacts", {"email": email, "lastname": email[:3]})
    sync.hub.ui_create("contacts", {"lastname": "x" * 500, "email": "long@example.com"})
    recipes.settle(sync)
    assert set(Person.objects.values_list("last_name", flat=True)) >= {"one", "two"}


def test_backfills_run_both_ways(sync: Sync) -> None:
    """U8: every row there and every record in HubSpot, page by page."""
    Person.objects.bulk_create([Person(email=f"p{n}@example.com") for n in range(3)])
    for number in range(2):
        sync.hub.ui_create("contacts", {"email": f"h{number}@example.com"})
    sync.backfill(backfill.Kind.BACKFILL_PULL)
    sync.backfill(backfill.Kind.BACKFILL_PUSH)
    recipes.settle(sync)
    assert (Person.objects.using(SECOND).count(), len(sync.contacts()), left()) == (5, 5, [])


def test_reads_do_not_go_to_a_replica(sync: Sync, firm: Organisation, settings) -> None:
    """I9: what a sync reads is what was written last, wherever routers send the host's own reads."""
    with routers.reading_from("default", "demo"):
        assert Person.objects.count() == 0  # the host's own reads do
        sync.backfill(backfill.Kind.BACKFILL_PUSH)
        Person.objects.using(SECOND).get().save()
        sync.drain()
    assert Link.objects.filter(state=links.State.LINKED).count() == 2


# --- Shapes of the host's models -----------------------------------------------------------------------------------


def test_members_categories_and_lines_are_captured(sync: Sync, settings) -> None:
    """F20, A12: many-to-many from both ends, a category by its name, and a roll-up of lines."""
    with hosts.registered(settings):
        options = [{"label": one, "value": one} for one in ("red", "blue")]
        recipes.add_property(sync, "companies", "tags", "enumeration", field_type="checkbox", options=options)
        recipes.add_property(sync, "companies", "line_count", "number")
        mapping = recipes.make(
            sync,
            "hostapp.Job",
            "companies",
            [("title", "name"), ("tags", "tags", "push"), ("lines__count", "line_count", "push")],
        )
        job = Job.objects.create(number="j1", title="One")
        recipes.settle(sync)
        tag = Tag.objects.create(name="red")
        tag.jobs.add(job)
        Line.objects.create(job=job, amount=1)
        recipes.settle(sync)
        (company,) = sync.hub.records("companies")
        assert (company["properties"]["tags"], company["properties"]["line_count"]) == ("red", "1")
        tag.name = "blue"
        tag.save()
        recipes.settle(sync)
        (company,) = sync.hub.records("companies")
        assert company["properties"]["tags"] == "blue"
        assert (Link.objects.filter(mapping=mapping).count(), left()) == (1, [])


def test_relations_are_written_there(sync: Sync, firm: Organisation) -> None:
    """F19: an association made in HubSpot sets the foreign key of the row."""
    Association.objects.create(mapping=sync.people, to_mapping=sync.mappings["Organisations"], local="organisation")
    other = Organisation.objects.create(name="Other", domain="other.example.com")
    recipes.settle(sync)
    (person,) = sync.contacts()
    company = Link.objects.get(object_type="companies", local_pk=str(other.pk)).remote_id
    sync.hub.ui_associate("contacts", person["id"], "companies", company)
    recipes.settle(sync)
    assert Person.objects.get().organisation == other
