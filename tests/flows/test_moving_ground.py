"""Columns too narrow for HubSpot's values, and mappings and code that change under running work: Faults 33 to 35."""

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import ProgrammingError

from crmsync import adapters, checks
from crmsync.flows import backfill, lifecycle
from crmsync.ledger import specs
from crmsync.models import FieldMapping, InboxEvent, Mapping, OutboxEntry, Run
from crmsync.sides import local as local_side
from project.demo.models import Person
from tests.flows import recipes
from tests.flows.conftest import Sync

# --- Columns (Fault 33) -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remote", "value", "local", "code"),
    [
        ("city", "x" * 101, "city", "too_long"),
        ("city", "ä" * 150, "city", "too_long"),
        ("hs_lead_status", "BAD_TIMING", "status", "option_unknown"),
        ("demo_credit", "12345678901234", "credit", "too_long"),
    ],
)
@pytest.mark.parametrize("by", ["webhook", "bulk run"])
def test_what_a_column_cannot_hold_is_refused_and_seen(
    sync: Sync, ada: Person, ada_id: str, by: str, remote: str, value: str, local: str, code: str
) -> None:
    """Fault 33: nothing is cut or guessed: the field keeps its value on both sides, the rest of the record flows, and
    a row names the field."""
    if by == "bulk run":
        sync.hub.set_webhooks(lose=1.0)
    before = getattr(ada, local)
    sync.hub.ui_update("contacts", ada_id, {remote: value, "lastname": "King"})
    if by == "bulk run":
        sync.backfill("backfill_pull")
    recipes.settle(sync)
    ada.refresh_from_db()
    assert (ada.last_name, getattr(ada, local)) == ("King", before)
    assert sync.contact(ada_id)[remote] == value
    parked = InboxEvent.objects.get()
    assert (parked.state, parked.last_code) == ("parked", f"field.{code}")
    assert f"{local} ↔ {remote}" in parked.last_message


def test_a_value_of_just_the_right_length_is_taken(sync: Sync, ada: Person, ada_id: str) -> None:
    """Fault 33: the limit is the column's, in characters."""
    sync.hub.ui_update("contacts", ada_id, {"city": "ä" * 100})
    recipes.settle(sync)
    ada.refresh_from_db()
    assert ada.city == "ä" * 100
    assert not InboxEvent.objects.exists()


# --- The mapping, between two pages (Fault 34) --------------------------------------------------------------------


@pytest.fixture
def run(sync: Sync) -> Run:
    """A run over 250 people, of which the first hundred are done."""
    Person.objects.bulk_create(Person(email=f"p{n:03}@example.com", city="Graz") for n in range(250))
    return backfill.start(sync.people, "backfill_push")


def test_a_mapping_that_is_paused_ends_its_run_where_it_is(sync: Sync, run: Run) -> None:
    """Fault 34: not a record more, and switched on again it goes on from there, none twice."""
    pages = backfill.pages(run)
    next(pages)
    Mapping.objects.filter(pk=sync.people.pk).update(state="paused")
    with pytest.raises(specs.SpecError, match="not live"):
        next(pages)
    assert len(sync.contacts()) == 100
    Mapping.objects.filter(pk=sync.people.pk).update(state="live")
    again = backfill.start(Mapping.objects.get(pk=sync.people.pk), "backfill_push")
    assert again.pk == run.pk
    for _ in backfill.pages(again):
        pass
    assert len(sync.contacts()) == 250
    assert again.done == 250


def test_a_mapping_that_is_deleted_ends_its_run_and_its_work(sync: Sync, run: Run) -> None:
    """Fault 34: no page more, nothing is left behind that would start again, and a worker goes on with the others."""
    pages = backfill.pages(run)
    next(pages)
    Mapping.objects.get(pk=sync.people.pk).delete()
    with pytest.raises(specs.SpecError, match="was deleted"):
        next(pages)
    recipes.settle(sync)
    assert len(sync.contacts()) == 100
    assert not Run.objects.exists()
    assert sync.queued() == (0, 0)
    assert Person.objects.count() == 250


