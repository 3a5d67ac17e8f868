"""A merge in HubSpot: the link follows to the record that is left, and so do its edges and those that lead to it."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from crmsync.engine.terms import EdgeState, QueueState
from crmsync.flows import dossier, poll, reconcile, scope
from crmsync.ledger import queue
from crmsync.models import Association, Cursor, Edge, InboxEvent, Link, LogEntry, Mapping, OutboxEntry
from project.demo.models import Organisation, Person
from tests.flows import recipes
from tests.flows.conftest import Sync

Merge = Callable[[str, str, str], str]


@pytest.fixture
def joined(sync: Sync) -> Association:
    Mapping.objects.exclude(pk=sync.people.pk).delete()
    fields = [("name", "name"), ("domain", "domain"), ("city", "city")]
    companies = recipes.make(sync, "demo.Organisation", "companies", fields)
    recipes.match(companies, "domain", "domain", "domain")
    return Association.objects.create(mapping=sync.people, to_mapping=companies, local="organisation")


def key_of(row: Person | Organisation) -> str:
    return Link.objects.get(local_pk=str(row.pk), mapping__model_label=row._meta.label).remote_id


@pytest.fixture
def ada(sync: Sync, joined: Association) -> Person:
    """A person of an organisation, both linked; we made the association."""
    acme = Organisation.objects.create(name="Acme", domain="acme.com")
    person = Person.objects.create(first_name="Ada", email="ada@example.com", organisation=acme)
    recipes.settle(sync)
    return person


@pytest.fixture(params=["new id", "primary's id", "by poll"])
def merge(sync: Sync, request: pytest.FixtureRequest) -> Merge:
    """Merge two records (type, kept, given up) in one of the ways, and work; the id of what is left."""

    def act(object_type: str, kept: str, other: str) -> str:
        sync.hub.portal.preserve_primary_id = request.param == "primary's id"
        if request.param != "by poll":
            left = sync.hub.ui_merge(object_type, kept, other)
            recipes.settle(sync)
            return left
        poll_all(sync)
        sync.hub.set_webhooks(lose=1.0)
        left = sync.hub.ui_merge(object_type, kept, other)
        sync.hub.set_webhooks(lose=0.0)
        poll_all(sync)
        recipes.settle(sync)
        return left

    return act


def poll_all(sync: Sync) -> None:
    Cursor.objects.update(due_at=timezone.now())
    while poll.poll_due() >= 0:
        pass
    sync.drain()


def facts(edge: Edge) -> tuple[str, str, str, bool]:
    return edge.state, edge.local_pk, edge.remote_id, edge.is_ours


def test_the_edge_follows_when_the_other_record_was_merged(sync: Sync, ada: Person, merge: Merge) -> None:
    """Fault 28, F19, feature 7: what we made stays ours, so that Django may still take it away."""
    firm = ada.organisation
    stranger = sync.hub.plant("companies", [{"name": "Acme Ltd"}])[0]
    left = merge("companies", key_of(firm), stranger)
    assert key_of(firm) == left
    assert facts(Edge.objects.get()) == (EdgeState.MADE, str(firm.pk), left, True)
    ada.refresh_from_db()
    assert (ada.organisation, Organisation.objects.count()) == (firm, 1)
    ada.organisation = None
    ada.save()
    recipes.settle(sync)
    assert sync.hub.associated("contacts", key_of(ada), "companies") == {}


def test_a_link_follows_to_the_winner_when_its_record_lost(sync: Sync, ada: Person, merge: Merge) -> None:
    """Fault 28: the linked record was the one given up."""
    firm = ada.organisation
    stranger = sync.hub.plant("companies", [{"name": "Acme Ltd", "city": "Leeds"}])[0]
    left = merge("companies", stranger, key_of(firm))
    firm.refresh_from_db()
    assert (key_of(firm), firm.city, Organisation.objects.count()) == (left, "Leeds", 1)
    assert facts(Edge.objects.get()) == (EdgeState.MADE, str(firm.pk), left, True)


def test_the_edge_follows_when_the_record_itself_was_merged(sync: Sync, ada: Person, merge: Merge) -> None:
    """Fault 28, F19: the edges hang on the link, and the link follows."""
    stranger = sync.hub.plant("contacts", [{"email": "a.lovelace@example.com"}])[0]
    left = merge("contacts", key_of(ada), stranger)
    assert (key_of(ada), Person.objects.count()) == (left, 1)
    assert facts(Edge.objects.get()) == (EdgeState.MADE, str(ada.organisation_id), key_of(ada.organisation), True)
    ada.refresh_from_db()
    ada.organisation = None
    ada.save()
    recipes.settle(sync)
    assert sync.hub.associated("contacts", left, "companies") == {}


def test_afterwards_both_sides_go_on_and_rest(sync: Sync, ada: Person, merge: Merge) -> None:
    """Fault 28: no ping-pong; edits of either side reach the other through the record that is left."""
    stranger = sync.hub.plant("contacts", [{"email": "a.lovelace@example.com"}])[0]
    left = merge("contacts", key_of(ada), stranger)
    sync.hub.ui_update("contacts", left, {"city": "Leeds"})
    recipes.settle(sync)
    ada.refresh_from_db()
    assert ada.city == "Leeds"
    ada.city = "York"
    ada.save()
    recipes.settle(sync)
    assert sync.contact(left)["city"] == "York"
    before = sync.writes()
    recipes.settle(sync)
    poll_all(sync)
    assert sync.writes() == before


def test_an_association_that_a_person_made_as_well_is_not_ours_to_remove(sync: Sync, ada: Person) -> None:
    """F19: of two companies one association is left; half of it was theirs."""
    firm, contact = ada.organisation, key_of(ada)
    Mapping.objects.exclude(pk=sync.people.pk).update(creates_local=False)
    theirs = sync.hub.ui_create("companies", {"name": "Acme Ltd"})
    Edge.objects.create(
        association=Association.objects.get(), link=Link.objects.get(remote_id=contact), remote_id=theirs,
        state=EdgeState.LEFT,
    )  # fmt: skip
    sync.hub.ui_associate("contacts", contact, "companies", theirs)
    left = sync.hub.ui_merge("companies", key_of(firm), theirs)
    recipes.settle(sync)
    assert facts(Edge.objects.get()) == (EdgeState.MADE, str(firm.pk), left, False)


def test_when_both_are_linked_a_person_decides(sync: Sync, ada: Person) -> None:
    """Fault 28, feature 7: no row is deleted, nothing is written to the new record until somebody chose."""
    firm = ada.organisation
    other = Organisation.objects.create(name="Acme Ltd", domain="acme.co.uk")
    recipes.settle(sync)
    before = sync.writes()
    left = sync.hub.ui_merge("companies", key_of(firm), key_of(other))
    recipes.settle(sync)
    Organisation.objects.get(pk=other.pk).save()
    recipes.settle(sync)
    assert (Organisation.objects.count(), sync.writes()) == (2, before)
    parked = InboxEvent.objects.filter(state=QueueState.PARKED, last_code="remote.merged")
    assert parked.exists()
    assert left in parked.first().last_message
    Link.objects.filter(local_pk=str(other.pk), mapping__model_label="demo.Organisation").delete()
    Organisation.objects.get(pk=firm.pk).save()
    recipes.settle(sync)
    assert key_of(firm) == left
    assert facts(Edge.objects.get()) == (EdgeState.MADE, str(firm.pk), left, True)
    assert not InboxEvent.objects.exists()


def test_an_edit_that_waited_for_the_choice_goes_with_it(sync: Sync, ada: Person) -> None:
    """Fault 28: whoever retries HubSpot's end has retried Django's, which would be shown as a problem for ever."""
    firm = ada.organisation
    other = Organisation.objects.create(name="Acme Ltd", domain="acme.co.uk")
    recipes.settle(sync)
    left = sync.hub.ui_merge("companies", key_of(firm), key_of(other))
    firm.city = "Paris"
    firm.save()
    recipes.settle(sync)
    assert OutboxEntry.objects.get(last_code="remote.merged").local_pk == str(firm.pk)
    Link.objects.filter(local_pk=str(other.pk), mapping__model_label="demo.Organisation").delete()
    queue.retry(InboxEvent.objects.filter(remote_id=left), timezone.now())
    recipes.settle(sync)
    assert (key_of(firm), sync.hub.record("companies", left)["properties"]["city"]) == (left, "Paris")
    assert sync.queued() == (0, 0)


def test_a_record_that_is_really_gone_is_gone(sync: Sync, ada: Person) -> None:
    """Absence is asked for once more, and believed."""
    sync.hub.ui_archive("companies", key_of(ada.organisation))
    recipes.settle(sync)
    link = Link.objects.get(local_pk=str(ada.organisation_id), mapping__model_label="demo.Organisation")
    assert (link.state, link.reason) == ("ended", "remote_gone")


def test_an_account_whose_old_ids_do_not_answer(sync: Sync, ada: Person) -> None:
    """HubSpot's page of 2026-09 promises it no longer: the record that is left names those it was made of."""
    sync.hub.portal.merged_ids_resolve = False
    firm = ada.organisation
    stranger = sync.hub.plant("companies", [{"name": "Acme Ltd"}])[0]
    left = sync.hub.ui_merge("companies", key_of(firm), stranger)
    recipes.settle(sync)
    assert key_of(firm) == left
    assert facts(Edge.objects.get()) == (EdgeState.MADE, str(firm.pk), left, True)


