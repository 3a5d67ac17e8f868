"""Capture in another database than crmsync's: slips in the transaction of the change, carried into the outbox."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import OperationalError, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crmsync import api, jobs
from crmsync.engine.terms import DeletePolicy
from crmsync.flows import carry
from crmsync.ledger import places, slips
from crmsync.models import FieldMapping, OutboxEntry, Slip
from project.demo.models import Organisation, Person
from tests.flows.conftest import Sync
from tests.flows.elsewhere import SECOND, Crashed, both, firm, left, moved, needs_postgres
from tests.hostapp import routers

__all__ = ["firm", "moved"]

pytestmark = [both, pytest.mark.usefixtures("moved")]


# --- Capture -------------------------------------------------------------------------------------------------------


def test_a_change_and_its_slip_are_one_transaction(sync: Sync) -> None:
    """U2, I1: the slip is in the database of the row, the row is sent, and nothing is left anywhere."""
    person = Person.objects.create(email="a@example.com")
    assert person._state.db == SECOND
    assert left() == [("row", str(person.pk))]
    assert OutboxEntry.objects.count() == 0
    sync.drain()
    assert [one["properties"]["email"] for one in sync.contacts()] == ["a@example.com"]
    assert (sync.queued(), left()) == ((0, 0), [])


def test_a_rolled_back_change_leaves_no_slip(sync: Sync) -> None:
    """I1, Fault 4: row and slip vanish together."""
    with transaction.atomic(using=SECOND):
        Person.objects.create(email="a@example.com")
        assert len(left()) == 1
        transaction.set_rollback(True, using=SECOND)
    assert left() == []
    sync.drain()
    assert sync.contacts() == []


def test_a_rollback_of_crmsyncs_own_database_loses_nothing(sync: Sync) -> None:
    """I1: a host's transaction in ``default`` around the save has no say over the other database's row or slip."""
    with transaction.atomic(), transaction.atomic(using=SECOND):
        Person.objects.create(email="kept@example.com")
        transaction.set_rollback(True)
    assert len(left()) == 1
    sync.drain()
    assert len(sync.contacts()) == 1


def test_a_rollback_of_the_other_database_under_a_kept_one_sends_nothing(sync: Sync) -> None:
    """I1, Fault 4: of two open transactions the row's own decides."""
    with transaction.atomic(), transaction.atomic(using=SECOND):
        Person.objects.create(email="gone@example.com")
        transaction.set_rollback(True, using=SECOND)
    sync.drain()
    assert (sync.contacts(), left()) == ([], [])


def test_a_save_costs_one_statement_there_and_none_here(sync: Sync, firm: Organisation) -> None:
    """R-capture cost: crmsync's database is not asked while a host saves."""
    person = Person.objects.get()
    person.city = "X"
    with CaptureQueriesContext(connections["default"]) as here, CaptureQueriesContext(connections[SECOND]) as there:
        person.save()
    said = [one["sql"].split()[0] for one in there if not one["sql"].startswith(("BEGIN", "COMMIT"))]
    assert (len(here), said) == (0, ["UPDATE", "INSERT"])


def test_rows_of_our_own_database_cost_no_more(sync: Sync, firm: Organisation) -> None:
    """A site with one database asks the same as ever: nothing looks for slips."""
    with routers.living_in("default", "demo"), CaptureQueriesContext(connections[SECOND]) as there:
        jobs.work(5.0)
        Person.objects.create(email="here@example.com")
        jobs.work(5.0)
    assert len(there) == 0
    assert [one["properties"]["email"] for one in sync.contacts()][-1] == "here@example.com"


def test_a_copy_in_a_database_that_is_not_the_rows_own_is_not_captured(sync: Sync) -> None:
    """A row that ``using=`` puts elsewhere is not the one that is synced."""
    Person(email="copy@example.com").save(using="default")
    assert (sync.queued(), left()) == ((0, 0), [])
    sync.drain()
    assert (sync.contacts(), sync.queued(), left()) == ([], (0, 0), [])


