"""HubSpot's changes reach Django: by webhook, by poll, whatever is duplicated, reordered, late or lost."""

from datetime import timedelta

from django.utils import timezone

from crmsync.engine.terms import DeletePolicy
from crmsync.flows import poll
from crmsync.models import Cursor, InboxEvent, Link, OutboxEntry
from project.demo.models import Organisation, Person


def test_a_change_arrives_by_webhook(sync, ada, ada_id) -> None:
    """A1, U6, U7: a HubSpot user's edit is in the row, with no poll."""
    sync.hub.ui_update("contacts", ada_id, {"jobtitle": "Analyst", "hs_lead_status": "CONNECTED"})
    sync.deliver()
    sync.drain()
    ada.refresh_from_db()
    assert (ada.job_title, ada.status) == ("Analyst", "customer")
    assert OutboxEntry.objects.count() == 0


def test_a_new_company_becomes_a_row(sync) -> None:
    """A2, X1: a record made in HubSpot is created and linked, once."""
    sync.hub.ui_create("companies", {"name": "Acme", "domain": "acme.example.com", "numberofemployees": "12"})
    sync.deliver()
    sync.drain()
    row = Organisation.objects.get()
    assert (row.name, row.domain, row.employees) == ("Acme", "acme.example.com", 12)
    assert Link.objects.filter(local_pk=str(row.pk), object_type="companies").count() == 1


def test_a_duplicated_delivery_has_one_effect(sync, ada, ada_id) -> None:
    """Fault 17: ten copies, one change, no write back."""
    sync.hub.set_webhooks(duplicate=1.0, copies=10)
    before = sync.writes()
    sync.hub.ui_update("contacts", ada_id, {"city": "Turin"})
    sync.deliver()
    sync.drain()
    ada.refresh_from_db()
    assert ada.city == "Turin"
    assert sync.writes() == before
    assert InboxEvent.objects.count() == 0


def test_the_state_decides_not_the_payload(sync, ada, ada_id) -> None:
    """I5, Fault 18: an old event that comes last changes nothing."""
    sync.hub.set_webhooks(reorder=1.0)
    for city in ("One", "Two", "Three"):
        sync.hub.ui_update("contacts", ada_id, {"city": city})
    sync.deliver()
    sync.drain()
    ada.refresh_from_db()
    assert ada.city == "Three"


def test_a_lost_webhook_is_found_by_the_poll(sync, ada, ada_id) -> None:
    """Fault 19: what no webhook told, the fast pass finds; an idle pass writes nothing."""
    sync.hub.set_webhooks(lose=1.0)
    assert poll.poll_due() >= 0
    while poll.poll_due() >= 0:
        pass
    sync.hub.ui_update("contacts", ada_id, {"city": "Oslo"})
    sync.deliver()
    Cursor.objects.update(due_at=timezone.now())
    while poll.poll_due() >= 0:
        pass
    sync.drain()
    ada.refresh_from_db()
    assert ada.city == "Oslo"
    before = sync.writes()
    Cursor.objects.update(due_at=timezone.now())
    while poll.poll_due() >= 0:
        pass
    sync.drain()
    assert InboxEvent.objects.count() == 0
    assert sync.writes() == before


def test_a_poll_never_looks_before_the_mapping_was_live(sync) -> None:
    """A27: what was there before is the backfill's, which only staff start."""
    sync.hub.set_webhooks(lose=1.0)
    sync.hub.ui_create("contacts", {"email": "old@example.com"})
    Cursor.objects.all().delete()
    later = timezone.now() + timedelta(seconds=2)
    for kind in ("fast", "full"):
        Cursor.objects.create(mapping=sync.people, kind=kind, started_at=later, position=later, due_at=timezone.now())
    while poll.poll_due() >= 0:
        pass
    sync.drain()
    assert Person.objects.count() == 0