def test_an_edit_ends_the_run_of_a_worker_and_not_the_mapping(sync: Sync, run: Run, monkeypatch) -> None:
    """Fault 34: between two slices of a worker; live edits go on, and the run says to start it again."""
    monkeypatch.setattr(backfill, "PAGE", 50)
    backfill.work_on_runs(0.0)
    assert len(sync.contacts()) == 50
    Run.objects.update(leased_until=None)
    lifecycle.note_edit(Mapping.objects.get(pk=sync.people.pk), None)
    recipes.settle(sync)
    run.refresh_from_db()
    assert (run.state, len(sync.contacts())) == ("stopped", 50)
    assert "was edited since this run began" in run.message
    assert Mapping.objects.get(pk=sync.people.pk).state == "live"
    Person.objects.create(email="live@example.com")
    recipes.settle(sync)
    assert len(sync.contacts()) == 51


# --- The code (Fault 35) --------------------------------------------------------------------------------------------


@pytest.fixture
def dropped(sync: Sync, ada: Person, monkeypatch) -> None:
    """A migration dropped a column that is mapped; or: a worker's code does not have a new one yet."""
    describe = adapters.LocalAdapter.describe

    def without(self, path: str):
        if path == "job_title":
            raise adapters.LocalFieldError("demo.Person has no field 'job_title'. Choose another one.")
        return describe(self, path)

    monkeypatch.setattr(adapters.LocalAdapter, "describe", without)


def test_a_dropped_column_is_an_error_of_the_check(sync: Sync, dropped: None, monkeypatch) -> None:
    """Fault 35: before any record fails, in a deployment's own check."""
    monkeypatch.setattr("sys.argv", ["manage.py", "check", "--database", "default", "--tag", checks.CONTRACT])
    with pytest.raises(SystemCheckError, match=r"crmsync\.E008.*has no field 'job_title'"):
        call_command("check", tags=[checks.CONTRACT], databases=["default"])


def test_a_dropped_column_holds_its_field_and_the_others_go_on(
    sync: Sync, ada: Person, ada_id: str, dropped: None
) -> None:
    """Fault 35: in both directions; nothing of it is written or cleared."""
    sync.hub.ui_update("contacts", ada_id, {"jobtitle": "Countess", "city": "Oslo"})
    recipes.settle(sync)
    ada.refresh_from_db()
    assert (ada.city, ada.job_title) == ("Oslo", "")
    ada.last_name = "King"
    ada.save()
    recipes.settle(sync)
    assert (sync.contact(ada_id)["lastname"], sync.contact(ada_id)["jobtitle"]) == ("King", "Countess")
    assert Mapping.objects.get(pk=sync.people.pk).state == "live"


def test_what_an_old_worker_left_a_new_one_takes_up(
    sync: Sync, ada: Person, ada_id: str, dropped, monkeypatch
) -> None:
    """Fault 35: old code leaves what it does not know as it was, so the new code finds the difference."""
    sync.hub.ui_update("contacts", ada_id, {"jobtitle": "Countess"})
    recipes.settle(sync)
    monkeypatch.undo()
    sync.hub.ui_update("contacts", ada_id, {"city": "Oslo"})
    recipes.settle(sync)
    ada.refresh_from_db()
    assert (ada.city, ada.job_title) == ("Oslo", "Countess")
    assert not OutboxEntry.objects.exists()


def test_statements_that_the_tables_do_not_fit_wait(sync: Sync, ada: Person, monkeypatch) -> None:
    """Fault 35: as PostgreSQL answers an old worker behind a migration; no record is to blame, so none is parked."""

    def refuse(*args: object, **facts: object):
        raise ProgrammingError('column "job_title" does not exist')

    ada.city = "Paris"
    ada.save()
    with monkeypatch.context() as patch:
        patch.setattr(local_side.LocalSide, "instances", refuse)
        patch.setattr(local_side.LocalSide, "read", refuse)
        sync.drain()
    entry = OutboxEntry.objects.get()
    assert (entry.state, entry.last_code) == ("due", "local.db_error")


def test_where_every_column_is_gone_the_mapping_stops_and_keeps_its_work(sync: Sync, ada: Person) -> None:
    """Fault 35: one sentence with the field, and the row waits for the code."""
    FieldMapping.objects.filter(mapping=sync.people).exclude(local="city").update(is_active=False)
    FieldMapping.objects.filter(mapping=sync.people, local="city").update(local="town")
    ada.city = "Paris"
    ada.save()
    sync.drain()
    people = Mapping.objects.get(pk=sync.people.pk)
    assert people.state == "paused"
    assert "'town'" in people.problem
    assert OutboxEntry.objects.get().state == "due"
