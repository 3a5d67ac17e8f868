"""An association changed in HubSpot, and its webhook was lost: the complete pass finds it within a bounded time."""

from collections.abc import Collection
from datetime import timedelta

import pytest
from django.utils import timezone

from crmsync.engine.terms import EdgeState
from crmsync.flows import edgepoll, poll, scope
from crmsync.ledger import cursors
from crmsync.models import Association, Cursor, Edge, InboxEvent, Link, Mapping
from project.demo.models import Organisation, Person
from tests.flows import recipes
from tests.flows.conftest import Sync

BATCH_READ = "/crm/associations/2026-09/contacts/companies/batch/read"


@pytest.fixture
def joined(sync: Sync) -> Association:
    """People lead to companies; nothing of either is told by HubSpot any more."""
    Mapping.objects.exclude(pk=sync.people.pk).delete()
    fields = [("name", "name"), ("domain", "domain")]
    companies = recipes.make(sync, "demo.Organisation", "companies", fields)
    recipes.match(companies, "domain", "domain", "domain")
    return Association.objects.create(mapping=sync.people, to_mapping=companies, local="organisation")


def make(sync: Sync, name: str) -> tuple[Person, str, Organisation, str]:
    """A person with an organisation, both linked: (row, contact, row, company)."""
    firm = Organisation.objects.create(name=name, domain=f"{name}.com")
    person = Person.objects.create(first_name=name, email=f"{name}@example.org", organisation=firm)
    recipes.settle(sync)
    contact, company = (Link.objects.get(local_pk=str(row.pk), mapping__model_label=row._meta.label).remote_id
                        for row in (person, firm))  # fmt: skip
    return person, contact, firm, company


def go_silent(sync: Sync) -> None:
    """What HubSpot would tell from now on is lost."""
    recipes.settle(sync)
    sync.hub.set_webhooks(lose=1.0)


def pass_by(*, hours: float = 24.0) -> None:
    """The last complete pass was so long ago, and the next is due; a search finds no record that changed since."""
    long_ago = timezone.now() - timedelta(hours=hours)
    for mapping in Mapping.objects.all():
        cursors.ensure(mapping.pk, timezone.now())
    Cursor.objects.filter(kind=cursors.Kind.FULL).update(
        due_at=timezone.now(), position=long_ago, started_at=timezone.now()
    )
    Cursor.objects.exclude(kind=cursors.Kind.FULL).update(due_at=timezone.now() + timedelta(days=1))


def poll_all(sync: Sync) -> None:
    while poll.poll_due() >= 0:
        pass
    sync.drain()


def looked_at() -> Collection[str]:
    return set(InboxEvent.objects.values_list("remote_id", flat=True))


def test_an_association_that_no_webhook_told_reaches_django(sync: Sync, joined: Association) -> None:
    """Fault 44, F19: no record was changed, so no search finds it; the modified date did not move."""
    person, contact, _firm, company = make(sync, "acme")
    _other, _, globex, theirs = make(sync, "globex")
    go_silent(sync)
    before = sync.hub.record("contacts", contact)["updatedAt"]
    sync.hub.ui_dissociate("contacts", contact, "companies", company)
    sync.hub.ui_associate("contacts", contact, "companies", theirs)
    assert sync.hub.record("contacts", contact)["updatedAt"] == before
    pass_by()
    poll_all(sync)
    person.refresh_from_db()
    assert person.organisation == globex


def test_an_association_of_ours_that_was_removed_is_put_back(sync: Sync, joined: Association) -> None:
    """F19: one that only flows to HubSpot is Django's to say."""
    Association.objects.update(direction="push")
    _person, contact, _firm, company = make(sync, "acme")
    go_silent(sync)
    sync.hub.ui_dissociate("contacts", contact, "companies", company)
    pass_by()
    poll_all(sync)
    assert list(sync.hub.associated("contacts", contact, "companies")) == [company]