def test_a_link_that_ended_too_early_lives_again(sync: Sync, ada: Person) -> None:
    """Such an account, and the loser's event comes long before the other: the row was left, and has its partner."""
    sync.hub.portal.merged_ids_resolve = False
    firm, old = ada.organisation, key_of(ada.organisation)
    poll_all(sync)
    sync.hub.set_webhooks(lose=1.0)
    stranger = sync.hub.plant("companies", [{"name": "Acme Ltd"}])[0]
    left = sync.hub.ui_merge("companies", old, stranger)
    firm.save()
    sync.drain()
    assert LogEntry.objects.filter(remote_id=old, reason="remote_gone").exists()
    poll_all(sync)
    link = Link.objects.get(local_pk=str(firm.pk), mapping__model_label="demo.Organisation")
    assert (link.state, link.remote_id, Organisation.objects.count()) == ("linked", left, 1)


def test_many_archived_records_cost_no_call_each(sync: Sync, ada: Person) -> None:
    """A mass deletion is told from merges by one call."""
    firms = [Organisation.objects.create(name=f"F{n}", domain=f"f{n}.com") for n in range(5)]
    recipes.settle(sync)
    for firm in firms:
        sync.hub.ui_archive("companies", key_of(firm))
    since = sync.hub.ledger.last_seq
    recipes.settle(sync)
    assert sync.hub.ledger.requests(operation="objects.get", since=since) == []
    assert Link.objects.filter(state="ended").count() == 5


def test_a_preview_moves_no_link(sync: Sync, ada: Person) -> None:
    old = key_of(ada)
    stranger = sync.hub.plant("contacts", [{"email": "a.lovelace@example.com"}])[0]
    left = sync.hub.ui_merge("contacts", old, stranger)
    plan, _cases = reconcile.preview(scope.open_scope(sync.people.pk), [dossier.Item(remote_id=old)])
    assert [pair.pair.remote.key.id for pair in plan.pairs] == [left]
    assert key_of(ada) == old


def test_the_log_says_that_the_link_follows(sync: Sync, ada: Person) -> None:
    old = key_of(ada)
    stranger = sync.hub.plant("contacts", [{"email": "a.lovelace@example.com"}])[0]
    left = sync.hub.ui_merge("contacts", old, stranger)
    recipes.settle(sync)
    entry = LogEntry.objects.get(mapping=sync.people, reason="merged")
    assert (entry.local_pk, entry.remote_id) == (str(ada.pk), left)
    assert old in entry.detail