def test_another_way_to_our_own_database_is_no_other_database(sync: Sync, monkeypatch) -> None:
    """I1: past a connection pooler, say; the mark is made by the connection of the change, in its transaction."""
    monkeypatch.setattr(places, "_facts", lambda alias: ("one engine", "one name"))
    with routers.living_in("default", "demo", "hostapp"), CaptureQueriesContext(connections[SECOND]) as there:
        Person(email="pooled@example.com").save(using=SECOND)
    said = " ".join(one["sql"] for one in there)
    assert ("crmsync_outboxentry" in said, "crmsync_slip" in said) == (True, False)


def test_a_commit_there_rings_once(sync: Sync, settings, monkeypatch) -> None:
    """Fault 2: the bell belongs to the commit of the database that was written."""
    settings.CRMSYNC = {**settings.CRMSYNC, "RUNNER": "rq"}
    rung = []
    monkeypatch.setattr(jobs, "ring", lambda: rung.append(1))
    with transaction.atomic(using=SECOND):
        for number in range(3):
            Person.objects.create(email=f"t{number}@example.com")
        assert rung == []
    assert rung == [1]


def test_a_rename_reaches_the_rows_that_read_it(sync: Sync, firm: Organisation) -> None:
    """A13, F4: the related row's slip becomes an entry that is spread to its readers there."""
    firm.name = "New"
    firm.save()
    sync.drain()
    assert [one["properties"]["company"] for one in sync.contacts()] == ["New"]
    assert (sync.queued(), left()) == ((0, 0), [])


@pytest.mark.parametrize(("end", "vias"), [("organisation", ["", "organisation"]), ("other", [""])])
def test_a_new_row_is_read_only_along_what_it_points_to(sync: Sync, firm: Organisation, end: str, vias) -> None:
    """A13: of the paths only those with this end are marked, also when the slip is carried."""
    facts = {"is_own": True, "is_read": True, "ends": [end], "using": SECOND}
    slips.leave_row("demo.Organisation", str(firm.pk), timezone.now(), **facts)
    carry.carry_due()
    assert sorted(OutboxEntry.objects.values_list("via", flat=True)) == vias


def test_a_deleted_row_leaves_its_readers_due(sync: Sync, firm: Organisation) -> None:
    """I1: who read a row is found before the delete empties the keys, and is told with its transaction."""
    person = Person.objects.get()
    firm.delete()
    assert ("entry", str(person.pk)) in left()
    FieldMapping.objects.filter(remote="company").update(blanks="clear")
    sync.drain()
    assert [one["properties"].get("company") or "" for one in sync.contacts()] == [""]


def test_a_rolled_back_delete_tells_nobody(sync: Sync, firm: Organisation) -> None:
    """Fault 4: what was found before the delete goes with it."""
    with transaction.atomic(using=SECOND):
        firm.delete()
        transaction.set_rollback(True, using=SECOND)
    assert left() == []


def test_a_delete_is_followed_by_the_policy(sync: Sync, firm: Organisation) -> None:
    """I13, A9: the partner of a deleted row is archived, as the mapping says."""
    sync.people.deletes_remote = DeletePolicy.ARCHIVE
    sync.people.save()
    Person.objects.get().delete()
    sync.drain()
    assert sync.contacts() == []


def test_bulk_statements_are_told(sync: Sync) -> None:
    """U2: mark_dirty leaves its slips in the database of the rows, in the same transaction."""
    with transaction.atomic(using=SECOND):
        made = Person.objects.bulk_create([Person(email=f"b{n}@example.com") for n in range(3)])
        assert api.mark_dirty(made) == 3
        assert OutboxEntry.objects.count() == 0
    assert api.mark_dirty(Person.objects.all()) == 3
    sync.drain()
    assert len(sync.contacts()) == 3


def test_a_row_is_pushed_once_on_request_with_its_commit(sync: Sync) -> None:
    """F26: what was asked in the row's transaction waits for it."""
    sync.people.creates_remote = False
    sync.people.save()
    with transaction.atomic(using=SECOND):
        api.push_once(Person.objects.create(email="asked@example.com"))
        assert OutboxEntry.objects.count() == 0
    sync.drain()
    assert len(sync.contacts()) == 1


# --- Carrying ------------------------------------------------------------------------------------------------------


