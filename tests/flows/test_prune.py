"""Pruning: the log grows old, and records that wait for somebody to choose their partner stay on their page."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crmsync import conf
from crmsync.fakehub.hub import FakeHub
from crmsync.flows import candidates, prune
from crmsync.ledger import journal
from crmsync.models import LogEntry, Mapping
from project.demo import mappings
from project.demo.models import Organisation
from tests.flows import recipes
from tests.flows.conftest import Sync


@pytest.fixture
def firms(sync: Sync) -> Mapping:
    """Organisations, found by their name, which HubSpot lets several have; link only."""
    mapping = sync.mappings[mappings.ORGANISATIONS]
    mapping.match_keys.all().delete()
    recipes.match(mapping, "name", "name")
    mapping.creates_local = mapping.creates_remote = False
    mapping.save()
    return mapping


@pytest.fixture
def acme(sync: Sync, firms: Mapping) -> Organisation:
    """A row that two companies match, looked at twice, so that it has two entries."""
    sync.hub.plant("companies", [{"name": "Acme"}] * 2)
    row = Organisation.objects.create(name="Acme")
    sync.drain()
    row.save()
    sync.drain()
    return row


def grow_old() -> None:
    days = conf.current().KEEP_LOG_DAYS + 1
    LogEntry.objects.update(at=timezone.now() - timedelta(days=days))
    prune.prune()


def kept(row: Organisation) -> list[str]:
    return list(LogEntry.objects.filter(local_pk=str(row.pk)).values_list("reason", flat=True))


def test_the_last_word_on_a_record_that_waits_is_kept(sync: Sync, acme: Organisation) -> None:
    """X10: the page has it however long it waits; what was said before goes, and all else of that age."""
    other = Organisation.objects.create(name="Nobody")
    sync.drain()
    assert kept(other) == ["link_only"]
    grow_old()
    assert kept(acme) == ["too_many_candidates"]
    assert len(candidates.partners_of(candidates.waiting().get())) == 2
    assert kept(other) == []


def test_it_goes_when_the_record_is_linked(sync: Sync, acme: Organisation) -> None:
    entry = candidates.waiting().get()
    candidates.link(entry, candidates.partners_of(entry)[0], "ida")
    grow_old()
    assert "too_many_candidates" not in kept(acme)


def test_it_goes_when_somebody_left_it(acme: Organisation) -> None:
    candidates.leave(candidates.waiting().get(), "ida")
    grow_old()
    assert kept(acme) == []


def test_it_goes_when_the_row_is_deleted_in_django(sync: Sync, acme: Organisation) -> None:
    """The deletion is captured like any change, and its last word is that it is gone."""
    key = str(acme.pk)
    acme.delete()
    sync.drain()
    assert not candidates.waiting().exists()
    assert LogEntry.objects.filter(local_pk=key).first().reason == "gone"
    grow_old()
    assert not LogEntry.objects.filter(local_pk=key).exists()


def test_it_goes_when_the_record_is_archived_in_hubspot(sync: Sync, firms: Mapping, hub: FakeHub) -> None:
    Organisation.objects.bulk_create([Organisation(name="Acme"), Organisation(name="Acme")])
    key = hub.ui_create("companies", {"name": "Acme"})
    recipes.settle(sync)
    assert candidates.waiting().get().remote_id == key
    hub.ui_archive("companies", key)
    recipes.settle(sync)
    assert not candidates.waiting().exists()


def test_entries_that_are_kept_take_no_place_of_those_that_go(acme: Organisation, firms: Mapping) -> None:
    """A slice is bounded, and a thousand records that wait do not end pruning; the entry kept here is the oldest."""
    waiting = candidates.waiting().get()
    LogEntry.objects.filter(local_pk=waiting.local_pk).exclude(pk=waiting.pk).delete()
    LogEntry.objects.bulk_create([LogEntry(mapping=firms, local_pk="9", outcome="unchanged") for _ in range(3)])
    rows = LogEntry.objects.exclude(candidates.is_waiting())
    assert journal.prune(rows, "at", timezone.now(), limit=2) == 2
    assert journal.prune(rows, "at", timezone.now(), limit=2) == 1
    assert list(LogEntry.objects.all()) == [waiting]
