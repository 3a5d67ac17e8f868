"""Entries of related rows become entries of the rows that read them: in chunks, again and again without harm."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crmsync.flows import related, spread
from crmsync.ledger import outbox
from crmsync.models import OutboxEntry
from project.demo.models import Organisation, Person
from tests.flows.conftest import Sync


@pytest.fixture
def firm(sync: Sync) -> Organisation:
    """An organisation with five people; nothing is queued."""
    firm = Organisation.objects.create(name="Firm", domain="firm.example.com")
    staff(firm, 5)
    OutboxEntry.objects.all().delete()
    return firm


def staff(firm: Organisation, count: int) -> None:
    Person.objects.bulk_create(Person(email=f"p{n}@{firm.domain}", organisation=firm) for n in range(count))


def marked(sync: Sync) -> set[str]:
    """People that are due."""
    return set(OutboxEntry.objects.filter(mapping=sync.people, via="").values_list("local_pk", flat=True))


def people_of(*firms: Organisation) -> set[str]:
    return {str(pk) for pk in Person.objects.filter(organisation__in=firms).values_list("pk", flat=True)}


def entries(sync: Sync) -> models.QuerySet:
    """What waits to be spread."""
    return OutboxEntry.objects.filter(mapping=sync.people).exclude(via="")


@contextmanager
def at_insert(number: int, act: Callable[[], None]) -> Iterator[None]:
    """Act once, before the given INSERT into the outbox (1 is the first)."""
    seen = []

    def watch(execute, sql, params, many, context):
        if sql.startswith("INSERT INTO") and "outbox" in sql:
            seen.append(sql)
            if len(seen) == number:
                act()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield


def test_every_reading_row_is_marked_in_few_statements(sync, firm) -> None:
    """I18, F4: 5,000 more people, spread by chunks of 2,000; the statements grow with the chunks only."""
    staff(Organisation.objects.create(name="Other", domain="other.example.com"), 3)
    Person.objects.bulk_create(Person(email=f"many{n}@example.com", organisation=firm) for n in range(5000))
    OutboxEntry.objects.all().delete()
    firm.save()
    with CaptureQueriesContext(connection) as seen:
        assert spread.spread(sync.people.pk) == 1
    assert marked(sync) == people_of(firm)
    assert len(marked(sync)) == 5005
    assert not entries(sync).exists()
    assert sum("demo_person" in one["sql"] for one in seen) == 3  # 2,000, 2,000 and 1,005
    assert len(seen) < 100  # SQLite takes some 100 rows a statement


def test_several_rows_are_spread_together(sync, firm) -> None:
    """F4: a bulk change of many related rows is one walk over those that read them."""
    other = Organisation.objects.create(name="Other", domain="other.example.com")
    staff(other, 2)
    firm.save()
    other.save()
    with CaptureQueriesContext(connection) as seen:
        assert spread.spread_due() == 2
    assert marked(sync) == people_of(firm, other)
    assert sum("demo_person" in one["sql"] for one in seen) == 1


def test_an_entry_dirtied_meanwhile_stays(sync, firm) -> None:
    """I4: the related row changes again while its entry is spread; the entry is due once more."""
    firm.save()
    with at_insert(1, firm.save):
        assert spread.spread_due() == 1
    (row,) = entries(sync)
    assert (row.state, row.lease, row.attempts) == ("due", "", 0)
    assert spread.spread_due() == 1
    assert not entries(sync).exists()


def test_a_person_under_work_is_due_again(sync, firm) -> None:
    """I4: a worker that read the old name before may not settle the person's entry."""
    person = Person.objects.first()
    person.save()
    OutboxEntry.objects.filter(local_pk=str(person.pk), via="").update(lease="somebody", state="parked", attempts=7)
    firm.save()
    spread.spread_due()
    row = OutboxEntry.objects.get(mapping=sync.people, via="", local_pk=str(person.pk))
    assert (row.lease, row.state, row.attempts) == ("", "due", 0)


def test_a_killed_worker_repeats_its_marks(sync, firm, monkeypatch) -> None:
    """I4, Fault 1: killed in the second chunk, the entry is taken up again when its lease is over."""
    monkeypatch.setattr(related, "_CHUNK", 2)
    firm.save()

    def kill() -> None:
        raise KeyboardInterrupt

    with at_insert(2, kill), pytest.raises(KeyboardInterrupt):
        spread.spread_due()
    assert len(marked(sync)) == 2
    assert spread.spread_due() == 0  # leased
    entries(sync).update(leased_until=timezone.now())
    assert spread.spread_due() == 1
    assert marked(sync) == people_of(firm)
    assert not entries(sync).exists()


def test_the_lease_is_renewed_with_every_chunk(sync, firm, monkeypatch) -> None:
    """I6: however many rows read one, no other worker begins with them too."""
    monkeypatch.setattr(related, "_CHUNK", 2)
    firm.save()
    seen = []

    def look() -> None:
        seen.append(entries(sync).get().leased_until)
        entries(sync).update(leased_until=timezone.now())

    with at_insert(2, look), at_insert(3, look):
        spread.spread_due()
    assert seen[1] > seen[0]


def test_a_path_that_is_gone_is_parked(sync, firm) -> None:
    """I9, I14: after a change of the host's models; what can be spread is."""
    outbox.mark_keys([(sync.people.pk, "employer")], [str(firm.pk)], timezone.now())
    firm.save()
    assert spread.spread_due() == 2
    assert marked(sync) == people_of(firm)
    (row,) = entries(sync)
    assert (row.state, row.last_code) == ("parked", "mapping.invalid")
    assert "employer" in row.last_message


def test_an_entry_that_ends_its_worker_is_set_aside(sync, firm) -> None:
    """I14, Fault 39."""
    firm.save()
    entries(sync).update(attempts=20)
    assert spread.spread_due() == 1
    assert entries(sync).get().last_code == "record.poison"
    assert marked(sync) == set()


def test_a_host_transaction_is_not_held_up(sync, firm) -> None:
    """I14: a person's entry is locked by a long transaction; the worker gives up before the host has to wait."""
    if connection.vendor != "postgresql":
        pytest.skip("other databases are left to their own time-outs")
    firm.save()
    is_held, is_over = threading.Event(), threading.Event()

    def host() -> None:
        try:
            with transaction.atomic():
                Person.objects.first().save()
                is_held.set()
                is_over.wait(60)
        finally:
            connection.close()

    thread = threading.Thread(target=host)
    thread.start()
    try:
        assert is_held.wait(60)
        assert spread.spread_due() == 1
    finally:
        is_over.set()
        thread.join()
    row = entries(sync).get()
    assert (row.state, row.lease, row.last_code) == ("due", "", "local.db_error")
    entries(sync).update(due_at=timezone.now())
    spread.spread_due()
    assert marked(sync) == people_of(firm)