def test_what_is_as_it_was_left_is_not_looked_at(sync: Sync, joined: Association) -> None:
    """One call finds that out for all of them; no record is read."""
    _person, contact, _firm, _company = make(sync, "acme")
    extra = sync.hub.ui_create("companies", {"name": "Extra"})
    sync.hub.ui_associate("contacts", contact, "companies", extra)
    _other, wanting, _its, lost = make(sync, "globex")
    go_silent(sync)
    sync.hub.ui_dissociate("contacts", wanting, "companies", lost)
    one, since = scope.open_scope(sync.people.pk), sync.hub.ledger.last_seq
    ((ids, _last),) = list(edgepoll.pages(one, 0))
    assert ids == [wanting]
    assert [row.path for row in sync.hub.ledger.requests(since=since)] == [BATCH_READ]


def test_a_round_costs_one_call_for_a_thousand_records(sync: Sync, joined: Association) -> None:
    """1,200 contacts are two calls; no record and no search besides."""
    count = 1200
    sync.hub.set_webhooks(lose=1.0)
    ids = sync.hub.plant("contacts", [{"email": f"p{n}@example.org"} for n in range(count)])
    rows = Person.objects.bulk_create([Person(first_name="P", email=f"p{n}@example.org") for n in range(count)])
    portal = sync.portal
    Link.objects.bulk_create(
        Link(mapping=sync.people, portal=portal, object_type="contacts", local_pk=str(row.pk), remote_id=key,
             create_key=f"key{key}")
        for row, key in zip(rows, ids, strict=True)
    )  # fmt: skip
    one, since = scope.open_scope(sync.people.pk), sync.hub.ledger.last_seq
    assert [len(ids) for ids, _last in edgepoll.pages(one, 0)] == [0, 0]
    assert [row.path for row in sync.hub.ledger.requests(since=since)] == [BATCH_READ] * 2


def test_a_round_is_due_once_in_its_time(settings) -> None:
    """Bounded: whenever two complete passes lie in different blocks of EDGE_POLL_SECONDS; 0 is never."""
    settings.CRMSYNC = {**settings.CRMSYNC, "EDGE_POLL_SECONDS": 3600}
    start = timezone.now().replace(minute=10, second=0, microsecond=0)
    assert not edgepoll.is_due(start, start + timedelta(minutes=40))
    assert edgepoll.is_due(start, start + timedelta(minutes=60))
    assert edgepoll.is_due(start, start + timedelta(days=3))
    settings.CRMSYNC = {**settings.CRMSYNC, "EDGE_POLL_SECONDS": 0}
    assert not edgepoll.is_due(start, start + timedelta(days=3))


def test_a_round_that_was_cut_off_goes_on_behind_its_last_page(sync: Sync, joined: Association, monkeypatch) -> None:
    """Faults: a killed pass neither begins again nor leaves a record out."""
    people = [make(sync, name) for name in ("acme", "globex", "initech")]
    go_silent(sync)
    for _person, contact, _firm, company in people:
        sync.hub.ui_dissociate("contacts", contact, "companies", company)
    monkeypatch.setattr(edgepoll, "_CHUNK", 1)
    pass_by()
    Cursor.objects.exclude(mapping=sync.people).update(due_at=timezone.now() + timedelta(days=1))
    found = edgepoll._find_changed
    seen: list[str] = []

    def stumble(one, chunk):
        seen.extend(link.remote_id for link in chunk)
        if len(seen) == 2:
            raise OSError("the worker was killed")
        return found(one, chunk)

    monkeypatch.setattr(edgepoll, "_find_changed", stumble)
    assert poll.poll_due() == 0
    assert looked_at() == {people[0][1]}
    Cursor.objects.filter(kind=cursors.Kind.FULL, mapping=sync.people).update(due_at=timezone.now())
    poll.poll_due()
    assert seen == [people[0][1], people[1][1], people[1][1], people[2][1]]
    assert looked_at() == {contact for _, contact, _, _ in people}


def test_an_answer_that_does_not_come_is_not_taken_for_none(sync: Sync, joined: Association) -> None:
    """Absence is never taken as removal: the pass waits and goes on later."""
    person, _contact, firm, _company = make(sync, "acme")
    go_silent(sync)
    sync.hub.plant_fault("status", status=502, path="/associations/", times=None)
    pass_by()
    poll.poll_due()
    sync.drain()
    person.refresh_from_db()
    assert person.organisation == firm
    assert Edge.objects.get().state == EdgeState.MADE