def test_a_crash_between_the_two_commits_carries_twice_and_loses_nothing(sync: Sync, monkeypatch) -> None:
    """I4, Fault 1: marked here and not yet deleted there; the next carry marks the same row again."""
    Person.objects.create(email="a@example.com")

    def die(*args) -> None:
        raise Crashed

    with monkeypatch.context() as patch:
        patch.setattr(slips, "drop", die)
        with pytest.raises(Crashed):
            carry.carry_due()
    assert (OutboxEntry.objects.count(), len(left())) == (1, 1)
    sync.drain()
    assert (len(sync.contacts()), sync.queued(), left()) == (1, (0, 0), [])


def test_a_crash_before_the_first_commit_leaves_the_slips(sync: Sync, monkeypatch) -> None:
    """I4: nothing is deleted there that is not marked here."""
    Person.objects.create(email="a@example.com")

    def die(*args, **kwargs) -> None:
        raise Crashed

    with monkeypatch.context() as patch:
        patch.setattr(carry, "_mark_rows", die)
        with pytest.raises(Crashed):
            carry.carry_due()
    assert (OutboxEntry.objects.count(), len(left())) == (0, 1)


def test_a_slip_left_while_others_are_carried_stays(sync: Sync, monkeypatch) -> None:
    """I1: only what was read is deleted, whatever came meanwhile."""
    person = Person.objects.create(email="a@example.com")
    drop = slips.drop

    def edit_and_drop(using, taken) -> None:
        Person.objects.using(SECOND).get(pk=person.pk).save()
        drop(using, taken)

    monkeypatch.setattr(slips, "drop", edit_and_drop)
    assert carry.carry_due() == 1
    assert left() == [("row", str(person.pk))]


def test_more_slips_than_a_batch_are_all_carried(sync: Sync, monkeypatch) -> None:
    """Constant memory: a batch at a time, until nothing is left."""
    monkeypatch.setattr(carry, "_BATCH", 2)
    for number in range(5):
        Person.objects.create(email=f"n{number}@example.com")
    sync.drain()
    assert (len(sync.contacts()), left()) == (5, [])


def test_entries_keep_the_time_of_the_change(sync: Sync) -> None:
    """T2: how long a change has waited counts from the change, not from its carrying."""
    Person.objects.create(email="a@example.com")
    then = timezone.now() - timedelta(hours=2)
    Slip.objects.using(SECOND).update(captured_at=then)
    carry.carry_due()
    assert OutboxEntry.objects.get().captured_at == then


def test_a_slip_of_a_deleted_mapping_is_nobodys(sync: Sync, firm: Organisation) -> None:
    """I14: what can no longer be worked on holds nothing up."""
    firm.delete()
    sync.people.delete()
    carry.carry_due()
    assert left() == []


def test_a_database_that_is_away_holds_nothing_up(sync: Sync, monkeypatch) -> None:
    """I14, Fault 7: work of crmsync's own database goes on, and the other is left alone for a while."""
    calls = []

    def away(alias: str) -> int:
        calls.append(alias)
        raise OperationalError

    monkeypatch.setattr(carry, "carry", away)
    monkeypatch.setattr(carry, "_rests_until", {})
    assert (carry.carry_due(), carry.carry_due()) == (0, 0)
    assert calls == [SECOND]


@needs_postgres
def test_slips_in_hand_are_carried_by_nobody_else(sync: Sync) -> None:
    """I6, Fault 36: two workers do not mark the same rows twice."""
    Person.objects.create(email="a@example.com")
    with slips.taken(SECOND, 10) as mine, ThreadPoolExecutor(1) as pool:
        assert len(mine) == 1
        assert pool.submit(_carry_in_thread).result() == 0
    assert carry.carry(SECOND) == 1


def _carry_in_thread() -> int:
    try:
        return carry.carry(SECOND)
    finally:
        connections.close_all()


@needs_postgres
def test_a_database_that_was_restarted_is_connected_anew(sync: Sync, firm: Organisation, monkeypatch) -> None:
    """Fault 7: a worker whose connection was cut goes on, and the change is sent."""
    monkeypatch.setattr(carry, "_rests_until", {})
    monkeypatch.setattr(carry, "_REST_SECONDS", 0.0)
    Person.objects.update(city="Oslo")
    api.mark_dirty(Person.objects.all())
    connections[SECOND].connection.close()
    sync.drain()
    sync.drain()
    assert [one["properties"]["city"] for one in sync.contacts()] == ["Oslo"]
