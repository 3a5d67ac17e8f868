"""A value read along a foreign key: what is known of it today, so that nobody is surprised."""

from django.utils import timezone

from crmsync.flows import poll
from crmsync.models import Cursor, OutboxEntry
from project.demo.models import Organisation, Person


def test_a_related_row_is_sent_with_the_next_look(sync) -> None:
    """I18: renaming the organisation captures nothing of its people; the complete pass finds and sends it."""
    firm = Organisation.objects.create(name="Old", domain="firm.example.com")
    Person.objects.create(email="staff@example.com", organisation=firm)
    sync.drain()
    (record,) = sync.contacts()
    firm.name = "New"
    firm.save()
    assert not OutboxEntry.objects.filter(mapping=sync.people).exists()
    sync.drain()
    before = sync.writes()
    assert sync.contact(record["id"])["company"] == "Old"
    Cursor.objects.update(due_at=timezone.now())
    while poll.poll_due() >= 0:
        pass
    Cursor.objects.filter(kind="full").update(
        due_at=timezone.now(), started_at=timezone.now() - timezone.timedelta(hours=1)
    )
    while poll.poll_due() >= 0:
        pass
    sync.drain()
    assert sync.contact(record["id"])["company"] == "New"
    assert sync.writes() == before + 1