def test_a_pull_does_not_come_back_as_a_push(sync, ada, ada_id) -> None:
    """I8: the row we write is not captured as a local change."""
    before = sync.writes()
    sync.hub.ui_update("contacts", ada_id, {"firstname": "Augusta Ada"})
    sync.deliver()
    sync.drain()
    assert sync.writes() == before
    assert OutboxEntry.objects.count() == 0


def test_a_host_that_changes_our_value_is_pushed(sync, ada, ada_id) -> None:
    """A receiver of the host that rewrites a field while we save it is the newer writer, not an echo."""
    from django.db.models import signals

    def shout(sender, instance, **kwargs) -> None:
        instance.last_name = instance.last_name.upper()

    signals.pre_save.connect(shout, sender=Person)
    try:
        sync.hub.ui_update("contacts", ada_id, {"lastname": "King"})
        sync.deliver()
        sync.drain()
    finally:
        signals.pre_save.disconnect(shout, sender=Person)
    ada.refresh_from_db()
    assert (sync.contact(ada_id)["lastname"], ada.last_name) == ("KING", "KING")


def test_an_archived_contact_ends_the_link(sync, ada, ada_id) -> None:
    """I13: the row stays, the link ends, and a later save does not make the contact again."""
    sync.hub.ui_archive("contacts", ada_id)
    sync.deliver()
    sync.drain()
    assert Person.objects.filter(pk=ada.pk).exists()
    assert Link.objects.get(local_pk=str(ada.pk)).state == "ended"
    ada.city = "Later"
    ada.save()
    sync.drain()
    assert sync.contacts() == []


def test_a_restored_contact_lives_again(sync, ada, ada_id) -> None:
    sync.hub.ui_archive("contacts", ada_id)
    sync.deliver()
    sync.drain()
    sync.hub.ui_restore("contacts", ada_id)
    sync.hub.ui_update("contacts", ada_id, {"city": "Back"})
    sync.deliver()
    sync.drain()
    ada.refresh_from_db()
    assert ada.city == "Back"
    assert Link.objects.get(local_pk=str(ada.pk)).state == "linked"


def test_the_delete_policy_may_delete_the_row(sync, ada, ada_id) -> None:
    """X9: a switch of its own; what is deleted in Django stays in HubSpot."""
    sync.people.deletes_local = DeletePolicy.ARCHIVE
    sync.people.save()
    sync.hub.ui_archive("contacts", ada_id)
    sync.deliver()
    sync.drain()
    assert not Person.objects.filter(pk=ada.pk).exists()


def test_a_deleted_row_keeps_the_contact_by_default(sync, ada, ada_id) -> None:
    ada.delete()
    sync.drain()
    assert [record["id"] for record in sync.contacts()] == [ada_id]
    sync.hub.ui_update("contacts", ada_id, {"city": "Still here"})
    sync.deliver()
    sync.drain()
    assert Person.objects.count() == 0


def test_a_deleted_row_archives_where_the_policy_says_so(sync, ada, ada_id) -> None:
    """X9: a switch of its own."""
    sync.people.deletes_remote = DeletePolicy.ARCHIVE
    sync.people.save()
    ada.delete()
    sync.drain()
    assert sync.contacts() == []


def test_link_only_makes_nothing(sync) -> None:
    """U8, U9: neither side ever gets a new record."""
    sync.people.creates_local = sync.people.creates_remote = False
    sync.people.save()
    sync.hub.ui_create("contacts", {"email": "newsletter@example.com"})
    Person.objects.create(email="local@example.com")
    sync.deliver()
    sync.drain()
    assert Person.objects.count() == 1
    assert len(sync.contacts()) == 1
    assert Link.objects.count() == 0


def test_a_row_made_anew_gets_the_contact_back(sync, ada, ada_id) -> None:
    """Fault 29: deleted and made again with the same e-mail, it is matched by rule, not doubled."""
    ada.delete()
    sync.drain()
    again = Person.objects.create(email="ada@example.com", first_name="Ada")
    sync.drain()
    assert [record["id"] for record in sync.contacts()] == [ada_id]
    link = Link.objects.get(remote_id=ada_id)
    assert (link.local_pk, link.state) == (str(again.pk), "linked")
