"""One worker a record: a held link makes others wait, a lost lease changes nothing, and any unit may run again."""

from datetime import timedelta

from django.utils import timezone

from crmsync.engine.terms import Direction
from crmsync.flows import apply, intake, pull, push, settle
from crmsync.ledger import inbox, outbox, queue
from crmsync.models import InboxEvent, Link, OutboxEntry
from project.demo.models import Organisation, Person


def hold(link: Link, seconds: int = 60) -> None:
    link.lease, link.leased_until = "somebody else", timezone.now() + timedelta(seconds=seconds)
    link.save()


def test_a_held_record_waits(sync, ada, ada_id) -> None:
    """I6, Fault 36: poll, webhook and save meet on one record; while it is held, neither side is written."""
    link = Link.objects.get()
    hold(link)
    ada.city = "Mine"
    ada.save()
    inbox.put([(sync.people.pk, ada_id)], timezone.now())
    before = sync.writes()
    push.push(sync.people.pk)
    pull.pull(sync.people.pk)
    assert sync.writes() == before
    for row in (OutboxEntry.objects.get(), InboxEvent.objects.get()):
        assert (row.state, row.attempts, row.last_code) == ("due", 0, "record.lease")
    Link.objects.update(lease="", leased_until=None)
    OutboxEntry.objects.update(due_at=timezone.now())
    InboxEvent.objects.update(due_at=timezone.now())
    sync.drain()
    assert sync.contact(ada_id)["city"] == "Mine"
    assert sync.queued() == (0, 0)


def test_a_lost_lease_commits_nothing(sync, ada, ada_id, monkeypatch) -> None:
    """I6, Fault 37: a worker stopped past its lease must not write Django or the link."""
    sync.hub.ui_update("contacts", ada_id, {"city": "Theirs"})
    sync.deliver()
    plain = settle.settle

    def overtaken(one, works) -> None:
        hold(Link.objects.get())
        plain(one, works)

    with monkeypatch.context() as patch:
        patch.setattr(settle, "settle", overtaken)
        intake.split()
        pull.pull(sync.people.pk)
    ada.refresh_from_db()
    assert ada.city == "London"
    assert InboxEvent.objects.count() == 1


def test_two_workers_share_a_queue(sync) -> None:
    """I6: what one worker claimed, another does not see."""
    for number in range(3):
        Person.objects.create(email=f"q{number}@example.com")
    now = timezone.now()
    first, mine = queue.claim(OutboxEntry, sync.people.pk, now, limit=2, seconds=30)
    second, theirs = queue.claim(OutboxEntry, sync.people.pk, now, limit=5, seconds=30)
    assert (len(mine), len(theirs)) == (2, 1)
    assert first != second
    assert {row.pk for row in mine}.isdisjoint(row.pk for row in theirs)


def test_a_change_during_the_work_is_not_lost(sync, ada, ada_id, monkeypatch) -> None:
    """I4: a row dirtied again while it is worked on stays due."""
    ada.city = "First"
    ada.save()
    plain = apply._update_remote

    def edited_meanwhile(one, works) -> None:
        plain(one, works)
        ada.city = "Second"
        ada.save()

    with monkeypatch.context() as patch:
        patch.setattr(apply, "_update_remote", edited_meanwhile)
        push.push(sync.people.pk)
    assert OutboxEntry.objects.count() == 1
    sync.drain()
    assert sync.contact(ada_id)["city"] == "Second"


def test_any_unit_may_run_again(sync, ada, ada_id) -> None:
    """I4: the same keys, worked on five times, end in the same state with no write."""
    before = sync.writes()
    for _ in range(5):
        outbox.mark_many([sync.people.pk], [str(ada.pk)], timezone.now())
        inbox.put([(sync.people.pk, ada_id)], timezone.now())
        sync.drain()
    assert sync.writes() == before
    assert Link.objects.count() == 1


def test_a_save_is_due_at_once(sync) -> None:
    """U5: nothing waits for an interval; the first drain after the commit carries it."""
    Person.objects.create(email="now@example.com")
    assert push.push(sync.people.pk) == 1
    assert len(sync.contacts()) == 1


def test_a_mapping_that_only_pulls(sync) -> None:
    """X2: organisations are updated from HubSpot only; a local edit is neither sent nor captured."""
    mapping = sync.mappings["Organisations"]
    mapping.direction = Direction.PULL
    mapping.save()
    key = sync.hub.ui_create("companies", {"name": "Acme", "domain": "acme.example.com"})
    sync.deliver()
    sync.drain()
    row = Organisation.objects.get()
    before = sync.writes()
    row.city = "Local"
    row.save()
    assert not OutboxEntry.objects.filter(mapping=mapping).exists()
    sync.hub.ui_update("companies", key, {"name": "Acme Ltd"})
    sync.deliver()
    sync.drain()
    row.refresh_from_db()
    assert (row.name, row.city) == ("Acme Ltd", "Local")
    assert sync.writes() == before
