"""What a change costs and what is captured."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from crmsync import api, jobs, receivers
from crmsync.models import OutboxEntry
from crmsync.sides import guard
from project.demo.models import Person


def statements(act) -> list[str]:
    with CaptureQueriesContext(connection) as seen:
        act()
    return [q["sql"] for q in seen if not q["sql"].startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]


def test_a_save_costs_one_statement_more(sync, ada) -> None:
    """Capture cost: at most one extra statement a save."""
    ada.city = "X"
    captured = statements(ada.save)
    receivers.disconnect(Person)
    try:
        plain = statements(ada.save)
    finally:
        receivers.connect(Person)
    assert len(captured) == len(plain) + 1


def test_other_models_cost_nothing(sync) -> None:
    """A model that is not registered saves as ever."""
    user = get_user_model()(username="x")
    assert not any("outbox" in sql for sql in statements(user.save))


def test_a_delete_is_captured(sync, ada) -> None:
    Person.objects.filter(pk=ada.pk).delete()
    assert list(OutboxEntry.objects.values_list("local_pk", flat=True)) == [str(ada.pk)]


def test_bulk_statements_are_marked_by_hand(sync) -> None:
    """bulk_create and update send no signals; mark_dirty tells crmsync."""
    rows = Person.objects.bulk_create([Person(email=f"b{n}@example.com") for n in range(5)])
    assert OutboxEntry.objects.count() == 0
    assert api.mark_dirty(rows) == 5
    assert api.mark_dirty(Person.objects.all()) == 5
    assert OutboxEntry.objects.count() == 5
    sync.drain()
    assert len(sync.contacts()) == 5


def test_a_transaction_rings_once(sync, settings, monkeypatch) -> None:
    """A hundred saves in one transaction ring one bell after the commit."""
    settings.CRMSYNC = {**settings.CRMSYNC, "RUNNER": "rq"}
    rung = []
    monkeypatch.setattr(jobs, "ring", lambda: rung.append(1))
    with transaction.atomic():
        for number in range(100):
            Person.objects.create(email=f"t{number}@example.com")
        assert rung == []
    assert len(rung) == 1


def test_the_guard_is_a_set_of_keys(sync, ada) -> None:
    """A host's change of another record while we write one is captured."""
    other = Person.objects.create(email="other@example.com")
    OutboxEntry.objects.all().delete()
    with guard.writing([("demo.Person", str(ada.pk))]):
        ada.save()
        other.save()
    assert list(OutboxEntry.objects.values_list("local_pk", flat=True)) == [str(other.pk)]


@pytest.mark.parametrize("state", ["live", "paused"])
def test_a_paused_mapping_still_captures(make_sync, state) -> None:
    """Work of a paused mapping is kept for its resumption; a draft has none."""
    sync = make_sync(state)
    Person.objects.create(email="kept@example.com")
    assert OutboxEntry.objects.count() == 1
    sync.drain()
    assert len(sync.contacts()) == (1 if state == "live" else 0)


def test_a_draft_captures_nothing(make_sync) -> None:
    make_sync("draft")
    Person.objects.create(email="x@example.com")
    assert OutboxEntry.objects.count() == 0


def test_a_retry_of_a_poison_row_ends_parked(sync) -> None:
    """Fault 39: what ends its worker again and again is set aside, with a sentence."""
    Person.objects.create(email="poison@example.com")
    OutboxEntry.objects.update(attempts=20)
    sync.drain()
    row = OutboxEntry.objects.get()
    assert (row.state, row.last_code) == ("parked", "record.poison")
    assert sync.contacts() == []
